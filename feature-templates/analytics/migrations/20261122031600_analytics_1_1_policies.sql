-- berth: phase=policies
-- Who may do what with targets, dashboards and schedules: everyone in the company reads, managers
-- set targets, staff keep dashboards and schedules of their own.

-- analytics_settings: the row is the seed's; its owner changes it.
grant select on table public.analytics_settings to authenticated, service_role;
grant update (week_start, results_kept) on table public.analytics_settings
  to authenticated, service_role;

create policy analytics_settings_select on public.analytics_settings
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy analytics_settings_update on public.analytics_settings
  for update to authenticated
  using ((select private.has_role('owner')))
  with check ((select private.has_role('owner')));

-- kpi_targets
grant select, delete on table public.kpi_targets to authenticated, service_role;
grant insert (kpi_id, location_id, period, starts_on, value) on table public.kpi_targets
  to authenticated, service_role;
grant update (kpi_id, location_id, period, starts_on, value) on table public.kpi_targets
  to authenticated, service_role;

create policy kpi_targets_select on public.kpi_targets
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy kpi_targets_insert on public.kpi_targets
  for insert to authenticated
  with check ((select private.has_role('manager')));

create policy kpi_targets_update on public.kpi_targets
  for update to authenticated
  using ((select private.has_role('manager')))
  with check ((select private.has_role('manager')));

create policy kpi_targets_delete on public.kpi_targets
  for delete to authenticated
  using ((select private.has_role('manager')));

-- What is computed, and by whom: migrations write it, everyone in the company may know.
grant select on table public.kpi_sources to authenticated, service_role;
grant select on table public.kpi_computations to authenticated, service_role;
grant select on table public.kpi_changes to authenticated, service_role;

create policy kpi_sources_select on public.kpi_sources
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy kpi_computations_select on public.kpi_computations
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy kpi_changes_select on public.kpi_changes
  for select to authenticated
  using ((select private.has_role('viewer')));

-- dashboards: a dashboard belongs to who made it; managers also keep the company's and the shared.
-- What somebody had alone is not everybody's when they leave, so only a shared one is seen by all.
grant select, delete on table public.dashboards to authenticated, service_role;
grant insert (name, description, shared) on table public.dashboards to authenticated, service_role;
grant update (name, description, shared) on table public.dashboards to authenticated, service_role;

create policy dashboards_select on public.dashboards
  for select to authenticated
  using (
    ((select private.has_role('viewer')) and (shared or owner_id = (select auth.uid())))
    or ((select private.has_role('manager')) and owner_id is null)
  );

create policy dashboards_insert on public.dashboards
  for insert to authenticated
  with check ((select private.has_role('staff')) and owner_id = (select auth.uid()));

create policy dashboards_update on public.dashboards
  for update to authenticated
  using (
    ((select private.has_role('staff')) and owner_id = (select auth.uid()))
    or ((select private.has_role('manager')) and (shared or owner_id is null))
  )
  with check (
    ((select private.has_role('staff')) and owner_id = (select auth.uid()))
    or ((select private.has_role('manager')) and (shared or owner_id is null))
  );

create policy dashboards_delete on public.dashboards
  for delete to authenticated
  using (
    ((select private.has_role('staff')) and owner_id = (select auth.uid()))
    or ((select private.has_role('manager')) and (shared or owner_id is null))
  );

-- dashboard_widgets: who sees a dashboard sees its widgets, who keeps it keeps them.
grant select, delete on table public.dashboard_widgets to authenticated, service_role;
grant insert (dashboard_id, "position", kind, title, definition)
  on table public.dashboard_widgets to authenticated, service_role;
grant update (dashboard_id, "position", kind, title, definition)
  on table public.dashboard_widgets to authenticated, service_role;

create policy dashboard_widgets_select on public.dashboard_widgets
  for select to authenticated
  using (dashboard_id in (select d.id from public.dashboards d));

create policy dashboard_widgets_insert on public.dashboard_widgets
  for insert to authenticated
  with check (dashboard_id in (
    select d.id from public.dashboards d
    where ((select private.has_role('staff')) and d.owner_id = (select auth.uid()))
      or ((select private.has_role('manager')) and (d.shared or d.owner_id is null))
  ));

