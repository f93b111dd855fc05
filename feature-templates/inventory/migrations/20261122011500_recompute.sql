-- The proof of the books: what each level must say by the movements and the open reservations, and
-- where it says something else.

-- One level as the records have it. Only what came in at a cost can have changed the average, so
-- only that is gone through one by one.
create function private.level_by_record(
  p_product_id uuid, p_location_id uuid, out quantity numeric, out reserved numeric,
  out average_cost numeric, out cost_currency text
)
language plpgsql
stable
set search_path = ''
as $$
declare
  movement record;
  cost private.cost;
  opened bigint;
begin
  select coalesce(sum(m.quantity), 0) into quantity from public.stock_movements m
  where m.product_id = p_product_id and m.location_id = p_location_id;
  select coalesce(sum(r.quantity), 0) into reserved from public.reservations r
  where r.product_id = p_product_id and r.location_id = p_location_id and r.status = 'open';

  select o.average_cost, o.currency, o.up_to_movement into cost.average, cost.currency, opened
  from public.stock_opening_costs o
  where o.product_id = p_product_id and o.location_id = p_location_id;
  for movement in
    select r.before_quantity, r.quantity, r.unit_cost, r.currency
    from (
      select m.id, m.quantity, m.unit_cost, m.currency,
        sum(m.quantity) over (order by m.id) - m.quantity as before_quantity
      from public.stock_movements m
      where m.product_id = p_product_id and m.location_id = p_location_id
    ) r
    where r.quantity > 0 and r.unit_cost is not null and r.id > coalesce(opened, 0)
    order by r.id
  loop
    cost := private.next_cost(
      movement.before_quantity, cost, movement.quantity, movement.unit_cost, movement.currency
    );
  end loop;
  average_cost := cost.average;
  cost_currency := cost.currency;
end;
$$;

revoke all on function private.level_by_record(uuid, uuid)
  from public, anon, authenticated, service_role;

create function private.stock_differences() returns table (
  product_id uuid, location_id uuid, what text, by_record numeric, by_level numeric
)
language sql
stable
set search_path = ''
as $$
  select l.product_id, l.location_id, d.what, d.by_record, d.by_level
  from (
    select s.product_id, s.location_id from public.stock_levels s
    union
    select m.product_id, m.location_id from public.stock_movements m
  ) l
  left join public.stock_levels s using (product_id, location_id)
  cross join lateral private.level_by_record(l.product_id, l.location_id) r
  cross join lateral (values
    ('quantity', r.quantity, s.quantity, r.quantity is distinct from s.quantity),
    ('reserved', r.reserved, s.reserved, r.reserved is distinct from s.reserved),
    (
      'average_cost', r.average_cost, s.average_cost,
      (r.average_cost, r.cost_currency) is distinct from (s.average_cost, s.cost_currency)
    )
  ) d (what, by_record, by_level, differs)
  where d.differs;
$$;

revoke all on function private.stock_differences()
  from public, anon, authenticated, service_role;

create function private.verify_stock() returns table (
  product_id uuid, location_id uuid, what text, by_record numeric, by_level numeric
)
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  perform private.require_role('manager');
  return query select * from private.stock_differences();
end;
$$;

revoke all on function private.verify_stock() from public, anon, authenticated, service_role;

-- One level after the other, each worked out under its own lock: sales elsewhere go on.
create function private.recompute_stock() returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  wrong record;
  repaired integer := 0;
begin
  perform private.require_role('manager');
  for wrong in
    select distinct d.product_id, d.location_id from private.stock_differences() d
    order by d.product_id, d.location_id
  loop
    perform private.lock_level(wrong.product_id, wrong.location_id);
    update public.stock_levels s
    set quantity = r.quantity, reserved = r.reserved, average_cost = r.average_cost,
      cost_currency = r.cost_currency
    from private.level_by_record(wrong.product_id, wrong.location_id) r
    where s.product_id = wrong.product_id and s.location_id = wrong.location_id;
    repaired := repaired + 1;
  end loop;
  return repaired;
end;
$$;

revoke all on function private.recompute_stock() from public, anon, authenticated, service_role;

create function public.verify_stock() returns table (
  product_id uuid, location_id uuid, what text, by_record numeric, by_level numeric
)
language sql
stable
set search_path = ''
as $$
  select * from private.verify_stock();
$$;

comment on function public.verify_stock() is
  'Every difference between levels of stock and what their records say; none is right. For managers.';

revoke all on function public.verify_stock() from public, anon, authenticated, service_role;

create function public.recompute_stock() returns integer
language sql
set search_path = ''
as $$
  select private.recompute_stock();
$$;

comment on function public.recompute_stock() is
  'Works out again every level that differs from its records, and answers how many. For managers.';

revoke all on function public.recompute_stock() from public, anon, authenticated, service_role;
