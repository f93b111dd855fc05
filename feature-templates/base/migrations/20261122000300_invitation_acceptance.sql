-- How an invitation becomes a membership: when the account's address is confirmed, when the
-- invitation is made if it was confirmed before, or when the signed-in person asks.

create function private.accept_invitation(p_user_id uuid) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  given public.member_role;
begin
  -- Of two who come at once, the second waits for the row and finds the invitation closed. With
  -- single sign-on the address is the word of a provider, who could claim anybody's.
  update public.invitations i set accepted_at = now(), accepted_by = u.id
  from auth.users u
  where u.id = p_user_id
    and u.email_confirmed_at is not null and not u.is_sso_user and u.deleted_at is null
    and i.email = lower(u.email collate "C")
    and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
  returning i.role into given;

  if found then
    insert into public.members (user_id, role) values (p_user_id, given)
    on conflict (user_id) do nothing;
  end if;
end;
$$;

comment on function private.accept_invitation(uuid) is
  'Makes the account a member if an open invitation waits for its confirmed address. A membership
  that exists stays as it is, active or not.';

revoke all on function private.accept_invitation(uuid)
  from public, anon, authenticated, service_role;

create function private.accept_invitation_at_once() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform private.accept_invitation(u.id) from auth.users u
  where lower(u.email collate "C") = new.email;
  return null;
end;
$$;

revoke all on function private.accept_invitation_at_once()
  from public, anon, authenticated, service_role;

create trigger invitations_accept_at_once after insert on public.invitations
  for each row execute function private.accept_invitation_at_once();

create function private.accept_invitations() returns public.member_role
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform private.accept_invitation(auth.uid());
  return (select m.role from public.members m where m.user_id = auth.uid() and m.active);
end;
$$;

revoke all on function private.accept_invitations() from public, anon, authenticated, service_role;

create function public.accept_invitations() returns public.member_role
language sql
set search_path = ''
as $$
  select private.accept_invitations();
$$;

comment on function public.accept_invitations() is
  'Accepts what waits for the confirmed address of the caller, and answers the role that the caller
  has then; nothing for somebody who is not an active member.';

revoke all on function public.accept_invitations() from public, anon, authenticated, service_role;

create function private.sync_invitations() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform private.accept_invitation(new.id);
  return null;
end;
$$;

revoke all on function private.sync_invitations() from public, anon, authenticated, service_role;

-- Triggers fire in the order of their names: berth_sync_account has made the profile by then.
create trigger berth_sync_invitations
  after insert or update of email, email_confirmed_at on auth.users
  for each row when (new.email_confirmed_at is not null)
  execute function private.sync_invitations();
