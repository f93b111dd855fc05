-- Numbers of documents, without gaps, per location and kind of document.
--
-- A sequence would be faster, but what a rolled back transaction takes from it is lost. Here the
-- number is a row of the caller's own transaction: it comes and goes with the document itself.

create table public.document_counters (
  location_id uuid not null references public.locations (id) on delete restrict,
  kind text not null,
  last_number bigint not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (location_id, kind),
  constraint document_counters_kind_form check (kind ~ '^[a-z][a-z0-9_]{0,39}$'),
  constraint document_counters_last_number_positive check (last_number > 0)
);

alter table public.document_counters enable row level security;
revoke all on table public.document_counters from public, anon, authenticated, service_role;

comment on table public.document_counters is
  'The last number given to a kind of document at a location. Written by
  private.next_document_number() only.';
comment on column public.document_counters.kind is 'One lower-case word, e.g. transfer or order.';

create trigger document_counters_set_updated_at before update on public.document_counters
  for each row execute function private.set_updated_at();

-- Whoever comes second waits here until the first one's document is there or is not.
create function private.next_document_number(p_location_id uuid, p_kind text) returns bigint
language sql
volatile
security definer
set search_path = ''
as $$
  insert into public.document_counters as c (location_id, kind, last_number)
  values (p_location_id, p_kind, 1)
  on conflict (location_id, kind) do update set last_number = c.last_number + 1
  returning c.last_number;
$$;

comment on function private.next_document_number(uuid, text) is
  'The next number of a kind of document at a location, from 1 on and without gaps. It holds the
  counter until the end of the transaction, so ask for it as late as possible.';

revoke all on function private.next_document_number(uuid, text)
  from public, anon, authenticated, service_role;
