-- The one way to sell: complete_sale takes the lines and payments of a sale and does all of it or
-- nothing. Its helpers run inside it, with its rights; the API may not call them.

create type private.priced_line as (
  line_number smallint,
  product_id uuid,
  sku text,
  description text,
  track_stock boolean,
  quantity numeric,
  unit_price numeric,
  discount numeric,
  tax_rate numeric,
  net_amount numeric,
  tax_amount numeric,
  total numeric
);

-- Lines as the till sent them, with names, prices and taxes from the products. Staff sell at list
-- price; a price or discount of one's own takes a manager.
create function private.price_lines(p_lines jsonb, p_currency text)
returns setof private.priced_line
language plpgsql
stable
set search_path = ''
as $$
declare
  line record;
  product public.products;
  priced private.priced_line;
  gross numeric;
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
      (e.value ->> 'unit_price')::numeric as unit_price,
      (e.value ->> 'discount')::numeric as discount
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
    if coalesce(line.unit_price, product.price) <> product.price
      or coalesce(line.discount, 0) <> 0
    then
      perform private.require_role('manager');
    end if;

    priced.line_number := line.number;
    priced.product_id := product.id;
    priced.sku := product.sku;
    priced.description := product.name;
    priced.track_stock := product.track_stock;
    priced.quantity := line.quantity;
    priced.unit_price := coalesce(line.unit_price, product.price);
    priced.discount := private.round_money(coalesce(line.discount, 0), p_currency);
    priced.tax_rate := product.tax_rate;
    gross := private.round_money(priced.quantity * priced.unit_price, p_currency);
    -- NaN counts as greater than any number, so the upper limits keep it out.
    if priced.unit_price < 0 or priced.unit_price >= 1e12
      or priced.discount < 0 or priced.discount > gross
    then
      raise exception 'Line %: a price is not negative, a discount not above the amount',
        line.number using errcode = 'invalid_parameter_value';
    end if;

    if product.price_includes_tax then
      priced.total := gross - priced.discount;
      priced.net_amount := private.round_money(
        priced.total / (1 + priced.tax_rate), p_currency
      );
      priced.tax_amount := priced.total - priced.net_amount;
    else
      priced.net_amount := gross - priced.discount;
      priced.tax_amount := private.round_money(
        priced.net_amount * priced.tax_rate, p_currency
      );
      priced.total := priced.net_amount + priced.tax_amount;
    end if;
    return next priced;
  end loop;
end;
$$;

revoke all on function private.price_lines(jsonb, text)
  from public, anon, authenticated, service_role;

create function private.record_payments(
  p_sale_id uuid, p_payments jsonb, p_total numeric, p_currency text
) returns void
language plpgsql
set search_path = ''
as $$
declare
  paid numeric;
begin
  if jsonb_typeof(p_payments) is distinct from 'array' or jsonb_array_length(p_payments) > 20 then
    raise exception 'Payments are a list of at most 20' using errcode = 'invalid_parameter_value';
  end if;

  with recorded as (
    insert into public.payments (sale_id, method, currency, amount, tendered, reference)
    select p_sale_id, e.value ->> 'method', p_currency, (e.value ->> 'amount')::numeric,
      coalesce((e.value ->> 'tendered')::numeric, (e.value ->> 'amount')::numeric),
      e.value ->> 'reference'
    from jsonb_array_elements(p_payments) e
    returning amount
  )
  select coalesce(sum(amount), 0) into paid from recorded;

  if paid <> p_total then
    raise exception 'The payments come to %, the sale to %', trim_scale(paid), trim_scale(p_total)
      using errcode = 'check_violation', constraint = 'payments_cover_sale';
  end if;
end;
$$;

revoke all on function private.record_payments(uuid, jsonb, numeric, text)
  from public, anon, authenticated, service_role;

create function private.sale_document(p_sale_id uuid, p_register_id uuid, p_number bigint)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'company', c.name, 'location', l.name, 'register', r.code, 'number', p_number,
    'sold_at', s.sold_at, 'currency', s.currency,
    'net_total', s.net_total, 'tax_total', s.tax_total, 'total', s.total,
    'lines', (
      select jsonb_agg(jsonb_build_object(
        'sku', i.sku, 'description', i.description, 'quantity', i.quantity,
        'unit_price', i.unit_price, 'discount', i.discount, 'tax_rate', i.tax_rate,
        'total', i.total
      ) order by i.line_number)
      from public.sale_lines i where i.sale_id = s.id
    ),
    'payments', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'method', p.method, 'amount', p.amount, 'change_given', p.change_given
      ) order by p.method, p.amount), '[]')
      from public.payments p where p.sale_id = s.id
    )
  )
  from public.sales s
  join public.locations l on l.id = s.location_id
  join public.registers r on r.id = p_register_id
  cross join public.company_settings c
  where s.id = p_sale_id;
