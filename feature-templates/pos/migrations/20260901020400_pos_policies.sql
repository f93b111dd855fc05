-- berth: phase=policies
-- Who may do what at the tills: everyone in the company reads, managers set up registers. What is
-- sold is written by functions alone, which are all that the staff needs.

-- registers: the receipt number belongs to complete_sale, for the service as well.
grant select, delete on table public.registers to authenticated, service_role;
grant insert (location_id, code, name, active) on table public.registers
  to authenticated, service_role;
grant update (location_id, code, name, active) on table public.registers
  to authenticated, service_role;

create policy registers_select on public.registers
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy registers_insert on public.registers
  for insert to authenticated
  with check ((select private.has_role('manager')));

create policy registers_update on public.registers
  for update to authenticated
  using ((select private.has_role('manager')))
  with check ((select private.has_role('manager')));

create policy registers_delete on public.registers
  for delete to authenticated
  using ((select private.has_role('manager')));

-- The records of the tills
grant select on table public.register_sessions to authenticated, service_role;
grant select on table public.sales to authenticated, service_role;
grant select on table public.sale_lines to authenticated, service_role;
grant select on table public.payments to authenticated, service_role;
grant select on table public.receipts to authenticated, service_role;

create policy register_sessions_select on public.register_sessions
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy sales_select on public.sales
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy sale_lines_select on public.sale_lines
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy payments_select on public.payments
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy receipts_select on public.receipts
  for select to authenticated
  using ((select private.has_role('viewer')));

-- Functions
grant execute on function private.open_register(uuid, numeric) to authenticated;
grant execute on function private.close_register(uuid, numeric, text) to authenticated;
grant execute on function private.complete_sale(uuid, uuid, jsonb, jsonb) to authenticated;
grant execute on function public.open_register(uuid, numeric) to authenticated;
grant execute on function public.close_register(uuid, numeric, text) to authenticated;
grant execute on function public.complete_sale(uuid, uuid, jsonb, jsonb) to authenticated;
