-- berth: phase=policies
-- What is computed is not written by hand: neither made, nor changed, nor taken away.

alter policy kpi_snapshots_insert on public.kpi_snapshots
  with check (
    (select private.has_role('staff')) and recorded_by = (select auth.uid())
    and kpi_id not in (select c.kpi_id from public.kpi_computations c)
  );

alter policy kpi_snapshots_update on public.kpi_snapshots
  using ((select private.has_role('staff')) and source is null)
  with check (
    (select private.has_role('staff')) and recorded_by = (select auth.uid()) and source is null
  );

alter policy kpi_snapshots_delete on public.kpi_snapshots
  using ((select private.has_role('manager')) and source is null);
