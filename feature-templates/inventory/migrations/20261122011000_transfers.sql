-- Transfers as documents: a draft says what is to move, sending takes it out of one location, and
-- receiving brings it in at the other. What arrived short or over stands on the line, and in the
-- ledger as an adjustment at the receiver: out = in, and the adjustment is the difference. More than
-- was sent is a manager's to receive.

create table public.transfers (
  id uuid primary key,
  number bigint,
  from_location_id uuid not null references public.locations (id) on delete restrict,
  to_location_id uuid not null references public.locations (id) on delete restrict,
  status text not null default 'draft',
  note text,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  sent_at timestamptz,
  sent_by uuid,
  closed_at timestamptz,
  closed_by uuid,
  -- Its index also serves the foreign key.
  constraint transfers_number_per_location unique (from_location_id, number),
  constraint transfers_two_locations check (from_location_id <> to_location_id),
  constraint transfers_status_known check (status in ('draft', 'sent', 'received', 'cancelled')),
  constraint transfers_note_length check (length(note) <= 1000),
  constraint transfers_sent_whole check (
    (number is null) = (sent_at is null)
    and (sent_at is not null or status in ('draft', 'cancelled'))
    and (sent_at is null or status <> 'draft')
  ),
  constraint transfers_closed_whole check (
    (closed_at is not null) = (status in ('received', 'cancelled'))
  )
);

alter table public.transfers enable row level security;
revoke all on table public.transfers from public, anon, authenticated, service_role;

comment on table public.transfers is
  'Stock on its way between two locations. Written by save_transfer and its sisters only.';
comment on column public.transfers.id is
  'Made by whoever makes the draft, so that sending it twice makes one.';
comment on column public.transfers.number is
  'Given at sending: 1, 2, 3 … per sending location, without gaps.';
comment on column public.transfers.closed_at is 'When it was received or cancelled.';
comment on column public.transfers.created_by is
  'The account that acted. No foreign key: the record outlives the account.';

create index transfers_to_location_id_idx on public.transfers (to_location_id);

create trigger transfers_set_updated_at before update on public.transfers
  for each row execute function private.set_updated_at();

create table public.transfer_lines (
  id uuid primary key default gen_random_uuid(),
  transfer_id uuid not null references public.transfers (id) on delete restrict,
  product_id uuid not null references public.products (id) on delete restrict,
  quantity numeric(18, 6) not null,
  received_quantity numeric(18, 6),
  difference numeric(18, 6) generated always as (received_quantity - quantity) stored,
  -- Its index also serves the foreign key.
  constraint transfer_lines_product_once unique (transfer_id, product_id),
  constraint transfer_lines_quantity_positive check (quantity > 0 and quantity <> 'NaN'),
  constraint transfer_lines_received_not_negative check (
    received_quantity >= 0 and received_quantity <> 'NaN'
  )
);

alter table public.transfer_lines enable row level security;
revoke all on table public.transfer_lines from public, anon, authenticated, service_role;

comment on table public.transfer_lines is
  'What a transfer moves. The id of a line is the source_id of its movements.';
comment on column public.transfer_lines.received_quantity is 'What arrived, once it is received.';
comment on column public.transfer_lines.difference is
  'Received less sent: negative for what was lost on the way.';

create index transfer_lines_product_id_idx on public.transfer_lines (product_id);

create function private.lock_transfer(p_transfer_id uuid) returns public.transfers
language plpgsql
set search_path = ''
as $$
declare
  transfer public.transfers;
begin
  select * into transfer from public.transfers t where t.id = p_transfer_id for update;
  if not found then
    raise exception 'There is no transfer %', p_transfer_id using errcode = 'no_data_found';
  end if;
  return transfer;
end;
$$;

revoke all on function private.lock_transfer(uuid) from public, anon, authenticated, service_role;

create function private.save_transfer(
  p_transfer_id uuid, p_from uuid, p_to uuid, p_lines jsonb, p_note text
) returns uuid
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform private.require_role('staff');
  if p_transfer_id is null or p_from = p_to
    or jsonb_typeof(p_lines) is distinct from 'array'
    or jsonb_array_length(p_lines) not between 1 and 500
  then
    raise exception 'A transfer needs an id, two different locations and 1 to 500 lines'
      using errcode = 'invalid_parameter_value';
  end if;

  insert into public.transfers as t (id, from_location_id, to_location_id, note)
  values (p_transfer_id, p_from, p_to, p_note)
  on conflict (id) do update
    set from_location_id = excluded.from_location_id, to_location_id = excluded.to_location_id,
      note = excluded.note
    where t.status = 'draft';
  if not found then
    raise exception 'Transfer % is no draft any more', p_transfer_id
      using errcode = 'object_not_in_prerequisite_state';
  end if;

  delete from public.transfer_lines l where l.transfer_id = p_transfer_id;
  insert into public.transfer_lines (transfer_id, product_id, quantity)
  select p_transfer_id, (e.value ->> 'product_id')::uuid, (e.value ->> 'quantity')::numeric
  from jsonb_array_elements(p_lines) e;
  perform private.require_stocked(l.product_id, l.quantity)
  from public.transfer_lines l where l.transfer_id = p_transfer_id;
  return p_transfer_id;
