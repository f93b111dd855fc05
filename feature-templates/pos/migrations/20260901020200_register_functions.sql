-- Opening and closing a register. The functions in private run with their owner's rights and
-- check the caller's role first; the ones in public are the way in for the API.

create function private.open_register(p_register_id uuid, p_opening_cash numeric) returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  session_id uuid;
begin
  perform private.require_role('staff');
  perform from public.registers r where r.id = p_register_id and r.active for update;
  if not found then
    raise exception 'There is no active register %', p_register_id
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

revoke all on function private.open_register(uuid, numeric)
  from public, anon, authenticated, service_role;

-- Every act on a register locks the register's row first, so that they take turns.
create function private.lock_open_session(p_session_id uuid) returns public.register_sessions
language plpgsql
set search_path = ''
as $$
declare
  session public.register_sessions;
begin
  perform from public.registers r
  where r.id = (select s.register_id from public.register_sessions s where s.id = p_session_id)
  for update;

  select * into session from public.register_sessions s where s.id = p_session_id;
  if not found then
    raise exception 'There is no session %', p_session_id using errcode = 'no_data_found';
  end if;
  if session.closed_at is not null then
    raise exception 'The session is closed'
      using errcode = 'object_not_in_prerequisite_state', hint = 'Open the register again.';
  end if;
  return session;
end;
$$;

revoke all on function private.lock_open_session(uuid)
  from public, anon, authenticated, service_role;

create function private.close_register(p_session_id uuid, p_counted_cash numeric, p_note text)
returns public.register_sessions
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
  set closed_at = now(),
    closed_by = auth.uid(),
    counted_cash = private.round_money(p_counted_cash, s.currency),
    expected_cash = s.opening_cash + coalesce((
      select sum(p.amount)
      from public.payments p
      join public.sales sale on sale.id = p.sale_id
      where sale.session_id = s.id and p.method = 'cash'
    ), 0),
    note = p_note
  where s.id = p_session_id
  returning * into session;
  return session;
end;
$$;

revoke all on function private.close_register(uuid, numeric, text)
  from public, anon, authenticated, service_role;

create function public.open_register(register_id uuid, opening_cash numeric) returns uuid
language sql
set search_path = ''
as $$
  select private.open_register($1, $2);
$$;

comment on function public.open_register(uuid, numeric) is
  'Begins a session at a register, with the cash that lies in it; answers the session''s id.';

revoke all on function public.open_register(uuid, numeric)
  from public, anon, authenticated, service_role;

create function public.close_register(session_id uuid, counted_cash numeric, note text default null)
returns public.register_sessions
language sql
set search_path = ''
as $$
  select * from private.close_register($1, $2, $3);
$$;

comment on function public.close_register(uuid, numeric, text) is
  'Ends a session with the cash that was counted; answers it with expected cash and difference.';

revoke all on function public.close_register(uuid, numeric, text)
  from public, anon, authenticated, service_role;
