-- berth: phase=policies
-- As for dashboards: a report that was somebody's own is not everybody's when they leave.

alter policy reports_select on public.reports
  using (
    ((select private.has_role('viewer')) and (shared or owner_id = (select auth.uid())))
    or ((select private.has_role('manager')) and owner_id is null)
  );
