-- One row per assertion about products and stock.
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
      ('units'),
      ('categories'),
      ('suppliers'),
      ('products'),
      ('product_suppliers'),
      ('stock_levels'),
      ('stock_movements')
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
      ('private.refuse_category_cycle()'),
      ('private.set_company_currency()'),
      ('private.apply_stock_movement()'),
      ('private.transfer_stock(uuid,uuid,uuid,uuid,numeric,text)'),
      ('private.count_stock(uuid,uuid,numeric,text)'),
      ('public.transfer_stock(uuid,uuid,uuid,uuid,numeric,text)'),
      ('public.count_stock(uuid,uuid,numeric,text)')
    ) as f (signature)
    left join pg_catalog.pg_proc p on p.oid = to_regprocedure(f.signature)
  ),
  views as (
    select v.name, coalesce('security_invoker=true' = any (c.reloptions), false) as invoker
    from (values
      ('low_stock')
    ) as v (name)
    left join pg_catalog.pg_class c
      on c.oid = to_regclass('public.' || v.name) and c.relkind = 'v'
  )
select
  'inventory: every table has row-level security' as check_name,
  bool_and(x.secured) as ok,
  coalesce(string_agg(x.name, ', ') filter (where not x.secured), 'all have it') as detail
from tables x
union all
select
  'inventory: anon has no privilege on any table',
  bool_and(not x.open_to_anon),
  coalesce(string_agg(x.name, ', ') filter (where x.open_to_anon), 'it has none')
from tables x
union all
select
  'inventory: members can read every table through its policies',
  bool_and(x.readable),
  coalesce(string_agg(x.name, ', ') filter (where not x.readable), 'they can')
from tables x
union all
select
  'inventory: every function exists with a fixed search_path',
  bool_and(x.fixed),
  coalesce(string_agg(x.signature, ', ') filter (where not x.fixed), 'all do')
from functions x
union all
select
  'inventory: anon may execute no function',
  bool_and(not x.open_to_anon),
  coalesce(string_agg(x.signature, ', ') filter (where x.open_to_anon), 'it may not')
from functions x
union all
select
  'inventory: every view keeps to the rights of its reader',
  bool_and(x.invoker),
  coalesce(string_agg(x.name, ', ') filter (where not x.invoker), 'all do')
from views x
union all
select
  'inventory: records refuse to be changed',
  count(*) = 1,
  count(*) || ' of 1 guarded'
from pg_catalog.pg_trigger t
join tables x on x.oid = t.tgrelid
where t.tgfoid = to_regprocedure('private.refuse_change()') and t.tgenabled <> 'D'
  and x.name in ('stock_movements')
union all
select
  'inventory: stock equals the sum of its movements',
  count(*) = 0,
  count(*) || ' differences'
from public.stock_levels s
full join (
  select m.product_id, m.location_id, sum(m.quantity) as quantity
  from public.stock_movements m
  group by m.product_id, m.location_id
) moved using (product_id, location_id)
where coalesce(s.quantity, 0) <> coalesce(moved.quantity, 0)
union all
select
  'inventory: no stock is below zero that must not be',
  count(*) = 0,
  count(*) || ' found'
from public.stock_levels s
join public.products p on p.id = s.product_id
where s.quantity < 0 and not p.allow_oversell
union all
select
  'inventory: there are units to count in',
  count(*) > 0,
  count(*) || ' found'
from public.units
union all
select
  'inventory: names of products are indexed',
  coalesce(bool_and(i.indisvalid), false),
  case when bool_and(i.indisvalid) then 'valid' else 'missing or invalid' end
from pg_catalog.pg_index i
where i.indexrelid = to_regclass('public.products_name_prefix_idx');
