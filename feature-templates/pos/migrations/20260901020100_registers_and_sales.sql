-- Registers, their sessions, and what is sold at them.

create table public.registers (
  id uuid primary key default gen_random_uuid(),
  location_id uuid not null references public.locations (id) on delete restrict,
  code text not null unique,
  name text not null,
  active boolean not null default true,
  last_receipt_number bigint not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint registers_code_form check (code ~ '^[A-Z0-9][A-Z0-9_-]{0,19}$'),
  constraint registers_name_length check (length(btrim(name)) between 1 and 120),
  constraint registers_receipt_number_not_negative check (last_receipt_number >= 0)
);

alter table public.registers enable row level security;
revoke all on table public.registers from public, anon, authenticated, service_role;

comment on table public.registers is 'Tills. Each numbers its own receipts.';
comment on column public.registers.last_receipt_number is
  'Grows by one with each receipt, in the transaction of the sale: hence without gaps.';

create index registers_location_id_idx on public.registers (location_id);

create trigger registers_set_updated_at before update on public.registers
  for each row execute function private.set_updated_at();

create table public.register_sessions (
  id uuid primary key default gen_random_uuid(),
  register_id uuid not null references public.registers (id) on delete restrict,
  currency text not null,
  opening_cash numeric(18, 4) not null,
  opened_at timestamptz not null default now(),
  opened_by uuid,
  closed_at timestamptz,
  closed_by uuid,
  expected_cash numeric(18, 4),
  counted_cash numeric(18, 4),
  difference numeric(18, 4) generated always as (counted_cash - expected_cash) stored,
  note text,
  constraint register_sessions_currency_code check (currency ~ '^[A-Z]{3}$'),
  constraint register_sessions_opening_cash_not_negative check (
    opening_cash >= 0 and opening_cash <> 'NaN'
  ),
  constraint register_sessions_counted_cash_not_negative check (
    counted_cash >= 0 and counted_cash <> 'NaN'
  ),
  constraint register_sessions_closed_whole check (
    (closed_at is null) = (counted_cash is null) and (closed_at is null) = (expected_cash is null)
  ),
  constraint register_sessions_closed_after_opened check (closed_at >= opened_at),
  constraint register_sessions_note_length check (length(note) <= 1000)
);

alter table public.register_sessions enable row level security;
revoke all on table public.register_sessions from public, anon, authenticated, service_role;

comment on table public.register_sessions is
  'From opening a till with a float to closing it with a count.';
comment on column public.register_sessions.expected_cash is
  'Opening cash plus cash payments, worked out at closing.';
comment on column public.register_sessions.difference is 'Counted less expected; negative if short.';
comment on column public.register_sessions.opened_by is
  'The account that acted. No foreign key: the record outlives the account.';

create index register_sessions_register_idx
  on public.register_sessions (register_id, opened_at);
create unique index register_sessions_one_open on public.register_sessions (register_id)
  where closed_at is null;

create table public.sales (
  id uuid primary key default gen_random_uuid(),
  client_token uuid not null unique,
  request_hash bytea not null,
  session_id uuid not null references public.register_sessions (id) on delete restrict,
  location_id uuid not null references public.locations (id) on delete restrict,
  currency text not null,
  net_total numeric(18, 4) not null,
  tax_total numeric(18, 4) not null,
  total numeric(18, 4) not null,
  sold_at timestamptz not null default now(),
  sold_by uuid,
  constraint sales_request_hash_length check (length(request_hash) = 32),
  constraint sales_currency_code check (currency ~ '^[A-Z]{3}$'),
  constraint sales_totals_not_negative check (net_total >= 0 and tax_total >= 0),
  constraint sales_total_adds_up check (total = net_total + tax_total)
);

alter table public.sales enable row level security;
revoke all on table public.sales from public, anon, authenticated, service_role;

comment on table public.sales is 'Completed sales, never changed. Written by complete_sale only.';
comment on column public.sales.client_token is
  'Made by the till; the same token sent again is the same sale.';
comment on column public.sales.request_hash is
  'SHA-256 of what the till sent, to refuse another sale under a used token.';
comment on column public.sales.sold_by is
  'The account that acted. No foreign key: the record outlives the account.';

