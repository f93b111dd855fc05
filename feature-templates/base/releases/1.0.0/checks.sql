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
      ('activity_log')
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
      ('private.log_activity()')
    ) as f (signature)
    left join pg_catalog.pg_proc p on p.oid = to_regprocedure(f.signature)
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
where u.raw_app_meta_data ->> 'berth_role' = 'owner'
  and not exists (select from public.members m where m.role = 'owner' and m.active)
union all
select
  'base: new accounts are followed by a trigger',
  count(*) = 1,
  case count(*) when 1 then 'enabled' else 'missing or disabled' end
from pg_catalog.pg_trigger t
where t.tgrelid = 'auth.users'::regclass and t.tgname = 'berth_sync_account'
  and t.tgenabled <> 'D';
