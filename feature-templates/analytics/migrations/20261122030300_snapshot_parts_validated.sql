-- The columns are new and empty; checking them locks nobody out.

alter table public.kpi_snapshots
  validate constraint kpi_snapshots_parts_whole,
  validate constraint kpi_snapshots_parts_numbers;
