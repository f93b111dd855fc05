-- The levels that were there before, held against the rules of the new columns.
alter table public.stock_levels validate constraint stock_levels_reserved_not_negative;
alter table public.stock_levels validate constraint stock_levels_average_cost_not_negative;
alter table public.stock_levels validate constraint stock_levels_cost_has_currency;
alter table public.stock_levels validate constraint stock_levels_cost_currency_code;
