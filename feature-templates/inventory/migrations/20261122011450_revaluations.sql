-- What a manager says that stock costs: to undo a cost that was typed wrongly, and to go on in another
-- currency after the company's changed. Said once, it stays on record like a movement.

create table public.stock_revaluations (
  id bigint primary key,
  product_id uuid not null,
  location_id uuid not null,
  quantity numeric(18, 6) not null,
  previous_cost numeric(18, 6),
  previous_currency text,
  average_cost numeric(18, 6) not null,
  currency text not null,
  note text not null,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  constraint stock_revaluations_level_fkey foreign key (product_id, location_id)
    references public.stock_levels (product_id, location_id) on delete restrict,
  constraint stock_revaluations_cost_not_negative check (
    average_cost >= 0 and average_cost <> 'NaN'
  ),
  constraint stock_revaluations_currency_code check (currency ~ '^[A-Z]{3}$'),
  constraint stock_revaluations_note_length check (length(btrim(note)) between 1 and 1000)
);

alter table public.stock_revaluations enable row level security;
revoke all on table public.stock_revaluations from public, anon, authenticated, service_role;

comment on table public.stock_revaluations is
  'Average costs that a manager set, never changed themselves. Written by revalue_stock and
  restate_stock_costs only.';
comment on column public.stock_revaluations.id is
  'Of the same sequence as movements, so that both have one order.';
comment on column public.stock_revaluations.quantity is 'What was there at that moment.';
comment on column public.stock_revaluations.previous_cost is 'The average until then, if known.';
comment on column public.stock_revaluations.created_by is
  'The account that acted. No foreign key: the record outlives the account.';

-- Its first columns also serve the foreign key.
create index stock_revaluations_level_idx
  on public.stock_revaluations (product_id, location_id, id);

create trigger stock_revaluations_refuse_change
  before update or delete or truncate on public.stock_revaluations
  for each statement execute function private.refuse_change();

create function private.record_revaluation(
  p_level public.stock_levels, p_cost numeric, p_currency text, p_note text
) returns void
language sql
set search_path = ''
as $$
  insert into public.stock_revaluations (
    id, product_id, location_id, quantity, previous_cost, previous_currency, average_cost,
    currency, note
  )
  values (
    nextval('public.stock_movements_id_seq'), p_level.product_id, p_level.location_id,
    p_level.quantity, p_level.average_cost, p_level.cost_currency, p_cost, p_currency, p_note
  );
  update public.stock_levels s
  set average_cost = p_cost, cost_currency = p_currency
  where s.product_id = p_level.product_id and s.location_id = p_level.location_id;
$$;

revoke all on function private.record_revaluation(public.stock_levels, numeric, text, text)
  from public, anon, authenticated, service_role;

create function private.revalue_stock(
  p_product_id uuid, p_location_id uuid, p_average_cost numeric, p_note text
) returns numeric
language plpgsql
security definer
set search_path = ''
as $$
declare
  level public.stock_levels;
  home text := (select s.currency from public.company_settings s);
begin
  perform private.require_role('manager');
  -- Known as it will be kept, so that what it changes is told exactly.
  p_average_cost := round(p_average_cost, 6);
  perform private.require_stocked(p_product_id, null, true);
  level := private.lock_level(p_product_id, p_location_id);
  perform private.record_revaluation(level, p_average_cost, home, p_note);
  return round(level.quantity * p_average_cost, 4)
    - case when level.cost_currency = home
      then round(level.quantity * level.average_cost, 4) else 0 end;
end;
$$;

revoke all on function private.revalue_stock(uuid, uuid, numeric, text)
  from public, anon, authenticated, service_role;

create function private.restate_stock_costs(p_from_currency text, p_rate numeric, p_note text)
returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  place record;
  level public.stock_levels;
  home text := (select s.currency from public.company_settings s);
  restated integer := 0;
begin
  perform private.require_role('manager');
  if p_from_currency = home or (p_rate > 0 and p_rate < 'Infinity') is not true then
    raise exception 'Costs are restated from another currency than %, at a rate above zero', home
      using errcode = 'invalid_parameter_value';
  end if;
  for place in
    select s.product_id, s.location_id from public.stock_levels s
    where s.cost_currency = p_from_currency
    order by s.product_id, s.location_id
  loop
    level := private.lock_level(place.product_id, place.location_id);
    if level.cost_currency = p_from_currency then
      perform private.record_revaluation(
        level, least(round(level.average_cost * p_rate, 6), 999999999999), home, p_note
      );
      restated := restated + 1;
    end if;
  end loop;
  return restated;
end;
$$;

revoke all on function private.restate_stock_costs(text, numeric, text)
  from public, anon, authenticated, service_role;

-- The API sees these; they add nothing but the way in.

create function public.revalue_stock(
  product_id uuid, location_id uuid, average_cost numeric, note text
) returns numeric
language sql
set search_path = ''
as $$
  select private.revalue_stock($1, $2, $3, $4);
$$;

comment on function public.revalue_stock(uuid, uuid, numeric, text) is
  'Sets what a unit of the stock costs on average, in the company''s currency, and answers by how much
  its value changes. The note says why. For managers.';

revoke all on function public.revalue_stock(uuid, uuid, numeric, text)
  from public, anon, authenticated, service_role;

create function public.restate_stock_costs(from_currency text, rate numeric, note text)
returns integer
language sql
set search_path = ''
as $$
  select private.restate_stock_costs($1, $2, $3);
$$;

comment on function public.restate_stock_costs(text, numeric, text) is
  'Restates every average cost that is still in a currency which the company has left: one unit of it
  is worth rate units of the company''s. Answers how many levels that were. For managers.';

revoke all on function public.restate_stock_costs(text, numeric, text)
  from public, anon, authenticated, service_role;
