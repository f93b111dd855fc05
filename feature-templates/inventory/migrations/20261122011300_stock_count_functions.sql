-- The ways to count a location.

create function private.open_stock_count(p_count_id uuid, p_location_id uuid, p_note text)
returns bigint
language plpgsql
security definer
set search_path = ''
as $$
declare
  opened public.stock_counts;
begin
  perform private.require_role('staff');
  select * into opened from public.stock_counts c where c.id = p_count_id;
  if not found then
    begin
      insert into public.stock_counts (id, location_id, number, note)
      values (
        p_count_id, p_location_id, private.next_document_number(p_location_id, 'count'), p_note
      )
      returning * into opened;
    exception when unique_violation then
      -- Somebody sent the same at the same moment and was first. Our number went back with the block.
      select * into opened from public.stock_counts c where c.id = p_count_id;
    end;
  end if;
  if opened.location_id <> p_location_id then
    raise exception 'Count % exists already at another location', p_count_id
      using errcode = 'unique_violation';
  end if;
  return opened.number;
end;
$$;

revoke all on function private.open_stock_count(uuid, uuid, text)
  from public, anon, authenticated, service_role;

create function private.record_count(p_count_id uuid, p_product_id uuid, p_counted numeric)
returns numeric
language plpgsql
security definer
set search_path = ''
as $$
declare
  stock_count public.stock_counts;
  level public.stock_levels;
  line_difference numeric;
begin
  perform private.require_role('staff');
  -- Shared among those who count, and in the way of posting.
  select * into stock_count from public.stock_counts c where c.id = p_count_id for share;
  if not found then
    raise exception 'There is no count %', p_count_id using errcode = 'no_data_found';
  end if;
  if stock_count.status <> 'open' then
    raise exception 'Count % is % already', p_count_id, stock_count.status
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  -- Nothing left is a count of any product, also of one that has got variants since.
  perform private.require_stocked(p_product_id, p_counted, p_counted is not distinct from 0);
  -- Whatever is moving this level is waited for, and its movement is in the book's quantity.
  level := private.lock_level(p_product_id, stock_count.location_id);

  insert into public.stock_count_lines as l (
    count_id, product_id, counted, expected, last_movement
  )
  select p_count_id, p_product_id, p_counted, level.quantity, s.last_value
  from public.stock_movements_id_seq s
  on conflict (count_id, product_id) do update
    set counted = excluded.counted, expected = excluded.expected,
      last_movement = excluded.last_movement, counted_at = now(), counted_by = auth.uid()
  returning l.difference into line_difference;
  return line_difference;
end;
$$;

revoke all on function private.record_count(uuid, uuid, numeric)
  from public, anon, authenticated, service_role;

create function private.close_stock_count(p_count_id uuid, p_status text) returns integer
language plpgsql
set search_path = ''
as $$
declare
  stock_count public.stock_counts;
  corrected_since text;
  corrected integer := 0;
begin
  perform private.require_role('manager');
  select * into stock_count from public.stock_counts c where c.id = p_count_id for update;
  if not found then
    raise exception 'There is no count %', p_count_id using errcode = 'no_data_found';
  end if;
  if stock_count.status = p_status then
    return 0;
  end if;
  if stock_count.status <> 'open' then
    raise exception 'Count % is % already', p_count_id, stock_count.status
      using errcode = 'object_not_in_prerequisite_state';
  end if;

  if p_status = 'posted' then
    -- In order of product, so that two documents cannot wait for each other.
    perform private.lock_levels(stock_count.location_id, array(
      select l.product_id from public.stock_count_lines l
      where l.count_id = p_count_id and l.difference <> 0
    ));
    select string_agg(p.sku, ', ' order by p.sku) into corrected_since
    from public.stock_count_lines l
    join public.products p on p.id = l.product_id
    where l.count_id = p_count_id and l.difference <> 0 and exists (
      select from public.stock_movements m
      where m.product_id = l.product_id and m.location_id = stock_count.location_id
        and m.id > l.last_movement and m.kind in ('count', 'adjustment')
    );
    if corrected_since is not null then
      raise exception 'Corrected since it was counted: %', corrected_since
        using errcode = 'check_violation', constraint = 'stock_count_lines_level_not_corrected',
          hint = 'Count it again, then post.';
    end if;
    insert into public.stock_movements (product_id, location_id, kind, quantity, source_id, note)
    select l.product_id, stock_count.location_id, 'count', l.difference, p_count_id,
      stock_count.note
    from public.stock_count_lines l
    where l.count_id = p_count_id and l.difference <> 0
    order by l.product_id;
    get diagnostics corrected = row_count;
  end if;
  update public.stock_counts c
  set status = p_status, closed_at = now(), closed_by = auth.uid()
  where c.id = p_count_id;
  return corrected;
end;
$$;

revoke all on function private.close_stock_count(uuid, text)
  from public, anon, authenticated, service_role;

create function private.post_stock_count(p_count_id uuid) returns integer
language sql
security definer
set search_path = ''
as $$
  select private.close_stock_count(p_count_id, 'posted');
$$;

revoke all on function private.post_stock_count(uuid)
  from public, anon, authenticated, service_role;

create function private.cancel_stock_count(p_count_id uuid) returns void
language sql
security definer
set search_path = ''
as $$
  select private.close_stock_count(p_count_id, 'cancelled');
$$;

revoke all on function private.cancel_stock_count(uuid)
  from public, anon, authenticated, service_role;

-- The API sees these; they add nothing but the way in.

create function public.open_stock_count(count_id uuid, location_id uuid, note text default null)
returns bigint
language sql
set search_path = ''
as $$
  select private.open_stock_count($1, $2, $3);
$$;

comment on function public.open_stock_count(uuid, uuid, text) is
  'Opens a count of a location, and answers its number. Sent again under the same count_id it does
  nothing.';

revoke all on function public.open_stock_count(uuid, uuid, text)
  from public, anon, authenticated, service_role;

create function public.record_count(count_id uuid, product_id uuid, counted numeric)
returns numeric
language sql
set search_path = ''
as $$
  select private.record_count($1, $2, $3);
$$;

comment on function public.record_count(uuid, uuid, numeric) is
  'Says what was counted just now, and answers how much more that is than the books say. Said again
  it replaces what was said before.';

revoke all on function public.record_count(uuid, uuid, numeric)
  from public, anon, authenticated, service_role;

create function public.post_stock_count(count_id uuid) returns integer
language sql
set search_path = ''
as $$
  select private.post_stock_count($1);
$$;

comment on function public.post_stock_count(uuid) is
  'Corrects stock by every difference of a count, all or nothing, and answers how many there were.
  Refused while a product was corrected otherwise since it was counted: it is to be counted again.';

revoke all on function public.post_stock_count(uuid)
  from public, anon, authenticated, service_role;

create function public.cancel_stock_count(count_id uuid) returns void
language sql
set search_path = ''
as $$
  select private.cancel_stock_count($1);
$$;

comment on function public.cancel_stock_count(uuid) is 'Ends a count without correcting anything.';

revoke all on function public.cancel_stock_count(uuid)
  from public, anon, authenticated, service_role;
