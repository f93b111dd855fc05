-- Giving money back. Refunds of one sale take turns at the row of the sale: nobody can give back
-- more than was sold, whichever tills they stand at.

create function private.refund_result(p_refund_id uuid) returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'refund_id', b.id, 'kind', b.kind, 'sale_id', b.sale_id, 'receipt_id', r.id,
    'receipt_number', r.number, 'total', b.total, 'currency', b.currency,
    'refunded_at', b.refunded_at,
    -- Goods that left the stock with the sale and did not come back to it.
    'not_restocked', (
      select coalesce(jsonb_agg(g.line_number order by g.line_number), '[]')
      from public.refund_lines g
      join public.sale_lines i on i.sale_id = g.sale_id and i.line_number = g.line_number
      where g.refund_id = b.id and not g.restocked and exists (
        select from public.stock_movements m
        where m.source_id = b.sale_id and m.product_id = i.product_id
      )
    )
  )
  from public.refunds b
  join public.receipts r on r.refund_id = b.id
  where b.id = p_refund_id;
$$;

revoke all on function private.refund_result(uuid)
  from public, anon, authenticated, service_role;

-- The answer to a token that was used before; empty if it is new.
create function private.known_refund(p_client_token uuid, p_hash bytea) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  known public.refunds;
begin
  select * into known from public.refunds b where b.client_token = p_client_token;
  if not found then
    return null;
  end if;
  if known.request_hash <> p_hash then
    raise exception 'The token % was used for another refund', p_client_token
      using errcode = 'unique_violation', hint = 'Make a new token for each refund.';
  end if;
  return private.refund_result(known.id);
end;
$$;

revoke all on function private.known_refund(uuid, bytea)
  from public, anon, authenticated, service_role;

-- What is given back of each line, as rows that still lack their refund. The money is what is due
-- for everything given back up to now, less what was given before: the total first, as the customer
-- reckons, then the net of it, and the tax is the rest. The net keeps within bounds in which neither
-- it nor the tax ever falls below zero, and in which the last part is exactly what is left.
create function private.draft_refund(p_sale public.sales, p_lines jsonb)
returns setof public.refund_lines
language plpgsql
stable
set search_path = ''
as $$
declare
  line record;
  draft public.refund_lines;
  net_left numeric;
  tax_left numeric;
