-- An invitation is worth no more than the one who sent it, and says nothing once its address
-- belongs to a member: left open, it would bring back whoever is removed later.

create function private.settle_invitations() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if tg_op in ('INSERT', 'DELETE') then
    update public.invitations i set revoked_at = now()
    from public.profiles p
    where p.id = coalesce(new.user_id, old.user_id)
      and i.email = lower(p.email collate "C")
      and i.accepted_at is null and i.revoked_at is null;
  end if;

  if tg_op in ('UPDATE', 'DELETE') then
    update public.invitations i set revoked_at = now()
    where i.invited_by = old.user_id
      and i.accepted_at is null and i.revoked_at is null
      and not (
        tg_op = 'UPDATE' and new.active
        and (new.role = 'owner' or (new.role = 'manager' and i.role < 'manager'))
      );
  end if;
  return null;
end;
$$;

revoke all on function private.settle_invitations() from public, anon, authenticated, service_role;

create trigger members_settle_invitations
  after insert or delete or update of role, active on public.members
  for each row execute function private.settle_invitations();
