-- A product that nobody buys any more is not low, and one that is taken up again may be.

-- Whoever opens an alert holds the product and the location: this waits for them, and they for this.
create function private.hold_watched() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if tg_table_name = 'products' then
    perform from public.products p where p.id = old.id for update;
  else
    perform from public.locations l where l.id = old.id for update;
  end if;
  return new;
end;
$$;

revoke all on function private.hold_watched() from public, anon, authenticated, service_role;

create function private.follow_watched() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.low_stock_alerts a set closed_at = now()
  from public.products p, public.locations l
  where new.id in (a.product_id, a.location_id) and a.closed_at is null
    and p.id = a.product_id and l.id = a.location_id
    and not (p.active and p.track_stock and l.active);
  insert into public.low_stock_alerts (product_id, location_id, quantity, reorder_point)
  select s.product_id, s.location_id, s.quantity - s.reserved, s.reorder_point
  from public.stock_levels s
  join public.products p on p.id = s.product_id
  join public.locations l on l.id = s.location_id
  where new.id in (s.product_id, s.location_id) and p.active and p.track_stock and l.active
    and s.quantity - s.reserved <= s.reorder_point
  on conflict (product_id, location_id) where closed_at is null do nothing;
  return null;
end;
$$;

revoke all on function private.follow_watched() from public, anon, authenticated, service_role;

create trigger products_hold_watched before update of active, track_stock on public.products
  for each row when ((old.active, old.track_stock) is distinct from (new.active, new.track_stock))
  execute function private.hold_watched();

create trigger products_follow_watched after update of active, track_stock on public.products
  for each row when ((old.active, old.track_stock) is distinct from (new.active, new.track_stock))
  execute function private.follow_watched();
