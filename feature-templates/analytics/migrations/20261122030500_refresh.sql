-- Computing what has changed, and nothing else.

-- The one place where a function's name comes from a row: a row that only migrations write, of a
-- form that allows no more than a name, in one schema.
create function private.compute_figures(p_source text, p_days date[])
returns setof private.computed_figure
language plpgsql
set search_path = ''
as $$
declare
  compute name := (select s.compute_function from public.kpi_sources s where s.key = p_source);
begin
  return query execute format('select * from private.%I($1)', compute) using p_days;
end;
$$;

revoke all on function private.compute_figures(text, date[])
  from public, anon, authenticated, service_role;

create function private.mark_everything(p_source text) returns void
language plpgsql
set search_path = ''
as $$
declare
  mark name := (select s.mark_function from public.kpi_sources s where s.key = p_source);
begin
  execute format('select private.%I()', mark);
end;
$$;

comment on function private.mark_everything(text) is
  'Has all days of a source computed again by the refreshes to come.';

revoke all on function private.mark_everything(text) from public, anon, authenticated, service_role;

create function private.refresh_kpi_days(p_source text, p_days date[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  zone text := (select s.time_zone from public.company_settings s);
  -- What the columns take. A slip of somebody's must not stop the figures.
  most constant numeric := 99999999999999;
  most_part constant numeric := 99999999999999999999999;
begin
  -- What commits from here on may be counted below already; its mark stays, and it is counted again.
  delete from public.kpi_changes c
  where c.source = p_source and (c.at at time zone zone)::date = any (p_days);

  with computed as materialized (
    select k.kpi_id, f.location_id, f.day, f.currency,
      least(greatest(f.value, -most), most) as value,
      -- Of nothing and a limit, least and greatest would take the limit.
      case when f.numerator is not null
        then least(greatest(f.numerator, -most_part), most_part) end as numerator,
      case when f.denominator is not null
        then least(greatest(f.denominator, -most_part), most_part) end as denominator
    from private.compute_figures(p_source, p_days) f
    join public.kpi_computations k on k.source = p_source and k.measure = f.measure
  ),
  gone as (
    delete from public.kpi_snapshots s
    where s.source = p_source and s.day = any (p_days)
      and s.kpi_id in (select k.kpi_id from public.kpi_computations k where k.source = p_source)
      and not exists (
        select from computed c
        where c.kpi_id = s.kpi_id and c.day = s.day
          and c.location_id is not distinct from s.location_id
      )
  )
  insert into public.kpi_snapshots as s (
    kpi_id, location_id, day, value, currency, numerator, denominator, source, recorded_by
  )
  select c.kpi_id, c.location_id, c.day, c.value, c.currency, c.numerator, c.denominator, p_source,
    null
  from computed c
  on conflict on constraint kpi_snapshots_one_per_day do update set
    value = excluded.value, currency = excluded.currency,
    numerator = excluded.numerator, denominator = excluded.denominator
  -- A value by hand, from before the figure was computed, stays what its company made it.
  where s.source is not null
    and (s.value, s.currency, s.numerator, s.denominator)
      is distinct from (excluded.value, excluded.currency, excluded.numerator, excluded.denominator);
end;
$$;

comment on function private.refresh_kpi_days(text, date[]) is
  'Computes these days of a source, and takes their marks away.';

revoke all on function private.refresh_kpi_days(text, date[])
  from public, anon, authenticated, service_role;

create function private.refresh_kpi_source(
  p_source text, p_max_days integer, p_until timestamptz
) returns integer
language plpgsql
set search_path = ''
as $$
declare
  days date[];
  portion date[];
  -- After a failure day by day, so that one day that cannot be computed holds up no other.
  step integer := case
    when exists (
      select from public.kpi_sources s where s.key = p_source and s.error_code is not null
    ) then 1
    else 10
  end;
  at integer := 1;
  refreshed integer := 0;
  problem text;
begin
  -- Two refreshes of one source take turns, or the older answer could be written last.
  perform from public.kpi_sources s where s.key = p_source for no key update;

  select array_agg(d.day) into days
  from (
    select distinct (c.at at time zone z.time_zone)::date as day
    from public.kpi_changes c
    cross join public.company_settings z
    where c.source = p_source
    order by day desc
    limit p_max_days
  ) d;

  while at <= coalesce(cardinality(days), 0) and (at = 1 or clock_timestamp() < p_until) loop
    portion := days[at:at + step - 1];
    begin
      perform private.refresh_kpi_days(p_source, portion);
      refreshed := refreshed + cardinality(portion);
      at := at + step;
    exception
      when query_canceled then
        -- The time of the whole call is up.
        problem := sqlstate;
        exit;
      when others then
        -- A day that fails keeps its marks.
        problem := sqlstate;
        at := at + case step when 1 then 1 else 0 end;
        step := 1;
    end;
  end loop;

  update public.kpi_sources s
  set refreshed_at = case when refreshed > 0 or days is null then now() else s.refreshed_at end,
    error_code = problem
  where s.key = p_source and (days is not null or s.error_code is not null);
  return refreshed;
end;
$$;

comment on function private.refresh_kpi_source(text, integer, timestamptz) is
  'Computes the newest changed days of a source, at most so many, and begins none after a moment;
  answers how many. The rest stays marked, as does what could not be computed.';

revoke all on function private.refresh_kpi_source(text, integer, timestamptz)
  from public, anon, authenticated, service_role;

create function private.refresh_kpis(
  p_max_days integer, p_until timestamptz default 'infinity', p_slow boolean default null
) returns integer
language plpgsql
set search_path = ''
as $$
declare
  source text;
  refreshed integer := 0;
begin
  -- A source that another session refreshes is left to it.
  for source in
    select s.key from public.kpi_sources s
    where p_slow is null or (s.error_code is not distinct from '57014') = p_slow
    order by s.key
    for no key update skip locked
  loop
    refreshed := refreshed + private.refresh_kpi_source(source, p_max_days, p_until);
  end loop;
  return refreshed;
end;
$$;

comment on function private.refresh_kpis(integer, timestamptz, boolean) is
  'Refreshes every source, or those alone that were too slow last time, or were not; answers how many
  days were computed. At most so many days each, and after a moment one portion of each at most.';

revoke all on function private.refresh_kpis(integer, timestamptz, boolean)
  from public, anon, authenticated, service_role;

create function private.refresh_kpis_for_member() returns integer
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform private.require_role('staff');
  -- Whoever asks wants what is there now, and waits for a refresh that began before.
  perform from public.kpi_sources s order by s.key for no key update;
  -- Few days, for somebody waits; the regular refresh takes the rest.
  return private.refresh_kpis(31, clock_timestamp() + interval '4 seconds');
end;
$$;

revoke all on function private.refresh_kpis_for_member()
  from public, anon, authenticated, service_role;

create function public.refresh_kpis() returns integer
language sql
set search_path = ''
as $$
  select private.refresh_kpis_for_member();
$$;

comment on function public.refresh_kpis() is
  'Brings computed key figures up to date now; answers how many days were computed. For staff.';

revoke all on function public.refresh_kpis() from public, anon, authenticated, service_role;

create or replace function public.record_kpi_snapshot(
  kpi_key text, day date, value numeric, location_id uuid default null
) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  recorded bigint;
begin
  if exists (
    select from public.kpis k
    join public.kpi_computations c on c.kpi_id = k.id
    where k.key = $1
  ) then
    raise exception 'The key figure % is computed, and is not recorded by hand', $1
      using errcode = 'object_not_in_prerequisite_state';
  end if;

  insert into public.kpi_snapshots as s (kpi_id, location_id, day, value)
  select k.id, $4, $2, $3 from public.kpis k where k.key = $1
  on conflict on constraint kpi_snapshots_one_per_day
  do update set
    value = excluded.value, currency = excluded.currency, recorded_by = auth.uid()
  returning s.id into recorded;

  if recorded is null then
    raise exception 'There is no key figure %', $1 using errcode = 'no_data_found';
  end if;
  return recorded;
end;
$$;

-- Days begin and end elsewhere in another time zone, and money is counted in the new currency.
create function private.mark_after_settings() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform private.mark_everything(s.key) from public.kpi_sources s;
  return null;
end;
$$;

revoke all on function private.mark_after_settings() from public, anon, authenticated, service_role;

create trigger company_settings_mark_kpis after update on public.company_settings
  for each row
  when (new.time_zone is distinct from old.time_zone or new.currency is distinct from old.currency)
  execute function private.mark_after_settings();
