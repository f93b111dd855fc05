-- Stock per location. The movements are the truth; stock_levels is their running sum, kept by
-- trigger in the same transaction, so that reading a level costs one row.

create type public.movement_kind as enum (
  'receipt', 'issue', 'sale', 'return', 'transfer_in', 'transfer_out', 'adjustment', 'count'
);

comment on type public.movement_kind is 'Why stock changed.';

create table public.stock_levels (
  product_id uuid not null references public.products (id) on delete restrict,
  location_id uuid not null references public.locations (id) on delete restrict,
  quantity numeric(18, 6) not null default 0,
  reorder_point numeric(18, 6),
  reorder_quantity numeric(18, 6),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (product_id, location_id),
  constraint stock_levels_reorder_point_not_negative check (
    reorder_point >= 0 and reorder_point <> 'NaN'
  ),
  constraint stock_levels_reorder_quantity_positive check (
    reorder_quantity > 0 and reorder_quantity <> 'NaN'
  )
);

alter table public.stock_levels enable row level security;
revoke all on table public.stock_levels from public, anon, authenticated, service_role;

comment on table public.stock_levels is 'How much of a product is at a location, and when to reorder.';
comment on column public.stock_levels.quantity is 'The sum of the movements; written by trigger only.';
comment on column public.stock_levels.reorder_point is 'At or below this quantity, stock is low.';

create index stock_levels_location_id_idx on public.stock_levels (location_id);

create trigger stock_levels_set_updated_at before update on public.stock_levels
  for each row execute function private.set_updated_at();

create table public.stock_movements (
  id bigint generated always as identity primary key,
  product_id uuid not null references public.products (id) on delete restrict,
  location_id uuid not null references public.locations (id) on delete restrict,
  kind public.movement_kind not null,
  quantity numeric(18, 6) not null,
  unit_cost numeric(18, 4),
  currency text,
  source_id uuid,
  note text,
  occurred_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  -- numeric knows NaN, which counts as greater than any number and would never leave a sum.
  constraint stock_movements_quantity_number check (quantity <> 'NaN'),
  constraint stock_movements_sign check (
    case
      when kind in ('receipt', 'return', 'transfer_in') then quantity > 0
      when kind in ('issue', 'sale', 'transfer_out') then quantity < 0
      else quantity <> 0
    end
  ),
  constraint stock_movements_unit_cost_not_negative check (unit_cost >= 0 and unit_cost <> 'NaN'),
  constraint stock_movements_cost_has_currency check ((unit_cost is null) = (currency is null)),
  constraint stock_movements_currency_code check (currency ~ '^[A-Z]{3}$'),
  constraint stock_movements_note_length check (length(note) <= 1000)
);

alter table public.stock_movements enable row level security;
revoke all on table public.stock_movements from public, anon, authenticated, service_role;
revoke all on sequence public.stock_movements_id_seq from public, anon, authenticated, service_role;

comment on table public.stock_movements is
  'Every change of stock, never changed itself. A mistake is corrected by another movement.';
comment on column public.stock_movements.quantity is 'Positive into the location, negative out of it.';
comment on column public.stock_movements.source_id is
  'What caused it: a sale, or the transfer whose two movements belong together.';
comment on column public.stock_movements.created_by is
  'The account that acted. No foreign key: the record outlives the account.';

create index stock_movements_product_idx
  on public.stock_movements (product_id, location_id, occurred_at);
create index stock_movements_location_idx on public.stock_movements (location_id, occurred_at);
-- A transfer sent twice under the same id is caught here.
create unique index stock_movements_transfer_key on public.stock_movements (source_id, kind)
  where kind in ('transfer_in', 'transfer_out');
create index stock_movements_source_idx on public.stock_movements (source_id)
  where source_id is not null;

create trigger stock_movements_refuse_change
  before update or delete or truncate on public.stock_movements
  for each statement execute function private.refuse_change();

create function private.apply_stock_movement() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  product record;
  remaining numeric;
begin
  select p.sku, p.track_stock, p.allow_oversell, u.decimals into product
  from public.products p
  join public.units u on u.code = p.unit_code
  where p.id = new.product_id;

  if not product.track_stock then
    raise exception 'Product % has no stock', product.sku
      using errcode = 'check_violation', constraint = 'stock_movements_product_tracked';
  end if;
  if new.quantity <> round(new.quantity, product.decimals) then
    raise exception 'Product % is counted with % decimals', product.sku, product.decimals
      using errcode = 'check_violation', constraint = 'stock_movements_unit_decimals';
  end if;

  insert into public.stock_levels as s (product_id, location_id, quantity)
  values (new.product_id, new.location_id, new.quantity)
  on conflict (product_id, location_id) do update set quantity = s.quantity + excluded.quantity
  returning s.quantity into remaining;

  if new.quantity < 0 and remaining < 0 and not product.allow_oversell then
    raise exception 'Not enough stock of %: % asked, % there',
      product.sku, trim_scale(-new.quantity), trim_scale(remaining - new.quantity)
      using errcode = 'check_violation', constraint = 'stock_levels_not_negative';
  end if;
  return null;
