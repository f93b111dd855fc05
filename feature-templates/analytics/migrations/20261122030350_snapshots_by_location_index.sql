-- berth: transaction=none
-- Serves what a figure came to at one location, on whichever days.
create index concurrently kpi_snapshots_kpi_location_idx
  on public.kpi_snapshots (kpi_id, location_id, day);
