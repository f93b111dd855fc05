-- What version 1.1.0 asks of opening a till, of working at it, and of a payment.

create or replace function private.open_register(p_register_id uuid, p_opening_cash numeric)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  session_id uuid;
begin
  perform private.require_role('staff');
  if p_opening_cash >= 1e9 then
    raise exception 'So much cash does not lie in a till' using errcode = 'invalid_parameter_value';
  end if;
  perform from public.registers r
  join public.locations l on l.id = r.location_id
  where r.id = p_register_id and r.active and l.active
  for update of r;
  if not found then
    raise exception 'There is no active register % at an active location', p_register_id
      using errcode = 'no_data_found';
  end if;
  if exists (
    select from public.register_sessions s
    where s.register_id = p_register_id and s.closed_at is null
  ) then
    raise exception 'The register is open already'
      using errcode = 'object_not_in_prerequisite_state', hint = 'Close its session first.';
  end if;

  insert into public.register_sessions (register_id, currency, opening_cash, opened_by)
  select p_register_id, c.currency, private.round_money(p_opening_cash, c.currency), auth.uid()
  from public.company_settings c
  returning id into session_id;
  return session_id;
end;
$$;

-- A till that was ended meanwhile can still be counted and closed, and its cash taken out.
create function private.lock_active_session(p_session_id uuid) returns public.register_sessions
language plpgsql
set search_path = ''
as $$
declare
  session public.register_sessions := private.lock_open_session(p_session_id);
begin
  if not exists (
    select from public.registers r where r.id = session.register_id and r.active
  ) then
    raise exception 'The register is no longer active'
      using errcode = 'object_not_in_prerequisite_state', hint = 'Close its session.';
  end if;
  return session;
end;
$$;

comment on function private.lock_active_session(uuid) is
  'As lock_open_session, for acts that an inactive register is closed to: selling and refunding.';

revoke all on function private.lock_active_session(uuid)
  from public, anon, authenticated, service_role;

-- As before, but in amounts that exist in the currency, and no cash that closing could not sum up.
create or replace function private.record_payments(
  p_sale_id uuid, p_payments jsonb, p_total numeric, p_currency text
) returns void
language plpgsql
set search_path = ''
as $$
declare
  wrong record;
  paid numeric;
begin
  if jsonb_typeof(p_payments) is distinct from 'array' or jsonb_array_length(p_payments) > 20 then
    raise exception 'Payments are a list of at most 20' using errcode = 'invalid_parameter_value';
  end if;

  select a.amount, a.amount <> private.round_money(a.amount, p_currency) as too_fine into wrong
  from jsonb_array_elements(p_payments) e
  cross join lateral (values
    ((e.value ->> 'amount')::numeric), ((e.value ->> 'tendered')::numeric)
  ) a (amount)
  where a.amount <> private.round_money(a.amount, p_currency)
    or (e.value ->> 'method' = 'cash' and a.amount >= 1e9 and a.amount <> 'NaN')
  limit 1;
  if wrong.too_fine then
    raise exception 'Nobody can pay % in %', wrong.amount, p_currency
      using errcode = 'check_violation', constraint = 'payments_smallest_unit';
  elsif wrong.amount is not null then
    raise exception 'So much is not paid in cash: %', wrong.amount
      using errcode = 'check_violation', constraint = 'payments_cash_bounded';
  end if;

  with recorded as (
    insert into public.payments (
      sale_id, method, currency, amount, tendered, reference, paid_at
    )
    select s.id, e.value ->> 'method', p_currency, (e.value ->> 'amount')::numeric,
      coalesce((e.value ->> 'tendered')::numeric, (e.value ->> 'amount')::numeric),
      e.value ->> 'reference', s.sold_at
    from jsonb_array_elements(p_payments) e
    join public.sales s on s.id = p_sale_id
    returning amount
  )
  select coalesce(sum(amount), 0) into paid from recorded;

  if paid <> p_total then
    raise exception 'The payments come to %, the sale to %', trim_scale(paid), trim_scale(p_total)
      using errcode = 'check_violation', constraint = 'payments_cover_sale';
  end if;
end;
$$;
