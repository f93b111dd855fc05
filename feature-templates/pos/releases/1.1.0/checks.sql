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
      ('receipts'),
      ('pos_settings'),
      ('cash_movements'),
      ('discounts'),
      ('sale_discounts'),
      ('orders'),
      ('order_lines'),
      ('refunds'),
      ('refund_lines'),
      ('refund_payments')
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
      ('private.lock_active_session(uuid)'),
      ('private.keep_register()'),
      ('private.close_register(uuid,numeric,text)'),
      ('private.price_lines(jsonb,text)'),
      ('private.record_payments(uuid,jsonb,numeric,text)'),
      ('private.sale_document(uuid,uuid,bigint)'),
      ('private.sale_result(uuid)'),
      ('private.complete_sale(uuid,uuid,jsonb,jsonb,uuid,uuid)'),
      ('private.usable_discount(uuid,text,text)'),
      ('private.number_order()'),
      ('private.refuse_closed_order()'),
      ('private.require_open_order()'),
      ('private.lock_open_order(uuid)'),
      ('private.cancel_order(uuid)'),
      ('private.draft_lines(jsonb,text)'),
      ('private.discount_on(public.discounts,numeric,text)'),
      ('private.spread_amount(numeric,numeric[],numeric)'),
      ('private.price_sale(jsonb,text,uuid)'),
      ('private.sale_lines_of_order(uuid)'),
      ('private.take_reservations(private.draft_line[],public.sales)'),
      ('private.quote_sale(uuid,jsonb,uuid,uuid)'),
      ('private.postal_address(public.locations)'),
      ('private.refund_document(uuid,uuid,bigint)'),
      ('private.expected_cash(uuid)'),
      ('private.require_cash(uuid)'),
      ('private.move_cash(uuid,uuid,numeric,text)'),
      ('private.refund_result(uuid)'),
      ('private.known_refund(uuid,bytea)'),
      ('private.draft_refund(public.sales,jsonb)'),
      ('private.record_refund_payments(uuid,jsonb,numeric,text)'),
      (
        'private.record_refund(text,uuid,bytea,public.register_sessions,public.sales,jsonb,jsonb,text)'
      ),
      ('private.require_refund_rights(public.refunds)'),
      ('private.refund_sale(uuid,uuid,uuid,text,jsonb,jsonb)'),
      ('private.void_sale(uuid,uuid,text)'),
      ('private.takings(uuid[],uuid,timestamptz,timestamptz,text)'),
      ('private.receipt_series(uuid[],uuid,timestamptz,timestamptz)'),
      ('private.session_summary(uuid)'),
      ('private.end_of_day_report(uuid)'),
      ('private.location_day_report(uuid,date)'),
      ('public.open_register(uuid,numeric)'),
      ('public.close_register(uuid,numeric,text)'),
      ('public.complete_sale(uuid,uuid,jsonb,jsonb,uuid,uuid)'),
      ('public.quote_sale(uuid,jsonb,uuid,uuid)'),
      ('public.move_cash(uuid,uuid,numeric,text)'),
      ('public.cancel_order(uuid)'),
      ('public.refund_sale(uuid,uuid,uuid,text,jsonb,jsonb)'),
      ('public.void_sale(uuid,uuid,text)'),
      ('public.end_of_day_report(uuid)'),
      ('public.location_day_report(uuid,date)')
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
  'pos: records of cash, discounts and refunds refuse to be changed',
  count(*) = 5,
  count(*) || ' of 5 guarded'
from pg_catalog.pg_trigger t
join tables x on x.oid = t.tgrelid
where t.tgfoid = to_regprocedure('private.refuse_change()') and t.tgenabled <> 'D'
  and x.name in (
    'cash_movements', 'sale_discounts', 'refunds', 'refund_lines', 'refund_payments'
  )
union all
select
  'pos: complete_sale has one form',
  count(*) = 2,
  count(*) || ' found in public and private'
from pg_catalog.pg_proc p
where p.proname = 'complete_sale'
  and p.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
union all
select
  'pos: every refund has one receipt',
  coalesce(bool_and(i.indisvalid and i.indisunique), false),
  coalesce(string_agg(c.relname, ', ') filter (where not i.indisvalid), 'the index is valid')
from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indexrelid
where c.oid = to_regclass('public.receipts_refund_id_key')
union all
select
  'pos: what receipts promise is proven for all of them',
  count(*) = 2 and bool_and(c.convalidated),
  count(*) filter (where c.convalidated) || ' of 2 constraints'
from pg_catalog.pg_constraint c
where c.conrelid = to_regclass('public.receipts')
  and c.conname in ('receipts_for_one_act', 'receipts_refund_id_fkey')
