-- Money given back for a sale: a refund of some of it, or a void of the whole.

create table public.refunds (
  id uuid primary key default gen_random_uuid(),
  client_token uuid not null unique,
  request_hash bytea not null,
  sale_id uuid not null references public.sales (id) on delete restrict,
  session_id uuid not null references public.register_sessions (id) on delete restrict,
  location_id uuid not null references public.locations (id) on delete restrict,
  kind text not null,
  reason text not null,
  currency text not null,
  net_total numeric(18, 4) not null,
  tax_total numeric(18, 4) not null,
  total numeric(18, 4) not null,
  refunded_at timestamptz not null default now(),
  refunded_by uuid,
  constraint refunds_request_hash_length check (length(request_hash) = 32),
  constraint refunds_kind_known check (kind in ('refund', 'void')),
  constraint refunds_reason_length check (length(btrim(reason)) between 1 and 500),
  constraint refunds_currency_code check (currency ~ '^[A-Z]{3}$'),
  constraint refunds_totals_not_negative check (net_total >= 0 and tax_total >= 0),
  constraint refunds_total_adds_up check (total = net_total + tax_total)
);

alter table public.refunds enable row level security;
revoke all on table public.refunds from public, anon, authenticated, service_role;

comment on table public.refunds is
  'Sales given back, in part or whole, never changed. Totals are positive. Written by refund_sale
  and void_sale only.';
comment on column public.refunds.client_token is
  'Made by the till; the same token sent again is the same refund.';
comment on column public.refunds.request_hash is
  'SHA-256 of what the till sent, to refuse another refund under a used token.';
comment on column public.refunds.session_id is 'Where the money was paid back, not where it was sold.';
comment on column public.refunds.kind is
  'A void takes back a whole sale on its day and in its session; anything else is a refund.';
comment on column public.refunds.refunded_by is
  'The account that acted. No foreign key: the record outlives the account.';

create index refunds_sale_id_idx on public.refunds (sale_id);
create index refunds_session_id_idx on public.refunds (session_id);
create index refunds_location_idx on public.refunds (location_id, refunded_at);
create index refunds_refunded_at_idx on public.refunds (refunded_at);

create table public.refund_lines (
  refund_id uuid not null references public.refunds (id) on delete restrict,
  line_number smallint not null,
  sale_id uuid not null,
  quantity numeric(18, 6) not null,
  net_amount numeric(18, 4) not null,
  tax_amount numeric(18, 4) not null,
  total numeric(18, 4) not null,
  restocked boolean not null,
  primary key (refund_id, line_number),
  constraint refund_lines_sale_line_fkey foreign key (sale_id, line_number)
    references public.sale_lines (sale_id, line_number) on delete restrict,
  constraint refund_lines_quantity_positive check (quantity > 0),
  constraint refund_lines_amounts_not_negative check (net_amount >= 0 and tax_amount >= 0),
  constraint refund_lines_total_adds_up check (total = net_amount + tax_amount)
);

alter table public.refund_lines enable row level security;
revoke all on table public.refund_lines from public, anon, authenticated, service_role;

comment on table public.refund_lines is
  'How much of which line of the sale was given back. In the currency of the refund.';
comment on column public.refund_lines.line_number is 'The number of the line of the sale.';
comment on column public.refund_lines.sale_id is 'That of the refund, for the foreign key.';
comment on column public.refund_lines.restocked is
  'Whether the goods went back into stock, as a movement of the kind return.';

create index refund_lines_sale_line_idx on public.refund_lines (sale_id, line_number);

create table public.refund_payments (
  id uuid primary key default gen_random_uuid(),
  refund_id uuid not null references public.refunds (id) on delete restrict,
  method text not null,
  currency text not null,
  amount numeric(18, 4) not null,
  reference text,
  constraint refund_payments_method_known check (
    method in ('cash', 'card', 'transfer', 'voucher', 'other')
  ),
  constraint refund_payments_currency_code check (currency ~ '^[A-Z]{3}$'),
  constraint refund_payments_amount_positive check (amount > 0 and amount <> 'NaN'),
  constraint refund_payments_reference_length check (length(reference) <= 200)
);

alter table public.refund_payments enable row level security;
revoke all on table public.refund_payments from public, anon, authenticated, service_role;

comment on table public.refund_payments is 'How a refund was paid back; amounts are positive.';

create index refund_payments_refund_id_idx on public.refund_payments (refund_id);

create trigger refunds_refuse_change before update or delete or truncate on public.refunds
  for each statement execute function private.refuse_change();
create trigger refund_lines_refuse_change
  before update or delete or truncate on public.refund_lines
  for each statement execute function private.refuse_change();
create trigger refund_payments_refuse_change
  before update or delete or truncate on public.refund_payments
  for each statement execute function private.refuse_change();

-- An order that was sold stays completed, whatever happens to the sale; here is what did.
create view public.order_outcomes with (security_invoker = true) as
select
  o.id as order_id,
  o.location_id,
  o.number,
  o.status,
  o.sale_id,
  b.given_back,
  b.voided_at
from public.orders o
left join (
  select r.sale_id, sum(r.total) as given_back,
    max(r.refunded_at) filter (where r.kind = 'void') as voided_at
  from public.refunds r
  group by r.sale_id
) b on b.sale_id = o.sale_id;

revoke all on table public.order_outcomes from public, anon, authenticated, service_role;

comment on view public.order_outcomes is
  'Orders, with how much of what they came to was given back, and whether their sale was voided.';
