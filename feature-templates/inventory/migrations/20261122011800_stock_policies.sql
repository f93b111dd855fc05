-- berth: phase=policies
-- Who may do what with what came with version 1.1.0: everyone in the company reads, and all writing
-- goes through the functions, which ask for a role themselves.

-- reservations
grant select on table public.reservations to authenticated, service_role;

create policy reservations_select on public.reservations
  for select to authenticated
  using ((select private.has_role('viewer')));

-- transfers
grant select on table public.transfers to authenticated, service_role;

create policy transfers_select on public.transfers
  for select to authenticated
  using ((select private.has_role('viewer')));

-- transfer_lines
grant select on table public.transfer_lines to authenticated, service_role;

create policy transfer_lines_select on public.transfer_lines
  for select to authenticated
  using ((select private.has_role('viewer')));

-- stock_counts
grant select on table public.stock_counts to authenticated, service_role;

create policy stock_counts_select on public.stock_counts
  for select to authenticated
  using ((select private.has_role('viewer')));

-- stock_count_lines
grant select on table public.stock_count_lines to authenticated, service_role;

create policy stock_count_lines_select on public.stock_count_lines
  for select to authenticated
  using ((select private.has_role('viewer')));

-- low_stock_alerts
grant select on table public.low_stock_alerts to authenticated, service_role;

create policy low_stock_alerts_select on public.low_stock_alerts
  for select to authenticated
  using ((select private.has_role('viewer')));

-- stock_opening_costs
grant select on table public.stock_opening_costs to authenticated, service_role;

create policy stock_opening_costs_select on public.stock_opening_costs
  for select to authenticated
  using ((select private.has_role('viewer')));

-- stock_revaluations
grant select on table public.stock_revaluations to authenticated, service_role;

create policy stock_revaluations_select on public.stock_revaluations
  for select to authenticated
  using ((select private.has_role('viewer')));

-- Views and functions
grant select on table public.stock_in_transit to authenticated, service_role;
grant select on table public.stock_valuation to authenticated, service_role;
grant select on table public.stock_availability to authenticated, service_role;
grant select on table public.low_stock_report to authenticated, service_role;

grant execute on function private.reserve_stock(uuid, uuid, numeric, text, timestamptz, text, uuid)
  to authenticated;
grant execute on function public.reserve_stock(uuid, uuid, numeric, text, timestamptz, text, uuid)
  to authenticated;
grant execute on function private.release_reservation(uuid) to authenticated;
grant execute on function public.release_reservation(uuid) to authenticated;
grant execute on function private.fulfil_reservation(uuid, text) to authenticated;
grant execute on function public.fulfil_reservation(uuid, text) to authenticated;
grant execute on function private.release_expired_reservations()
  to authenticated, service_role;
grant execute on function public.release_expired_reservations()
  to authenticated, service_role;
grant execute on function private.save_transfer(uuid, uuid, uuid, jsonb, text) to authenticated;
grant execute on function public.save_transfer(uuid, uuid, uuid, jsonb, text) to authenticated;
grant execute on function private.send_transfer(uuid) to authenticated;
grant execute on function public.send_transfer(uuid) to authenticated;
grant execute on function private.receive_transfer(uuid, jsonb) to authenticated;
grant execute on function public.receive_transfer(uuid, jsonb) to authenticated;
grant execute on function private.cancel_transfer(uuid) to authenticated;
grant execute on function public.cancel_transfer(uuid) to authenticated;
grant execute on function private.open_stock_count(uuid, uuid, text) to authenticated;
grant execute on function public.open_stock_count(uuid, uuid, text) to authenticated;
grant execute on function private.record_count(uuid, uuid, numeric) to authenticated;
grant execute on function public.record_count(uuid, uuid, numeric) to authenticated;
grant execute on function private.post_stock_count(uuid) to authenticated;
grant execute on function public.post_stock_count(uuid) to authenticated;
grant execute on function private.cancel_stock_count(uuid) to authenticated;
grant execute on function public.cancel_stock_count(uuid) to authenticated;
grant execute on function private.acknowledge_low_stock(uuid, text) to authenticated;
grant execute on function public.acknowledge_low_stock(uuid, text) to authenticated;
grant execute on function private.revalue_stock(uuid, uuid, numeric, text) to authenticated;
grant execute on function public.revalue_stock(uuid, uuid, numeric, text) to authenticated;
grant execute on function private.restate_stock_costs(text, numeric, text) to authenticated;
grant execute on function public.restate_stock_costs(text, numeric, text) to authenticated;
grant execute on function private.verify_stock() to authenticated;
grant execute on function public.verify_stock() to authenticated;
grant execute on function private.recompute_stock() to authenticated;
grant execute on function public.recompute_stock() to authenticated;
grant execute on function public.movement_report(date, date, uuid, uuid)
  to authenticated, service_role;