end;
$$;

revoke all on function private.save_transfer(uuid, uuid, uuid, jsonb, text)
  from public, anon, authenticated, service_role;

-- Movements of a document are written in order of product: all at one location, so that two
-- documents cannot wait for each other.

create function private.send_transfer(p_transfer_id uuid) returns bigint
language plpgsql
security definer
set search_path = ''
as $$
declare
  transfer public.transfers;
begin
  perform private.require_role('staff');
  transfer := private.lock_transfer(p_transfer_id);
  if transfer.status in ('sent', 'received') then
    return transfer.number;
  end if;
  if transfer.status <> 'draft' then
    raise exception 'Transfer % is cancelled', p_transfer_id
      using errcode = 'object_not_in_prerequisite_state';
  end if;

  insert into public.stock_movements (product_id, location_id, kind, quantity, source_id)
  select l.product_id, transfer.from_location_id, 'transfer_out', -l.quantity, l.id
  from public.transfer_lines l
  where l.transfer_id = p_transfer_id
  order by l.product_id;

  -- The counter last, since it is held until the end.
  update public.transfers t
  set status = 'sent', sent_at = now(), sent_by = auth.uid(),
    number = private.next_document_number(transfer.from_location_id, 'transfer')
  where t.id = p_transfer_id
  returning * into transfer;
  return transfer.number;
end;
$$;

revoke all on function private.send_transfer(uuid) from public, anon, authenticated, service_role;

create function private.receive_transfer(p_transfer_id uuid, p_received jsonb) returns bigint
language plpgsql
security definer
set search_path = ''
as $$
declare
  transfer public.transfers;
begin
  perform private.require_role('staff');
  transfer := private.lock_transfer(p_transfer_id);
  if transfer.status = 'received' then
    return transfer.number;
  end if;
  if transfer.status <> 'sent' then
    raise exception 'Transfer % is not under way', p_transfer_id
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  if jsonb_typeof(p_received) <> 'array' or exists (
    select e.value ->> 'product_id'
    from jsonb_array_elements(p_received) e
    left join public.transfer_lines l
      on l.transfer_id = p_transfer_id and l.product_id = (e.value ->> 'product_id')::uuid
    group by e.value ->> 'product_id'
    having count(*) > 1 or count(l.id) = 0 or min(e.value ->> 'quantity') is null
  ) then
    raise exception 'What was received is a list of products of the transfer, each once'
      using errcode = 'invalid_parameter_value';
  end if;

  update public.transfer_lines l
  set received_quantity = coalesce(
    (
      select (e.value ->> 'quantity')::numeric
      from jsonb_array_elements(p_received) e
      where (e.value ->> 'product_id')::uuid = l.product_id
    ),
    l.quantity
  )
  where l.transfer_id = p_transfer_id;
  if not private.has_role('manager') and exists (
    select from public.transfer_lines l where l.transfer_id = p_transfer_id and l.difference > 0
  ) then
    raise exception 'More than was sent can only be received by a manager'
      using errcode = 'insufficient_privilege';
  end if;

  -- In and difference of a product together, in order of product.
  insert into public.stock_movements (product_id, location_id, kind, quantity, source_id, note)
  select l.product_id, transfer.to_location_id, m.kind, m.quantity, l.id, m.note
  from public.transfer_lines l
  cross join lateral (values
    (1, 'transfer_in'::public.movement_kind, l.quantity, null),
    (
      2, 'adjustment', l.difference,
      format('Transfer %s arrived with %s', transfer.number, trim_scale(l.received_quantity))
    )
  ) as m (step, kind, quantity, note)
  where l.transfer_id = p_transfer_id and m.quantity <> 0
  order by l.product_id, m.step;

  update public.transfers t set status = 'received', closed_at = now(), closed_by = auth.uid()
  where t.id = p_transfer_id;
  return transfer.number;
end;
$$;

revoke all on function private.receive_transfer(uuid, jsonb)
  from public, anon, authenticated, service_role;

create function private.cancel_transfer(p_transfer_id uuid) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  transfer public.transfers;
begin
  perform private.require_role('staff');
  transfer := private.lock_transfer(p_transfer_id);
  if transfer.status = 'cancelled' then
    return;
  end if;
  if transfer.status = 'received' then
    raise exception 'Transfer % has arrived already', p_transfer_id
      using errcode = 'object_not_in_prerequisite_state', hint = 'Send it back by another one.';
  end if;
  if transfer.status = 'sent' then
    perform private.require_role('manager');
    insert into public.stock_movements (product_id, location_id, kind, quantity, source_id)
    select l.product_id, transfer.from_location_id, 'transfer_in', l.quantity, l.id
    from public.transfer_lines l
    where l.transfer_id = p_transfer_id
    order by l.product_id;
  end if;
  update public.transfers t set status = 'cancelled', closed_at = now(), closed_by = auth.uid()
  where t.id = p_transfer_id;
end;
$$;

revoke all on function private.cancel_transfer(uuid) from public, anon, authenticated, service_role;
