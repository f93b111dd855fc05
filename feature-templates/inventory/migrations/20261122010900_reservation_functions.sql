-- The ways to keep stock back for somebody, and to end it.

-- What is closed or has run out keeps nothing back, and must not be taken for what does.
create function private.require_held(p_reservation public.reservations) returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_reservation.status <> 'open' or p_reservation.expires_at <= now() then
    raise exception 'Reservation % holds nothing any more: it is %', p_reservation.id,
      case p_reservation.status when 'open' then 'expired' else p_reservation.status end
      using errcode = 'object_not_in_prerequisite_state',
        hint = 'Reserve again under a new id, if the stock is still there.';
  end if;
end;
$$;

revoke all on function private.require_held(public.reservations)
  from public, anon, authenticated, service_role;

create function private.reserve_stock(
  p_product_id uuid, p_location_id uuid, p_quantity numeric, p_reserved_for text,
  p_expires_at timestamptz, p_note text, p_reservation_id uuid
) returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  product record;
  level public.stock_levels;
  known public.reservations;
  reserved uuid;
begin
  perform private.require_role('staff');
  if p_expires_at <= now() then
    raise exception 'A reservation ends in the future' using errcode = 'invalid_parameter_value';
  end if;
  select * into product from private.require_stocked(p_product_id, p_quantity);
  level := private.lock_level(p_product_id, p_location_id);

  select * into known from public.reservations r where r.id = p_reservation_id;
  if found then
    if (known.product_id, known.location_id, known.quantity, known.reserved_for)
      is distinct from (p_product_id, p_location_id, p_quantity, p_reserved_for)
    then
      raise exception 'Reservation % exists already with other contents', p_reservation_id
        using errcode = 'unique_violation';
    end if;
    perform private.require_held(known);
    return known.id;
  end if;

  if not product.allow_oversell and level.quantity - level.reserved < p_quantity then
    level.reserved := private.expire_reservations(p_product_id, p_location_id);
    if level.quantity - level.reserved < p_quantity then
      raise exception 'Not enough stock of %: % asked, % available', product.sku,
        trim_scale(p_quantity), trim_scale(level.quantity - level.reserved)
        using errcode = 'check_violation', constraint = 'reservations_within_available';
    end if;
  end if;

  insert into public.reservations (
    id, product_id, location_id, quantity, reserved_for, expires_at, note
  )
  values (
    coalesce(p_reservation_id, gen_random_uuid()), p_product_id, p_location_id, p_quantity,
    p_reserved_for, p_expires_at, p_note
  )
  returning id into reserved;
  return reserved;
end;
$$;

revoke all on function private.reserve_stock(uuid, uuid, numeric, text, timestamptz, text, uuid)
  from public, anon, authenticated, service_role;

-- Its level is locked before the reservation itself, as everywhere.
create function private.lock_reservation(p_reservation_id uuid) returns public.reservations
language plpgsql
set search_path = ''
as $$
declare
  reservation public.reservations;
begin
  perform private.lock_level(r.product_id, r.location_id)
  from public.reservations r where r.id = p_reservation_id;
  select * into reservation from public.reservations r where r.id = p_reservation_id for update;
  if not found then
    raise exception 'There is no reservation %', p_reservation_id using errcode = 'no_data_found';
  end if;
  return reservation;
end;
$$;

revoke all on function private.lock_reservation(uuid)
  from public, anon, authenticated, service_role;

create function private.release_reservation(p_reservation_id uuid) returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
  reservation public.reservations;
begin
  perform private.require_role('staff');
  reservation := private.lock_reservation(p_reservation_id);
  if reservation.status = 'fulfilled' then
    raise exception 'Reservation % is fulfilled already', p_reservation_id
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  if reservation.status <> 'open' then
    return reservation.status;
  end if;
  update public.reservations r
  set status = 'released', closed_at = now(), closed_by = auth.uid()
  where r.id = p_reservation_id;
  return 'released';
end;
$$;

revoke all on function private.release_reservation(uuid)
  from public, anon, authenticated, service_role;

-- Ends a reservation because its stock goes to whom it was kept for. The movement with that
-- source_id follows in the same transaction. Whoever takes several locks their levels first, by
-- private.lock_levels(), or goes product by product in order.
-- A reservation is used up whole: what is not taken of it is free again, and what is taken above it
-- must be available. Where less is there than was promised (something was lost), the earlier
-- reservation comes first: a later one gets only what the earlier ones leave.
create function private.take_reservation(
  p_reservation_id uuid, p_product_id uuid, p_location_id uuid, p_quantity numeric,
  p_source_id uuid
) returns void
language plpgsql
set search_path = ''
as $$
declare
  reservation public.reservations;
  product record;
  level public.stock_levels;
  promised_before numeric;
