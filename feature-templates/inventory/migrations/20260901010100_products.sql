-- What the company deals in, and from whom it comes.

create table public.units (
  code text primary key,
  name text not null,
  decimals smallint not null default 0,
  constraint units_code_form check (code ~ '^[a-z0-9]{1,12}$'),
  constraint units_name_length check (length(btrim(name)) between 1 and 60),
  constraint units_decimals_range check (decimals between 0 and 6)
);

alter table public.units enable row level security;
revoke all on table public.units from public, anon, authenticated, service_role;

comment on table public.units is 'Units in which products are counted.';
comment on column public.units.decimals is 'Decimals a quantity may have: 0 for pieces, 3 for kilograms.';

create table public.categories (
  id uuid primary key default gen_random_uuid(),
  parent_id uuid references public.categories (id) on delete restrict,
  name text not null,
  sort_order integer not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint categories_name_length check (length(btrim(name)) between 1 and 120),
  constraint categories_not_own_parent check (parent_id <> id),
  -- Its index also serves the foreign key.
  constraint categories_sibling_names unique nulls not distinct (parent_id, name)
);

alter table public.categories enable row level security;
revoke all on table public.categories from public, anon, authenticated, service_role;

comment on table public.categories is 'A tree of product categories.';
comment on column public.categories.parent_id is 'Empty at the top of the tree.';

create trigger categories_set_updated_at before update on public.categories
  for each row execute function private.set_updated_at();

create function private.refuse_category_cycle() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  -- Two moves at once could close a circle that neither of them sees, so they take turns.
  perform from public.company_settings for update;
  if exists (
    with recursive ancestors (id) as (
      select new.parent_id
      union
      select c.parent_id
      from public.categories c
      join ancestors a on c.id = a.id
      where c.parent_id is not null
    )
    select from ancestors where id = new.id
  ) then
    raise exception 'A category cannot stand below itself'
      using errcode = 'check_violation', constraint = 'categories_no_cycle';
  end if;
  return new;
end;
$$;

revoke all on function private.refuse_category_cycle()
  from public, anon, authenticated, service_role;

-- A new category has no children yet, so only a move can close a circle.
create trigger categories_refuse_cycle before update of parent_id on public.categories
  for each row when (new.parent_id is not null)
  execute function private.refuse_category_cycle();

create table public.suppliers (
  id uuid primary key default gen_random_uuid(),
  code text not null unique,
  name text not null,
  contact_name text,
  email text,
  phone text,
  active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint suppliers_code_form check (code ~ '^[A-Z0-9][A-Z0-9_-]{0,19}$'),
  constraint suppliers_name_length check (length(btrim(name)) between 1 and 200),
  constraint suppliers_contact_name_length check (length(contact_name) <= 200),
  constraint suppliers_email_form check (email ~ '^[^@\s]+@[^@\s]+$' and length(email) <= 254),
  constraint suppliers_phone_length check (length(phone) <= 50)
);

alter table public.suppliers enable row level security;
revoke all on table public.suppliers from public, anon, authenticated, service_role;

comment on table public.suppliers is 'Whom the company buys from.';

create trigger suppliers_set_updated_at before update on public.suppliers
  for each row execute function private.set_updated_at();

create table public.products (
  id uuid primary key default gen_random_uuid(),
  sku text not null,
  barcode text,
  name text not null,
  description text,
  category_id uuid references public.categories (id) on delete set null,
  unit_code text not null default 'piece' references public.units (code),
  price numeric(18, 4) not null default 0,
  currency text not null,
  price_includes_tax boolean not null default true,
  tax_rate numeric(7, 6) not null default 0,
  track_stock boolean not null default true,
  allow_oversell boolean not null default false,
  active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint products_sku_form check (sku ~ '^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$'),
  constraint products_barcode_form check (barcode ~ '^[0-9A-Za-z-]{4,48}$'),
  constraint products_name_length check (length(btrim(name)) between 1 and 200),
  constraint products_description_length check (length(description) <= 10000),
  constraint products_price_not_negative check (price >= 0 and price <> 'NaN'),
  constraint products_currency_code check (currency ~ '^[A-Z]{3}$'),
  constraint products_tax_rate_range check (tax_rate >= 0 and tax_rate < 1)
);

alter table public.products enable row level security;
revoke all on table public.products from public, anon, authenticated, service_role;

comment on table public.products is 'Everything that is bought, stored or sold.';
comment on column public.products.price is 'List price of one unit.';
comment on column public.products.tax_rate is 'A fraction: 0.2 is 20 %.';
comment on column public.products.track_stock is 'False for services, which have no stock.';
comment on column public.products.allow_oversell is 'Whether stock may fall below zero.';

-- A SKU that differs only by case would be read as the same one by people.
create unique index products_sku_key on public.products (lower(sku));
create unique index products_barcode_key on public.products (barcode) where barcode is not null;
create index products_category_id_idx on public.products (category_id);
create index products_unit_code_idx on public.products (unit_code);

create trigger products_set_updated_at before update on public.products
  for each row execute function private.set_updated_at();

create trigger products_log_activity after insert or update or delete on public.products
  for each row execute function private.log_activity('id');

-- A price without a currency of its own is in the company's.
create function private.set_company_currency() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  select s.currency into new.currency from public.company_settings s;
  return new;
end;
$$;

revoke all on function private.set_company_currency()
  from public, anon, authenticated, service_role;

create trigger products_set_currency before insert on public.products
  for each row when (new.currency is null)
  execute function private.set_company_currency();

create table public.product_suppliers (
  product_id uuid not null references public.products (id) on delete cascade,
  supplier_id uuid not null references public.suppliers (id) on delete cascade,
  supplier_sku text,
  cost numeric(18, 4),
  currency text,
  lead_time_days smallint,
  preferred boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (product_id, supplier_id),
  constraint product_suppliers_sku_length check (length(supplier_sku) <= 64),
  constraint product_suppliers_cost_not_negative check (cost >= 0 and cost <> 'NaN'),
  constraint product_suppliers_cost_has_currency check ((cost is null) = (currency is null)),
  constraint product_suppliers_currency_code check (currency ~ '^[A-Z]{3}$'),
  constraint product_suppliers_lead_time_range check (lead_time_days between 0 and 1000)
);

alter table public.product_suppliers enable row level security;
revoke all on table public.product_suppliers from public, anon, authenticated, service_role;

comment on table public.product_suppliers is 'Who supplies a product, and on what terms.';
comment on column public.product_suppliers.cost is 'What one unit costs from this supplier.';

create index product_suppliers_supplier_id_idx on public.product_suppliers (supplier_id);
create unique index product_suppliers_one_preferred on public.product_suppliers (product_id)
  where preferred;

create trigger product_suppliers_set_updated_at before update on public.product_suppliers
  for each row execute function private.set_updated_at();
