-- When members change what people may know of them, or their address changes, that belongs in the
-- record of changes. Accounts that are no members do not; who becomes or ceases to be one is in it
-- by way of members.

create function private.log_member_profile() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  changed text[];
begin
  select array_agg(a.key order by a.key) into changed
  from jsonb_each(to_jsonb(new)) a
  where a.value is distinct from to_jsonb(old) -> a.key and a.key <> 'updated_at';

  if changed is not null and exists (select from public.members m where m.user_id = new.id) then
    insert into public.activity_log (actor_id, action, table_name, row_id, changed_columns)
    values ((select auth.uid()), 'update', tg_table_name, new.id, changed);
  end if;
  return null;
end;
$$;

revoke all on function private.log_member_profile()
  from public, anon, authenticated, service_role;

create trigger profiles_log_activity after update on public.profiles
  for each row execute function private.log_member_profile();