begin
  if p_lines is not null and (
    jsonb_typeof(p_lines) <> 'array' or jsonb_array_length(p_lines) not between 1 and 500
  ) then
    raise exception 'A refund has 1 to 500 lines' using errcode = 'invalid_parameter_value';
  end if;

  for line in
    with asked as (
      select true as wanted,
        (e.value ->> 'line_number')::smallint as line_number,
        (e.value ->> 'quantity')::numeric as quantity,
        coalesce((e.value ->> 'restock')::boolean, true) as restock
      from jsonb_array_elements(p_lines) e
    ),
    earlier as (
      select g.line_number, sum(g.quantity) as quantity,
        sum(g.net_amount) as net_amount, sum(g.tax_amount) as tax_amount
      from public.refund_lines g
      where g.sale_id = p_sale.id
      group by g.line_number
    )
    select coalesce(a.line_number, i.line_number) as number,
      row_number() over (partition by a.line_number) as mention,
      i.product_id,
      p.sku,
      -- Whether the product takes stock now, and with how many decimals: either may have changed.
      p.track_stock and not exists (
        select from public.products v where v.parent_id = p.id
      ) as stocked,
      u.decimals,
      i.quantity as sold,
      i.net_amount,
      i.tax_amount,
      coalesce(e.quantity, 0) as given_before,
      coalesce(e.net_amount, 0) as net_before,
      coalesce(e.tax_amount, 0) as tax_before,
      coalesce(a.quantity, i.quantity - coalesce(e.quantity, 0)) as quantity,
      coalesce(a.restock, true) as restock
    from (select * from public.sale_lines l where l.sale_id = p_sale.id) i
    full join asked a on a.line_number = i.line_number
    left join earlier e on e.line_number = i.line_number
    left join public.products p on p.id = i.product_id
    left join public.units u on u.code = p.unit_code
    -- Without a list, whatever is left of the sale is meant.
    where case when p_lines is null then i.quantity > coalesce(e.quantity, 0) else a.wanted end
    order by number
  loop
    if line.sold is null then
      raise exception 'The sale has no line %', line.number using errcode = 'no_data_found';
    end if;
    if line.mention > 1 and p_lines is not null then
      raise exception 'Line % is there twice', line.number
        using errcode = 'invalid_parameter_value';
    end if;
    -- NaN counts as greater than any number.
    if line.quantity <= 0 or line.given_before + line.quantity > line.sold then
      raise exception 'Line %: % can be given back, not %',
        line.number, trim_scale(line.sold - line.given_before), trim_scale(line.quantity)
        using errcode = 'check_violation', constraint = 'refund_lines_not_above_sold';
    end if;
    -- What was sold as finely, and whatever is left of the line, can be given back nonetheless.
    if line.given_before + line.quantity <> line.sold
      and scale(trim_scale(line.quantity)) > greatest(line.decimals, scale(trim_scale(line.sold)))
    then
      raise exception 'Line %: % is counted with % decimals', line.number, line.sku, line.decimals
        using errcode = 'check_violation', constraint = 'refund_lines_unit_decimals';
    end if;

    draft.sale_id := p_sale.id;
    draft.line_number := line.number;
    draft.quantity := line.quantity;
    draft.total := private.round_money(
      (line.net_amount + line.tax_amount) * (line.given_before + line.quantity) / line.sold,
      p_sale.currency
    ) - line.net_before - line.tax_before;
    net_left := line.net_amount - line.net_before;
    tax_left := line.tax_amount - line.tax_before;
    draft.net_amount := least(
      draft.total,
      net_left,
      greatest(
        0,
        draft.total - tax_left,
        private.round_money(
          line.net_amount * (line.given_before + line.quantity) / line.sold, p_sale.currency
        ) - line.net_before
      )
    );
    draft.tax_amount := draft.total - draft.net_amount;
    -- Only what the sale took from stock can go back there, and only if the product still takes
    -- stock: what was made a service or a parent of variants meanwhile is paid back without.
    draft.restocked := line.restock and line.stocked
      and line.quantity = round(line.quantity, line.decimals)
      and exists (
        select from public.stock_movements m
        where m.source_id = p_sale.id and m.product_id = line.product_id
      );
    return next draft;
  end loop;

  if not found then
    raise exception 'Nothing is left of the sale to give back'
      using errcode = 'check_violation', constraint = 'refund_lines_not_above_sold';
  end if;
end;
$$;

revoke all on function private.draft_refund(public.sales, jsonb)
  from public, anon, authenticated, service_role;

-- One of the payments may leave out its amount and gets the rest: the till need not work out what
-- a part of a line comes to.
create function private.record_refund_payments(
  p_refund_id uuid, p_payments jsonb, p_total numeric, p_currency text
) returns void
language plpgsql
set search_path = ''
as $$
declare
  paid numeric;
  too_fine numeric;
begin
  if jsonb_typeof(p_payments) is distinct from 'array' or jsonb_array_length(p_payments) > 20 then
    raise exception 'Payments are a list of at most 20' using errcode = 'invalid_parameter_value';
  end if;

  select (e.value ->> 'amount')::numeric into too_fine
  from jsonb_array_elements(p_payments) e
  where (e.value ->> 'amount')::numeric
    <> private.round_money((e.value ->> 'amount')::numeric, p_currency)
  limit 1;
  if found then
    raise exception 'Nobody can pay back % in %', too_fine, p_currency
      using errcode = 'check_violation', constraint = 'refund_payments_smallest_unit';
  end if;

  with asked as (
    select e.value ->> 'method' as method, (e.value ->> 'amount')::numeric as amount,
      e.value ->> 'reference' as reference
    from jsonb_array_elements(p_payments) e
  ),
  recorded as (
    insert into public.refund_payments (refund_id, method, currency, amount, reference)
    select p_refund_id, a.method, p_currency,
      coalesce(a.amount, p_total - (select coalesce(sum(o.amount), 0) from asked o)), a.reference
    from asked a
    -- Where nothing is due, a payment without an amount is none.
    where a.amount is not null or p_total > 0
    returning amount
  )
  select coalesce(sum(amount), 0) into paid from recorded;

  if paid <> p_total then
    raise exception 'The payments come to %, the refund to %', trim_scale(paid), trim_scale(p_total)
      using errcode = 'check_violation', constraint = 'refund_payments_cover_refund';
  end if;
