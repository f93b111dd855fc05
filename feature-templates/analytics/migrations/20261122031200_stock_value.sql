-- berth: when=inventory
-- What the goods are worth at the end of each day. Today's worth is the valuation as it stands; a day
-- that is over is that, less what was recorded since. Days go by when a movement was recorded, so a
-- movement that tells of an earlier day never changes what was known on a day that is over. The rule
-- for a day that is computed only when it is over: goods that stayed where they were are taken at
-- today's average, so a first cost, or a new one after stock went below zero, reaches back to it.
-- Goods under way between two locations belong to the company and to no location.

create function private.compute_stock_value(p_days date[]) returns setof private.computed_figure
language plpgsql
stable
set search_path = ''
as $$
declare
  home text;
  zone text;
  first_day date := (select min(d.day) from unnest(p_days) d (day));
  first_over boolean;
begin
  select s.currency, s.time_zone into home, zone from public.company_settings s;
  first_over := first_day < (now() at time zone zone)::date;
  return query
  with standing as (
    select v.location_id, sum(v.value) as value
    from public.stock_valuation v
    where v.currency = home
    group by v.location_id
  ),
  moved as (
    select m.location_id, (m.created_at at time zone zone)::date as day,
      -- Averages have this limit; a slip beyond it came in at no more.
      sum(m.quantity * least(coalesce(m.unit_cost, l.average_cost), 999999999999)) as value
    from public.stock_movements m
    join public.stock_levels l
      on l.product_id = m.product_id and l.location_id = m.location_id and l.cost_currency = home
    where first_over
      and m.created_at >= (first_day::timestamp at time zone zone)
    group by 1, 2
    union all
    -- A cost in another currency, or none, counted for nothing until then: the new one reaches back.
    select r.location_id, (r.created_at at time zone zone)::date,
      sum(r.quantity * (r.average_cost - r.previous_cost))
    from public.stock_revaluations r
    where first_over and r.currency = home and r.previous_currency = home
      and r.created_at >= (first_day::timestamp at time zone zone)
    group by 1, 2
  ),
  worth as (
    select d.day, s.location_id, s.value - coalesce((
      select sum(m.value) from moved m where m.location_id = s.location_id and m.day > d.day
    ), 0) as value
    from (select distinct given as day from unnest(p_days) given) d
    cross join standing s
  ),
  under_way as (
    select d.day, sum(i.quantity * least(m.unit_cost, 999999999999)) as value
    from (select distinct given as day from unnest(p_days) given) d
    join public.transfers t
      on (t.sent_at at time zone zone)::date <= d.day
        and (t.closed_at is null or (t.closed_at at time zone zone)::date > d.day)
    join public.transfer_lines i on i.transfer_id = t.id
    join public.stock_movements m
      on m.source_id = i.id and m.kind = 'transfer_out' and m.currency = home
    group by d.day
  )
  select 'stock_value'::text, w.location_id, w.day,
    round(sum(w.value) + case
      when grouping(w.location_id) = 1
        then coalesce((select u.value from under_way u where u.day = w.day), 0)
      else 0
    end, 6),
    home, null::numeric, null::numeric
  from worth w
  group by grouping sets ((w.day, w.location_id), (w.day));
end;
$$;

revoke all on function private.compute_stock_value(date[])
  from public, anon, authenticated, service_role;

create function private.mark_stock_value() returns void
language sql
set search_path = ''
as $$
  insert into public.kpi_changes (source, at) values ('inventory', now());
$$;

comment on function private.mark_stock_value() is
  'Today alone: what was photographed on days that are over stands.';

revoke all on function private.mark_stock_value() from public, anon, authenticated, service_role;

create function private.mark_stock_movement() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.kpi_changes (source, at) values ('inventory', now());
  return null;
end;
$$;

revoke all on function private.mark_stock_movement() from public, anon, authenticated, service_role;

insert into public.kpi_sources (key, compute_function, mark_function)
values ('inventory', 'compute_stock_value', 'mark_stock_value')
on conflict (key) do nothing;

select private.add_computed_kpi(
  'inventory', 'stock_value', 'Stock value', 'What the goods on hand are worth.', 'money', 'last',
  'neither'
);

create trigger stock_movements_mark_kpis after insert on public.stock_movements
  for each statement execute function private.mark_stock_movement();

create trigger stock_revaluations_mark_kpis after insert on public.stock_revaluations
  for each statement execute function private.mark_stock_movement();

-- A transfer of which nothing arrived moves nothing, and yet ends what was under way.
create trigger transfers_mark_kpis after update of status on public.transfers
  for each statement execute function private.mark_stock_movement();

insert into public.kpi_changes (source, at) values ('inventory', now());
