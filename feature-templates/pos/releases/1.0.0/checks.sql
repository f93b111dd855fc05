-- One row per assertion about registers and sales.
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
      ('registers'),
      ('register_sessions'),
      ('sales'),
      ('sale_lines'),
      ('payments'),
      ('receipts')
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
      ('private.open_register(uuid,numeric)'),
      ('private.lock_open_session(uuid)'),
      ('private.close_register(uuid,numeric,text)'),
      ('private.price_lines(jsonb,text)'),
      ('private.record_payments(uuid,jsonb,numeric,text)'),
      ('private.sale_document(uuid,uuid,bigint)'),
      ('private.sale_result(uuid)'),
      ('private.complete_sale(uuid,uuid,jsonb,jsonb)'),
      ('public.open_register(uuid,numeric)'),
      ('public.close_register(uuid,numeric,text)'),
      ('public.complete_sale(uuid,uuid,jsonb,jsonb)')
    ) as f (signature)
    left join pg_catalog.pg_proc p on p.oid = to_regprocedure(f.signature)
  )
select
  'pos: every table has row-level security' as check_name,
  bool_and(x.secured) as ok,
  coalesce(string_agg(x.name, ', ') filter (where not x.secured), 'all have it') as detail
from tables x
union all
select
  'pos: anon has no privilege on any table',
  bool_and(not x.open_to_anon),
  coalesce(string_agg(x.name, ', ') filter (where x.open_to_anon), 'it has none')
from tables x
union all
select
  'pos: members can read every table through its policies',
  bool_and(x.readable),
  coalesce(string_agg(x.name, ', ') filter (where not x.readable), 'they can')
from tables x
union all
select
  'pos: every function exists with a fixed search_path',
  bool_and(x.fixed),
  coalesce(string_agg(x.signature, ', ') filter (where not x.fixed), 'all do')
from functions x
union all
select
  'pos: anon may execute no function',
  bool_and(not x.open_to_anon),
  coalesce(string_agg(x.signature, ', ') filter (where x.open_to_anon), 'it may not')
from functions x
union all
select
  'pos: records refuse to be changed',
  count(*) = 4,
  count(*) || ' of 4 guarded'
from pg_catalog.pg_trigger t
join tables x on x.oid = t.tgrelid
where t.tgfoid = to_regprocedure('private.refuse_change()') and t.tgenabled <> 'D'
  and x.name in ('sales', 'sale_lines', 'payments', 'receipts')
union all
select
  'pos: receipts are numbered without gaps',
  count(*) = 0,
  count(*) || ' registers with gaps'
from public.registers r
where r.last_receipt_number <> (select count(*) from public.receipts p where p.register_id = r.id)
  or r.last_receipt_number <> (
    select coalesce(max(p.number), 0) from public.receipts p where p.register_id = r.id
  )
union all
select
  'pos: every sale has its receipt',
  count(*) = 0,
  count(*) || ' without'
from public.sales s
where not exists (select from public.receipts p where p.sale_id = s.id)
union all
select
  'pos: every sale is the sum of its lines',
  count(*) = 0,
  count(*) || ' differences'
from public.sales s
where s.total is distinct from (
  select sum(i.total) from public.sale_lines i where i.sale_id = s.id
)
union all
select
  'pos: every sale is paid exactly',
  count(*) = 0,
  count(*) || ' differences'
from public.sales s
where s.total <> (
  select coalesce(sum(p.amount), 0) from public.payments p where p.sale_id = s.id
);
