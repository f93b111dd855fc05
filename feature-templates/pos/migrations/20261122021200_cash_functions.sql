-- Cash in a till: what ought to be there, and how it moves in and out.

create function private.expected_cash(p_session_id uuid) returns numeric
language sql
stable
set search_path = ''
as $$
  select s.opening_cash
    + coalesce((
      select sum(p.amount)
      from public.payments p
      join public.sales sale on sale.id = p.sale_id
      where sale.session_id = s.id and p.method = 'cash'
    ), 0)
    + coalesce((
      select sum(m.amount) from public.cash_movements m where m.session_id = s.id
    ), 0)
    - coalesce((
      select sum(p.amount)
      from public.refund_payments p
      join public.refunds r on r.id = p.refund_id
      where r.session_id = s.id and p.method = 'cash'
    ), 0)
  from public.register_sessions s
  where s.id = p_session_id;
$$;

comment on function private.expected_cash(uuid) is
  'Opening cash, plus cash payments, plus what was put in, less what was taken out or paid back.';

revoke all on function private.expected_cash(uuid)
  from public, anon, authenticated, service_role;

-- Called after the act, which it undoes by raising.
create function private.require_cash(p_session_id uuid) returns void
language plpgsql
stable
set search_path = ''
as $$
declare
  left_over numeric := private.expected_cash(p_session_id);
begin
  if left_over < 0 then
    raise exception 'The till would be short of % in cash', trim_scale(-left_over)
      using errcode = 'check_violation', constraint = 'register_sessions_cash_not_negative',
        hint = 'Put cash in first, or pay in another way.';
  end if;
end;
$$;

revoke all on function private.require_cash(uuid) from public, anon, authenticated, service_role;

create or replace function private.close_register(
  p_session_id uuid, p_counted_cash numeric, p_note text
) returns public.register_sessions
language plpgsql
security definer
set search_path = ''
as $$
declare
  session public.register_sessions;
begin
  perform private.require_role('staff');
  if p_counted_cash is null then
    raise exception 'Closing needs the counted cash' using errcode = 'invalid_parameter_value';
  end if;
  session := private.lock_open_session(p_session_id);

  update public.register_sessions s
  -- The clock, not the start of the transaction: we may have waited for sales that came before.
  set closed_at = clock_timestamp(),
    closed_by = auth.uid(),
    counted_cash = private.round_money(p_counted_cash, s.currency),
    expected_cash = private.expected_cash(s.id),
    note = p_note
  where s.id = p_session_id
  returning * into session;
  return session;
end;
$$;

comment on column public.register_sessions.expected_cash is
  'As private.expected_cash() works it out at closing.';

-- Staff may put cash in. Taking it out is for managers, and for staff up to the company's limit
-- for each of them and each session: a limit per act would fall to many small acts.
create function private.move_cash(
  p_client_token uuid, p_session_id uuid, p_amount numeric, p_reason text
) returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  session public.register_sessions;
  known public.cash_movements;
  moved numeric;
  allowed numeric;
begin
  perform private.require_role('staff');

  select * into known from public.cash_movements m where m.client_token = p_client_token;
  if not found then
    session := private.lock_open_session(p_session_id);
    -- Whoever held the lock before us may have been the same till with the same token.
    select * into known from public.cash_movements m where m.client_token = p_client_token;
  end if;
  if known.id is not null then
    if (known.session_id, known.amount, known.reason) is distinct from
      (p_session_id, private.round_money(p_amount, known.currency), p_reason)
    then
      raise exception 'The token % was used for another movement', p_client_token
        using errcode = 'unique_violation', hint = 'Make a new token for each movement.';
    end if;
    return known.id;
  end if;

  moved := private.round_money(p_amount, session.currency);
  if moved < 0 and not private.has_role('manager') then
    select sum(case when s.currency = session.currency then s.staff_cash_out_limit else 0 end)
    into allowed from public.pos_settings s;
    if (
      select coalesce(sum(m.amount), 0)
      from public.cash_movements m
      where m.session_id = session.id and m.amount < 0 and m.moved_by = auth.uid()
    ) + moved < -allowed then
      raise exception 'Staff may take out % in a session; more takes a manager', trim_scale(allowed)
        using errcode = 'insufficient_privilege';
    end if;
  end if;

  insert into public.cash_movements (
    client_token, session_id, currency, amount, reason, moved_at, moved_by
  ) values (
    p_client_token, session.id, session.currency, moved, p_reason, clock_timestamp(), auth.uid()
  )
  on conflict (client_token) do nothing
  returning * into known;
  -- Two tills sent the same token at once, and the other one came first.
  if not found then
    raise exception 'The token % was used for another movement', p_client_token
      using errcode = 'unique_violation', hint = 'Make a new token for each movement.';
  end if;
  perform private.require_cash(session.id);
  return known.id;
end;
$$;

revoke all on function private.move_cash(uuid, uuid, numeric, text)
  from public, anon, authenticated, service_role;

create function public.move_cash(
  client_token uuid, session_id uuid, amount numeric, reason text
) returns uuid
language sql
set search_path = ''
as $$
  select private.move_cash($1, $2, $3, $4);
$$;

comment on function public.move_cash(uuid, uuid, numeric, text) is
  'Puts cash into an open till (amount above zero) or takes it out (below zero), with a reason;
  answers the id of the movement. The same client_token again moves nothing.';

revoke all on function public.move_cash(uuid, uuid, numeric, text)
  from public, anon, authenticated, service_role;
