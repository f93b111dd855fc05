-- berth: phase=policies
-- Who may do what with products and stock: everyone in the company reads, managers keep the
-- product data, staff move stock. Stock itself changes by movements only.

-- units
grant select, insert, update, delete on table public.units to authenticated, service_role;

create policy units_select on public.units
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy units_insert on public.units
  for insert to authenticated
  with check ((select private.has_role('manager')));

create policy units_update on public.units
  for update to authenticated
  using ((select private.has_role('manager')))
  with check ((select private.has_role('manager')));

create policy units_delete on public.units
  for delete to authenticated
  using ((select private.has_role('manager')));

-- categories
grant select, insert, update, delete on table public.categories to authenticated, service_role;

create policy categories_select on public.categories
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy categories_insert on public.categories
  for insert to authenticated
  with check ((select private.has_role('manager')));

create policy categories_update on public.categories
  for update to authenticated
  using ((select private.has_role('manager')))
  with check ((select private.has_role('manager')));

create policy categories_delete on public.categories
  for delete to authenticated
  using ((select private.has_role('manager')));

-- suppliers
grant select, insert, update, delete on table public.suppliers to authenticated, service_role;

create policy suppliers_select on public.suppliers
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy suppliers_insert on public.suppliers
  for insert to authenticated
  with check ((select private.has_role('manager')));

create policy suppliers_update on public.suppliers
  for update to authenticated
  using ((select private.has_role('manager')))
  with check ((select private.has_role('manager')));

create policy suppliers_delete on public.suppliers
  for delete to authenticated
  using ((select private.has_role('manager')));

-- products
grant select, insert, update, delete on table public.products to authenticated, service_role;

create policy products_select on public.products
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy products_insert on public.products
  for insert to authenticated
  with check ((select private.has_role('manager')));

create policy products_update on public.products
  for update to authenticated
  using ((select private.has_role('manager')))
  with check ((select private.has_role('manager')));

create policy products_delete on public.products
  for delete to authenticated
  using ((select private.has_role('manager')));

-- product_suppliers
grant select, insert, update, delete on table public.product_suppliers to authenticated, service_role;

create policy product_suppliers_select on public.product_suppliers
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy product_suppliers_insert on public.product_suppliers
  for insert to authenticated
  with check ((select private.has_role('manager')));

create policy product_suppliers_update on public.product_suppliers
  for update to authenticated
  using ((select private.has_role('manager')))
  with check ((select private.has_role('manager')));

create policy product_suppliers_delete on public.product_suppliers
  for delete to authenticated
  using ((select private.has_role('manager')));

-- stock_levels: the quantity belongs to the trigger, for the service as well.
grant select on table public.stock_levels to authenticated, service_role;
grant insert (product_id, location_id, reorder_point, reorder_quantity)
  on table public.stock_levels to authenticated, service_role;
grant update (reorder_point, reorder_quantity)
  on table public.stock_levels to authenticated, service_role;

create policy stock_levels_select on public.stock_levels
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy stock_levels_insert on public.stock_levels
  for insert to authenticated
  with check ((select private.has_role('manager')));

create policy stock_levels_update on public.stock_levels
  for update to authenticated
  using ((select private.has_role('manager')))
  with check ((select private.has_role('manager')));

-- stock_movements: sales and transfers come through their functions, which keep them whole.
grant select on table public.stock_movements to authenticated, service_role;
grant insert (product_id, location_id, kind, quantity, unit_cost, currency, note, occurred_at)
  on table public.stock_movements to authenticated, service_role;

create policy stock_movements_select on public.stock_movements
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy stock_movements_insert on public.stock_movements
  for insert to authenticated
  with check (
    (kind in ('receipt', 'issue', 'return') and (select private.has_role('staff')))
    or (kind = 'adjustment' and (select private.has_role('manager')))
  );

-- Views and functions
grant select on table public.low_stock to authenticated, service_role;

grant execute on function private.transfer_stock(uuid, uuid, uuid, uuid, numeric, text)
  to authenticated;
grant execute on function private.count_stock(uuid, uuid, numeric, text) to authenticated;
grant execute on function public.transfer_stock(uuid, uuid, uuid, uuid, numeric, text)
  to authenticated;
grant execute on function public.count_stock(uuid, uuid, numeric, text) to authenticated;