union all
select
  'pos: receipts are numbered without gaps',
  count(*) = 0,
  count(*) || ' registers with gaps'
from public.registers r
left join (
  select p.register_id, count(*) as count, max(p.number) as last
  from public.receipts p
  group by p.register_id
) g on g.register_id = r.id
where r.last_receipt_number <> coalesce(g.count, 0) or r.last_receipt_number <> coalesce(g.last, 0)
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
left join (
  select i.sale_id, sum(i.total) as total from public.sale_lines i group by i.sale_id
) g on g.sale_id = s.id
where s.total is distinct from g.total
union all
select
  'pos: every sale is paid exactly',
  count(*) = 0,
  count(*) || ' differences'
from public.sales s
left join (
  select p.sale_id, sum(p.amount) as amount from public.payments p group by p.sale_id
) g on g.sale_id = s.id
where s.total <> coalesce(g.amount, 0)
union all
select
  'pos: every refund has its receipt',
  count(*) = 0,
  count(*) || ' without'
from public.refunds b
where not exists (select from public.receipts p where p.refund_id = b.id)
union all
select
  'pos: every refund is the sum of its lines',
  count(*) = 0,
  count(*) || ' differences'
from public.refunds b
left join (
  select l.refund_id, sum(l.net_amount) as net, sum(l.tax_amount) as tax
  from public.refund_lines l
  group by l.refund_id
) g on g.refund_id = b.id
where (b.net_total, b.tax_total) is distinct from (g.net, g.tax)
union all
select
  'pos: every refund is paid back exactly',
  count(*) = 0,
  count(*) || ' differences'
from public.refunds b
left join (
  select p.refund_id, sum(p.amount) as amount from public.refund_payments p group by p.refund_id
) g on g.refund_id = b.id
where b.total <> coalesce(g.amount, 0)
union all
select
  'pos: nothing is given back twice',
  count(*) = 0,
  count(*) || ' lines given back above what was sold'
from (
  select g.sale_id, g.line_number, sum(g.quantity) as quantity, sum(g.net_amount) as net_amount,
    sum(g.tax_amount) as tax_amount
  from public.refund_lines g
  group by g.sale_id, g.line_number
) g
join public.sale_lines i on i.sale_id = g.sale_id and i.line_number = g.line_number
where g.quantity > i.quantity or g.net_amount > i.net_amount or g.tax_amount > i.tax_amount
  -- Whoever gave back everything got all of the money, to the last cent.
  or (g.quantity = i.quantity and g.net_amount + g.tax_amount <> i.total)
union all
select
  'pos: goods given back are back in stock',
  count(*) = 0,
  count(*) || ' differences'
from (
  select g.refund_id, i.product_id, sum(g.quantity) as quantity
  from public.refund_lines g
  join public.sale_lines i on i.sale_id = g.sale_id and i.line_number = g.line_number
  where g.restocked
  group by g.refund_id, i.product_id
) g
left join (
  select m.source_id, m.product_id, sum(m.quantity) as quantity
  from public.stock_movements m
  where m.kind = 'return' and m.source_id is not null
  group by m.source_id, m.product_id
) m on m.source_id = g.refund_id and m.product_id = g.product_id
where g.quantity is distinct from m.quantity
union all
select
  'pos: discounts on record are those of the lines',
  count(*) = 0,
  count(*) || ' differences'
from (
  select d.sale_id, sum(d.amount) as amount from public.sale_discounts d group by d.sale_id
) d
left join (
  select i.sale_id, sum(i.discount) as discount from public.sale_lines i group by i.sale_id
) i on i.sale_id = d.sale_id
where d.amount is distinct from i.discount
union all
select
  'pos: orders are numbered without gaps',
  count(*) = 0,
  count(*) || ' locations with gaps'
from (
  select o.location_id from public.orders o
  group by o.location_id
  having count(*) <> max(o.number) or min(o.number) <> 1
) o
union all
select
  'pos: closed sessions expected the cash that moved',
  count(*) = 0,
  count(*) || ' differences'
from public.register_sessions s
left join (
  select x.session_id, sum(x.amount) as amount
  from (
    select sale.session_id, p.amount
    from public.sales sale
    join public.payments p on p.sale_id = sale.id
    where p.method = 'cash'
    union all
    select m.session_id, m.amount from public.cash_movements m
    union all
    select b.session_id, -p.amount
    from public.refunds b
    join public.refund_payments p on p.refund_id = b.id
    where p.method = 'cash'
  ) x
  group by x.session_id
) g on g.session_id = s.id
where s.expected_cash <> s.opening_cash + coalesce(g.amount, 0);