end;
$$;

revoke all on function private.apply_stock_movement() from public, anon, authenticated, service_role;

create trigger stock_movements_apply after insert on public.stock_movements
  for each row execute function private.apply_stock_movement();

-- Every product and location that is at or below its reorder point.
create view public.low_stock with (security_invoker = true) as
select
  p.id as product_id,
  p.sku,
  p.name as product_name,
  l.id as location_id,
  l.name as location_name,
  s.quantity,
  s.reorder_point,
  s.reorder_quantity
from public.stock_levels s
join public.products p on p.id = s.product_id
join public.locations l on l.id = s.location_id
where p.active and p.track_stock and l.active and s.quantity <= s.reorder_point;

revoke all on table public.low_stock from public, anon, authenticated, service_role;

comment on view public.low_stock is 'What to reorder, and where it is wanted.';

-- Acts that take more than one row --------------------------------------------------------------

create function private.transfer_stock(
  p_transfer_id uuid, p_product_id uuid, p_from uuid, p_to uuid, p_quantity numeric, p_note text
) returns uuid
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform private.require_role('staff');
  if p_transfer_id is null or p_from = p_to or p_quantity is null or p_quantity <= 0 then
    raise exception 'A transfer needs an id, two different locations and a quantity above zero'
      using errcode = 'invalid_parameter_value';
  end if;

  -- In order of location, so that two opposite transfers cannot wait for each other.
  insert into public.stock_movements (product_id, location_id, kind, quantity, source_id, note)
  select p_product_id, m.location_id, m.kind, m.quantity, p_transfer_id, p_note
  from (values
    (p_from, 'transfer_out'::public.movement_kind, -p_quantity),
    (p_to, 'transfer_in'::public.movement_kind, p_quantity)
  ) as m (location_id, kind, quantity)
  order by m.location_id
  on conflict (source_id, kind) where kind in ('transfer_in', 'transfer_out') do nothing;

  if not found and not exists (
    select from public.stock_movements m
    where m.source_id = p_transfer_id and m.kind = 'transfer_out'
      and m.product_id = p_product_id and m.location_id = p_from and m.quantity = -p_quantity
      and exists (
        select from public.stock_movements i
        where i.source_id = p_transfer_id and i.kind = 'transfer_in' and i.location_id = p_to
      )
  ) then
    raise exception 'Transfer % exists already with other contents', p_transfer_id
      using errcode = 'unique_violation';
  end if;
  return p_transfer_id;
end;
$$;

revoke all on function private.transfer_stock(uuid, uuid, uuid, uuid, numeric, text)
  from public, anon, authenticated, service_role;

create function private.count_stock(
  p_product_id uuid, p_location_id uuid, p_counted numeric, p_note text
) returns numeric
language plpgsql
security definer
set search_path = ''
as $$
declare
  difference numeric;
begin
  perform private.require_role('manager');
  if p_counted is null or p_counted < 0 then
    raise exception 'A count is zero or more' using errcode = 'invalid_parameter_value';
  end if;

  -- The row is locked, so that nothing moves between the comparison and the correction.
  insert into public.stock_levels (product_id, location_id) values (p_product_id, p_location_id)
  on conflict (product_id, location_id) do nothing;
  select p_counted - s.quantity into difference
  from public.stock_levels s
  where s.product_id = p_product_id and s.location_id = p_location_id
  for update;

  if difference <> 0 then
    insert into public.stock_movements (product_id, location_id, kind, quantity, note)
    values (p_product_id, p_location_id, 'count', difference, p_note);
  end if;
  return difference;
end;
$$;

revoke all on function private.count_stock(uuid, uuid, numeric, text)
  from public, anon, authenticated, service_role;

-- The API sees these two; they add nothing but the way in.

create function public.transfer_stock(
  transfer_id uuid, product_id uuid, from_location_id uuid, to_location_id uuid,
  quantity numeric, note text default null
) returns uuid
language sql
set search_path = ''
as $$
  select private.transfer_stock($1, $2, $3, $4, $5, $6);
$$;

comment on function public.transfer_stock(uuid, uuid, uuid, uuid, numeric, text) is
  'Moves stock between two locations. Sent again under the same transfer_id it does nothing.';

revoke all on function public.transfer_stock(uuid, uuid, uuid, uuid, numeric, text)
  from public, anon, authenticated, service_role;

create function public.count_stock(
  product_id uuid, location_id uuid, counted numeric, note text default null
) returns numeric
language sql
set search_path = ''
as $$
  select private.count_stock($1, $2, $3, $4);
$$;

comment on function public.count_stock(uuid, uuid, numeric, text) is
  'Corrects stock to what was counted, and answers the difference.';

revoke all on function public.count_stock(uuid, uuid, numeric, text)
  from public, anon, authenticated, service_role;
