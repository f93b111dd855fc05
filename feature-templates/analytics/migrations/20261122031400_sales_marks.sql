-- berth: when=pos
-- From here on each sale marks its day; what was sold before is marked once. The trigger's lock lets
-- no sale slip in between.

create trigger sales_mark_kpis after insert on public.sales
  referencing new table as added
  for each statement execute function private.mark_sales();

insert into public.kpi_changes (source, at)
select distinct 'pos', date_bin('15 minutes', s.sold_at, timestamptz '2000-01-01 00:00:00+00')
from public.sales s;