$$;

revoke all on function private.sale_document(uuid, uuid, bigint)
  from public, anon, authenticated, service_role;

create function private.sale_result(p_sale_id uuid) returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'sale_id', s.id, 'receipt_id', r.id, 'receipt_number', r.number,
    'total', s.total, 'currency', s.currency, 'sold_at', s.sold_at
  )
  from public.sales s
  join public.receipts r on r.sale_id = s.id
  where s.id = p_sale_id;
$$;

revoke all on function private.sale_result(uuid) from public, anon, authenticated, service_role;

create function private.complete_sale(
  p_client_token uuid, p_session_id uuid, p_lines jsonb, p_payments jsonb
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  hash bytea := sha256(convert_to(
    jsonb_build_array(p_session_id, p_lines, p_payments)::text, 'UTF8'
  ));
  known public.sales;
  session public.register_sessions;
  sale public.sales;
  -- Priced once: a price that changes meanwhile must not reach the lines and miss the total.
  priced private.priced_line[];
  receipt_number bigint;
begin
  perform private.require_role('staff');

  -- A sale that went through is answered even after its session was closed: the till that asks
  -- again has lost our first answer.
  select * into known from public.sales s where s.client_token = p_client_token;
  if not found then
    session := private.lock_open_session(p_session_id);
    -- Whoever held the lock before us may have been the same till with the same token.
    select * into known from public.sales s where s.client_token = p_client_token;
  end if;
  if known.id is not null then
    if known.request_hash <> hash then
      raise exception 'The token % was used for another sale', p_client_token
        using errcode = 'unique_violation', hint = 'Make a new token for each sale.';
    end if;
    return private.sale_result(known.id);
  end if;

  select array_agg(i order by i.line_number) into priced
  from private.price_lines(p_lines, session.currency) i;

  insert into public.sales (
    client_token, request_hash, session_id, location_id, currency,
    net_total, tax_total, total, sold_by
  )
  select p_client_token, hash, session.id, r.location_id, session.currency,
    t.net, t.tax, t.net + t.tax, auth.uid()
  from public.registers r
  cross join (
    select sum(i.net_amount) as net, sum(i.tax_amount) as tax
    from unnest(priced) i
  ) t
  where r.id = session.register_id
  returning * into sale;

  insert into public.sale_lines (
    sale_id, line_number, product_id, sku, description, quantity, unit_price, discount,
    tax_rate, net_amount, tax_amount, total
  )
  select sale.id, i.line_number, i.product_id, i.sku, i.description, i.quantity, i.unit_price,
    i.discount, i.tax_rate, i.net_amount, i.tax_amount, i.total
  from unnest(priced) i;

  -- In order of product, so that two tills with the same products cannot wait for each other.
  insert into public.stock_movements (product_id, location_id, kind, quantity, source_id)
  select i.product_id, sale.location_id, 'sale', -i.quantity, sale.id
  from unnest(priced) i
  where i.track_stock
  order by i.product_id, i.line_number;

  perform private.record_payments(sale.id, p_payments, sale.total, sale.currency);

  update public.registers r set last_receipt_number = r.last_receipt_number + 1
  where r.id = session.register_id
  returning r.last_receipt_number into receipt_number;

  insert into public.receipts (register_id, number, sale_id, document)
  values (
    session.register_id, receipt_number, sale.id,
    private.sale_document(sale.id, session.register_id, receipt_number)
  );
  return private.sale_result(sale.id);
end;
$$;

revoke all on function private.complete_sale(uuid, uuid, jsonb, jsonb)
  from public, anon, authenticated, service_role;

create function public.complete_sale(
  client_token uuid, session_id uuid, lines jsonb, payments jsonb
) returns jsonb
language sql
set search_path = ''
as $$
  select private.complete_sale($1, $2, $3, $4);
$$;

comment on function public.complete_sale(uuid, uuid, jsonb, jsonb) is
  'Sells: lines [{product_id, quantity, unit_price?, discount?}], payments [{method, amount,
  tendered?, reference?}] that come to the total. Moves stock, numbers the receipt, and answers
  {sale_id, receipt_id, receipt_number, total, currency, sold_at}. The same client_token again
  gives the same answer and sells nothing.';

revoke all on function public.complete_sale(uuid, uuid, jsonb, jsonb)
  from public, anon, authenticated, service_role;
