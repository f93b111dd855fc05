-- The proof of the books: what each level must say by the movements and the open reservations, and
-- where it says something else.

-- The averages as the records have them, in one pass. Only what came in at a cost, and what a manager
-- said, can have changed one, so only that is gone through one by one.
create function private.averages_by_record() returns table (
  product_id uuid, location_id uuid, average_cost numeric, cost_currency text
)
language plpgsql
stable
set search_path = ''
as $$
declare
  event record;
  cost private.cost;
begin
  for event in
    select e.*
    from (
      -- What was said of a level, and not averaged, stands as if there had been nothing before.
      select o.product_id, o.location_id, 0::bigint as id, 0::numeric as before_quantity,
        1::numeric as quantity, o.average_cost as unit_cost, o.currency
      from public.stock_opening_costs o
      where o.average_cost is not null
      union all
      select v.product_id, v.location_id, v.id, 0, 1, v.average_cost, v.currency
      from public.stock_revaluations v
      union all
      select m.product_id, m.location_id, m.id, m.before_quantity, m.quantity, m.unit_cost,
        m.currency
      from (
        select r.product_id, r.location_id, r.id, r.quantity, r.currency,
          coalesce(r.exact_cost, r.unit_cost) as unit_cost,
          sum(r.quantity) over (
            partition by r.product_id, r.location_id order by r.id rows unbounded preceding
          ) - r.quantity as before_quantity
        from public.stock_movements r
      ) m
      left join public.stock_opening_costs o
        on o.product_id = m.product_id and o.location_id = m.location_id
      where m.quantity > 0 and m.unit_cost is not null and m.id > coalesce(o.up_to_movement, 0)
    ) e
    order by e.product_id, e.location_id, e.id
  loop
    if (event.product_id, event.location_id) is distinct from (product_id, location_id) then
      if product_id is not null then
        return next;
      end if;
      product_id := event.product_id;
      location_id := event.location_id;
      cost := null;
    end if;
    cost := private.next_cost(
      event.before_quantity, cost, event.quantity, event.unit_cost, event.currency
    );
    average_cost := cost.average;
    cost_currency := cost.currency;
  end loop;
  if product_id is not null then
    return next;
  end if;
end;
$$;

revoke all on function private.averages_by_record()
  from public, anon, authenticated, service_role;

-- Every level as the records have it.
create function private.levels_by_record() returns table (
  product_id uuid, location_id uuid, quantity numeric, reserved numeric, average_cost numeric,
  cost_currency text
)
language sql
stable
set search_path = ''
as $$
  select l.product_id, l.location_id, coalesce(m.quantity, 0), coalesce(r.quantity, 0),
    a.average_cost, a.cost_currency
  from (
    select o.product_id, o.location_id, sum(o.quantity) as quantity
    from public.stock_movements o
    group by o.product_id, o.location_id
  ) m
  full join (
    select s.product_id, s.location_id from public.stock_levels s
  ) s on s.product_id = m.product_id and s.location_id = m.location_id
  cross join lateral (
    select coalesce(s.product_id, m.product_id) as product_id,
      coalesce(s.location_id, m.location_id) as location_id
  ) l
  left join (
    select o.product_id, o.location_id, sum(o.quantity) as quantity
    from public.reservations o
    where o.status = 'open'
    group by o.product_id, o.location_id
  ) r on r.product_id = l.product_id and r.location_id = l.location_id
  left join private.averages_by_record() a
    on a.product_id = l.product_id and a.location_id = l.location_id;
$$;

revoke all on function private.levels_by_record()
  from public, anon, authenticated, service_role;

create function private.stock_differences() returns table (
  product_id uuid, location_id uuid, what text, by_record numeric, by_level numeric
)
language sql
stable
set search_path = ''
as $$
  select r.product_id, r.location_id, d.what, d.by_record, d.by_level
  from private.levels_by_record() r
  left join public.stock_levels s
    on s.product_id = r.product_id and s.location_id = r.location_id
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
  products uuid[] := '{}';
  locations uuid[] := '{}';
begin
  perform private.require_role('manager');
  -- First all of them are locked, in order; then their records stand still and are read once.
  for wrong in
    select distinct d.product_id, d.location_id from private.stock_differences() d
    order by d.product_id, d.location_id
  loop
    perform private.lock_level(wrong.product_id, wrong.location_id);
    products := products || wrong.product_id;
    locations := locations || wrong.location_id;
  end loop;
  if products <> '{}' then
    update public.stock_levels s
    set quantity = r.quantity, reserved = r.reserved, average_cost = r.average_cost,
      cost_currency = r.cost_currency
    from private.levels_by_record() r
    join unnest(products, locations) w (product_id, location_id)
      on w.product_id = r.product_id and w.location_id = r.location_id
    where s.product_id = r.product_id and s.location_id = r.location_id;
  end if;
  return cardinality(products);
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
