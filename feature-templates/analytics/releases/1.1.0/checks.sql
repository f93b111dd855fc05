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
      ('reports'),
      ('analytics_settings'),
      ('kpi_targets'),
      ('kpi_sources'),
      ('kpi_computations'),
      ('kpi_changes'),
      ('dashboards'),
      ('dashboard_widgets'),
      ('report_schedules'),
      ('report_results')
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
      ('public.record_kpi_snapshot(text,date,numeric,uuid)'),
      ('private.add_computed_kpi(text,text,text,text,text,text,text)'),
      ('private.mark_removed_snapshots()'),
      ('private.compute_figures(text,date[])'),
      ('private.mark_everything(text)'),
      ('private.refresh_kpi_days(text,date[])'),
      ('private.refresh_kpi_source(text,integer,timestamptz)'),
      ('private.refresh_kpis(integer,timestamptz,boolean)'),
      ('private.refresh_kpis_for_member()'),
      ('public.refresh_kpis()'),
      ('private.mark_after_settings()'),
      ('private.kpi_value(uuid,text,date,date,uuid[],integer[],text)'),
      ('private.comparison_period(date,date,text)'),
      ('private.change_percent(numeric,numeric)'),
      ('public.compare_periods(text,date,date,uuid,text)'),
      ('private.literal_problem(text,jsonb)'),
      ('private.definition_places(jsonb)'),
      ('private.parameters_problem(jsonb)'),
      ('private.definition_problem(jsonb)'),
      ('private.check_definition()'),
      ('private.bind_parameters(jsonb,jsonb)'),
      ('private.named_period(text,date)'),
      ('private.period_parts(date,date,text)'),
      ('private.comparison_wanted(jsonb)'),
      ('private.report_rows(jsonb,jsonb,date)'),
      ('public.run_report(uuid,jsonb)'),
      ('public.run_dashboard(uuid,jsonb)'),
      ('private.next_run(text,time,integer,integer,text,timestamptz)'),
      ('private.plan_schedule()'),
      ('private.plan_schedules_again()'),
      ('private.produce_scheduled(public.report_schedules,integer,text)'),
      ('private.produce_due(integer,timestamptz)'),
      ('private.run_due(integer)')
    ) as f (signature)
    left join pg_catalog.pg_proc p on p.oid = to_regprocedure(f.signature)
  ),
  views as (
    select v.name, coalesce('security_invoker=true' = any (c.reloptions), false) as invoker
    from (values
      ('kpi_latest'),
      ('kpi_target_progress')
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
where k.unit = 'money' and s.currency is null
union all
select
  'analytics: results refuse to be changed',
  count(*) = 1,
  case count(*) when 1 then 'enabled' else 'missing or disabled' end
from pg_catalog.pg_trigger t
where t.tgrelid = to_regclass('public.report_results')
  and t.tgname = 'report_results_refuse_change' and t.tgenabled <> 'D'
union all
select
  'analytics: what is computed has its functions',
  count(*) = 0,
  coalesce(string_agg(s.key, ', '), 'all have them')
from public.kpi_sources s
where to_regprocedure('private.' || s.compute_function || '(date[])') is null
  or to_regprocedure('private.' || s.mark_function || '()') is null
union all
-- Where sales or stock are not there, nothing follows them.
select
  'analytics: sales and stock are followed by triggers',
  bool_and(x.followed),
  coalesce(string_agg(x.name, ', ') filter (where not x.followed), 'where they are there')
from (
  select w.name, to_regclass('public.' || w.name) is null or exists (
    select from pg_catalog.pg_trigger t
    where t.tgrelid = to_regclass('public.' || w.name)
      and t.tgname = w.name || '_mark_kpis' and t.tgenabled <> 'D'
  ) as followed
  from (values ('stock_movements'), ('transfers'), ('sales'), ('refunds')) as w (name)
) x
union all
select
  'analytics: every active schedule has a next run',
  count(*) = 0,
  count(*) || ' without'
from public.report_schedules s
where s.active and not isfinite(s.next_run_at);
