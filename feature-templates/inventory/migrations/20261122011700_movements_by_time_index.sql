-- berth: transaction=none
-- The movement report of the whole company reads the movements since a day.
create index concurrently stock_movements_occurred_at_idx
  on public.stock_movements (occurred_at);
