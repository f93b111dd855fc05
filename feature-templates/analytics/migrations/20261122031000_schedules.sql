-- Reports that come by themselves: when each is due, and what came of it.

create function private.next_run(
  p_frequency text, p_at_time time, p_weekday integer, p_day_of_month integer,
  p_time_zone text, p_after timestamptz
) returns timestamptz
language sql
stable
set search_path = ''
as $$
  -- A time that the clocks skip in spring is the hour after; one that comes twice in autumn is the
  -- second. Either way it comes once a day. Two months hold at least one day of every kind.
  select min(c.at)
  from (
    select (d.day + p_at_time) at time zone p_time_zone as at
    from (
      select (p_after at time zone p_time_zone)::date + n as day from generate_series(-1, 62) n
    ) d
    where case p_frequency
      when 'daily' then true
      when 'weekly' then extract(isodow from d.day) = p_weekday
      when 'monthly' then extract(day from d.day) = least(
        p_day_of_month,
        extract(day from date_trunc('month', d.day::timestamp) + interval '1 month -1 day')
      )
    end
  ) c
  where c.at > p_after;
$$;

comment on function private.next_run(text, time, integer, integer, text, timestamptz) is
  'The first moment after the given one at which a schedule is due, by the clock of a time zone. The
  31st is the last day of a shorter month.';

revoke all on function private.next_run(text, time, integer, integer, text, timestamptz)
  from public, anon, authenticated, service_role;

create table public.report_schedules (
  id uuid primary key default gen_random_uuid(),
  report_id uuid not null references public.reports (id) on delete cascade,
  owner_id uuid default auth.uid() references public.profiles (id) on delete set null,
  parameters jsonb not null default '{}',
  frequency text not null,
  at_time time not null,
  weekday integer,
  day_of_month integer,
  active boolean not null default true,
  next_run_at timestamptz not null,
  due_at timestamptz not null,
  last_run_at timestamptz,
  failures integer not null default 0,
  error_code text,
  error_message text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint report_schedules_parameters_object check (
    jsonb_typeof(parameters) = 'object' and length(parameters::text) <= 16384
  ),
  constraint report_schedules_frequency_whole check (
    case frequency
      when 'daily' then weekday is null and day_of_month is null
      when 'weekly' then coalesce(weekday between 1 and 7, false) and day_of_month is null
      when 'monthly' then weekday is null and coalesce(day_of_month between 1 and 31, false)
      else false
    end
  ),
  constraint report_schedules_failures_not_negative check (failures >= 0)
);

alter table public.report_schedules enable row level security;
revoke all on table public.report_schedules from public, anon, authenticated, service_role;

comment on table public.report_schedules is 'When which report is to be produced.';
comment on column public.report_schedules.owner_id is
  'Under whose rights it is produced; without an active owner, nothing is.';
comment on column public.report_schedules.at_time is 'By the clock of the company''s time zone.';
comment on column public.report_schedules.weekday is '1 is Monday; for weekly only.';
comment on column public.report_schedules.day_of_month is
  'For monthly only; in a shorter month, its last day.';
comment on column public.report_schedules.next_run_at is
  'Written by trigger and by run_due only. After a failure, when it is tried again.';
comment on column public.report_schedules.due_at is
  'The planned time of that run, which a later attempt keeps.';
comment on column public.report_schedules.error_code is
  'SQLSTATE of the last attempt, or owner_inactive; empty when it went well.';

create index report_schedules_report_id_idx on public.report_schedules (report_id);
create index report_schedules_owner_id_idx on public.report_schedules (owner_id);
create index report_schedules_due_idx on public.report_schedules (next_run_at) where active;

create trigger report_schedules_set_updated_at before update on public.report_schedules
  for each row execute function private.set_updated_at();

create function private.plan_schedule() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if tg_op = 'INSERT' and (
    select count(*) from public.report_schedules s where s.owner_id = new.owner_id
  ) >= 100 then
    raise exception 'Nobody keeps more than 100 schedules' using errcode = 'program_limit_exceeded';
  end if;
  -- What run_due puts to rest keeps what it says about why.
  if tg_op = 'INSERT' or new.active then
    new.failures := 0;
    new.error_code := null;
    new.error_message := null;
    -- A run that is due, or is tried again, comes before whatever was changed holds.
    if tg_op = 'UPDATE' and old.active and old.due_at <= now() then
      new.next_run_at := old.due_at;
      return new;
    end if;
    -- Of a frequency that nobody knows nothing can be said; the table's check refuses it.
    new.next_run_at := coalesce(private.next_run(
      new.frequency, new.at_time, new.weekday, new.day_of_month,
      (select s.time_zone from public.company_settings s), now()
    ), 'infinity');
    new.due_at := new.next_run_at;
  end if;
  return new;
end;
$$;

revoke all on function private.plan_schedule() from public, anon, authenticated, service_role;

create trigger report_schedules_plan
  before insert or update of report_id, parameters, frequency, at_time, weekday, day_of_month, active
  on public.report_schedules
  for each row execute function private.plan_schedule();

create function private.plan_schedules_again() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.report_schedules s set frequency = s.frequency where s.active;
  return null;
end;
$$;

revoke all on function private.plan_schedules_again()
  from public, anon, authenticated, service_role;

create trigger company_settings_plan_schedules after update on public.company_settings
  for each row when (new.time_zone is distinct from old.time_zone)
  execute function private.plan_schedules_again();

create table public.report_results (
  id bigint generated always as identity primary key,
  report_id uuid not null references public.reports (id) on delete cascade,
  schedule_id uuid not null,
  owner_id uuid,
  due_at timestamptz not null,
  produced_at timestamptz not null default now(),
  parameters jsonb not null,
  rows jsonb not null,
  -- What two workers produce at once is produced once.
  constraint report_results_one_per_run unique (schedule_id, due_at),
  constraint report_results_rows_list check (jsonb_typeof(rows) = 'array')
);

alter table public.report_results enable row level security;
revoke all on table public.report_results from public, anon, authenticated, service_role;
revoke all on sequence public.report_results_id_seq from public, anon, authenticated, service_role;

comment on table public.report_results is
  'What schedules produced, as it was then. Never changed; the oldest of each schedule go.';
comment on column public.report_results.schedule_id is
  'No foreign key: the result outlives its schedule.';
comment on column public.report_results.owner_id is
  'Under whose rights. No foreign key: the result outlives the account.';
comment on column public.report_results.due_at is 'When it was planned for.';
comment on column public.report_results.rows is 'As run_report answers them.';

create index report_results_report_id_idx on public.report_results (report_id, produced_at);

create trigger report_results_refuse_change before update or truncate on public.report_results
  for each statement execute function private.refuse_change();
