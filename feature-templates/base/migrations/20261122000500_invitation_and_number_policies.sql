-- berth: phase=policies
-- Who may do what with the tables that came with version 1.1.0.

-- document_counters: everyone in the company may see where the numbers stand.
grant select on table public.document_counters to authenticated, service_role;

create policy document_counters_select on public.document_counters
  for select to authenticated
  using ((select private.has_role('viewer')));

-- invitations: owners invite to every role, managers staff and viewers; the table's trigger says so
-- too. Open ones are revoked by setting revoked_at. Only owners erase one, with the address in it.
grant select, delete on table public.invitations to authenticated, service_role;
grant insert (email, role, expires_at) on table public.invitations to authenticated, service_role;
grant update (revoked_at) on table public.invitations to authenticated, service_role;
grant execute on function private.accept_invitations() to authenticated;
grant execute on function public.accept_invitations() to authenticated;

create policy invitations_select on public.invitations
  for select to authenticated
  using ((select private.has_role('manager')));

create policy invitations_insert on public.invitations
  for insert to authenticated
  with check (
    (select private.has_role('owner'))
    or ((select private.has_role('manager')) and role < 'manager')
  );

create policy invitations_update on public.invitations
  for update to authenticated
  using (
    (select private.has_role('owner'))
    or ((select private.has_role('manager')) and role < 'manager')
  )
  with check (
    (select private.has_role('owner'))
    or ((select private.has_role('manager')) and role < 'manager')
  );

create policy invitations_delete on public.invitations
  for delete to authenticated
  using ((select private.has_role('owner')));
