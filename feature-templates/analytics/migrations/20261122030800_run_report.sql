-- Running a report: the definition with its parameters filled in, then the figures. With the rights
-- of whoever runs it: the policies of reports, kpis and kpi_snapshots decide what is found.

create function private.bind_parameters(p_definition jsonb, p_parameters jsonb) returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  declared jsonb := coalesce(p_definition -> 'parameters', '{}');
  given jsonb := coalesce(nullif(p_parameters, 'null'), '{}');
  bound jsonb := p_definition;
  parameter record;
  used record;
  name text;
  answer jsonb;
  problem text;
begin
  if jsonb_typeof(given) <> 'object' then
    raise exception 'Parameters are an object' using errcode = 'invalid_parameter_value';
  end if;
  for parameter in select p.key, p.value from jsonb_each(given) p loop
    if not declared ? parameter.key then
      raise exception 'The report has no parameter %', left(parameter.key, 60)
        using errcode = 'invalid_parameter_value';
    end if;
    problem := private.literal_problem(declared #>> array[parameter.key, 'type'], parameter.value);
    if problem is not null then
      raise exception 'The parameter %: %', parameter.key, problem
        using errcode = 'invalid_parameter_value';
    end if;
  end loop;

  for used in
    select p.place, p.value ->> 'parameter' as name
    from private.definition_places(p_definition) p
    where jsonb_typeof(p.value) = 'object'
  loop
    name := used.name;
    answer := coalesce(given -> name, declared #> array[name, 'default']);
    if answer is null then
      raise exception 'The parameter % is missing', name using errcode = 'invalid_parameter_value';
    end if;
    bound := jsonb_set(bound, string_to_array(used.place, '.'), answer);
  end loop;
  return bound;
end;
$$;

comment on function private.bind_parameters(jsonb, jsonb) is
  'A definition with a literal in the place of each parameter. Raises 22023 for a parameter that is
  unknown, missing or of another type.';

revoke all on function private.bind_parameters(jsonb, jsonb)
  from public, anon, authenticated, service_role;

create function private.named_period(p_name text, p_today date) returns private.period
language sql
immutable
set search_path = ''
as $$
  select case p_name
    when 'today' then row(p_today, p_today)::private.period
    when 'last_7_days' then row(p_today - 6, p_today)::private.period
    when 'last_30_days' then row(p_today - 29, p_today)::private.period
    when 'this_month' then row(date_trunc('month', p_today::timestamp)::date, p_today)::private.period
    when 'last_month' then row(
      (date_trunc('month', p_today::timestamp) - interval '1 month')::date,
      date_trunc('month', p_today::timestamp)::date - 1
    )::private.period
    when 'this_year' then row(date_trunc('year', p_today::timestamp)::date, p_today)::private.period
  end;
$$;

revoke all on function private.named_period(text, date)
  from public, anon, authenticated, service_role;

-- The parts of a period, the first and the last cut off where the period begins and ends.
create function private.period_parts(p_from date, p_to date, p_grouping text)
returns table (starts_on date, from_day date, to_day date)
language sql
stable
set search_path = ''
as $$
  with starts as (
    select distinct case p_grouping
      when 'day' then d.day
      when 'month' then date_trunc('month', d.day::timestamp)::date
      when 'week' then d.day - case
        when exists (select from public.analytics_settings s where s.week_start = 'sunday')
          then extract(dow from d.day)::integer
        else extract(isodow from d.day)::integer - 1
      end
      else p_from
    end as day
    from (select p_from + n as day from generate_series(0, p_to - p_from) n) d
  )
  select s.day, greatest(s.day, p_from),
    coalesce(lead(s.day) over (order by s.day) - 1, p_to)
  from starts s;
$$;

revoke all on function private.period_parts(date, date, text)
  from public, anon, authenticated, service_role;

-- A period before is one of the same kind: what kind, the report says, not what its dates look like.
create function private.comparison_wanted(p_definition jsonb) returns text
language sql
immutable
set search_path = ''
as $$
  select case
    when coalesce(p_definition ->> 'compare', 'none') <> 'previous_period'
      then nullif(p_definition ->> 'compare', 'none')
    when p_definition ->> 'group_by' = 'week' then 'previous_week'
    when p_definition ->> 'group_by' = 'month' then 'previous_month'
    when p_definition ->> 'group_by' = 'day' or p_definition ? 'from' then 'previous_period'
    when p_definition ->> 'period' in ('this_month', 'last_month') then 'previous_month'
    when p_definition ->> 'period' = 'this_year' then 'previous_year'
    else 'previous_period'
  end;
$$;

revoke all on function private.comparison_wanted(jsonb)
  from public, anon, authenticated, service_role;

create function private.report_rows(
  p_definition jsonb, p_parameters jsonb, p_today date default null
) returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  -- A definition from before they were checked says its figures and its period; what else it holds
  -- was meant for a screen.
  definition jsonb := private.bind_parameters(
    case
      when private.definition_problem(p_definition) is null then p_definition
      else jsonb_build_object('kpis', p_definition -> 'kpis', 'period', p_definition -> 'period')
    end,
    p_parameters
  );
  grouping text := coalesce(definition ->> 'group_by', 'none');
  comparison text := private.comparison_wanted(definition);
  weekdays integer[];
  wanted uuid[];
  period private.period;
  home text;
  today date;
  -- What a report may look up: each row once per location, and once more where it is compared.
  most constant integer := 10000;
  lookups bigint;
  answer jsonb;
begin
  select s.currency, coalesce(p_today, (now() at time zone s.time_zone)::date) into home, today
  from public.company_settings s;
  period := private.named_period(definition ->> 'period', today);
  if definition ? 'from' then
    period := row((definition ->> 'from')::date, (definition ->> 'to')::date)::private.period;
  end if;
  if period.from_day > period.to_day or period.to_day > period.from_day + 3660 then
    raise exception 'A period goes from a day to the same or a later one, over ten years at most'
      using errcode = 'invalid_parameter_value';
  end if;

  select array_agg((e.value #>> '{}')::integer) into weekdays
  from jsonb_array_elements(definition #> '{filters,weekdays}') e;
  select array_agg(distinct (e.value #>> '{}')::uuid) into wanted
  from jsonb_array_elements(definition #> '{filters,locations}') e;

  select jsonb_array_length(definition -> 'kpis') * case grouping
    when 'location' then (
      select count(*) from public.locations l where wanted is null or l.id = any (wanted)
    )
    else (select count(*) from private.period_parts(period.from_day, period.to_day, grouping))
      * coalesce(cardinality(wanted), 1)
  end * case when comparison is null then 1 else 2 end into lookups;
  if lookups > most then
    raise exception 'The report would look up % values, over % at most', lookups, most
      using errcode = 'program_limit_exceeded',
        hint = 'Take a shorter period, larger groups or fewer locations.';
  end if;

  with kpis as (
    select k.id, k.key, k.unit, k.aggregation, min(e.number) as number
    from jsonb_array_elements_text(definition -> 'kpis') with ordinality e (key, number)
    join public.kpis k on k.key = e.key
    group by k.id
  ),
  groups as (
    select p.starts_on::text as label, p.from_day, p.to_day, wanted as locations, p.starts_on::text as place
    from private.period_parts(period.from_day, period.to_day, grouping) p
    where grouping <> 'location'
    union all
    select l.id::text, period.from_day, period.to_day, array[l.id], l.code
    from public.locations l
    where grouping = 'location' and (wanted is null or l.id = any (wanted))
  ),
  cells as (
    select g.label, g.place, g.from_day, g.to_day, k.key, k.number, k.unit,
      private.kpi_value(
        k.id, k.aggregation, g.from_day, g.to_day, g.locations, weekdays, home
      ) as value,
      case when comparison is not null then private.kpi_value(
        k.id, k.aggregation, (c.before).from_day, (c.before).to_day, g.locations, weekdays, home
      ) end as before
    from groups g
    cross join kpis k
    cross join lateral (
      select private.comparison_period(g.from_day, g.to_day, comparison) as before
    ) c
    order by g.place, k.number
    limit coalesce((definition ->> 'limit')::integer, most)
  )
  select coalesce(jsonb_agg(
    jsonb_build_object(
      'kpi', c.key, 'from', c.from_day, 'to', c.to_day, 'value', c.value,
      'currency', case when c.unit = 'money' then home end
    )
    || case when grouping = 'none' then '{}' else jsonb_build_object('group', c.label) end
    || case when comparison is null then '{}' else jsonb_build_object(
      'comparison_value', c.before, 'change', c.value - c.before,
      'change_percent', private.change_percent(c.value, c.before)
    ) end
    order by c.place, c.number
  ), '[]') into answer
  from cells c;
  return answer;
end;
$$;

comment on function private.report_rows(jsonb, jsonb, date) is
  'The rows of a report, as a list of objects, as of a day, which is today unless given. Raises 22023
  for parameters that do not fit, 54000 for a report that is too large.';

revoke all on function private.report_rows(jsonb, jsonb, date)
  from public, anon, authenticated, service_role;

create function public.run_report(report_id uuid, parameters jsonb default '{}') returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  wanted jsonb;
begin
  select r.definition into wanted from public.reports r where r.id = $1;
  if not found then
    raise exception 'There is no report %', $1 using errcode = 'no_data_found';
  end if;
  return private.report_rows(wanted, $2);
end;
$$;

comment on function public.run_report(uuid, jsonb) is
  'Runs a report: a list of {kpi, from, to, value, currency}, with group where it is grouped and
  comparison_value, change, change_percent where it is compared. The previous_period of months is the
  month before, of weeks the week before, of a year the year before, of anything else as many days
  before. A figure that no longer exists is left out.';

revoke all on function public.run_report(uuid, jsonb)
  from public, anon, authenticated, service_role;
