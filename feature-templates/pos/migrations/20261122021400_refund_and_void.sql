-- The two acts that give money back, and who may do them.
--
-- A manager refunds whatever was sold, in any way. Staff refund up to the company's limit for each
-- sale, and pay back in the ways it was paid, up to what came in that way: otherwise a card sale
-- could be turned into cash. A void takes a manager; it undoes a whole sale in the session and on
-- the day it was made, by the same payments. Later, or after a refund, it is a refund.

create function private.require_refund_rights(p_refund public.refunds) returns void
language plpgsql
stable
set search_path = ''
as $$
declare
  allowed numeric;
  refunded numeric;
  exceeded text;
begin
  if private.has_role('manager') then
    return;
  end if;

  select sum(case when s.currency = p_refund.currency then s.staff_refund_limit else 0 end)
  into allowed from public.pos_settings s;
  -- Without a limit staff refund nothing, not even a sale of nothing with its goods.
  if allowed = 0 then
    raise exception 'A refund takes a manager here' using errcode = 'insufficient_privilege';
  end if;
  select sum(b.total) into refunded from public.refunds b where b.sale_id = p_refund.sale_id;
  if refunded > allowed then
    raise exception 'Staff may refund % of a sale, this comes to %; more takes a manager',
      trim_scale(allowed), trim_scale(refunded) using errcode = 'insufficient_privilege';
  end if;

  select string_agg(o.method, ', ' order by o.method) into exceeded
  from (
    select p.method
    from public.refund_payments p
    join public.refunds b on b.id = p.refund_id
    where b.sale_id = p_refund.sale_id
    group by p.method
    having sum(p.amount) > coalesce((
      select sum(i.amount) from public.payments i
      where i.sale_id = p_refund.sale_id and i.method = p.method
    ), 0)
  ) o;
  if exceeded is not null then
    raise exception 'The sale was not paid that way to that amount: %', exceeded
      using errcode = 'insufficient_privilege', hint = 'Pay back as it was paid, or ask a manager.';
  end if;
end;
$$;

revoke all on function private.require_refund_rights(public.refunds)
  from public, anon, authenticated, service_role;

create function private.refund_sale(
  p_client_token uuid, p_session_id uuid, p_sale_id uuid, p_reason text, p_payments jsonb,
  p_lines jsonb
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  hash bytea := sha256(convert_to(jsonb_build_array(
    'refund', p_session_id, p_sale_id, p_reason, p_payments, p_lines
  )::text, 'UTF8'));
  known jsonb;
  session public.register_sessions;
  sale public.sales;
  refund public.refunds;
begin
  perform private.require_role('staff');
  known := private.known_refund(p_client_token, hash);
  if known is not null then
    return known;
  end if;

  -- First the register, then the sale: everyone locks in this order.
  session := private.lock_active_session(p_session_id);
  select * into sale from public.sales s where s.id = p_sale_id for update;
  if not found then
    raise exception 'There is no sale %', p_sale_id using errcode = 'no_data_found';
  end if;
  -- Whoever held a lock before us may have been the same till with the same token.
  known := private.known_refund(p_client_token, hash);
  if known is not null then
    return known;
  end if;

  refund := private.record_refund(
    'refund', p_client_token, hash, session, sale, nullif(p_lines, 'null'), p_payments, p_reason
  );
  -- Afterwards, when the amounts are known; raising undoes everything.
  perform private.require_refund_rights(refund);
  return private.refund_result(refund.id);
end;
$$;

revoke all on function private.refund_sale(uuid, uuid, uuid, text, jsonb, jsonb)
  from public, anon, authenticated, service_role;

create function private.void_sale(p_client_token uuid, p_sale_id uuid, p_reason text)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  hash bytea := sha256(convert_to(
    jsonb_build_array('void', p_sale_id, p_reason)::text, 'UTF8'
  ));
  known jsonb;
  session public.register_sessions;
  sale public.sales;
  refund public.refunds;
begin
  perform private.require_role('manager');
  known := private.known_refund(p_client_token, hash);
  if known is not null then
    return known;
  end if;

  select * into sale from public.sales s where s.id = p_sale_id;
  if not found then
    raise exception 'There is no sale %', p_sale_id using errcode = 'no_data_found';
  end if;
  session := private.lock_active_session(sale.session_id);
  perform from public.sales s where s.id = p_sale_id for update;
  known := private.known_refund(p_client_token, hash);
  if known is not null then
    return known;
  end if;

  if exists (
    select from public.company_settings c
    where timezone(c.time_zone, sale.sold_at)::date
      <> timezone(c.time_zone, clock_timestamp())::date
  ) then
    raise exception 'The sale is of another day'
      using errcode = 'object_not_in_prerequisite_state', hint = 'Refund it instead.';
  end if;
  if exists (select from public.refunds b where b.sale_id = sale.id) then
    raise exception 'The sale was given back already, in part or whole'
      using errcode = 'object_not_in_prerequisite_state', hint = 'Refund what is left of it.';
  end if;

  refund := private.record_refund(
    'void', p_client_token, hash, session, sale, null,
    (
      select coalesce(jsonb_agg(jsonb_build_object(
        'method', p.method, 'amount', p.amount, 'reference', p.reference
      ) order by p.paid_at, p.id), '[]')
      from public.payments p where p.sale_id = sale.id
    ),
    p_reason
  );
  return private.refund_result(refund.id);
end;
$$;

revoke all on function private.void_sale(uuid, uuid, text)
  from public, anon, authenticated, service_role;

create function public.refund_sale(
  client_token uuid, session_id uuid, sale_id uuid, reason text, payments jsonb,
  lines jsonb default null
) returns jsonb
language sql
set search_path = ''
as $$
  select private.refund_sale($1, $2, $3, $4, $5, $6);
$$;

comment on function public.refund_sale(uuid, uuid, uuid, text, jsonb, jsonb) is
  'Gives back lines [{line_number, quantity?, restock?}] of a sale, or without a list whatever is
  left of it, by payments [{method, amount?, reference?}]; one may leave out its amount and gets
  the rest. Returns goods to stock, numbers the receipt, and answers {refund_id, kind, sale_id,
  receipt_id, receipt_number, total, currency, refunded_at, not_restocked}: the last names the lines
  of goods that did not go back into stock, because the till said so or because the product takes
  none any more. The same client_token again gives the same answer and pays nothing.';

revoke all on function public.refund_sale(uuid, uuid, uuid, text, jsonb, jsonb)
  from public, anon, authenticated, service_role;

create function public.void_sale(client_token uuid, sale_id uuid, reason text) returns jsonb
language sql
set search_path = ''
as $$
  select private.void_sale($1, $2, $3);
$$;

comment on function public.void_sale(uuid, uuid, text) is
  'Undoes a whole sale while its session is open, on the day of the company in which it was made.
  Answers as refund_sale does.';

revoke all on function public.void_sale(uuid, uuid, text)
  from public, anon, authenticated, service_role;
