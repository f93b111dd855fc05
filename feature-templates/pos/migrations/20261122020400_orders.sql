-- Orders that are parked until they are paid: the table in the corner, the parcel to be fetched.
-- They are notes and may change; what is sold is written down by complete_sale alone.

create table public.orders (
  id uuid primary key default gen_random_uuid(),
  client_token uuid unique,
  location_id uuid not null references public.locations (id) on delete restrict,
  number bigint not null,
  label text,
  note text,
  discount_id uuid references public.discounts (id) on delete restrict,
  status text not null default 'open',
  sale_id uuid unique references public.sales (id) on delete restrict,
  closed_at timestamptz,
  closed_by uuid,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  -- Its index also serves the foreign key.
  constraint orders_number_per_location unique (location_id, number),
  constraint orders_number_positive check (number > 0),
  constraint orders_label_length check (length(btrim(label)) between 1 and 120),
  constraint orders_note_length check (length(note) <= 1000),
  constraint orders_status_known check (status in ('open', 'completed', 'cancelled')),
  constraint orders_closed_whole check ((status = 'open') = (closed_at is null)),
  constraint orders_sale_if_completed check ((status = 'completed') = (sale_id is not null))
);

alter table public.orders enable row level security;
revoke all on table public.orders from public, anon, authenticated, service_role;

comment on table public.orders is
  'Orders at a location, open until complete_sale sells them or cancel_order ends them.';
comment on column public.orders.client_token is
  'Made by the till, if it wants to: the same token sent again parks no second order.';
comment on column public.orders.number is 'Given by trigger: 1, 2, 3 … per location.';
comment on column public.orders.label is 'How people call it: a table, a name.';
comment on column public.orders.discount_id is
  'A discount on the whole order. Whoever completes it must be allowed to give it.';
comment on column public.orders.sale_id is 'What the order became.';
comment on column public.orders.created_by is
  'The account that acted. No foreign key: the record outlives the account.';

create index orders_discount_id_idx on public.orders (discount_id);
create index orders_open_idx on public.orders (location_id, created_at) where status = 'open';

create trigger orders_set_updated_at before update on public.orders
  for each row execute function private.set_updated_at();

create function private.number_order() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  new.number := private.next_document_number(new.location_id, 'order');
  -- Raised, and not left to the constraint, which may be told to skip the row: the number would go.
  if exists (select from public.orders o where o.client_token = new.client_token) then
    raise exception 'The token % was used for another order', new.client_token
      using errcode = 'unique_violation', constraint = 'orders_client_token_key',
        hint = 'Read the order by its client_token.';
  end if;
  return new;
end;
$$;

revoke all on function private.number_order() from public, anon, authenticated, service_role;

-- Asked before any row is numbered: who may not park an order locks nothing, and learns nothing.
create trigger orders_require_staff before insert on public.orders
  for each statement execute function private.require_caller_role('staff');
create trigger orders_number before insert on public.orders
  for each row execute function private.number_order();

-- What has been parked can be taken back before it is paid, and that is remembered.
create trigger orders_log_activity after update or delete on public.orders
  for each row execute function private.log_activity('id');

create function private.refuse_closed_order() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  raise exception 'Order % is %', old.number, old.status
    using errcode = 'object_not_in_prerequisite_state', hint = 'Begin a new order.';
end;
$$;

revoke all on function private.refuse_closed_order()
  from public, anon, authenticated, service_role;

create trigger orders_refuse_closed before update on public.orders
  for each row when (old.status <> 'open')
  execute function private.refuse_closed_order();

create table public.order_lines (
  id uuid primary key default gen_random_uuid(),
  order_id uuid not null references public.orders (id) on delete restrict,
  product_id uuid not null references public.products (id) on delete restrict,
  quantity numeric(18, 6) not null,
  discount_id uuid references public.discounts (id) on delete restrict,
  reservation_id uuid references public.reservations (id) on delete restrict,
  note text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint order_lines_quantity_positive check (quantity > 0 and quantity <> 'NaN'),
  constraint order_lines_note_length check (length(note) <= 500)
);

alter table public.order_lines enable row level security;
revoke all on table public.order_lines from public, anon, authenticated, service_role;

comment on table public.order_lines is
  'What is ordered. Prices are those of the moment of sale, so none are kept here.';
comment on column public.order_lines.reservation_id is
  'Stock that was kept back for this line; the sale takes it, and ends the reservation.';
comment on column public.order_lines.note is 'For the kitchen or the warehouse: without onions.';

create index order_lines_order_idx on public.order_lines (order_id, created_at);
create index order_lines_product_id_idx on public.order_lines (product_id);
create index order_lines_discount_id_idx on public.order_lines (discount_id);
create index order_lines_reservation_id_idx on public.order_lines (reservation_id);

create trigger order_lines_set_updated_at before update on public.order_lines
  for each row execute function private.set_updated_at();

create trigger order_lines_log_activity after update or delete on public.order_lines
  for each row execute function private.log_activity('id');

-- The share lock and the lock of the one who completes the order exclude each other: a line is in
-- the sale, or it is refused.
create function private.require_open_order() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform from public.orders o
  where o.id = coalesce(new.order_id, old.order_id) and o.status = 'open'
  for share;
  if not found then
    raise exception 'The order is no longer open'
      using errcode = 'object_not_in_prerequisite_state', hint = 'Begin a new order.';
  end if;
  return null;
end;
$$;

revoke all on function private.require_open_order()
  from public, anon, authenticated, service_role;

create trigger order_lines_require_open after insert or update or delete on public.order_lines
  for each row execute function private.require_open_order();

create function private.lock_open_order(p_order_id uuid) returns public.orders
language plpgsql
set search_path = ''
as $$
declare
  parked public.orders;
begin
  select * into parked from public.orders o where o.id = p_order_id for update;
  if not found then
    raise exception 'There is no order %', p_order_id using errcode = 'no_data_found';
  end if;
  if parked.status <> 'open' then
    raise exception 'Order % is %', parked.number, parked.status
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  return parked;
end;
$$;

revoke all on function private.lock_open_order(uuid)
  from public, anon, authenticated, service_role;

create function private.cancel_order(p_order_id uuid) returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform private.require_role('staff');
  perform private.lock_open_order(p_order_id);
  update public.orders o
  set status = 'cancelled', closed_at = clock_timestamp(), closed_by = auth.uid()
  where o.id = p_order_id;
end;
$$;

revoke all on function private.cancel_order(uuid) from public, anon, authenticated, service_role;

create function public.cancel_order(order_id uuid) returns void
language sql
set search_path = ''
as $$
  select private.cancel_order($1);
$$;

comment on function public.cancel_order(uuid) is 'Ends an open order without a sale.';

revoke all on function public.cancel_order(uuid) from public, anon, authenticated, service_role;
