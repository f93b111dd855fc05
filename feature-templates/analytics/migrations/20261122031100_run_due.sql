-- What is due is produced when somebody asks; nothing here needs a clock inside the database.

create function private.produce_scheduled(
  p_schedule public.report_schedules, p_kept integer
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
    and (r.shared or r.owner_id is null or r.owner_id = p_schedule.owner_id);
  if not found then
    raise exception 'The owner of the schedule may not see the report'
      using errcode = 'insufficient_privilege';
  end if;

  insert into public.report_results (report_id, schedule_id, owner_id, due_at, parameters, rows)
  values (
    p_schedule.report_id, p_schedule.id, p_schedule.owner_id, p_schedule.due_at,
    p_schedule.parameters, private.report_rows(wanted, p_schedule.parameters)
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

revoke all on function private.produce_scheduled(public.report_schedules, integer)
  from public, anon, authenticated, service_role;

create function private.run_due(p_limit integer default 100)
returns table (produced integer, next_due_at timestamptz)
language plpgsql
set search_path = ''
as $$
declare
  schedule public.report_schedules;
  zone text := (select s.time_zone from public.company_settings s);
  kept integer := coalesce((select s.results_kept from public.analytics_settings s), 100);
  problem_code text;
  problem_message text;
begin
  produced := 0;
  perform private.refresh_kpis(100);

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
      perform private.produce_scheduled(schedule, kept);
      produced := produced + 1;
    exception when others then
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
  end loop;

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
  and when it wants to be called again, empty if nothing is planned. Safe to call from two sessions
  at once. Called by the service that keeps the backend; nobody may call it through the API.';

revoke all on function private.run_due(integer) from public, anon, authenticated, service_role;
