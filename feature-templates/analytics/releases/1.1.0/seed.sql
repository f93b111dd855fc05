-- Key figures that most companies follow, a first report and a first dashboard. All of it at the first
-- time alone: what a company changed or took away since is its own business.
with first as (
  insert into public.analytics_settings (week_start)
  select coalesce(nullif(current_setting('berth.analytics.week_start', true), ''), 'monday')
  on conflict (id) do nothing
  returning id
),
figures as (
  insert into public.kpis (key, name, description, unit, aggregation, better)
  select k.* from first
  cross join (values
    ('revenue', 'Revenue', 'Net value of what was sold.', 'money', 'sum', 'higher'),
    ('sales_count', 'Sales', 'Number of completed sales.', 'count', 'sum', 'higher'),
    ('average_sale', 'Average sale', 'Net value of one sale.', 'money', 'average', 'higher'),
    ('gross_margin', 'Gross margin', 'Share of revenue left after the cost of goods.', 'percent',
     'average', 'higher'),
    ('stock_value', 'Stock value', 'What the goods on hand are worth.', 'money', 'last', 'neither'),
    ('new_customers', 'New customers', 'Customers who bought for the first time.', 'count', 'sum',
     'higher')
  ) k (key, name, description, unit, aggregation, better)
  -- A company from before the settings had its figures then, and has figures that nothing computes.
  where not exists (
    select from public.kpis e
    where e.id not in (select c.kpi_id from public.kpi_computations c)
  )
  on conflict (key) do nothing
),
report as (
  insert into public.reports (name, description, definition, shared, owner_id)
  select 'Last 30 days', 'How the company did over the last month.',
    '{"kpis": ["revenue", "sales_count", "average_sale"], "period": "last_30_days"}', true, null
  from first
  where not exists (select from public.reports)
),
dashboard as (
  insert into public.dashboards (name, description, shared, owner_id)
  select 'Overview', 'How the company is doing.', true, null
  from first
  where not exists (select from public.dashboards)
  returning id
)
insert into public.dashboard_widgets (dashboard_id, "position", kind, title, definition)
select d.id, w."position", w.kind, w.title, w.definition
from dashboard d
cross join (values
  (1, 'number', 'This month', jsonb '{"kpis": ["revenue", "sales_count", "average_sale"],
    "period": "this_month", "compare": "previous_period"}'),
  (2, 'line', 'Revenue by day', '{"kpis": ["revenue"], "period": "last_30_days",
    "group_by": "day"}'),
  (3, 'bar', 'Revenue by location', '{"kpis": ["revenue"], "period": "last_30_days",
    "group_by": "location"}'),
  (4, 'number', 'Stock value', '{"kpis": ["stock_value"], "period": "today"}')
) w ("position", kind, title, definition);
