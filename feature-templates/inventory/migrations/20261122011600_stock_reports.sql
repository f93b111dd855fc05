-- Reports on stock. They read with the rights of whoever asks.

create view public.stock_valuation with (security_invoker = true) as
select
  s.product_id,
  s.location_id,
  s.quantity,
  s.average_cost,
  round(s.quantity * s.average_cost, 4) as value,
  s.cost_currency as currency
from public.stock_levels s;

revoke all on table public.stock_valuation from public, anon, authenticated, service_role;

comment on view public.stock_valuation is
  'What stock is worth by the moving average of its cost: negative where more went out than came in,
  empty where no cost was ever told.';

-- As alerts see it: what is free counts. A reservation counts until it is let go, also expired.
create or replace view public.low_stock with (security_invoker = true) as
select
  p.id as product_id,
  p.sku,
  p.name as product_name,
  l.id as location_id,
  l.name as location_name,
  s.quantity,
  s.reorder_point,
  s.reorder_quantity
from public.stock_levels s
join public.products p on p.id = s.product_id
join public.locations l on l.id = s.location_id
where p.active and p.track_stock and l.active
  and s.quantity - s.reserved <= s.reorder_point;

-- Reservations that have expired hold nothing back, released or not.
create view public.stock_availability with (security_invoker = true) as
select
  s.product_id,
  s.location_id,
  s.quantity,
  s.reserved - coalesce(e.expired, 0) as reserved,
  s.quantity - s.reserved + coalesce(e.expired, 0) as available
from public.stock_levels s
left join lateral (
  select sum(r.quantity) as expired
  from public.reservations r
  where r.product_id = s.product_id and r.location_id = s.location_id
    and r.status = 'open' and r.expires_at <= now()
) e on true;

revoke all on table public.stock_availability from public, anon, authenticated, service_role;

comment on view public.stock_availability is 'What is there, what is promised, and what is free.';

create view public.low_stock_report with (security_invoker = true) as
select
  l.product_id,
  l.sku,
  l.product_name,
  l.location_id,
  l.location_name,
  a.quantity,
  a.reserved,
  a.available,
  l.reorder_point,
  l.reorder_quantity,
  -- As many lots as lift what is free above the reorder point; without a lot, just above it.
  case when l.reorder_quantity is null
    then greatest(l.reorder_point - a.available, 0) + 1
    else greatest(floor((l.reorder_point - a.available) / l.reorder_quantity) + 1, 1)
      * l.reorder_quantity
  end as suggested_quantity,
  p.supplier_id,
  s.name as supplier_name,
  p.supplier_sku,
  p.cost,
  p.currency,
  p.lead_time_days,
  w.opened_at as low_since,
  w.acknowledged_at
from public.low_stock l
join public.stock_availability a
  on a.product_id = l.product_id and a.location_id = l.location_id
left join public.product_suppliers p on p.product_id = l.product_id and p.preferred
left join public.suppliers s on s.id = p.supplier_id
left join public.low_stock_alerts w
  on w.product_id = l.product_id and w.location_id = l.location_id and w.closed_at is null;

revoke all on table public.low_stock_report from public, anon, authenticated, service_role;

comment on view public.low_stock_report is
  'What to order, how much of it, and from whom: the preferred supplier, if there is one.';

-- Worked out backwards from the level, so that it reads the movements since the first day and not
-- all there ever were. Days are the company's. Numbers have the sign of the ledger, so that closing
-- is opening plus all of them.
create function public.movement_report(
  from_day date, to_day date, only_location_id uuid default null, only_product_id uuid default null
)
returns table (
  product_id uuid, sku text, product_name text, location_id uuid, location_name text,
  opening numeric, receipts numeric, returns numeric, transfers_in numeric, issues numeric,
  sales numeric, transfers_out numeric, adjustments numeric, counts numeric,
  incoming numeric, outgoing numeric, closing numeric
)
language sql
stable
set search_path = ''
as $$
  with period as (
    select from_day::timestamp at time zone c.time_zone as since,
      (to_day + 1)::timestamp at time zone c.time_zone as until
    from public.company_settings c
  ),
  recent as (
    select m.product_id, m.location_id, m.kind, m.quantity, m.occurred_at >= p.until as later
    from period p
    join public.stock_movements m on m.occurred_at >= p.since
    where (only_location_id is null or m.location_id = only_location_id)
      and (only_product_id is null or m.product_id = only_product_id)
  ),
  moved as (
    select r.product_id, r.location_id,
      sum(r.quantity) as all_since,
      sum(r.quantity) filter (where r.later) as later,
      sum(r.quantity) filter (where not r.later and r.kind = 'receipt') as receipts,
      sum(r.quantity) filter (where not r.later and r.kind = 'return') as returns,
      sum(r.quantity) filter (where not r.later and r.kind = 'transfer_in') as transfers_in,
      sum(r.quantity) filter (where not r.later and r.kind = 'issue') as issues,
      sum(r.quantity) filter (where not r.later and r.kind = 'sale') as sales,
      sum(r.quantity) filter (where not r.later and r.kind = 'transfer_out') as transfers_out,
      sum(r.quantity) filter (where not r.later and r.kind = 'adjustment') as adjustments,
      sum(r.quantity) filter (where not r.later and r.kind = 'count') as counts,
      sum(r.quantity) filter (where not r.later and r.quantity > 0) as incoming,
      sum(r.quantity) filter (where not r.later and r.quantity < 0) as outgoing,
      bool_or(not r.later) as within
    from recent r
    group by r.product_id, r.location_id
  )
  select s.product_id, p.sku, p.name, s.location_id, l.name,
    s.quantity - coalesce(m.all_since, 0), coalesce(m.receipts, 0), coalesce(m.returns, 0),
    coalesce(m.transfers_in, 0), coalesce(m.issues, 0), coalesce(m.sales, 0),
    coalesce(m.transfers_out, 0), coalesce(m.adjustments, 0), coalesce(m.counts, 0),
    coalesce(m.incoming, 0), coalesce(m.outgoing, 0), s.quantity - coalesce(m.later, 0)
  from public.stock_levels s
  join public.products p on p.id = s.product_id
  join public.locations l on l.id = s.location_id
  left join moved m on m.product_id = s.product_id and m.location_id = s.location_id
  where (only_location_id is null or s.location_id = only_location_id)
    and (only_product_id is null or s.product_id = only_product_id)
    and from_day <= to_day
    and (m.within or s.quantity - coalesce(m.all_since, 0) <> 0)
  order by p.sku, l.name;
$$;

comment on function public.movement_report(date, date, uuid, uuid) is
  'What each product and location had, took in and gave out between two days, both included, for
  all or for one of either. Back-dated movements count on the day on which they happened.';

revoke all on function public.movement_report(date, date, uuid, uuid)
  from public, anon, authenticated, service_role;
