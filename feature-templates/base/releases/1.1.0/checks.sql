-- One row per assertion about the company's foundation.
with
  tables as (
    select
      t.name,
      c.oid,
      coalesce(c.relrowsecurity, false) as secured,
      coalesce(
        has_any_column_privilege('anon', c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')
          or has_table_privilege('anon', c.oid, 'DELETE, TRUNCATE, TRIGGER'),
        false
      ) as open_to_anon,
      coalesce(has_table_privilege('authenticated', c.oid, 'SELECT'), false) and exists (
        select from pg_catalog.pg_policy p where p.polrelid = c.oid and p.polcmd = 'r'
      ) as readable
    from (values
      ('company_settings'),
      ('locations'),
      ('profiles'),
      ('members'),
      ('activity_log'),
      ('document_counters'),
      ('invitations')
    ) as t (name)
    left join pg_catalog.pg_class c
      on c.oid = to_regclass('public.' || t.name) and c.relkind = 'r'
  ),
  functions as (
    select
      f.signature,
      coalesce('search_path=""' = any (p.proconfig), false) as fixed,
      coalesce(has_function_privilege('anon', p.oid, 'EXECUTE'), false) as open_to_anon
    from (values
      ('private.has_role(public.member_role)'),
      ('private.require_role(public.member_role)'),
      ('private.round_money(numeric,text)'),
      ('private.set_updated_at()'),
      ('private.refuse_change()'),
      ('private.keep_an_owner()'),
      ('private.sync_account()'),
      ('private.log_activity()'),
      ('private.next_document_number(uuid,text)'),
      ('private.prepare_invitation()'),
      ('private.guard_invitation()'),
      ('private.settle_invitations()'),
      ('private.sync_invitations()'),
      ('private.accept_invitation_at_once()'),
      ('private.accept_invitation(uuid)'),
      ('private.accept_invitations()'),
      ('private.log_member_profile()'),
      ('private.end_deleted_membership()'),
      ('private.refuse_deleted_member()'),
      ('public.accept_invitations()')
    ) as f (signature)
    left join pg_catalog.pg_proc p on p.oid = to_regprocedure(f.signature)
  ),
  triggers as (
    select r.name || ' on ' || r.relation as name, coalesce(t.tgenabled <> 'D', false) as enabled
    from (values
      ('auth.users', 'berth_sync_account'),
      ('auth.users', 'berth_sync_invitations'),
      ('auth.users', 'berth_sync_deletion'),
      ('public.members', 'members_keep_an_owner'),
      ('public.members', 'members_refuse_deleted'),
      ('public.members', 'members_settle_invitations'),
      ('public.invitations', 'invitations_prepare'),
      ('public.invitations', 'invitations_guard'),
      ('public.invitations', 'invitations_accept_at_once'),
      ('public.activity_log', 'activity_log_refuse_change'),
      ('public.company_settings', 'company_settings_log_activity'),
      ('public.locations', 'locations_log_activity'),
      ('public.members', 'members_log_activity'),
      ('public.profiles', 'profiles_log_activity'),
      ('public.invitations', 'invitations_log_activity')
    ) as r (relation, name)
    left join pg_catalog.pg_trigger t
      on t.tgrelid = to_regclass(r.relation) and t.tgname = r.name
  ),
  file_policies as (
    select f.name, p.oid is not null as present
    from (values
      ('berth_files_select', 'r'),
      ('berth_files_insert', 'a'),
      ('berth_files_update', 'w'),
      ('berth_files_delete', 'd')
    ) as f (name, command)
    left join pg_catalog.pg_policy p
      on p.polrelid = to_regclass('storage.objects') and p.polname = f.name
        and p.polcmd = f.command::"char"
  )
select
  'base: every table has row-level security' as check_name,
  bool_and(x.secured) as ok,
  coalesce(string_agg(x.name, ', ') filter (where not x.secured), 'all have it') as detail
from tables x
union all
select
  'base: anon has no privilege on any table',
  bool_and(not x.open_to_anon),
  coalesce(string_agg(x.name, ', ') filter (where x.open_to_anon), 'it has none')
from tables x
union all
select
  'base: members can read every table through its policies',
  bool_and(x.readable),
  coalesce(string_agg(x.name, ', ') filter (where not x.readable), 'they can')
from tables x
union all
select
  'base: every function exists with a fixed search_path',
  bool_and(x.fixed),
  coalesce(string_agg(x.signature, ', ') filter (where not x.fixed), 'all do')
from functions x
union all
select
  'base: anon may execute no function',
  bool_and(not x.open_to_anon),
  coalesce(string_agg(x.signature, ', ') filter (where x.open_to_anon), 'it may not')
from functions x
union all
select
  'base: the company has exactly one row of settings',
  count(*) = 1,
  count(*) || ' found'
from public.company_settings
union all
select
  'base: there is an active location',
  count(*) > 0,
  count(*) || ' found'
from public.locations l
where l.active
union all
select
  'base: every account has a profile',
  count(*) = 0,
  count(*) || ' without'
from auth.users u
where not exists (select from public.profiles p where p.id = u.id)
union all
select
  'base: an account made as owner led to an active owner',
  count(*) = 0,
  count(*) || ' in vain'
from auth.users u
where u.raw_app_meta_data ->> 'berth_role' = 'owner' and u.deleted_at is null
  and not exists (select from public.members m where m.role = 'owner' and m.active)
union all
select
  'base: a deleted account is no active member',
  count(*) = 0,
  count(*) || ' still active'
from public.members m
join auth.users u on u.id = m.user_id
where m.active and u.deleted_at is not null
union all
select
  'base: every trigger is there and enabled',
  bool_and(x.enabled),
  coalesce(string_agg(x.name, ', ') filter (where not x.enabled), 'all are')
from triggers x
union all
select
  'base: only functions of the database give document numbers',
  not bool_or(x.callable),
  coalesce(string_agg(x.role, ', ') filter (where x.callable), 'nobody else may')
from (
  select r.role, coalesce(
    has_function_privilege(
      r.role, to_regprocedure('private.next_document_number(uuid,text)'), 'EXECUTE'
    ) or has_table_privilege(r.role, to_regclass('public.document_counters'), 'INSERT')
      or has_table_privilege(r.role, to_regclass('public.document_counters'), 'UPDATE')
      or has_table_privilege(r.role, to_regclass('public.document_counters'), 'DELETE'),
    false
  ) as callable
  from (values ('authenticated'), ('service_role')) as r (role)
) x
union all
select
  'base: an open invitation was sent by somebody who may invite to its role',
  count(*) = 0,
  count(*) || ' sent by others'
from public.invitations i
where i.accepted_at is null and i.revoked_at is null and i.invited_by is not null
  and not exists (
    select from public.members m
    where m.user_id = i.invited_by and m.active
      and (m.role = 'owner' or (m.role = 'manager' and i.role < 'manager'))
  )
union all
select
  'base: an address has at most one open invitation',
  coalesce(bool_and(x.indisunique and x.indisvalid), false),
  case when bool_and(x.indisunique and x.indisvalid) then 'ensured' else 'the index is gone' end
from pg_catalog.pg_index x
where x.indexrelid = to_regclass('public.invitations_open_email_key')
union all
select
  'base: files have their policies',
  bool_and(x.present),
  coalesce(string_agg(x.name, ', ') filter (where not x.present), 'all are there')
from file_policies x
union all
select
  'base: the bucket of files is not public',
  count(*) = 0,
  case count(*) when 0 then 'it is not' else 'anybody reads its files' end
from storage.buckets b
where b.id = 'files' and b.public;