create index sales_session_id_idx on public.sales (session_id);
create index sales_location_idx on public.sales (location_id, sold_at);
create index sales_sold_at_idx on public.sales (sold_at);

create table public.sale_lines (
  sale_id uuid not null references public.sales (id) on delete restrict,
  line_number smallint not null,
  product_id uuid not null references public.products (id) on delete restrict,
  sku text not null,
  description text not null,
  quantity numeric(18, 6) not null,
  unit_price numeric(18, 4) not null,
  discount numeric(18, 4) not null default 0,
  tax_rate numeric(7, 6) not null,
  net_amount numeric(18, 4) not null,
  tax_amount numeric(18, 4) not null,
  total numeric(18, 4) not null,
  primary key (sale_id, line_number),
  constraint sale_lines_line_number_positive check (line_number > 0),
  constraint sale_lines_quantity_positive check (quantity > 0),
  constraint sale_lines_unit_price_not_negative check (unit_price >= 0),
  constraint sale_lines_discount_not_negative check (discount >= 0),
  constraint sale_lines_tax_rate_range check (tax_rate >= 0 and tax_rate < 1),
  constraint sale_lines_amounts_not_negative check (net_amount >= 0 and tax_amount >= 0),
  constraint sale_lines_total_adds_up check (total = net_amount + tax_amount)
);

alter table public.sale_lines enable row level security;
revoke all on table public.sale_lines from public, anon, authenticated, service_role;

comment on table public.sale_lines is
  'What was sold, at the prices and under the names of that moment. In the currency of the sale.';

create index sale_lines_product_id_idx on public.sale_lines (product_id);

create table public.payments (
  id uuid primary key default gen_random_uuid(),
  sale_id uuid not null references public.sales (id) on delete restrict,
  method text not null,
  currency text not null,
  amount numeric(18, 4) not null,
  tendered numeric(18, 4) not null,
  change_given numeric(18, 4) generated always as (tendered - amount) stored,
  reference text,
  paid_at timestamptz not null default now(),
  constraint payments_method_known check (
    method in ('cash', 'card', 'transfer', 'voucher', 'other')
  ),
  constraint payments_currency_code check (currency ~ '^[A-Z]{3}$'),
  constraint payments_amount_positive check (amount > 0 and amount <> 'NaN'),
  constraint payments_change_for_cash_only check (
    tendered = amount or (method = 'cash' and tendered > amount and tendered <> 'NaN')
  ),
  constraint payments_reference_length check (length(reference) <= 200)
);

alter table public.payments enable row level security;
revoke all on table public.payments from public, anon, authenticated, service_role;

comment on table public.payments is 'How a sale was paid; several rows for a split payment.';
comment on column public.payments.amount is 'The part of the sale that this payment covers.';
comment on column public.payments.tendered is 'What was handed over; more than the amount for cash only.';

create index payments_sale_id_idx on public.payments (sale_id);

create table public.receipts (
  id uuid primary key default gen_random_uuid(),
  register_id uuid not null references public.registers (id) on delete restrict,
  number bigint not null,
  sale_id uuid not null unique references public.sales (id) on delete restrict,
  document jsonb not null,
  issued_at timestamptz not null default now(),
  -- Its index also serves the foreign key.
  constraint receipts_number_per_register unique (register_id, number),
  constraint receipts_number_positive check (number > 0),
  constraint receipts_document_is_object check (jsonb_typeof(document) = 'object')
);

alter table public.receipts enable row level security;
revoke all on table public.receipts from public, anon, authenticated, service_role;

comment on table public.receipts is 'What the customer was given, numbered 1, 2, 3 … per register.';
comment on column public.receipts.document is 'Everything that is printed, as it was then.';

create trigger sales_refuse_change before update or delete or truncate on public.sales
  for each statement execute function private.refuse_change();
create trigger sale_lines_refuse_change before update or delete or truncate on public.sale_lines
  for each statement execute function private.refuse_change();
create trigger payments_refuse_change before update or delete or truncate on public.payments
  for each statement execute function private.refuse_change();
create trigger receipts_refuse_change before update or delete or truncate on public.receipts
  for each statement execute function private.refuse_change();
