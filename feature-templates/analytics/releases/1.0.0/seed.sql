-- Key figures that most companies follow, and a first report. Safe to run again.
insert into public.kpis (key, name, description, unit, aggregation, better)
values
  ('revenue', 'Revenue', 'Net value of what was sold.', 'money', 'sum', 'higher'),
  ('sales_count', 'Sales', 'Number of completed sales.', 'count', 'sum', 'higher'),
  ('average_sale', 'Average sale', 'Net value of one sale.', 'money', 'average', 'higher'),
  ('gross_margin', 'Gross margin', 'Share of revenue left after the cost of goods.', 'percent',
   'average', 'higher'),
  ('stock_value', 'Stock value', 'What the goods on hand are worth.', 'money', 'last', 'neither'),
  ('new_customers', 'New customers', 'Customers who bought for the first time.', 'count', 'sum',
   'higher')
on conflict (key) do nothing;

insert into public.reports (name, description, definition, shared, owner_id)
select 'Last 30 days', 'How the company did over the last month.',
  '{"kpis": ["revenue", "sales_count", "average_sale"], "period": "last_30_days"}', true, null
where not exists (select from public.reports);
