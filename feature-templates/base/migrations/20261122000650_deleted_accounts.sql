-- Auth may keep the row of an account that it deletes, and only mark it. Nobody can sign in to it
-- any more, but a token that was given before lives on for a while: so its membership ends with the
-- mark, in the same transaction.

create or replace function private.keep_an_owner() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if tg_op = 'UPDATE' and new.role = 'owner' and new.active then
    return new;
  end if;
  if old.role = 'owner' and old.active
    -- A deleted account takes its membership along, be it the last owner's: Auth must not be
    -- stopped half-way.
    and exists (select from auth.users u where u.id = old.user_id and u.deleted_at is null)
  then
    -- Two owners who leave at the same moment take turns here, and the second one is refused.
    perform from public.company_settings for update;
    if not exists (
      select from public.members m
      where m.role = 'owner' and m.active and m.user_id <> old.user_id
    ) then
      raise exception 'The company needs at least one active owner'
        using errcode = 'restrict_violation', hint = 'Make somebody else an owner first.';
    end if;
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end;
$$;

create function private.end_deleted_membership() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.members m set active = false where m.user_id = new.id and m.active;
  return null;
end;
$$;

revoke all on function private.end_deleted_membership()
  from public, anon, authenticated, service_role;

-- After berth_sync_account, in the order of their names: it could make the account an owner.
create trigger berth_sync_deletion after insert or update of deleted_at on auth.users
  for each row when (new.deleted_at is not null)
  execute function private.end_deleted_membership();

-- Afterwards, when the policies have judged the row: nobody else learns which accounts there were.
create function private.refuse_deleted_member() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if exists (select from auth.users u where u.id = new.user_id and u.deleted_at is not null) then
    raise exception 'The account was deleted'
      using errcode = 'restrict_violation', hint = 'Invite the person again.';
  end if;
  return null;
end;
$$;

revoke all on function private.refuse_deleted_member()
  from public, anon, authenticated, service_role;

create trigger members_refuse_deleted after insert or update of active on public.members
  for each row when (new.active)
  execute function private.refuse_deleted_member();

update public.members m set active = false
from auth.users u
where u.id = m.user_id and u.deleted_at is not null and m.active;