end;
$$;

revoke all on function private.record_refund_payments(uuid, jsonb, numeric, text)
  from public, anon, authenticated, service_role;

-- The one way in which money goes back. The caller holds the register and the sale.
create function private.record_refund(
  p_kind text, p_client_token uuid, p_hash bytea, p_session public.register_sessions,
  p_sale public.sales, p_lines jsonb, p_payments jsonb, p_reason text
) returns public.refunds
language plpgsql
set search_path = ''
as $$
declare
  refund public.refunds;
  drafts public.refund_lines[];
  receipt_number bigint;
begin
  if p_sale.currency <> p_session.currency then
    raise exception 'The sale was in %, the session pays in %', p_sale.currency, p_session.currency
      using errcode = 'invalid_parameter_value';
  end if;

  select array_agg(d order by d.line_number) into drafts
  from private.draft_refund(p_sale, p_lines) d;

  insert into public.refunds (
    client_token, request_hash, sale_id, session_id, location_id, kind, reason, currency,
    net_total, tax_total, total, refunded_at, refunded_by
  )
  -- A void puts everything back to where it was. With a refund, goods come to where they are
  -- brought.
  select p_client_token, p_hash, p_sale.id, p_session.id,
    case p_kind when 'void' then p_sale.location_id else r.location_id end, p_kind, p_reason,
    p_sale.currency, t.net, t.tax, t.net + t.tax, clock_timestamp(), auth.uid()
  from public.registers r
  cross join (
    select sum(d.net_amount) as net, sum(d.tax_amount) as tax from unnest(drafts) d
  ) t
  where r.id = p_session.register_id
  on conflict (client_token) do nothing
  returning * into refund;
  -- Two tills sent the same token at once, and the other one came first.
  if not found then
    raise exception 'The token % was used for another refund', p_client_token
      using errcode = 'unique_violation', hint = 'Make a new token for each refund.';
  end if;

  insert into public.refund_lines (
    refund_id, line_number, sale_id, quantity, net_amount, tax_amount, total, restocked
  )
  select refund.id, d.line_number, d.sale_id, d.quantity, d.net_amount, d.tax_amount, d.total,
    d.restocked
  from unnest(drafts) d;

  -- In order of product, as sales lock stock.
  insert into public.stock_movements (
    product_id, location_id, kind, quantity, source_id, occurred_at
  )
  select i.product_id, refund.location_id, 'return', d.quantity, refund.id, refund.refunded_at
  from unnest(drafts) d
  join public.sale_lines i on i.sale_id = d.sale_id and i.line_number = d.line_number
  where d.restocked
  order by i.product_id, i.line_number;

  perform private.record_refund_payments(refund.id, p_payments, refund.total, refund.currency);
  perform private.require_cash(p_session.id);

  update public.registers r set last_receipt_number = r.last_receipt_number + 1
  where r.id = p_session.register_id
  returning r.last_receipt_number into receipt_number;

  insert into public.receipts (register_id, number, refund_id, document, issued_at)
  values (
    p_session.register_id, receipt_number, refund.id,
    private.refund_document(refund.id, p_session.register_id, receipt_number), refund.refunded_at
  );
  return refund;
end;
$$;

revoke all on function private.record_refund(
  text, uuid, bytea, public.register_sessions, public.sales, jsonb, jsonb, text
) from public, anon, authenticated, service_role;
