-- What the definition of a report may say. It is data through and through: words out of fixed lists,
-- days, ids and numbers. run_report reads it; no part of it ever becomes SQL.

-- Literals, each by the type that a parameter of its place would have.
create function private.literal_problem(p_type text, p_value jsonb) returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  written text := p_value #>> '{}';
begin
  if p_type = 'date' then
    if jsonb_typeof(p_value) <> 'string' or written !~ '^(19[7-9]\d|20\d\d|21\d\d)-\d\d-\d\d$' then
      return 'a day is written 2026-01-31, from 1970 to 2199';
    end if;
    begin
      perform make_date(left(written, 4)::integer, substr(written, 6, 2)::integer,
        right(written, 2)::integer);
    exception when datetime_field_overflow then
      return 'there is no such day';
    end;
    return null;
  elsif p_type = 'grouping' then
    return case when jsonb_typeof(p_value) <> 'string'
      or written not in ('none', 'day', 'week', 'month', 'location')
      then 'groups are none, day, week, month or location' end;
  elsif p_type = 'comparison' then
    return case when jsonb_typeof(p_value) <> 'string'
      or written not in ('none', 'previous_period', 'previous_month', 'previous_year')
      then 'a comparison is none, previous_period, previous_month or previous_year' end;
  elsif p_type = 'limit' then
    return case when jsonb_typeof(p_value) <> 'number' or written !~ '^[1-9]\d{0,4}$'
      or written::integer > 10000
      then 'a limit is a whole number from 1 to 10000' end;
  elsif p_type in ('locations', 'weekdays') then
    if jsonb_typeof(p_value) <> 'array' or jsonb_array_length(p_value) not between 1 and 100 then
      return format('%s are a list of 1 to 100', p_type);
    end if;
    if p_type = 'locations' and exists (
      select from jsonb_array_elements(p_value) e
      where jsonb_typeof(e.value) <> 'string' or e.value #>> '{}' !~
        '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
    ) then
      return 'locations are ids';
    end if;
    if p_type = 'weekdays' and exists (
      select from jsonb_array_elements(p_value) e
      where jsonb_typeof(e.value) <> 'number' or e.value #>> '{}' !~ '^[1-7]$'
    ) then
      return 'weekdays are numbers from 1, Monday, to 7';
    end if;
    if (select count(*) > count(distinct e.value) from jsonb_array_elements(p_value) e) then
      return format('%s are given once each', p_type);
    end if;
    return null;
  end if;
  return 'a parameter is a date, grouping, comparison, limit, locations or weekdays';
end;
$$;

revoke all on function private.literal_problem(text, jsonb)
  from public, anon, authenticated, service_role;

-- The places that take a literal or {"parameter": name}, and the type of each.
create function private.definition_places(p_definition jsonb)
returns table (place text, type text, value jsonb)
language sql
immutable
set search_path = ''
as $$
  select p.place, p.type, p_definition #> p.path
  from (values
    ('from', 'date', array['from']),
    ('to', 'date', array['to']),
    ('group_by', 'grouping', array['group_by']),
    ('compare', 'comparison', array['compare']),
    ('limit', 'limit', array['limit']),
    ('filters.locations', 'locations', array['filters', 'locations']),
    ('filters.weekdays', 'weekdays', array['filters', 'weekdays'])
  ) as p (place, type, path)
  where p_definition #> p.path is not null;
$$;

revoke all on function private.definition_places(jsonb)
  from public, anon, authenticated, service_role;

create function private.parameters_problem(p_parameters jsonb) returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  given record;
  problem text;
begin
  if jsonb_typeof(p_parameters) <> 'object' then
    return 'parameters are an object';
  end if;
  if (select count(*) from jsonb_object_keys(p_parameters)) > 20 then
    return 'there are more than 20 parameters';
  end if;
  for given in select p.key, p.value from jsonb_each(p_parameters) p loop
    if given.key !~ '^[a-z][a-z0-9_]{0,62}$' then
      return 'a parameter''s name is of small letters, digits and underscores';
    end if;
    if jsonb_typeof(given.value) <> 'object'
      or given.value - array['type', 'label', 'default'] <> '{}'
      or jsonb_typeof(given.value -> 'type') is distinct from 'string'
    then
      return format('the parameter %s has a type, and may have a label and a default', given.key);
    end if;
    if given.value ? 'label' and (
      jsonb_typeof(given.value -> 'label') <> 'string' or length(given.value ->> 'label') > 120
    ) then
      return format('the label of %s is a text of at most 120 letters', given.key);
    end if;
    problem := case
      when given.value ? 'default'
        then private.literal_problem(given.value ->> 'type', given.value -> 'default')
      when given.value ->> 'type'
        not in ('date', 'grouping', 'comparison', 'limit', 'locations', 'weekdays')
        then private.literal_problem('', null)
    end;
    if problem is not null then
      return format('parameter %s: %s', given.key, problem);
    end if;
  end loop;
  return null;
