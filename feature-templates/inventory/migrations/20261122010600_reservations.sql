-- Stock that is promised to somebody. A reservation holds stock while it is open; the level's
-- reserved is the sum of its open ones, kept by trigger. Whoever changes a reservation locks the
-- level first, so that two of them, or one and a sale, take turns.

create table public.reservations (
  id uuid primary key default gen_random_uuid(),
  product_id uuid not null,
  location_id uuid not null,
  quantity numeric(18, 6) not null,
  reserved_for text not null,
  note text,
  status text not null default 'open',
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  closed_at timestamptz,
  closed_by uuid,
  taken_for uuid,
  constraint reservations_level_fkey foreign key (product_id, location_id)
    references public.stock_levels (product_id, location_id) on delete restrict,
  constraint reservations_quantity_positive check (quantity > 0 and quantity <> 'NaN'),
  constraint reservations_reserved_for_length check (length(btrim(reserved_for)) between 1 and 200),
  constraint reservations_note_length check (length(note) <= 1000),
  constraint reservations_status_known check (
    status in ('open', 'fulfilled', 'released', 'expired')
  ),
  constraint reservations_closed_whole check ((status = 'open') = (closed_at is null)),
  constraint reservations_taken_whole check ((status = 'fulfilled') = (taken_for is not null))
);

alter table public.reservations enable row level security;
revoke all on table public.reservations from public, anon, authenticated, service_role;

comment on table public.reservations is
  'Stock kept back for somebody. Written by reserve_stock and its sisters only.';
comment on column public.reservations.reserved_for is 'A customer, an order or a person.';
comment on column public.reservations.expires_at is
  'From then on it holds nothing back. Empty for a reservation without an end.';
comment on column public.reservations.created_by is
  'The account that acted. No foreign key: the record outlives the account.';

comment on column public.reservations.taken_for is
  'The source_id of the movement that carried it out: a sale, or for an issue its own id.';

-- Its first columns also serve the foreign key.
create index reservations_level_idx
  on public.reservations (product_id, location_id, status, expires_at);
create index reservations_expiry_idx on public.reservations (expires_at)
  where status = 'open' and expires_at is not null;

create function private.apply_reservation() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if tg_op <> 'INSERT' and old.status = 'open' then
    update public.stock_levels s set reserved = s.reserved - old.quantity
    where s.product_id = old.product_id and s.location_id = old.location_id;
  end if;
  if tg_op <> 'DELETE' and new.status = 'open' then
    update public.stock_levels s set reserved = s.reserved + new.quantity
    where s.product_id = new.product_id and s.location_id = new.location_id;
  end if;
  return null;
end;
$$;

revoke all on function private.apply_reservation() from public, anon, authenticated, service_role;

create trigger reservations_apply after insert or update or delete on public.reservations
  for each row execute function private.apply_reservation();

-- What each act on a level begins with ----------------------------------------------------------

-- The level of a product at a location, locked until the end of the transaction, made if missing.
-- Who locks several does so in order of product and location, or two could wait for each other.
create function private.lock_level(p_product_id uuid, p_location_id uuid)
returns public.stock_levels
language plpgsql
set search_path = ''
as $$
declare
  level public.stock_levels;
begin
  select * into level from public.stock_levels s
  where s.product_id = p_product_id and s.location_id = p_location_id
  for update;
  if not found then
    insert into public.stock_levels (product_id, location_id)
    values (p_product_id, p_location_id)
    on conflict (product_id, location_id) do nothing;
    select * into level from public.stock_levels s
    where s.product_id = p_product_id and s.location_id = p_location_id
    for update;
  end if;
  return level;
end;
$$;

revoke all on function private.lock_level(uuid, uuid)
  from public, anon, authenticated, service_role;

-- Locks levels of a location in order of product, for acts that write several movements.
create function private.lock_levels(p_location_id uuid, p_product_ids uuid[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  product_id uuid;
begin
  for product_id in select distinct g.id from unnest(p_product_ids) g (id) order by g.id loop
    perform private.lock_level(product_id, p_location_id);
  end loop;
end;
$$;

revoke all on function private.lock_levels(uuid, uuid[])
  from public, anon, authenticated, service_role;

-- Refuses a product that has no stock of its own, and a quantity finer than its unit, unless the
-- caller asks for neither. The product stays locked against changes of what is asked here. Answers
-- the SKU, and whether stock may fall below zero.
create function private.require_stocked(
  p_product_id uuid, p_quantity numeric, p_always boolean default false, out sku text,
  out allow_oversell boolean
)
language plpgsql
set search_path = ''
as $$
declare
  product record;
begin
  select p.sku, p.track_stock, p.allow_oversell, u.decimals into product
  from public.products p
  join public.units u on u.code = p.unit_code
  where p.id = p_product_id
  for key share of p;
  if not found then
    raise exception 'There is no product %', p_product_id using errcode = 'foreign_key_violation';
  end if;
  sku := product.sku;
  allow_oversell := product.allow_oversell;
  if p_always then
    return;
  end if;
  if not product.track_stock then
    raise exception 'Product % has no stock', product.sku
      using errcode = 'check_violation', constraint = 'stock_movements_product_tracked';
  end if;
  if exists (select from public.products v where v.parent_id = p_product_id) then
    raise exception 'Product % has variants, and they have the stock', product.sku
      using errcode = 'check_violation', constraint = 'stock_movements_product_without_variants';
  end if;
  if p_quantity <> round(p_quantity, product.decimals) then
    raise exception 'Product % is counted with % decimals', product.sku, product.decimals
      using errcode = 'check_violation', constraint = 'stock_movements_unit_decimals';
  end if;
end;
$$;

revoke all on function private.require_stocked(uuid, numeric, boolean)
  from public, anon, authenticated, service_role;

-- Lets go of what has expired at a level that the caller has locked; answers what is still reserved.
create function private.expire_reservations(p_product_id uuid, p_location_id uuid)
returns numeric
language plpgsql
set search_path = ''
as $$
declare
  still_reserved numeric;
begin
  update public.reservations r set status = 'expired', closed_at = now()
  where r.product_id = p_product_id and r.location_id = p_location_id
    and r.status = 'open' and r.expires_at <= now();
  select s.reserved into still_reserved from public.stock_levels s
  where s.product_id = p_product_id and s.location_id = p_location_id;
  return still_reserved;
end;
$$;

revoke all on function private.expire_reservations(uuid, uuid)
  from public, anon, authenticated, service_role;