begin
  reservation := private.lock_reservation(p_reservation_id);
  if (reservation.product_id, reservation.location_id)
    is distinct from (p_product_id, p_location_id)
  then
    raise exception 'Reservation % is of another product or location', p_reservation_id
      using errcode = 'invalid_parameter_value';
  end if;
  perform private.require_held(reservation);

  select p.sku, p.allow_oversell into product from public.products p where p.id = p_product_id;
  select * into level from public.stock_levels s
  where s.product_id = p_product_id and s.location_id = p_location_id;
  if not product.allow_oversell and level.quantity < level.reserved then
    select coalesce(sum(r.quantity), 0) into promised_before from public.reservations r
    where r.product_id = p_product_id and r.location_id = p_location_id and r.status = 'open'
      and (r.expires_at > now() or r.expires_at is null)
      and (r.created_at, r.id) < (reservation.created_at, reservation.id);
    if level.quantity - promised_before < least(p_quantity, reservation.quantity)
      and promised_before > 0
    then
      raise exception 'Of % there are %, and % of them were promised to others before',
        product.sku, trim_scale(level.quantity), trim_scale(promised_before)
        using errcode = 'check_violation', constraint = 'reservations_in_turn',
          hint = 'Serve or release the earlier reservations first.';
    end if;
  end if;

  update public.reservations r
  set status = 'fulfilled', closed_at = now(), closed_by = auth.uid(), taken_for = p_source_id
  where r.id = p_reservation_id;
end;
$$;

revoke all on function private.take_reservation(uuid, uuid, uuid, numeric, uuid)
  from public, anon, authenticated, service_role;

create function private.fulfil_reservation(p_reservation_id uuid, p_note text) returns bigint
language plpgsql
security definer
set search_path = ''
as $$
declare
  reservation public.reservations;
  movement bigint;
begin
  perform private.require_role('staff');
  reservation := private.lock_reservation(p_reservation_id);
  if reservation.status = 'fulfilled' then
    select m.id into movement from public.stock_movements m
    where m.source_id = reservation.taken_for and m.product_id = reservation.product_id
      and m.location_id = reservation.location_id and m.quantity < 0
    order by m.id limit 1;
    return movement;
  end if;
  perform private.take_reservation(
    p_reservation_id, reservation.product_id, reservation.location_id, reservation.quantity,
    p_reservation_id
  );
  insert into public.stock_movements (product_id, location_id, kind, quantity, source_id, note)
  values (
    reservation.product_id, reservation.location_id, 'issue', -reservation.quantity,
    p_reservation_id, p_note
  )
  returning id into movement;
  return movement;
end;
$$;

revoke all on function private.fulfil_reservation(uuid, text)
  from public, anon, authenticated, service_role;

create function private.release_expired_reservations() returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  level record;
  still_open bigint;
  released bigint := 0;
begin
  -- Whoever does this by the clock acts as the service.
  if auth.role() is distinct from 'service_role' then
    perform private.require_role('staff');
  end if;
  for level in
    select distinct r.product_id, r.location_id
    from public.reservations r
    where r.status = 'open' and r.expires_at <= now()
    order by r.product_id, r.location_id
  loop
    perform private.lock_level(level.product_id, level.location_id);
    select count(*) into still_open from public.reservations r
    where r.product_id = level.product_id and r.location_id = level.location_id
      and r.status = 'open' and r.expires_at <= now();
    perform private.expire_reservations(level.product_id, level.location_id);
    released := released + still_open;
  end loop;
  return released;
end;
$$;

revoke all on function private.release_expired_reservations()
  from public, anon, authenticated, service_role;

-- The API sees these; they add nothing but the way in.

create function public.reserve_stock(
  product_id uuid, location_id uuid, quantity numeric, reserved_for text,
  expires_at timestamptz default null, note text default null, reservation_id uuid default null
) returns uuid
language sql
set search_path = ''
as $$
  select private.reserve_stock($1, $2, $3, $4, $5, $6, $7);
$$;

comment on function public.reserve_stock(uuid, uuid, numeric, text, timestamptz, text, uuid) is
  'Keeps stock back for somebody, and answers the reservation. Never more than is available, unless
  the product may be oversold. Sent again under the same reservation_id it does nothing as long as
  that reservation holds; afterwards it is refused.';

revoke all on function public.reserve_stock(uuid, uuid, numeric, text, timestamptz, text, uuid)
  from public, anon, authenticated, service_role;

create function public.release_reservation(reservation_id uuid) returns text
language sql
set search_path = ''
as $$
  select private.release_reservation($1);
$$;

comment on function public.release_reservation(uuid) is
  'Ends a reservation, so that others may have its stock. Answers how it ended.';

revoke all on function public.release_reservation(uuid)
  from public, anon, authenticated, service_role;

create function public.fulfil_reservation(reservation_id uuid, note text default null)
returns bigint
language sql
set search_path = ''
as $$
  select private.fulfil_reservation($1, $2);
$$;

comment on function public.fulfil_reservation(uuid, text) is
  'Turns a reservation into an issue of its stock, and answers the movement.';

revoke all on function public.fulfil_reservation(uuid, text)
  from public, anon, authenticated, service_role;

create function public.release_expired_reservations() returns integer
language sql
set search_path = ''
as $$
  select private.release_expired_reservations();
$$;

comment on function public.release_expired_reservations() is
  'Ends what has expired, and answers how many; for staff and the service. Nothing waits for it:
  expired reservations give way to whoever needs their stock.';

revoke all on function public.release_expired_reservations()
  from public, anon, authenticated, service_role;
