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

create function private.refresh_kpi_source(p_source text, p_max_days integer) returns integer
language plpgsql
set search_path = ''
as $$
declare
  zone text := (select s.time_zone from public.company_settings s);
  days date[];
begin
  -- Two refreshes of one source take turns, or the older answer could be written last.
  perform from public.kpi_sources s where s.key = p_source for no key update;

  select array_agg(d.day) into days
  from (
    select distinct (c.at at time zone zone)::date as day
    from public.kpi_changes c
    where c.source = p_source
    order by day desc
    limit p_max_days
  ) d;
  if days is null then
    return 0;
  end if;

  -- What commits from here on may be counted below already; its mark stays, and it is counted again.
  delete from public.kpi_changes c
  where c.source = p_source and (c.at at time zone zone)::date = any (days);

  with computed as materialized (
    select k.kpi_id, f.location_id, f.day, f.value, f.currency, f.numerator, f.denominator
    from private.compute_figures(p_source, days) f
    join public.kpi_computations k on k.source = p_source and k.measure = f.measure
  ),
  gone as (
    delete from public.kpi_snapshots s
    where s.source = p_source and s.day = any (days)
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

  update public.kpi_sources s set refreshed_at = now(), error_code = null where s.key = p_source;
  return cardinality(days);
end;
$$;

comment on function private.refresh_kpi_source(text, integer) is
  'Computes the newest changed days of a source, at most so many; answers how many. The rest stays
  marked.';

revoke all on function private.refresh_kpi_source(text, integer)
  from public, anon, authenticated, service_role;

create function private.refresh_kpis(p_max_days integer) returns integer
language plpgsql
set search_path = ''
as $$
declare
  source text;
  refreshed integer := 0;
begin
  -- A source that another session refreshes is left to it.
  for source in
    select s.key from public.kpi_sources s order by s.key for no key update skip locked
  loop
    begin
      refreshed := refreshed + private.refresh_kpi_source(source, p_max_days);
    exception when others then
      -- One source that fails keeps its marks, and keeps no other from being refreshed.
      update public.kpi_sources s set error_code = sqlstate where s.key = source;
    end;
  end loop;
  return refreshed;
end;
$$;

comment on function private.refresh_kpis(integer) is
  'Refreshes every source; answers how many days were computed. At most so many days each.';

revoke all on function private.refresh_kpis(integer) from public, anon, authenticated, service_role;

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
  return private.refresh_kpis(31);
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
