-- berth: phase=policies
-- complete_sale with orders and discounts, and a quote of what a sale comes to. The signature grows,
-- and two functions of one name would leave the API to guess, so the old one goes. It goes in the
-- same transaction that grants the new one, so that tills sell before it and after it. For that, this
-- file comes in the phase of the grants.

create function private.sale_lines_of_order(p_order_id uuid) returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_agg(jsonb_build_object(
    'product_id', i.product_id, 'quantity', i.quantity, 'discount_id', i.discount_id,
    'reservation_id', i.reservation_id
  ) order by i.created_at, i.id)
  from public.order_lines i
  where i.order_id = p_order_id;
$$;

revoke all on function private.sale_lines_of_order(uuid)
  from public, anon, authenticated, service_role;

-- Ends the reservations that the lines of a sale name, so that its movements find their stock.
create function private.take_reservations(p_lines private.draft_line[], p_sale public.sales)
returns void
language plpgsql
set search_path = ''
as $$
declare
  line private.draft_line;
begin
  if not exists (select from unnest(p_lines) i where i.reservation_id is not null) then
    return;
  end if;
  -- All that the sale will move, before the first reservation: else two sales could wait for each
  -- other.
  perform private.lock_levels(
    p_sale.location_id, array(select i.product_id from unnest(p_lines) i where i.track_stock)
  );
  for line in
    select * from unnest(p_lines) i where i.reservation_id is not null order by i.line_number
  loop
    perform private.take_reservation(
      line.reservation_id, line.product_id, p_sale.location_id, line.quantity, p_sale.id
    );
  end loop;
end;
$$;

revoke all on function private.take_reservations(private.draft_line[], public.sales)
  from public, anon, authenticated, service_role;

drop function public.complete_sale(uuid, uuid, jsonb, jsonb);
drop function private.complete_sale(uuid, uuid, jsonb, jsonb);