end;
$$;

revoke all on function private.parameters_problem(jsonb)
  from public, anon, authenticated, service_role;

create function private.definition_problem(p_definition jsonb) returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  parameters jsonb := coalesce(p_definition -> 'parameters', '{}');
  unknown text;
  problem text;
  used record;
begin
  if jsonb_typeof(p_definition) is distinct from 'object' then
    return 'a definition is an object';
  end if;
  select k.key into unknown
  from jsonb_object_keys(p_definition) k (key)
  where k.key not in ('kpis', 'period', 'from', 'to', 'group_by', 'compare', 'limit', 'filters',
    'parameters', 'view')
  limit 1;
  if unknown is not null then
    return format('the key %s is unknown', left(unknown, 60));
  end if;
  if jsonb_typeof(p_definition -> 'kpis') is distinct from 'array'
    or jsonb_array_length(p_definition -> 'kpis') not between 1 and 50
    or exists (
      select from jsonb_array_elements(p_definition -> 'kpis') e
      where jsonb_typeof(e.value) <> 'string' or e.value #>> '{}' !~ '^[a-z][a-z0-9_]{0,62}$'
    )
  then
    return 'kpis are a list of 1 to 50 keys of key figures';
  end if;
  if (
    select count(*) > count(distinct e.value) from jsonb_array_elements(p_definition -> 'kpis') e
  ) then
    return 'kpis are given once each';
  end if;
  if jsonb_typeof(p_definition -> 'period') is distinct from 'string'
    or p_definition ->> 'period' not in (
      'today', 'last_7_days', 'last_30_days', 'this_month', 'last_month', 'this_year'
    )
  then
    return 'period is today, last_7_days, last_30_days, this_month, last_month or this_year';
  end if;
  if p_definition ? 'from' <> p_definition ? 'to' then
    return 'from and to come together';
  end if;
  if p_definition ? 'filters' and (
    jsonb_typeof(p_definition -> 'filters') <> 'object'
    or (p_definition -> 'filters') - array['locations', 'weekdays'] <> '{}'
  ) then
    return 'filters are locations and weekdays';
  end if;
  if p_definition ? 'view' and (
    jsonb_typeof(p_definition -> 'view') <> 'object' or length((p_definition -> 'view')::text) > 8000
  ) then
    return 'view is an object of at most 8000 letters';
  end if;
  problem := private.parameters_problem(parameters);
  if problem is not null then
    return problem;
  end if;

  for used in select * from private.definition_places(p_definition) loop
    if jsonb_typeof(used.value) <> 'object' then
      problem := private.literal_problem(used.type, used.value);
    elsif used.value - 'parameter' <> '{}'
      or parameters #>> array[used.value ->> 'parameter', 'type'] is distinct from used.type
    then
      problem := format('it takes a parameter of the type %s', used.type);
    end if;
    if problem is not null then
      return format('%s: %s', used.place, problem);
    end if;
  end loop;
  return null;
end;
$$;

comment on function private.definition_problem(jsonb) is
  'What is wrong with the definition of a report, in a sentence; empty when it is right.';

revoke all on function private.definition_problem(jsonb)
  from public, anon, authenticated, service_role;

create function private.check_definition() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  problem text;
begin
  -- What was saved before definitions were checked stays as it is until somebody changes it.
  if tg_op = 'INSERT' or new.definition is distinct from old.definition then
    problem := private.definition_problem(new.definition);
    if problem is not null then
      raise exception 'The definition is refused: %', problem
        using errcode = 'check_violation', constraint = tg_table_name || '_definition_valid';
    end if;
  end if;
  return new;
end;
$$;

revoke all on function private.check_definition() from public, anon, authenticated, service_role;

create trigger reports_check_definition before insert or update of definition on public.reports
  for each row execute function private.check_definition();

comment on column public.reports.definition is
  '{"kpis": [key, …], "period": "last_30_days"} and, if wanted, "from" and "to" instead of the
  period, "group_by", "compare", "limit", "filters": {"locations", "weekdays"}, "parameters":
  {name: {"type", "label", "default"}} to put {"parameter": name} in place of a value, and "view" for
  screens. Never SQL.';
