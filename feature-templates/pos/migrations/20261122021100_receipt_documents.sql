-- What is printed. Amounts are those of the records; the taxes per rate are sums of the lines, so
-- that they come to the total exactly.

create function private.postal_address(p_location public.locations) returns text
language sql
immutable
set search_path = ''
as $$
  select nullif(concat_ws(
    ', ', p_location.address,
    nullif(concat_ws(' ', p_location.postal_code, p_location.city), ''), p_location.country
  ), '');
$$;

revoke all on function private.postal_address(public.locations)
  from public, anon, authenticated, service_role;

create or replace function private.sale_document(
  p_sale_id uuid, p_register_id uuid, p_number bigint
) returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'kind', 'sale',
    'company', c.name, 'location', l.name, 'address', private.postal_address(l),
    'register', r.code, 'number', p_number,
    'order', (select o.number from public.orders o where o.sale_id = s.id),
    'sold_at', s.sold_at, 'currency', s.currency,
    'net_total', s.net_total, 'tax_total', s.tax_total, 'total', s.total,
    'lines', (
      select jsonb_agg(jsonb_build_object(
        'line_number', i.line_number, 'sku', i.sku, 'description', i.description,
        'quantity', i.quantity, 'unit_price', i.unit_price,
        'price_includes_tax', i.price_includes_tax, 'discount', i.discount,
        'tax_rate', i.tax_rate, 'net_amount', i.net_amount, 'tax_amount', i.tax_amount,
        'total', i.total
      ) order by i.line_number)
      from public.sale_lines i where i.sale_id = s.id
    ),
    'discounts', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'line_number', nullif(d.line_number, 0), 'name', d.name, 'amount', d.amount
      ) order by d.line_number), '[]')
      from public.sale_discounts d where d.sale_id = s.id
    ),
    'taxes', (
      select jsonb_agg(jsonb_build_object(
        'rate', g.tax_rate, 'net', g.net, 'tax', g.tax, 'total', g.total
      ) order by g.tax_rate)
      from (
        select i.tax_rate, sum(i.net_amount) as net, sum(i.tax_amount) as tax, sum(i.total) as total
        from public.sale_lines i where i.sale_id = s.id
        group by i.tax_rate
      ) g
    ),
    'payments', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'method', p.method, 'amount', p.amount, 'tendered', p.tendered,
        'change_given', p.change_given
      ) order by p.method, p.amount), '[]')
      from public.payments p where p.sale_id = s.id
    ),
    'footer', t.receipt_footer
  )
  from public.sales s
  join public.locations l on l.id = s.location_id
  join public.registers r on r.id = p_register_id
  cross join public.company_settings c
  cross join public.pos_settings t
  where s.id = p_sale_id;
$$;

create function private.refund_document(
  p_refund_id uuid, p_register_id uuid, p_number bigint
) returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'kind', b.kind,
    'company', c.name, 'location', l.name, 'address', private.postal_address(l),
    'register', r.code, 'number', p_number,
    'sale', jsonb_build_object('register', sr.code, 'number', sp.number, 'sold_at', s.sold_at),
    'reason', b.reason, 'refunded_at', b.refunded_at, 'currency', b.currency,
    'net_total', b.net_total, 'tax_total', b.tax_total, 'total', b.total,
    'lines', (
      select jsonb_agg(jsonb_build_object(
        'line_number', i.line_number, 'sku', i.sku, 'description', i.description,
        'quantity', g.quantity, 'tax_rate', i.tax_rate,
        'net_amount', g.net_amount, 'tax_amount', g.tax_amount, 'total', g.total
      ) order by i.line_number)
      from public.refund_lines g
      join public.sale_lines i on i.sale_id = g.sale_id and i.line_number = g.line_number
      where g.refund_id = b.id
    ),
    'taxes', (
      select jsonb_agg(jsonb_build_object(
        'rate', t.tax_rate, 'net', t.net, 'tax', t.tax, 'total', t.total
      ) order by t.tax_rate)
      from (
        select i.tax_rate, sum(g.net_amount) as net, sum(g.tax_amount) as tax, sum(g.total) as total
        from public.refund_lines g
        join public.sale_lines i on i.sale_id = g.sale_id and i.line_number = g.line_number
        where g.refund_id = b.id
        group by i.tax_rate
      ) t
    ),
    'payments', (
      select coalesce(jsonb_agg(
        jsonb_build_object('method', p.method, 'amount', p.amount) order by p.method, p.amount
      ), '[]')
      from public.refund_payments p where p.refund_id = b.id
    ),
    'footer', o.receipt_footer
  )
  from public.refunds b
  join public.sales s on s.id = b.sale_id
  join public.receipts sp on sp.sale_id = s.id
  join public.registers sr on sr.id = sp.register_id
  join public.locations l on l.id = b.location_id
  join public.registers r on r.id = p_register_id
  cross join public.company_settings c
  cross join public.pos_settings o
  where b.id = p_refund_id;
$$;

revoke all on function private.refund_document(uuid, uuid, bigint)
  from public, anon, authenticated, service_role;
