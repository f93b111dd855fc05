-- What is due is produced when somebody asks; nothing here needs a clock inside the database.

create function private.produce_scheduled(
  p_schedule public.report_schedules, p_kept integer, p_time_zone text
) returns void
language plpgsql
set search_path = ''
as $$
declare
  wanted jsonb;
begin
  -- What the policy of reports lets the owner see. Figures are open to every member, so there is
  -- nothing else that the owner's own session would be refused.
  select r.definition into wanted
  from public.reports r
  where r.id = p_schedule.report_id
    and (r.shared or r.owner_id = p_schedule.owner_id or (
      r.owner_id is null and exists (
        select from public.members m
        where m.user_id = p_schedule.owner_id and m.active and m.role >= 'manager'
      )
    ));
  if not found then
    raise exception 'The owner of the schedule may not see the report'
      using errcode = 'insufficient_privilege';
  end if;

  -- The report of a day is of that day, however late it is produced.
  insert into public.report_results (report_id, schedule_id, owner_id, due_at, parameters, rows)
  values (
    p_schedule.report_id, p_schedule.id, p_schedule.owner_id, p_schedule.due_at,
    p_schedule.parameters, private.report_rows(
      wanted, p_schedule.parameters, (p_schedule.due_at at time zone p_time_zone)::date
    )
  )
  on conflict on constraint report_results_one_per_run do nothing;

  delete from public.report_results r
  where r.schedule_id = p_schedule.id and r.id not in (
    select k.id from public.report_results k
    where k.schedule_id = p_schedule.id
    order by k.due_at desc
    limit p_kept
  );
end;
$$;

revoke all on function private.produce_scheduled(public.report_schedules, integer, text)
  from public, anon, authenticated, service_role;

create function private.produce_due(p_limit integer, p_until timestamptz) returns integer
language plpgsql
set search_path = ''
as $$
declare
  schedule public.report_schedules;
  zone text := (select s.time_zone from public.company_settings s);
  kept integer := coalesce((select s.results_kept from public.analytics_settings s), 100);
  problem_code text;
  problem_message text;
  produced integer := 0;
begin
  -- Who calls at the same moment gets the others, or none.
  for schedule in
    select * from public.report_schedules s
    where s.active and s.next_run_at <= now()
    order by s.next_run_at, s.id
    limit least(greatest(coalesce(p_limit, 100), 1), 1000)
    for update skip locked
  loop
    if not exists (
      select from public.members m
      where m.user_id = schedule.owner_id and m.active and m.role >= 'staff'
    ) then
      update public.report_schedules s
      set active = false, error_code = 'owner_inactive',
        error_message = 'Its owner is no longer an active member who may keep schedules'
      where s.id = schedule.id;
      continue;
    end if;

    problem_code := null;
    begin
      perform private.produce_scheduled(schedule, kept, zone);
      produced := produced + 1;
    -- Others leaves out what the caller's time limit cancels, which must count against the report too.
    exception when query_canceled or others then
      problem_code := sqlstate;
      problem_message := left(sqlerrm, 500);
    end;

    -- After a long pause the next run is the next that is still to come: one is made up for, not all.
    update public.report_schedules s
    set last_run_at = now(),
      failures = case when problem_code is null then 0 else s.failures + 1 end,
      error_code = problem_code,
      error_message = case when problem_code is not null then problem_message end,
      next_run_at = case
        when problem_code is null then p.next_run_at
        else now() + least(interval '5 minutes' * 2 ^ least(s.failures, 10), interval '1 day')
      end,
      due_at = case when problem_code is null then p.next_run_at else s.due_at end
    from (select private.next_run(
      schedule.frequency, schedule.at_time, schedule.weekday, schedule.day_of_month, zone, now()
    ) as next_run_at) p
    where s.id = schedule.id;
    -- A limit cancels once: what is left would run without one, and is left to the next call.
    exit when problem_code = '57014' or clock_timestamp() >= p_until;
  end loop;
  return produced;
end;
$$;

comment on function private.produce_due(integer, timestamptz) is
  'Produces the reports that are due, at most so many, and begins none after a moment but the first;
  answers how many.';

revoke all on function private.produce_due(integer, timestamptz)
  from public, anon, authenticated, service_role;

create function private.run_due(p_limit integer default 100)
returns table (produced integer, next_due_at timestamptz)
language plpgsql
set search_path = ''
as $$
declare
  -- The caller gives a call a minute; what has not begun by then is left to the next one.
  began constant timestamptz := clock_timestamp();
  slow text[];
begin
  produced := 0;
  -- Reports are of figures that are up to date: whoever refreshes them at this moment is waited for,
  -- or is left to produce what is due.
  begin
    perform from public.kpi_sources s order by s.key for no key update;
  exception when lock_not_available or query_canceled then
    next_due_at := now();
    return next;
    return;
  end;

  slow := array(select s.key from public.kpi_sources s where s.error_code = '57014');
  perform private.refresh_kpis(100, began + interval '10 seconds', false);
  -- A limit cancels once. Had it cancelled the refresh, the rest would run without one.
  if cardinality(slow) = (
    select count(*) from public.kpi_sources s where s.error_code = '57014'
  ) then
    produced := private.produce_due(p_limit, began + interval '20 seconds');
    -- What was too slow last time comes last, lest no report be produced for its sake.
    if clock_timestamp() < began + interval '20 seconds' then
      perform private.refresh_kpis(100, began + interval '20 seconds', true);
    end if;
  end if;

  -- Changes that the refresh did not get to are due at once, unless their source fails.
  select least(
    (select min(s.next_run_at) from public.report_schedules s where s.active),
    (select now() where exists (
      select from public.kpi_changes c
      join public.kpi_sources s on s.key = c.source
      where s.error_code is null
    ))
  ) into next_due_at;
  return next;
end;
$$;

comment on function private.run_due(integer) is
  'Refreshes key figures and produces the reports that are due, at most so many; answers how many,
  and when it wants to be called again, empty if nothing is planned. Stops beginning new work after 20
  seconds. Safe to call from two sessions at once. Called by the service that keeps the backend;
  nobody may call it through the API.';

revoke all on function private.run_due(integer) from public, anon, authenticated, service_role;
