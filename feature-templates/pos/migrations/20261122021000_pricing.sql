-- What a sale comes to. Line by line: the price, less the line's own discount, less its share of
-- the discount on the whole order; then the tax, out of that or on top of it. Everything is rounded
-- where it arises, so that every total is the plain sum of what stands above it.
--
-- price_lines and priced_line of 1.0.0 stay as they are: a sale that is under way while this
-- version comes in still ends with them.

create type private.draft_line as (
  line_number smallint,
  product_id uuid,
  sku text,
  description text,
  track_stock boolean,
  quantity numeric,
  unit_price numeric,
  price_includes_tax boolean,
  gross numeric,
  line_discount numeric,
  discount_id uuid,
  discount_name text,
  order_discount numeric,
  tax_rate numeric,
  net_amount numeric,
  tax_amount numeric,
  total numeric,
  reservation_id uuid
);

comment on type private.draft_line is
  'A line while it is priced. gross is quantity times price, before any discount or tax on top.';

-- Lines as the till sent them, with names, prices and taxes from the products, up to the discount
-- of the line. Staff sell at list price; a price or discount of one's own takes a manager.
create function private.draft_lines(p_lines jsonb, p_currency text)
returns setof private.draft_line
language plpgsql
stable
set search_path = ''
as $$
declare
  line record;
  product public.products;
  decimals smallint;
  offer public.discounts;
  draft private.draft_line;
  -- The fixed discounts given so far, each with its product.
  given text[] := '{}';
begin
  if jsonb_typeof(p_lines) is distinct from 'array'
    or jsonb_array_length(p_lines) not between 1 and 500
  then
    raise exception 'A sale has 1 to 500 lines' using errcode = 'invalid_parameter_value';
  end if;

  for line in
    select e.ordinality as number,
      (e.value ->> 'product_id')::uuid as product_id,
      (e.value ->> 'quantity')::numeric as quantity,
      -- Rounded as it will be written down, so that the record can be worked out again.
      round((e.value ->> 'unit_price')::numeric, 4) as unit_price,
      (e.value ->> 'discount')::numeric as discount,
      (e.value ->> 'discount_id')::uuid as discount_id,
      (e.value ->> 'reservation_id')::uuid as reservation_id
    from jsonb_array_elements(p_lines) with ordinality e
  loop
    select * into product from public.products p where p.id = line.product_id and p.active;
    if not found then
      raise exception 'Line %: there is no active product %', line.number, line.product_id
        using errcode = 'no_data_found';
    end if;
    if product.currency <> p_currency then
      raise exception 'Line %: % is priced in %, the session sells in %',
        line.number, product.sku, product.currency, p_currency
        using errcode = 'invalid_parameter_value';
    end if;
    if line.quantity is null or line.quantity <= 0 or line.quantity >= 1e12 then
      raise exception 'Line %: the quantity must be above zero', line.number
        using errcode = 'invalid_parameter_value';
    end if;
    select u.decimals into decimals from public.units u where u.code = product.unit_code;
    if line.quantity <> round(line.quantity, decimals) then
      raise exception 'Line %: % is counted with % decimals', line.number, product.sku, decimals
        using errcode = 'check_violation', constraint = 'sale_lines_unit_decimals';
    end if;
    if coalesce(line.discount, 0) <> 0 and line.discount_id is not null then
      raise exception 'Line %: a discount is on offer or given by hand, not both', line.number
        using errcode = 'invalid_parameter_value';
    end if;
    if coalesce(line.unit_price, product.price) <> product.price
      or coalesce(line.discount, 0) <> 0
    then
      perform private.require_role('manager');
    end if;

    draft := null;
    draft.line_number := line.number;
    draft.product_id := product.id;
    draft.sku := product.sku;
    draft.description := product.name;
    draft.track_stock := product.track_stock;
    draft.reservation_id := line.reservation_id;
    draft.quantity := line.quantity;
    draft.unit_price := coalesce(line.unit_price, product.price);
    draft.price_includes_tax := product.price_includes_tax;
    draft.tax_rate := product.tax_rate;
    draft.gross := private.round_money(draft.quantity * draft.unit_price, p_currency);
    -- Many such lines would be goods for nothing.
    if draft.gross = 0 and draft.unit_price > 0 then
      raise exception 'Line %: so little of % costs less than the smallest unit of %',
        line.number, product.sku, p_currency
        using errcode = 'check_violation', constraint = 'sale_lines_worth_something';
    end if;
    draft.line_discount := private.round_money(coalesce(line.discount, 0), p_currency);
    if line.discount_id is not null then
      offer := private.usable_discount(line.discount_id, 'line', p_currency);
      draft.discount_id := offer.id;
      draft.discount_name := offer.name;
      draft.line_discount := private.discount_on(offer, draft.gross, p_currency);
      -- A fixed amount is given once per product: else two lines of one piece each would get twice
      -- what one line of two pieces gets. A rate comes to the same either way.
      if offer.amount is not null then
        if offer.id || ' ' || product.id = any (given) then
          raise exception 'Line %: % is given once on %', line.number, offer.name, product.sku
            using errcode = 'invalid_parameter_value', hint = 'Sell it as one line.';
        end if;
        given := given || (offer.id || ' ' || product.id);
      end if;
    end if;
    -- NaN counts as greater than any number, so the upper limits keep it out.
    if draft.unit_price < 0 or draft.unit_price >= 1e12
      or draft.line_discount < 0 or draft.line_discount > draft.gross
    then
      raise exception 'Line %: a price is not negative, a discount not above the amount',
        line.number using errcode = 'invalid_parameter_value';
    end if;
    return next draft;
  end loop;
