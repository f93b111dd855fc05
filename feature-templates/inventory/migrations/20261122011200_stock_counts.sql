-- Stock counts as documents: staff count, a manager posts. The book's quantity is frozen with each
-- line at the moment it is counted, with its level locked, and posting corrects by the difference. So
-- what moves in between does no harm, as long as it is goods. A correction in between (a count or an
-- adjustment) may have been of the same goods: posting refuses such a line, and it is counted again.

create table public.stock_counts (
  id uuid primary key,
  location_id uuid not null references public.locations (id) on delete restrict,
  number bigint not null,
  status text not null default 'open',
  note text,
  opened_at timestamptz not null default now(),
  opened_by uuid default auth.uid(),
  closed_at timestamptz,
  closed_by uuid,
  -- Its index also serves the foreign key.
  constraint stock_counts_number_per_location unique (location_id, number),
  constraint stock_counts_status_known check (status in ('open', 'posted', 'cancelled')),
  constraint stock_counts_note_length check (length(note) <= 1000),
  constraint stock_counts_closed_whole check ((status = 'open') = (closed_at is null))
);

alter table public.stock_counts enable row level security;
revoke all on table public.stock_counts from public, anon, authenticated, service_role;

comment on table public.stock_counts is
  'Counts of a location. Written by open_stock_count and its sisters only.';
comment on column public.stock_counts.id is
  'Made by whoever opens the count, so that opening it twice makes one.';
comment on column public.stock_counts.number is '1, 2, 3 … per location, without gaps.';
comment on column public.stock_counts.closed_at is 'When it was posted or cancelled.';
comment on column public.stock_counts.opened_by is
  'The account that acted. No foreign key: the record outlives the account.';

create table public.stock_count_lines (
  count_id uuid not null references public.stock_counts (id) on delete restrict,
  product_id uuid not null references public.products (id) on delete restrict,
  counted numeric(18, 6) not null,
  expected numeric(18, 6) not null,
  difference numeric(18, 6) not null generated always as (counted - expected) stored,
  counted_at timestamptz not null default now(),
  counted_by uuid default auth.uid(),
  last_movement bigint not null,
  primary key (count_id, product_id),
  constraint stock_count_lines_counted_not_negative check (counted >= 0 and counted <> 'NaN')
);

alter table public.stock_count_lines enable row level security;
revoke all on table public.stock_count_lines from public, anon, authenticated, service_role;

comment on table public.stock_count_lines is 'What was counted of a product, and by whom.';
comment on column public.stock_count_lines.expected is
  'What the books said at the moment of counting.';
comment on column public.stock_count_lines.last_movement is
  'The books'' last movement at the moment of counting: later ones of the level have higher ids.';
comment on column public.stock_count_lines.difference is 'Counted less expected.';

create index stock_count_lines_product_id_idx on public.stock_count_lines (product_id);
