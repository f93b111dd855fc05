-- What a level knows besides its quantity: how much of it is promised, and what it cost.
alter table public.stock_levels
  add column reserved numeric(18, 6) not null default 0,
  add column average_cost numeric(18, 6),
  add column cost_currency text,
  add constraint stock_levels_reserved_not_negative check (
    reserved >= 0 and reserved <> 'NaN'
  ) not valid,
  add constraint stock_levels_average_cost_not_negative check (
    average_cost >= 0 and average_cost <> 'NaN'
  ) not valid,
  add constraint stock_levels_cost_has_currency check (
    (average_cost is null) = (cost_currency is null)
  ) not valid,
  add constraint stock_levels_cost_currency_code check (cost_currency ~ '^[A-Z]{3}$') not valid;

comment on column public.stock_levels.reserved is
  'The sum of the open reservations; written by trigger only.';
comment on column public.stock_levels.average_cost is
  'Moving average of what one unit cost, empty until a cost is told; written by trigger only.';
