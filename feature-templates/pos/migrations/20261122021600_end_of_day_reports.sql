-- The report at the end of a session, and that of a location's day. For staff and above.

create function private.session_summary(p_session_id uuid) returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'session_id', s.id, 'register', r.code, 'currency', s.currency,
    'opened_at', s.opened_at, 'opened_by', s.opened_by,
    'closed_at', s.closed_at, 'closed_by', s.closed_by, 'note', s.note,
    'cash', jsonb_build_object(
      'opening', s.opening_cash,
      'received', coalesce((
        select sum(p.amount) from public.sales i join public.payments p on p.sale_id = i.id
        where i.session_id = s.id and p.method = 'cash'
      ), 0),
      'repaid', coalesce((
        select sum(p.amount) from public.refunds b join public.refund_payments p on p.refund_id = b.id
        where b.session_id = s.id and p.method = 'cash'
      ), 0),
      'put_in', coalesce((
        select sum(m.amount) from public.cash_movements m
        where m.session_id = s.id and m.amount > 0
      ), 0),
      'taken_out', coalesce((
        select -sum(m.amount) from public.cash_movements m
        where m.session_id = s.id and m.amount < 0
      ), 0),
      'expected', coalesce(s.expected_cash, private.expected_cash(s.id)),
      'counted', s.counted_cash, 'difference', s.difference
    )
  )
  from public.register_sessions s
  join public.registers r on r.id = s.register_id
  where s.id = p_session_id;
$$;

revoke all on function private.session_summary(uuid)
  from public, anon, authenticated, service_role;

create function private.end_of_day_report(p_session_id uuid) returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  summary jsonb;
begin
  perform private.require_role('staff');
  summary := private.session_summary(p_session_id);
  if summary is null then
    raise exception 'There is no session %', p_session_id using errcode = 'no_data_found';
  end if;
  return summary || (
    select private.takings(
        array[s.id], null, '-infinity', 'infinity', s.currency
      ) || jsonb_build_object(
        'receipts', private.receipt_series(array[s.id], null, '-infinity', 'infinity') -> 0
      )
    from public.register_sessions s
    where s.id = p_session_id
  );
end;
$$;

revoke all on function private.end_of_day_report(uuid)
  from public, anon, authenticated, service_role;

-- A session that is open over midnight belongs to both days, its sales each to their own.
create function private.location_day_report(p_location_id uuid, p_day date) returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  place public.locations;
  zone text;
  day date;
  day_start timestamptz;
  day_end timestamptz;
  sessions uuid[];
begin
  perform private.require_role('staff');
  select * into place from public.locations l where l.id = p_location_id;
  if not found then
    raise exception 'There is no location %', p_location_id using errcode = 'no_data_found';
  end if;

  select c.time_zone into zone from public.company_settings c;
  day := coalesce(p_day, timezone(zone, now())::date);
  -- A day that begins or ends with a clock change has 23 or 25 hours; its two ends know that.
  day_start := timezone(zone, day::timestamp);
  day_end := timezone(zone, (day + 1)::timestamp);

  -- By what happened there as well as by where the register stands now: it may have moved since.
  select coalesce(array_agg(x.id), '{}') into sessions
  from (
    select s.session_id as id from public.sales s
    where s.location_id = place.id and s.sold_at >= day_start and s.sold_at < day_end
    union
    select b.session_id from public.refunds b
    where b.location_id = place.id and b.refunded_at >= day_start and b.refunded_at < day_end
    union
    select s.id from public.registers r
    join public.register_sessions s on s.register_id = r.id
    where r.location_id = place.id and s.opened_at < day_end
      and coalesce(s.closed_at >= day_start, true)
  ) x;

  return jsonb_build_object(
    'location', place.name, 'location_id', place.id, 'day', day, 'time_zone', zone,
    'from', day_start, 'until', day_end,
    'sessions', (
      select coalesce(jsonb_agg(private.session_summary(s.id) order by s.opened_at, s.id), '[]')
      from public.register_sessions s where s.id = any (sessions)
    ),
    'currencies', (
      select coalesce(jsonb_agg(
        private.takings(sessions, place.id, day_start, day_end, c.currency) order by c.currency
      ), '[]')
      from (
        select distinct s.currency from public.register_sessions s where s.id = any (sessions)
      ) c
    ),
    'receipts', private.receipt_series(sessions, place.id, day_start, day_end)
  );
end;
$$;

revoke all on function private.location_day_report(uuid, date)
  from public, anon, authenticated, service_role;

create function public.end_of_day_report(session_id uuid) returns jsonb
language sql
stable
set search_path = ''
as $$
  select private.end_of_day_report($1);
$$;

comment on function public.end_of_day_report(uuid) is
  'A session in figures: sales, refunds, voids, their balance, discounts, taxes per rate, payments
  per method, cash expected and counted, and its receipts with proof that none is missing.';

revoke all on function public.end_of_day_report(uuid)
  from public, anon, authenticated, service_role;

create function public.location_day_report(location_id uuid, day date default null) returns jsonb
language sql
stable
set search_path = ''
as $$
  select private.location_day_report($1, $2);
$$;

comment on function public.location_day_report(uuid, date) is
  'A location''s day in the company''s time zone, today unless told otherwise: what
  end_of_day_report answers, over all its registers, with the cash of each session.';

revoke all on function public.location_day_report(uuid, date)
  from public, anon, authenticated, service_role;
