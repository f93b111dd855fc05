-- berth: when=pos
-- What is sold and given back, per business day. A voided sale never was: neither it nor what was
-- given back for it counts. A refund counts on its own day.

create function private.compute_sales_figures(p_days date[])
returns setof private.computed_figure
language sql
stable
set search_path = ''
as $$
  with company as (
    select s.currency, s.time_zone from public.company_settings s
  ),
  -- Where clocks go back at midnight, an hour of the day comes before what is taken for its start.
  days as (
    select distinct given as day, c.time_zone,
      (given::timestamp at time zone c.time_zone) - interval '2 hours' as earliest,
      ((given + 1)::timestamp at time zone c.time_zone) + interval '2 hours' as latest
    from unnest(p_days) given
    cross join company c
  ),
  sold as (
    select s.location_id, d.day, s.currency, s.net_total, g.cost
    from days d
    -- OFFSET 0 keeps one look into the index per day, whatever the planner thinks of the days.
    cross join lateral (
      select * from public.sales i
      where i.sold_at >= d.earliest and i.sold_at < d.latest
        and (i.sold_at at time zone d.time_zone)::date = d.day
      offset 0
    ) s
    -- Empty as soon as the cost of one of the goods is not known.
    cross join lateral (
      select case
        when count(*) = count(m.unit_cost) filter (where m.currency = s.currency)
          then coalesce(sum(-m.quantity * m.unit_cost), 0)
      end as cost
      from public.stock_movements m
      where m.source_id = s.id and m.kind = 'sale'
    ) g
    where not exists (
      select from public.refunds v where v.sale_id = s.id and v.kind = 'void'
    )
  ),
  returned as (
    select r.location_id, d.day, r.currency, r.net_total, g.cost
    from days d
    cross join lateral (
      select * from public.refunds i
      where i.refunded_at >= d.earliest and i.refunded_at < d.latest
        and (i.refunded_at at time zone d.time_zone)::date = d.day
      offset 0
    ) r
    -- Goods come back at what they went out for.
    cross join lateral (
      select case
        when count(*) = count(w.cost) then coalesce(sum(m.quantity * w.cost), 0)
      end as cost
      from public.stock_movements m
      cross join lateral (
        select sum(-o.quantity * o.unit_cost) / nullif(sum(-o.quantity), 0) as cost
        from public.stock_movements o
        where o.source_id = r.sale_id and o.kind = 'sale' and o.product_id = m.product_id
          and o.currency = r.currency
      ) w
      where m.source_id = r.id and m.kind = 'return'
    ) g
    where r.kind = 'refund' and not exists (
      select from public.refunds v where v.sale_id = r.sale_id and v.kind = 'void'
    )
  ),
  facts as (
    select location_id, day, currency, net_total as sold, 0::numeric as returned, 1 as sales,
      case when cost is not null then net_total else 0 end as costed, coalesce(cost, 0) as cost
    from sold
    union all
    select location_id, day, currency, 0, net_total, 0,
      case when cost is not null then -net_total else 0 end, -coalesce(cost, 0)
    from returned
  ),
  totals as (
    select f.location_id, f.day, f.currency,
      sum(f.sold) as sold, sum(f.returned) as returned, sum(f.sales) as sales,
      sum(f.costed) as costed, sum(f.costed - f.cost) as margin
    from facts f
    group by grouping sets ((f.location_id, f.day, f.currency), (f.day, f.currency))
  ),
  -- A day has one currency: the company's, or else the one in which most was sold.
  chosen as (
    select distinct on (t.location_id, t.day) t.*
    from totals t
    cross join company c
    order by t.location_id, t.day, (t.currency = c.currency) desc, t.sales desc, t.currency
  )
  select f.measure, c.location_id, c.day, round(f.value, 6),
    case when f.money then c.currency end, f.numerator, f.denominator
  from chosen c
  cross join lateral (values
    ('revenue', c.sold - c.returned, true, null::numeric, null::numeric),
    ('refunds', c.returned, true, null, null),
    ('sales_count', c.sales, false, null, null),
    ('average_sale', c.sold / nullif(c.sales, 0), true, c.sold, c.sales),
    -- A share of nothing is no number, yet its parts belong to the month's share.
    ('gross_margin',
      case
        when c.costed <> 0 then greatest(least(c.margin * 100 / c.costed, 1e12), -1e12)
        when c.margin <> 0 then 0
      end,
      false, c.margin * 100, c.costed)
  ) f (measure, value, money, numerator, denominator)
  where f.value is not null;
$$;

comment on function private.compute_sales_figures(date[]) is
  'revenue is net of tax and of refunds; average_sale is before refunds; gross_margin leaves out
  sales with goods whose cost was not known.';

revoke all on function private.compute_sales_figures(date[])
  from public, anon, authenticated, service_role;

-- In another time zone a sale may fall on another day, and the day it leaves must be computed too.
create function private.mark_sales_figures() returns void
language sql
set search_path = ''
as $$
  insert into public.kpi_changes (source, at)
  -- Everywhere a day begins at a quarter of an hour.
  select distinct 'pos', date_bin('15 minutes', m.at, timestamptz '2000-01-01 00:00:00+00')
  from (
    select s.sold_at as at from public.sales s
    union all
    select r.refunded_at from public.refunds r
    union all
    select (k.day + time '12:00') at time zone c.time_zone
    from public.kpi_snapshots k
    cross join public.company_settings c
    where k.source = 'pos'
  ) m;
$$;

revoke all on function private.mark_sales_figures() from public, anon, authenticated, service_role;

create function private.mark_sales() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.kpi_changes (source, at) select 'pos', a.sold_at from added a;
  return null;
end;
$$;

revoke all on function private.mark_sales() from public, anon, authenticated, service_role;

-- A void changes the day of its sale, and those of what was given back before.
create function private.mark_refunds() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.kpi_changes (source, at)
  select 'pos', a.refunded_at from added a
  union all
  select 'pos', s.sold_at from added a join public.sales s on s.id = a.sale_id
  where a.kind = 'void'
  union all
  select 'pos', r.refunded_at from added a join public.refunds r on r.sale_id = a.sale_id
  where a.kind = 'void';
  return null;
end;
$$;

revoke all on function private.mark_refunds() from public, anon, authenticated, service_role;

insert into public.kpi_sources (key, compute_function, mark_function)
values ('pos', 'compute_sales_figures', 'mark_sales_figures')
on conflict (key) do nothing;

select private.add_computed_kpi(
  'pos', f.measure, f.name, f.description, f.unit, f.aggregation, f.better
)
from (values
  ('revenue', 'Revenue', 'Net value of what was sold.', 'money', 'sum', 'higher'),
  ('refunds', 'Refunds', 'Net value of what was given back.', 'money', 'sum', 'lower'),
  ('sales_count', 'Sales', 'Number of completed sales.', 'count', 'sum', 'higher'),
  ('average_sale', 'Average sale', 'Net value of one sale.', 'money', 'average', 'higher'),
  ('gross_margin', 'Gross margin', 'Share of revenue left after the cost of goods.', 'percent',
   'average', 'higher')
) f (measure, name, description, unit, aggregation, better);
