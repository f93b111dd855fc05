-- A unit's cost has four decimals on a movement and six in an average. What is moved from level to
-- level keeps all six, so that nothing is lost on the way of goods that cost next to nothing.
alter table public.stock_movements
  add column exact_cost numeric(18, 6),
  add constraint stock_movements_exact_cost_not_negative check (
    exact_cost >= 0 and exact_cost <> 'NaN'
  ) not valid;

comment on column public.stock_movements.exact_cost is
  'The average of which unit_cost shows four decimals; on what goes out and on transfers only.';
