-- One row per assertion about key figures and reports.
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
      ('kpis'),
      ('kpi_snapshots'),
      ('reports')
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
      ('private.set_snapshot_currency()'),
      ('public.record_kpi_snapshot(text,date,numeric,uuid)')
    ) as f (signature)
    left join pg_catalog.pg_proc p on p.oid = to_regprocedure(f.signature)
  ),
  views as (
    select v.name, coalesce('security_invoker=true' = any (c.reloptions), false) as invoker
    from (values
      ('kpi_latest')
    ) as v (name)
    left join pg_catalog.pg_class c
      on c.oid = to_regclass('public.' || v.name) and c.relkind = 'v'
  )
select
  'analytics: every table has row-level security' as check_name,
  bool_and(x.secured) as ok,
  coalesce(string_agg(x.name, ', ') filter (where not x.secured), 'all have it') as detail
from tables x
union all
select
  'analytics: anon has no privilege on any table',
  bool_and(not x.open_to_anon),
  coalesce(string_agg(x.name, ', ') filter (where x.open_to_anon), 'it has none')
from tables x
union all
select
  'analytics: members can read every table through its policies',
  bool_and(x.readable),
  coalesce(string_agg(x.name, ', ') filter (where not x.readable), 'they can')
from tables x
union all
select
  'analytics: every function exists with a fixed search_path',
  bool_and(x.fixed),
  coalesce(string_agg(x.signature, ', ') filter (where not x.fixed), 'all do')
from functions x
union all
select
  'analytics: anon may execute no function',
  bool_and(not x.open_to_anon),
  coalesce(string_agg(x.signature, ', ') filter (where x.open_to_anon), 'it may not')
from functions x
union all
select
  'analytics: every view keeps to the rights of its reader',
  bool_and(x.invoker),
  coalesce(string_agg(x.name, ', ') filter (where not x.invoker), 'all do')
from views x
union all
select
  'analytics: key figures are defined',
  count(*) > 0,
  count(*) || ' found'
from public.kpis
union all
select
  'analytics: money has a currency',
  count(*) = 0,
  count(*) || ' values without'
from public.kpi_snapshots s
join public.kpis k on k.id = s.kpi_id
where k.unit = 'money' and s.currency is null;
