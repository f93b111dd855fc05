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
      ('stock_movements'),
      ('reservations'),
      ('transfers'),
      ('transfer_lines'),
      ('stock_counts'),
      ('stock_count_lines'),
      ('low_stock_alerts'),
      ('stock_opening_costs'),
      ('stock_revaluations')
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
      ('public.count_stock(uuid,uuid,numeric,text)'),
      ('private.require_caller_role()'),
      ('private.check_variant()'),
      ('private.apply_reservation()'),
      ('private.lock_level(uuid,uuid)'),
      ('private.lock_levels(uuid,uuid[])'),
      ('private.require_stocked(uuid,numeric,boolean)'),
      ('private.require_unused(uuid,text,text)'),
      ('private.guard_product_in_use()'),
      ('private.guard_unit_in_use()'),
      ('private.expire_reservations(uuid,uuid)'),
      ('private.next_cost(numeric,private.cost,numeric,numeric,text)'),
      ('private.is_fulfilment(uuid,uuid,uuid,numeric)'),
      ('private.reserve_stock(uuid,uuid,numeric,text,timestamptz,text,uuid)'),
      ('private.lock_reservation(uuid)'),
      ('private.require_held(public.reservations)'),
      ('private.take_reservation(uuid,uuid,uuid,numeric,uuid)'),
      ('private.release_reservation(uuid)'),
      ('private.fulfil_reservation(uuid,text)'),
      ('private.release_expired_reservations()'),
      ('private.lock_transfer(uuid)'),
      ('private.save_transfer(uuid,uuid,uuid,jsonb,text)'),
      ('private.send_transfer(uuid)'),
      ('private.receive_transfer(uuid,jsonb)'),
      ('private.cancel_transfer(uuid)'),
      ('private.open_stock_count(uuid,uuid,text)'),
      ('private.record_count(uuid,uuid,numeric)'),
      ('private.close_stock_count(uuid,text)'),
      ('private.post_stock_count(uuid)'),
      ('private.cancel_stock_count(uuid)'),
      ('private.follow_low_stock()'),
      ('private.hold_watched()'),
      ('private.follow_watched()'),
      ('private.acknowledge_low_stock(uuid,text)'),
      ('private.record_revaluation(public.stock_levels,numeric,text,text)'),
      ('private.revalue_stock(uuid,uuid,numeric,text)'),
      ('private.restate_stock_costs(text,numeric,text)'),
      ('private.averages_by_record()'),
      ('private.levels_by_record()'),
      ('private.stock_differences()'),
      ('private.verify_stock()'),
      ('private.recompute_stock()'),
      ('public.reserve_stock(uuid,uuid,numeric,text,timestamptz,text,uuid)'),
      ('public.release_reservation(uuid)'),
      ('public.fulfil_reservation(uuid,text)'),
      ('public.release_expired_reservations()'),
      ('public.save_transfer(uuid,uuid,uuid,jsonb,text)'),
      ('public.send_transfer(uuid)'),
      ('public.receive_transfer(uuid,jsonb)'),
      ('public.cancel_transfer(uuid)'),
      ('public.open_stock_count(uuid,uuid,text)'),
      ('public.record_count(uuid,uuid,numeric)'),
      ('public.post_stock_count(uuid)'),
      ('public.cancel_stock_count(uuid)'),
      ('public.acknowledge_low_stock(uuid,text)'),
      ('public.revalue_stock(uuid,uuid,numeric,text)'),
      ('public.restate_stock_costs(text,numeric,text)'),
      ('public.verify_stock()'),
      ('public.recompute_stock()'),
      ('public.movement_report(date,date,uuid,uuid)')
    ) as f (signature)
    left join pg_catalog.pg_proc p on p.oid = to_regprocedure(f.signature)
  ),
  views as (
    select v.name, coalesce('security_invoker=true' = any (c.reloptions), false) as invoker
    from (values
      ('low_stock'),
      ('stock_in_transit'),
      ('stock_valuation'),
      ('stock_availability'),
      ('low_stock_report')
    ) as v (name)
    left join pg_catalog.pg_class c
      on c.oid = to_regclass('public.' || v.name) and c.relkind = 'v'
  ),
  differences as materialized (
    select d.what from private.stock_differences() d
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
  count(*) = 3,
  count(*) || ' of 3 guarded'
from pg_catalog.pg_trigger t
join tables x on x.oid = t.tgrelid
where t.tgfoid = to_regprocedure('private.refuse_change()') and t.tgenabled <> 'D'
  and x.name in ('stock_movements', 'stock_opening_costs', 'stock_revaluations')
union all
select
  'inventory: stock equals the sum of its movements',
  count(*) = 0,
  count(*) || ' differences'
from differences d
where d.what = 'quantity'
union all
select
  'inventory: what is reserved equals the open reservations',
  count(*) = 0,
  count(*) || ' differences'
from differences d
where d.what = 'reserved'
union all
select
  'inventory: average costs follow from the movements',
  count(*) = 0,
  count(*) || ' differences'
from differences d
where d.what = 'average_cost'
union all
select
  'inventory: an alert is open where stock is low, and nowhere else',
  count(*) = 0,
  count(*) || ' differences'
from public.low_stock s
full join (
  select a.product_id, a.location_id from public.low_stock_alerts a where a.closed_at is null
) open using (product_id, location_id)
where s.sku is null or open.product_id is null
union all
select
  'inventory: nothing is reserved of a product with variants',
  count(*) = 0,
  count(*) || ' found'
from public.stock_levels s
where s.reserved <> 0
  and exists (select from public.products v where v.parent_id = s.product_id)
union all
select
  'inventory: what a transfer took out came in or is under way, and differences are recorded',
  count(*) = 0,
  count(*) || ' differences'
from public.transfers t
join public.transfer_lines l on l.transfer_id = t.id
left join public.stock_movements o on o.source_id = l.id and o.kind = 'transfer_out'
left join public.stock_movements i on i.source_id = l.id and i.kind = 'transfer_in'
left join public.stock_movements d on d.source_id = l.id and d.kind = 'adjustment'
where coalesce(-o.quantity, 0) <> case when t.sent_at is null then 0 else l.quantity end
  or coalesce(i.quantity, 0) <> case
    when t.status = 'received' or t.status = 'cancelled' and t.sent_at is not null then l.quantity
    else 0
  end
  or coalesce(d.quantity, 0) <> case when t.status = 'received' then l.difference else 0 end
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
where i.indexrelid = to_regclass('public.products_name_prefix_idx')
union all
select
  'inventory: variants and reports have their indexes',
  count(*) = 2,
  count(*) || ' of 2 valid'
from pg_catalog.pg_index i
where i.indisvalid and i.indexrelid in (
  to_regclass('public.products_variant_options_key'),
  to_regclass('public.stock_movements_occurred_at_idx')
)
union all
select
  'inventory: the rules of version 1.1.0 were held against every row',
  count(*) = 0,
  coalesce(string_agg(c.conname, ', '), 'they were')
from pg_catalog.pg_constraint c
where not c.convalidated and c.conrelid in (select x.oid from tables x)
union all
select
  'inventory: movements, reservations, levels and products are followed by their triggers',
  count(*) = 7,
  count(*) || ' of 7 enabled'
from pg_catalog.pg_trigger t
join tables x on x.oid = t.tgrelid
where t.tgenabled <> 'D' and (x.name, t.tgname) in (
  ('stock_movements', 'stock_movements_apply'),
  ('reservations', 'reservations_apply'),
  ('stock_levels', 'stock_levels_follow_low_stock'),
  ('stock_levels', 'stock_levels_follow_low_stock_first'),
  ('products', 'products_follow_watched'),
  ('products', 'products_guard_in_use'),
  ('units', 'units_guard_in_use')
);