end;
$$;

revoke all on function private.draft_lines(jsonb, text)
  from public, anon, authenticated, service_role;

create function private.discount_on(
  p_discount public.discounts, p_amount numeric, p_currency text
) returns numeric
language sql
immutable
set search_path = ''
as $$
  select least(
    p_amount, private.round_money(coalesce(p_amount * p_discount.rate, p_discount.amount), p_currency)
  );
$$;

comment on function private.discount_on(public.discounts, numeric, text) is
  'What a discount takes off an amount: never more than the amount itself.';

revoke all on function private.discount_on(public.discounts, numeric, text)
  from public, anon, authenticated, service_role;

-- Whole units and exact remainders: a quotient that was rounded could give away a unit too many.
create function private.spread_amount(p_amount numeric, p_over numeric[], p_unit numeric)
returns numeric[]
language sql
immutable
set search_path = ''
as $$
  with parts as (
    select
      o.place,
      div(p_amount * o.part, t.total * p_unit) as units,
      mod(p_amount * o.part, t.total * p_unit) as remainder
    from unnest(p_over) with ordinality o (part, place)
    cross join (select nullif(sum(u.part), 0) as total from unnest(p_over) u (part)) t
  ),
  ranked as (
    select
      p.place,
      p.units,
      row_number() over (order by p.remainder desc, p.place)
        <= div(p_amount, p_unit) - sum(p.units) over () as gets_another
    from parts p
  )
  select array_agg(
    coalesce((r.units + case when r.gets_another then 1 else 0 end) * p_unit, 0) order by r.place
  )
  from ranked r;
$$;

comment on function private.spread_amount(numeric, numeric[], numeric) is
  'An amount spread over others in proportion, in whole units: the units left over go to the largest
  remainders. The parts add up to the amount, and none exceeds what it is spread over.';

revoke all on function private.spread_amount(numeric, numeric[], numeric)
  from public, anon, authenticated, service_role;

create function private.price_sale(p_lines jsonb, p_currency text, p_discount_id uuid)
returns private.draft_line[]
language plpgsql
stable
set search_path = ''
as $$
declare
  drafts private.draft_line[];
  draft private.draft_line;
  offer public.discounts;
  bases numeric[];
  off numeric := 0;
  shares numeric[];
begin
  select array_agg(d order by d.line_number), array_agg(d.gross - d.line_discount order by d.line_number)
  into drafts, bases
  from private.draft_lines(p_lines, p_currency) d;

  if p_discount_id is not null then
    offer := private.usable_discount(p_discount_id, 'order', p_currency);
    off := private.discount_on(offer, (select sum(b) from unnest(bases) b), p_currency);
  end if;
  shares := private.spread_amount(
    off, bases, power(10::numeric, -scale(private.round_money(0, p_currency)))
  );

  for i in 1 .. cardinality(drafts) loop
    draft := drafts[i];
    draft.order_discount := shares[i];
    if draft.price_includes_tax then
      draft.total := bases[i] - shares[i];
      draft.net_amount := private.round_money(draft.total / (1 + draft.tax_rate), p_currency);
      draft.tax_amount := draft.total - draft.net_amount;
    else
      draft.net_amount := bases[i] - shares[i];
      draft.tax_amount := private.round_money(draft.net_amount * draft.tax_rate, p_currency);
      draft.total := draft.net_amount + draft.tax_amount;
    end if;
    drafts[i] := draft;
  end loop;
  return drafts;
end;
$$;

comment on function private.price_sale(jsonb, text, uuid) is
  'The lines of a sale with all their amounts. A discount on the whole order is taken off the prices
  as they are quoted, with or without tax.';

revoke all on function private.price_sale(jsonb, text, uuid)
  from public, anon, authenticated, service_role;