create policy dashboard_widgets_update on public.dashboard_widgets
  for update to authenticated
  using (dashboard_id in (
    select d.id from public.dashboards d
    where ((select private.has_role('staff')) and d.owner_id = (select auth.uid()))
      or ((select private.has_role('manager')) and (d.shared or d.owner_id is null))
  ))
  with check (dashboard_id in (
    select d.id from public.dashboards d
    where ((select private.has_role('staff')) and d.owner_id = (select auth.uid()))
      or ((select private.has_role('manager')) and (d.shared or d.owner_id is null))
  ));

create policy dashboard_widgets_delete on public.dashboard_widgets
  for delete to authenticated
  using (dashboard_id in (
    select d.id from public.dashboards d
    where ((select private.has_role('staff')) and d.owner_id = (select auth.uid()))
      or ((select private.has_role('manager')) and (d.shared or d.owner_id is null))
  ));

-- report_schedules: one's own, since what they produce is produced in one's name; managers may see
-- and remove all.
grant select, delete on table public.report_schedules to authenticated, service_role;
grant insert (report_id, parameters, frequency, at_time, weekday, day_of_month, active)
  on table public.report_schedules to authenticated, service_role;
grant update (report_id, parameters, frequency, at_time, weekday, day_of_month, active)
  on table public.report_schedules to authenticated, service_role;

create policy report_schedules_select on public.report_schedules
  for select to authenticated
  using (
    ((select private.has_role('viewer')) and owner_id = (select auth.uid()))
    or (select private.has_role('manager'))
  );

create policy report_schedules_insert on public.report_schedules
  for insert to authenticated
  with check (
    (select private.has_role('staff')) and owner_id = (select auth.uid())
    and report_id in (select r.id from public.reports r)
  );

create policy report_schedules_update on public.report_schedules
  for update to authenticated
  using ((select private.has_role('staff')) and owner_id = (select auth.uid()))
  with check (
    (select private.has_role('staff')) and owner_id = (select auth.uid())
    and report_id in (select r.id from public.reports r)
  );

create policy report_schedules_delete on public.report_schedules
  for delete to authenticated
  using (
    ((select private.has_role('staff')) and owner_id = (select auth.uid()))
    or (select private.has_role('manager'))
  );

-- report_results: who sees the report sees what became of it.
grant select on table public.report_results to authenticated, service_role;

create policy report_results_select on public.report_results
  for select to authenticated
  using (report_id in (select r.id from public.reports r));

-- Views and functions
grant select on table public.kpi_target_progress to authenticated, service_role;

grant execute on function private.kpi_value(uuid, text, date, date, uuid[], integer[], text)
  to authenticated, service_role;
grant execute on function private.comparison_period(date, date, text)
  to authenticated, service_role;
grant execute on function private.change_percent(numeric, numeric) to authenticated, service_role;
grant execute on function private.literal_problem(text, jsonb) to authenticated, service_role;
grant execute on function private.definition_places(jsonb) to authenticated, service_role;
grant execute on function private.parameters_problem(jsonb) to authenticated, service_role;
grant execute on function private.definition_problem(jsonb) to authenticated, service_role;
grant execute on function private.bind_parameters(jsonb, jsonb) to authenticated, service_role;
grant execute on function private.named_period(text, date) to authenticated, service_role;
grant execute on function private.period_parts(date, date, text) to authenticated, service_role;
grant execute on function private.comparison_wanted(jsonb) to authenticated, service_role;
grant execute on function private.report_rows(jsonb, jsonb, date) to authenticated, service_role;
grant execute on function private.refresh_kpis_for_member() to authenticated;

grant execute on function public.compare_periods(text, date, date, uuid, text)
  to authenticated, service_role;
grant execute on function public.run_report(uuid, jsonb) to authenticated, service_role;
grant execute on function public.run_dashboard(uuid, jsonb) to authenticated, service_role;
grant execute on function public.refresh_kpis() to authenticated;
