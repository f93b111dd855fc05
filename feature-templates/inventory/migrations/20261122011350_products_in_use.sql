-- What a product is while it is in use stays: with goods of it at hand, promised, under way or being
-- counted it becomes no parent of variants, is not taken out of stock-keeping, and gets no unit with
-- fewer decimals. Otherwise a transfer could not arrive, and a count not be posted.

-- Refuses a product in use. It stays locked against every movement, which holds its product.
create function private.require_unused(p_product_id uuid, p_so text, p_constraint text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  product record;
  reason text;
begin
  select p.sku into product from public.products p where p.id = p_product_id for update;
  reason := case
    when exists (
      select from public.stock_levels s where s.product_id = p_product_id and s.reserved <> 0
    ) then 'has stock that is reserved'
    when exists (
      select from public.stock_levels s where s.product_id = p_product_id and s.quantity <> 0
    ) then 'has stock'
    when exists (
      select from public.transfer_lines l
      join public.transfers t on t.id = l.transfer_id
      where l.product_id = p_product_id and t.status = 'sent'
    ) then 'is under way in a transfer'
    when exists (
      select from public.stock_count_lines l
      join public.stock_counts c on c.id = l.count_id
      where l.product_id = p_product_id and c.status = 'open' and l.difference <> 0
    ) then 'is being counted'
  end;
  if reason is not null then
    raise exception 'Product % %, so %', product.sku, reason, p_so
      using errcode = 'check_violation', constraint = p_constraint,
        hint = 'Finish what is open, and take its stock to zero first.';
  end if;
end;
$$;

revoke all on function private.require_unused(uuid, text, text)
  from public, anon, authenticated, service_role;

create function private.guard_product_in_use() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if old.track_stock and not new.track_stock then
    perform private.require_unused(
      new.id, 'track_stock stays as it is', 'products_in_use_keep_track_stock'
    );
  end if;
  if (select u.decimals from public.units u where u.code = new.unit_code)
    < (select u.decimals from public.units u where u.code = old.unit_code)
  then
    perform private.require_unused(
      new.id, 'it cannot be counted with fewer decimals', 'products_in_use_keep_decimals'
    );
  end if;
  return new;
end;
$$;

revoke all on function private.guard_product_in_use()
  from public, anon, authenticated, service_role;

create trigger products_guard_in_use before update of unit_code, track_stock on public.products
  for each row when (
    (old.unit_code, old.track_stock) is distinct from (new.unit_code, new.track_stock)
  )
  execute function private.guard_product_in_use();
