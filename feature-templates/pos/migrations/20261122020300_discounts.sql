-- Discounts that the company offers, and what of them each sale was given. A discount of one's own
-- needs no row here: a manager gives it by hand, with the line.

create table public.discounts (
  id uuid primary key default gen_random_uuid(),
  code text not null unique,
  name text not null,
  applies_to text not null,
  rate numeric(7, 6),
  amount numeric(18, 4),
  currency text,
  starts_at timestamptz,
  ends_at timestamptz,
  staff_may_give boolean not null default false,
  active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint discounts_code_form check (code ~ '^[A-Z0-9][A-Z0-9_-]{0,39}$'),
  constraint discounts_name_length check (length(btrim(name)) between 1 and 120),
  constraint discounts_applies_to_known check (applies_to in ('line', 'order')),
  constraint discounts_rate_or_amount check (num_nonnulls(rate, amount) = 1),
  constraint discounts_rate_range check (rate > 0 and rate <= 1),
  constraint discounts_amount_positive check (amount > 0 and amount <> 'NaN'),
  constraint discounts_amount_has_currency check ((amount is null) = (currency is null)),
  constraint discounts_currency_code check (currency ~ '^[A-Z]{3}$'),
  constraint discounts_ends_after_start check (ends_at > starts_at)
);

alter table public.discounts enable row level security;
revoke all on table public.discounts from public, anon, authenticated, service_role;

comment on table public.discounts is
  'Discounts on offer. One that was given stays; make it inactive to end it.';
comment on column public.discounts.applies_to is 'A single line, or the whole order.';
comment on column public.discounts.rate is 'A fraction: 0.2 is 20 %. Either this or an amount.';
comment on column public.discounts.amount is
  'Off the line or the order as a whole, and never more than that comes to. On lines, once per
  product and sale.';
comment on column public.discounts.starts_at is 'From then on; empty for always.';
comment on column public.discounts.ends_at is 'Until then, exclusive; empty for ever.';
comment on column public.discounts.staff_may_give is 'False leaves it to managers.';

create trigger discounts_set_updated_at before update on public.discounts
  for each row execute function private.set_updated_at();

create trigger discounts_log_activity after insert or update or delete on public.discounts
  for each row execute function private.log_activity('id');

create table public.sale_discounts (
  sale_id uuid not null references public.sales (id) on delete restrict,
  line_number smallint not null,
  discount_id uuid references public.discounts (id) on delete restrict,
  name text,
  amount numeric(18, 4) not null,
  primary key (sale_id, line_number),
  constraint sale_discounts_line_number_not_negative check (line_number >= 0),
  constraint sale_discounts_named_if_offered check ((discount_id is null) = (name is null)),
  constraint sale_discounts_amount_not_negative check (amount >= 0 and amount <> 'NaN')
);

alter table public.sale_discounts enable row level security;
revoke all on table public.sale_discounts from public, anon, authenticated, service_role;

comment on table public.sale_discounts is
  'What was given on a sale and its lines. The lines hold their share of it as their discount.';
comment on column public.sale_discounts.line_number is 'The line, or 0 for the whole order.';
comment on column public.sale_discounts.discount_id is 'Empty if a manager gave it by hand.';
comment on column public.sale_discounts.name is 'The name of the discount at that moment.';

create index sale_discounts_discount_id_idx on public.sale_discounts (discount_id);

create trigger sale_discounts_refuse_change
  before update or delete or truncate on public.sale_discounts
  for each statement execute function private.refuse_change();

create function private.usable_discount(p_discount_id uuid, p_applies_to text, p_currency text)
returns public.discounts
language plpgsql
stable
set search_path = ''
as $$
declare
  discount public.discounts;
begin
  select * into discount
  from public.discounts d
  where d.id = p_discount_id
    and d.applies_to = p_applies_to
    and d.active
    and coalesce(d.starts_at <= now(), true)
    and coalesce(d.ends_at > now(), true)
    and coalesce(d.currency = p_currency, true);
  if not found then
    raise exception 'There is no discount % that may be given now on one %',
      p_discount_id, p_applies_to using errcode = 'no_data_found';
  end if;
  if not discount.staff_may_give then
    perform private.require_role('manager');
  end if;
  return discount;
end;
$$;

revoke all on function private.usable_discount(uuid, text, text)
  from public, anon, authenticated, service_role;
