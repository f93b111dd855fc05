-- From here on a movement keeps the average cost as well, and leaves alone what is reserved. It
-- acts before its row is written, so that the row can say what it cost.

create or replace function private.apply_stock_movement() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  product record;
  level public.stock_levels;
  remaining numeric;
  home text;
  cost private.cost;
begin
  -- The product before its level, as everywhere.
  select * into product from private.require_stocked(new.product_id, new.quantity, true);
  level := private.lock_level(new.product_id, new.location_id);
  remaining := level.quantity + new.quantity;
  -- A product may have changed since its stock left. What comes back to it, and what takes its level
  -- to nothing, is right all the same.
  if remaining <> 0
    and (new.kind not in ('return', 'transfer_in') or new.source_id is null)
  then
    perform private.require_stocked(new.product_id, new.quantity);
  end if;
  if level.average_cost is null then
    -- A level from before averages were kept may not have been given its own yet.
    select o.average_cost, o.currency into level.average_cost, level.cost_currency
    from public.stock_opening_costs o
    where o.product_id = new.product_id and o.location_id = new.location_id;
  end if;

  -- Taken under the lock of the level, so the ids of its movements are in the order in which they
  -- were applied, and the average can be worked out again.
  new.id := nextval('public.stock_movements_id_seq');

  -- Nothing may be skipped as a duplicate once it has been applied.
  if new.kind in ('transfer_in', 'transfer_out') and exists (
    select from public.stock_movements m where m.source_id = new.source_id and m.kind = new.kind
  ) then
    raise exception 'Transfer % exists already', new.source_id using errcode = 'unique_violation',
      constraint = 'stock_movements_transfer_key';
  end if;

  new.exact_cost := null;
  if new.quantity < 0 then
    new.unit_cost := level.average_cost;
    new.exact_cost := level.average_cost;
    new.currency := level.cost_currency;
    if not product.allow_oversell then
      if remaining < 0 then
        raise exception 'Not enough stock of %: % asked, % there', product.sku,
          trim_scale(-new.quantity), trim_scale(level.quantity)
          using errcode = 'check_violation', constraint = 'stock_levels_not_negative';
      end if;
      -- A count and an adjustment say what is there, whatever was promised.
      if remaining < level.reserved and new.kind not in ('count', 'adjustment')
        and remaining < private.expire_reservations(new.product_id, new.location_id)
        and not private.is_fulfilment(
          new.source_id, new.product_id, new.location_id, -new.quantity
        )
      then
        raise exception 'Not enough stock of %: % asked, % there, % of it reserved', product.sku,
          trim_scale(-new.quantity), trim_scale(level.quantity), trim_scale(level.reserved)
          using errcode = 'check_violation', constraint = 'stock_levels_keep_reserved';
      end if;
    end if;
  elsif new.kind = 'transfer_in' then
    select o.unit_cost, o.exact_cost, o.currency, s.currency
    into new.unit_cost, new.exact_cost, new.currency, home
    from public.stock_movements o
    cross join public.company_settings s
    where o.source_id = new.source_id and o.kind = 'transfer_out';
    -- An average never gives way to a cost in a currency that the company has left.
    if new.currency <> home and new.currency <> level.cost_currency then
      new.unit_cost := null;
      new.exact_cost := null;
      new.currency := null;
    end if;
  elsif new.unit_cost is not null then
    select s.currency into home from public.company_settings s;
    new.currency := coalesce(new.currency, home);
    if new.currency <> home then
      raise exception 'The cost of % is in %, the company counts in %',
        product.sku, new.currency, home
        using errcode = 'check_violation', constraint = 'stock_movements_cost_in_home_currency';
    end if;
  end if;

  cost := row(level.average_cost, level.cost_currency);
  if new.quantity > 0 and new.unit_cost is not null then
    cost := private.next_cost(
      level.quantity, cost, new.quantity, coalesce(new.exact_cost, new.unit_cost), new.currency
    );
  end if;
  update public.stock_levels s
  set quantity = remaining, average_cost = cost.average, cost_currency = cost.currency
  where s.product_id = new.product_id and s.location_id = new.location_id;
  return new;
end;
$$;

-- Whether a movement takes no more than the reservations that were closed for it had kept back.
create function private.is_fulfilment(
  p_source_id uuid, p_product_id uuid, p_location_id uuid, p_quantity numeric
) returns boolean
language sql
stable
set search_path = ''
as $$
  select coalesce((
    select sum(r.quantity) from public.reservations r
    where r.product_id = p_product_id and r.location_id = p_location_id
      and r.status = 'fulfilled' and r.taken_for = p_source_id
  ), 0) >= p_quantity - coalesce((
    select sum(m.quantity) from public.stock_movements m
    where m.source_id = p_source_id and m.product_id = p_product_id
      and m.location_id = p_location_id and m.quantity < 0
  ), 0);
$$;

revoke all on function private.is_fulfilment(uuid, uuid, uuid, numeric)
  from public, anon, authenticated, service_role;

-- It waits for every movement under way, and holds new ones up until the end of this file: no
-- movement slips between the old rule and the averages that are put right below.
create or replace trigger stock_movements_apply before insert on public.stock_movements
  for each row execute function private.apply_stock_movement();

create trigger stock_movements_require_staff before insert on public.stock_movements
  for each statement execute function private.require_caller_role('staff');

-- What was recorded while, or under way when, the opening averages were worked out: their products
-- are worked out once more, now that nothing moves. That is a handful, whatever there is in all.
select private.open_costs(array(
  select distinct m.product_id
  from (
    select a.product_id, a.location_id, count(*) as movements
    from public.stock_movements a
    group by a.product_id, a.location_id
  ) m
  left join public.stock_opening_costs o
    on o.product_id = m.product_id and o.location_id = m.location_id
  where o.movements is distinct from m.movements
));

-- They have done their one job.
drop function private.open_costs(uuid[]);
drop function private.record_opening_costs(uuid, jsonb, text);

create trigger stock_opening_costs_refuse_change
  before update or delete or truncate on public.stock_opening_costs
  for each statement execute function private.refuse_change();

-- 1.0.0 skipped what was sent twice while writing; now that is asked first.
create or replace function private.transfer_stock(
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
  perform private.lock_level(p_product_id, least(p_from, p_to));
  perform private.lock_level(p_product_id, greatest(p_from, p_to));

  if exists (
    select from public.stock_movements m
    where m.source_id = p_transfer_id and m.kind in ('transfer_in', 'transfer_out')
  ) then
    if exists (
      select from public.stock_movements m
      join public.stock_movements i on i.source_id = m.source_id and i.kind = 'transfer_in'
      where m.source_id = p_transfer_id and m.kind = 'transfer_out'
        and m.product_id = p_product_id and m.location_id = p_from and m.quantity = -p_quantity
        and i.location_id = p_to
    ) then
      return p_transfer_id;
    end if;
    raise exception 'Transfer % exists already with other contents', p_transfer_id
      using errcode = 'unique_violation';
  end if;

  -- Out before in: the one gives the other its cost.
  insert into public.stock_movements (product_id, location_id, kind, quantity, source_id, note)
  values (p_product_id, p_from, 'transfer_out', -p_quantity, p_transfer_id, p_note);
  insert into public.stock_movements (product_id, location_id, kind, quantity, source_id, note)
  values (p_product_id, p_to, 'transfer_in', p_quantity, p_transfer_id, p_note);
  return p_transfer_id;
end;
$$;
