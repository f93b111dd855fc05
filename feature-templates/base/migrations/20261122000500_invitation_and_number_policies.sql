-- berth: phase=policies
-- Who may do what with the tables that came with version 1.1.0.

-- document_counters: everyone in the company may see where the numbers stand.
grant select on table public.document_counters to authenticated, service_role;

create policy document_counters_select on public.document_counters
  for select to authenticated
  using ((select private.has_role('viewer')));
