-- The movements that were there before, held against the rule of the new column.
alter table public.stock_movements validate constraint stock_movements_exact_cost_not_negative;
