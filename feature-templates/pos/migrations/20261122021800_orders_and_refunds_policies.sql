-- berth: phase=policies
-- Who may do what with the tables that came with version 1.1.0: everyone in the company reads, staff
-- keep the orders, managers the discounts, the owner the settings. The rest is written by functions.

-- pos_settings: the limits of staff and the footer are the owner's, as the company itself is.
grant select on table public.pos_settings to authenticated, service_role;
grant update (currency, staff_refund_limit, staff_cash_out_limit, receipt_footer)
  on table public.pos_settings to authenticated, service_role;

create policy pos_settings_select on public.pos_settings
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy pos_settings_update on public.pos_settings
  for update to authenticated
  using ((select private.has_role('owner')))
  with check ((select private.has_role('owner')));

-- discounts
grant select, insert, update, delete on table public.discounts to authenticated, service_role;

create policy discounts_select on public.discounts
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy discounts_insert on public.discounts
  for insert to authenticated
  with check ((select private.has_role('manager')));

create policy discounts_update on public.discounts
  for update to authenticated
  using ((select private.has_role('manager')))
  with check ((select private.has_role('manager')));

create policy discounts_delete on public.discounts
  for delete to authenticated
  using ((select private.has_role('manager')));

-- orders: number, status and sale belong to triggers and functions. None is ever deleted, or the
-- numbers would have gaps.
grant select on table public.orders to authenticated, service_role;
grant select on table public.order_outcomes to authenticated, service_role;
grant insert (client_token, location_id, label, note, discount_id) on table public.orders
  to authenticated, service_role;
grant update (label, note, discount_id) on table public.orders to authenticated, service_role;

create policy orders_select on public.orders
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy orders_insert on public.orders
  for insert to authenticated
  with check ((select private.has_role('staff')));

create policy orders_update on public.orders
  for update to authenticated
  using ((select private.has_role('staff')))
  with check ((select private.has_role('staff')));

-- order_lines: a trigger refuses those of an order that is no longer open.
grant select, delete on table public.order_lines to authenticated, service_role;
grant insert (order_id, product_id, quantity, discount_id, reservation_id, note)
  on table public.order_lines to authenticated, service_role;
grant update (product_id, quantity, discount_id, reservation_id, note)
  on table public.order_lines to authenticated, service_role;

create policy order_lines_select on public.order_lines
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy order_lines_insert on public.order_lines
  for insert to authenticated
  with check ((select private.has_role('staff')));

create policy order_lines_update on public.order_lines
  for update to authenticated
  using ((select private.has_role('staff')))
  with check ((select private.has_role('staff')));

create policy order_lines_delete on public.order_lines
  for delete to authenticated
  using ((select private.has_role('staff')));

-- The records of the tills
grant select on table public.cash_movements to authenticated, service_role;
grant select on table public.sale_discounts to authenticated, service_role;
grant select on table public.refunds to authenticated, service_role;
grant select on table public.refund_lines to authenticated, service_role;
grant select on table public.refund_payments to authenticated, service_role;

create policy cash_movements_select on public.cash_movements
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy sale_discounts_select on public.sale_discounts
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy refunds_select on public.refunds
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy refund_lines_select on public.refund_lines
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy refund_payments_select on public.refund_payments
  for select to authenticated
  using ((select private.has_role('viewer')));

-- Functions
grant execute on function private.move_cash(uuid, uuid, numeric, text) to authenticated;
grant execute on function private.cancel_order(uuid) to authenticated;
grant execute on function private.refund_sale(uuid, uuid, uuid, text, jsonb, jsonb)
  to authenticated;
grant execute on function private.void_sale(uuid, uuid, text) to authenticated;
grant execute on function private.end_of_day_report(uuid) to authenticated;
grant execute on function private.location_day_report(uuid, date) to authenticated;
grant execute on function public.move_cash(uuid, uuid, numeric, text) to authenticated;
grant execute on function public.cancel_order(uuid) to authenticated;
grant execute on function public.refund_sale(uuid, uuid, uuid, text, jsonb, jsonb)
  to authenticated;
grant execute on function public.void_sale(uuid, uuid, text) to authenticated;
grant execute on function public.end_of_day_report(uuid) to authenticated;
grant execute on function public.location_day_report(uuid, date) to authenticated;
