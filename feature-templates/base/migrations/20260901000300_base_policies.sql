-- berth: phase=policies
-- Who may do what with the company and its people.

grant execute on function private.has_role(public.member_role) to authenticated, service_role;

-- company_settings: everyone in the company reads it, its owner changes it.
grant select on table public.company_settings to authenticated, service_role;
grant update (name, currency, time_zone, locale) on table public.company_settings
  to authenticated, service_role;

create policy company_settings_select on public.company_settings
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy company_settings_update on public.company_settings
  for update to authenticated
  using ((select private.has_role('owner')))
  with check ((select private.has_role('owner')));

-- locations
grant select, insert, update, delete on table public.locations to authenticated, service_role;

create policy locations_select on public.locations
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy locations_insert on public.locations
  for insert to authenticated
  with check ((select private.has_role('manager')));

create policy locations_update on public.locations
  for update to authenticated
  using ((select private.has_role('manager')))
  with check ((select private.has_role('manager')));

create policy locations_delete on public.locations
  for delete to authenticated
  using ((select private.has_role('manager')));

-- profiles: made and removed with the account, so nobody inserts or deletes them. Managers see
-- accounts that are not members yet, or they could not make them members.
grant select on table public.profiles to authenticated, service_role;
grant update (full_name, phone, avatar_url) on table public.profiles
  to authenticated, service_role;

create policy profiles_select on public.profiles
  for select to authenticated
  using (
    id = (select auth.uid())
    or (select private.has_role('manager'))
    or ((select private.has_role('viewer')) and id in (select m.user_id from public.members m))
  );

create policy profiles_update on public.profiles
  for update to authenticated
  using (id = (select auth.uid()))
  with check (id = (select auth.uid()));

-- members: owners manage everyone; managers manage staff and viewers, hence never themselves.
grant select, delete on table public.members to authenticated, service_role;
grant insert (user_id, role, active) on table public.members to authenticated, service_role;
grant update (role, active) on table public.members to authenticated, service_role;

create policy members_select on public.members
  for select to authenticated
  using (user_id = (select auth.uid()) or (select private.has_role('viewer')));

create policy members_insert on public.members
  for insert to authenticated
  with check (
    (select private.has_role('owner'))
    or ((select private.has_role('manager')) and role < 'manager')
  );

create policy members_update on public.members
  for update to authenticated
  using (
    (select private.has_role('owner'))
    or ((select private.has_role('manager')) and role < 'manager')
  )
  with check (
    (select private.has_role('owner'))
    or ((select private.has_role('manager')) and role < 'manager')
  );

create policy members_delete on public.members
  for delete to authenticated
  using (
    (select private.has_role('owner'))
    or ((select private.has_role('manager')) and role < 'manager')
  );

-- activity_log: written by triggers, which run as its owner.
grant select on table public.activity_log to authenticated, service_role;

create policy activity_log_select on public.activity_log
  for select to authenticated
  using ((select private.has_role('manager')));
