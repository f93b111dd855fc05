-- The way in to transfers for the API.

create function public.save_transfer(
  transfer_id uuid, from_location_id uuid, to_location_id uuid, lines jsonb,
  note text default null
) returns uuid
language sql
set search_path = ''
as $$
  select private.save_transfer($1, $2, $3, $4, $5);
$$;

comment on function public.save_transfer(uuid, uuid, uuid, jsonb, text) is
  'Makes a draft, or replaces one: lines [{product_id, quantity}].';

revoke all on function public.save_transfer(uuid, uuid, uuid, jsonb, text)
  from public, anon, authenticated, service_role;

create function public.send_transfer(transfer_id uuid) returns bigint
language sql
set search_path = ''
as $$
  select private.send_transfer($1);
$$;

comment on function public.send_transfer(uuid) is
  'Takes the stock of a draft out of its location, and answers the number of the transfer.';

revoke all on function public.send_transfer(uuid) from public, anon, authenticated, service_role;

create function public.receive_transfer(transfer_id uuid, received jsonb default null)
returns bigint
language sql
set search_path = ''
as $$
  select private.receive_transfer($1, $2);
$$;

comment on function public.receive_transfer(uuid, jsonb) is
  'Brings in what arrived: received [{product_id, quantity}] names the lines that differ, all others
  arrived as they were sent. What is missing is recorded as an adjustment; more than was sent takes a
  manager.';

revoke all on function public.receive_transfer(uuid, jsonb)
  from public, anon, authenticated, service_role;

create function public.cancel_transfer(transfer_id uuid) returns void
language sql
set search_path = ''
as $$
  select private.cancel_transfer($1);
$$;

comment on function public.cancel_transfer(uuid) is
  'Ends a draft. A transfer under way goes back to where it came from; that takes a manager.';

revoke all on function public.cancel_transfer(uuid) from public, anon, authenticated, service_role;

-- What has left one location and not reached the other: it belongs to the company all the same.
create view public.stock_in_transit with (security_invoker = true) as
select
  l.transfer_id,
  t.number,
  l.product_id,
  t.from_location_id,
  t.to_location_id,
  l.quantity,
  m.unit_cost,
  round(l.quantity * coalesce(m.exact_cost, m.unit_cost), 4) as value,
  m.currency,
  t.sent_at
from public.transfers t
join public.transfer_lines l on l.transfer_id = t.id
join public.stock_movements m on m.source_id = l.id and m.kind = 'transfer_out'
where t.status = 'sent';

revoke all on table public.stock_in_transit from public, anon, authenticated, service_role;

comment on view public.stock_in_transit is
  'Stock under way between two locations, at the cost at which it left.';
