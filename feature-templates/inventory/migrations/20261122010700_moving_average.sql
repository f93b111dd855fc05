-- Valuation by moving average, in the company's currency. The rule:
-- - what comes in at a cost is averaged with what is there;
-- - what comes in without a cost keeps the average;
-- - what goes out leaves at the average of that moment, and keeps it, also at zero and below;
-- - at zero or below, and where no cost was known or it was in another currency, the next cost
--   that is told becomes the average;
-- - a transfer comes in at the cost at which it went out, unless that is in a currency in which the
--   company no longer counts: then it comes in without a cost where there is an average already;
-- - a manager may say what the average is; that is recorded as well.

create type private.cost as (
  average numeric(18, 6),
  currency text
);

comment on type private.cost is 'A moving average and its currency; both empty while none is known.';

-- The average after stock came in. Trigger and recomputation both call it, so they cannot differ.
create function private.next_cost(
  before_quantity numeric, before_cost private.cost, incoming numeric,
  unit_cost numeric, unit_currency text
) returns private.cost
language plpgsql
immutable
set search_path = ''
as $$
begin
  if incoming <= 0 or unit_cost is null then
    return before_cost;
  end if;
  if before_quantity > 0 and before_cost.currency = unit_currency then
    unit_cost := (before_quantity * before_cost.average + incoming * unit_cost)
      / (before_quantity + incoming);
  end if;
  -- The same limit as the column: a cost beyond it is a slip that must not stop the books.
  before_cost.average := least(unit_cost, 999999999999);
  before_cost.currency := unit_currency;
  return before_cost;
end;
$$;

comment on function private.next_cost(numeric, private.cost, numeric, numeric, text) is
  'The moving average after a movement, from the quantity and the average before it.';

revoke all on function private.next_cost(numeric, private.cost, numeric, numeric, text)
  from public, anon, authenticated, service_role;

create table public.stock_opening_costs (
  product_id uuid not null references public.products (id) on delete restrict,
  location_id uuid not null references public.locations (id) on delete restrict,
  average_cost numeric(18, 6),
  currency text,
  up_to_movement bigint not null,
  movements bigint not null,
  primary key (product_id, location_id),
  constraint stock_opening_costs_not_negative check (average_cost >= 0 and average_cost <> 'NaN'),
  constraint stock_opening_costs_has_currency check ((average_cost is null) = (currency is null)),
  constraint stock_opening_costs_currency_code check (currency ~ '^[A-Z]{3}$')
);

alter table public.stock_opening_costs enable row level security;
revoke all on table public.stock_opening_costs from public, anon, authenticated, service_role;

comment on table public.stock_opening_costs is
  'Where the moving average began for stock that was there before averages were kept.';
comment on column public.stock_opening_costs.up_to_movement is
  'The last movement that the opening average already takes into account.';
comment on column public.stock_opening_costs.movements is
  'How many movements of its level there were by then.';

create index stock_opening_costs_location_id_idx on public.stock_opening_costs (location_id);
