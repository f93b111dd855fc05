-- berth: phase=policies
-- Who may do what with figures and reports: everyone in the company reads figures, managers
-- define them, staff record them and keep reports of their own.

-- kpis
grant select, insert, update, delete on table public.kpis to authenticated, service_role;

create policy kpis_select on public.kpis
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy kpis_insert on public.kpis
  for insert to authenticated
  with check ((select private.has_role('manager')));

create policy kpis_update on public.kpis
  for update to authenticated
  using ((select private.has_role('manager')))
  with check ((select private.has_role('manager')));

create policy kpis_delete on public.kpis
  for delete to authenticated
  using ((select private.has_role('manager')));

-- kpi_snapshots
grant select, delete on table public.kpi_snapshots to authenticated, service_role;
grant insert (kpi_id, location_id, day, value, currency) on table public.kpi_snapshots
  to authenticated, service_role;
grant update (value, currency, recorded_by) on table public.kpi_snapshots
  to authenticated, service_role;

create policy kpi_snapshots_select on public.kpi_snapshots
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy kpi_snapshots_insert on public.kpi_snapshots
  for insert to authenticated
  with check ((select private.has_role('staff')) and recorded_by = (select auth.uid()));

create policy kpi_snapshots_update on public.kpi_snapshots
  for update to authenticated
  using ((select private.has_role('staff')))
  with check ((select private.has_role('staff')) and recorded_by = (select auth.uid()));

create policy kpi_snapshots_delete on public.kpi_snapshots
  for delete to authenticated
  using ((select private.has_role('manager')));

-- reports: a report belongs to who made it; managers also keep the company's own and the shared.
grant select, delete on table public.reports to authenticated, service_role;
grant insert (name, description, definition, shared) on table public.reports
  to authenticated, service_role;
grant update (name, description, definition, shared) on table public.reports
  to authenticated, service_role;

create policy reports_select on public.reports
  for select to authenticated
  using (
    (select private.has_role('viewer'))
    and (shared or owner_id is null or owner_id = (select auth.uid()))
  );

create policy reports_insert on public.reports
  for insert to authenticated
  with check ((select private.has_role('staff')) and owner_id = (select auth.uid()));

create policy reports_update on public.reports
  for update to authenticated
  using (
    ((select private.has_role('staff')) and owner_id = (select auth.uid()))
    or ((select private.has_role('manager')) and (shared or owner_id is null))
  )
  with check (
    ((select private.has_role('staff')) and owner_id = (select auth.uid()))
    or ((select private.has_role('manager')) and (shared or owner_id is null))
  );

create policy reports_delete on public.reports
  for delete to authenticated
  using (
    ((select private.has_role('staff')) and owner_id = (select auth.uid()))
    or ((select private.has_role('manager')) and (shared or owner_id is null))
  );

-- Views and functions
grant select on table public.kpi_latest to authenticated, service_role;

grant execute on function public.record_kpi_snapshot(text, date, numeric, uuid)
  to authenticated, service_role;