create function private.complete_sale(
  p_client_token uuid, p_session_id uuid, p_lines jsonb, p_payments jsonb,
  p_order_id uuid default null, p_discount_id uuid default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  -- What 1.0.0 knew nothing of is left out when it is not used: a till that lost its answer during
  -- the upgrade asks again for a sale whose hash has the old form.
  hash bytea := sha256(convert_to((
    jsonb_build_array(p_session_id, p_lines, p_payments)
    || case
      when p_order_id is null and p_discount_id is null then '[]'
      else jsonb_build_array(p_order_id, p_discount_id)
    end
  )::text, 'UTF8'));
  known public.sales;
  session public.register_sessions;
  till public.registers;
  parked public.orders;
  sale public.sales;
  -- Priced once: a price that changes meanwhile must not reach the lines and miss the total.
  priced private.draft_line[];
  whole_discount uuid;
begin
  perform private.require_role('staff');

  -- A sale that went through is answered even after its session was closed: the till that asks
  -- again has lost our first answer.
  select * into known from public.sales s where s.client_token = p_client_token;
  if not found then
    session := private.lock_active_session(p_session_id);
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

  select * into till from public.registers r where r.id = session.register_id;
  if p_order_id is not null then
    -- Two tills with the same order take turns here, and the second one finds it completed.
    parked := private.lock_open_order(p_order_id);
    if parked.location_id <> till.location_id then
      raise exception 'Order % is parked at another location', parked.number
        using errcode = 'invalid_parameter_value';
    end if;
  end if;
  whole_discount := coalesce(p_discount_id, parked.discount_id);
  priced := private.price_sale(
    coalesce(nullif(p_lines, 'null'), private.sale_lines_of_order(parked.id)),
    session.currency, whole_discount
  );

  insert into public.sales (
    client_token, request_hash, session_id, location_id, currency,
    net_total, tax_total, total, sold_at, sold_by
  )
  -- The clock, not the start of the transaction: times grow with the numbers of the receipts.
  select p_client_token, hash, session.id, till.location_id, session.currency,
    sum(i.net_amount), sum(i.tax_amount), sum(i.total), clock_timestamp(), auth.uid()
  from unnest(priced) i
  on conflict (client_token) do nothing
  returning * into sale;
  -- Two tills sent the same token at once, and the other one came first.
  if not found then
    raise exception 'The token % was used for another sale', p_client_token
      using errcode = 'unique_violation', hint = 'Make a new token for each sale.';
  end if;

  insert into public.sale_lines (
    sale_id, line_number, product_id, sku, description, quantity, unit_price, discount,
    tax_rate, net_amount, tax_amount, total, price_includes_tax
  )
  select sale.id, i.line_number, i.product_id, i.sku, i.description, i.quantity, i.unit_price,
    i.line_discount + i.order_discount, i.tax_rate, i.net_amount, i.tax_amount, i.total,
    i.price_includes_tax
  from unnest(priced) i;

  insert into public.sale_discounts (sale_id, line_number, discount_id, name, amount)
  select sale.id, i.line_number, i.discount_id, i.discount_name, i.line_discount
  from unnest(priced) i
  where i.discount_id is not null or i.line_discount > 0
  union all
  select sale.id, 0, d.id, d.name, (select sum(i.order_discount) from unnest(priced) i)
  from public.discounts d
  where d.id = whole_discount;

  perform private.take_reservations(priced, sale);
  -- In order of product, so that two tills with the same products cannot wait for each other.
  insert into public.stock_movements (
    product_id, location_id, kind, quantity, source_id, occurred_at
  )
  select i.product_id, sale.location_id, 'sale', -i.quantity, sale.id, sale.sold_at
  from unnest(priced) i
  where i.track_stock
  order by i.product_id, i.line_number;

  perform private.record_payments(sale.id, p_payments, sale.total, sale.currency);

  update public.orders o
  set status = 'completed', sale_id = sale.id, closed_at = sale.sold_at, closed_by = sale.sold_by
  where o.id = parked.id;

  update public.registers r set last_receipt_number = r.last_receipt_number + 1
  where r.id = till.id
  returning * into till;

  insert into public.receipts (register_id, number, sale_id, document, issued_at)
  values (
    till.id, till.last_receipt_number, sale.id,
    private.sale_document(sale.id, till.id, till.last_receipt_number), sale.sold_at
  );
  return private.sale_result(sale.id);
end;
$$;

revoke all on function private.complete_sale(uuid, uuid, jsonb, jsonb, uuid, uuid)
  from public, anon, authenticated, service_role;

create function public.complete_sale(
  client_token uuid, session_id uuid, lines jsonb default null, payments jsonb default '[]',
  order_id uuid default null, discount_id uuid default null
) returns jsonb
language sql
set search_path = ''
as $$
  select private.complete_sale($1, $2, $3, $4, $5, $6);
$$;

comment on function public.complete_sale(uuid, uuid, jsonb, jsonb, uuid, uuid) is
  'Sells: lines [{product_id, quantity, unit_price?, discount?, discount_id?, reservation_id?}],
  payments [{method, amount, tendered?, reference?}] that come to the total; discount_id is one on
  the whole order. A line with a reservation_id takes the stock kept back for it, and ends it, also
  when it takes less.
  With an order_id, what is parked there is sold unless lines are given, and the order is
  completed. Moves stock, numbers the receipt, and answers {sale_id, receipt_id, receipt_number,
  total, currency, sold_at}. The same client_token again gives the same answer and sells nothing.';

revoke all on function public.complete_sale(uuid, uuid, jsonb, jsonb, uuid, uuid)
  from public, anon, authenticated, service_role;

create function private.quote_sale(
  p_session_id uuid, p_lines jsonb, p_order_id uuid, p_discount_id uuid
) returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  session public.register_sessions;
  parked public.orders;
  priced private.draft_line[];
begin
  perform private.require_role('staff');
  select * into session from public.register_sessions s where s.id = p_session_id;
  select * into parked from public.orders o where o.id = p_order_id;
  if session.id is null or (p_order_id is not null and parked.id is null) then
    raise exception 'There is no such session or order' using errcode = 'no_data_found';
  end if;

  priced := private.price_sale(
    coalesce(nullif(p_lines, 'null'), private.sale_lines_of_order(parked.id)),
    session.currency, coalesce(p_discount_id, parked.discount_id)
  );
  return (
    select jsonb_build_object(
      'currency', session.currency, 'net_total', sum(i.net_amount),
      'tax_total', sum(i.tax_amount), 'total', sum(i.total),
      'lines', jsonb_agg(jsonb_build_object(
        'line_number', i.line_number, 'sku', i.sku, 'description', i.description,
        'quantity', i.quantity, 'unit_price', i.unit_price,
        'price_includes_tax', i.price_includes_tax,
        'discount', i.line_discount + i.order_discount, 'tax_rate', i.tax_rate,
        'net_amount', i.net_amount, 'tax_amount', i.tax_amount, 'total', i.total
      ) order by i.line_number)
    )
    from unnest(priced) i
  );
end;
$$;

revoke all on function private.quote_sale(uuid, jsonb, uuid, uuid)
  from public, anon, authenticated, service_role;

create function public.quote_sale(
  session_id uuid, lines jsonb default null, order_id uuid default null,
  discount_id uuid default null
) returns jsonb
language sql
stable
set search_path = ''
as $$
  select private.quote_sale($1, $2, $3, $4);
$$;

comment on function public.quote_sale(uuid, jsonb, uuid, uuid) is
  'What complete_sale would charge, and why, with the same arguments. Sells nothing.';

revoke all on function public.quote_sale(uuid, jsonb, uuid, uuid)
  from public, anon, authenticated, service_role;

grant execute on function private.complete_sale(uuid, uuid, jsonb, jsonb, uuid, uuid)
  to authenticated;
grant execute on function public.complete_sale(uuid, uuid, jsonb, jsonb, uuid, uuid)
  to authenticated;
grant execute on function private.quote_sale(uuid, jsonb, uuid, uuid) to authenticated;
grant execute on function public.quote_sale(uuid, jsonb, uuid, uuid) to authenticated;
