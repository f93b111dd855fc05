-- berth: when=pos
-- As for sales.

create trigger refunds_mark_kpis after insert on public.refunds
  referencing new table as added
  for each statement execute function private.mark_refunds();

insert into public.kpi_changes (source, at)
select distinct 'pos', date_bin('15 minutes', r.refunded_at, timestamptz '2000-01-01 00:00:00+00')
from public.refunds r;
