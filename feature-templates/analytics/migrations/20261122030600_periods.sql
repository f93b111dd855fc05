-- What a key figure came to in a period, and in the period to compare it with. Everything here runs
-- with its caller's rights: the policies of kpi_snapshots decide what is counted.

create function private.kpi_value(
  p_kpi_id uuid, p_aggregation text, p_from date, p_to date,
  p_locations uuid[], p_weekdays integer[], p_currency text
) returns numeric
language sql
stable
set search_path = ''
as $$
  -- One look into the index per location; "is not distinct from" would read every location's days.
  select case p_aggregation
    -- Where it stood at the end, per location; a day without a value leaves it where it was.
    when 'last' then (
      select sum(v.value)
      from (
        (
          select s.value
          from public.kpi_snapshots s
          where p_locations is null and s.kpi_id = p_kpi_id and s.location_id is null
            and s.day <= p_to
            and (p_weekdays is null or extract(isodow from s.day) = any (p_weekdays))
            and (s.currency is null or s.currency = p_currency)
          order by s.day desc
          limit 1
        )
        union all
        select n.value
        from unnest(p_locations) l (id)
        cross join lateral (
          select s.value
          from public.kpi_snapshots s
          where s.kpi_id = p_kpi_id and s.location_id = l.id and s.day <= p_to
            and (p_weekdays is null or extract(isodow from s.day) = any (p_weekdays))
            and (s.currency is null or s.currency = p_currency)
          order by s.day desc
          limit 1
        ) n
      ) v
    )
    else (
      select case
        when p_aggregation = 'sum' and count(*) = 0 and exists (
          select from public.kpi_computations c where c.kpi_id = p_kpi_id
        ) then 0
        when p_aggregation = 'sum' then sum(v.value) filter (where v.counts)
        else round(
          sum(coalesce(v.numerator, v.value)) filter (where v.counts)
            / nullif(sum(coalesce(v.denominator, 1)) filter (where v.counts), 0), 6
        )
      end
      from (
        select s.day, s.value, s.numerator, s.denominator,
          s.currency is null or s.currency = p_currency as counts
        from public.kpi_snapshots s
        where p_locations is null and s.kpi_id = p_kpi_id and s.location_id is null
          and s.day between p_from and p_to
        union all
        select n.*
        from unnest(p_locations) l (id)
        cross join lateral (
          select s.day, s.value, s.numerator, s.denominator,
            s.currency is null or s.currency = p_currency
          from public.kpi_snapshots s
          where s.kpi_id = p_kpi_id and s.location_id = l.id and s.day between p_from and p_to
          offset 0
        ) n
      ) v
      where p_weekdays is null or extract(isodow from v.day) = any (p_weekdays)
    )
  end;
$$;

comment on function private.kpi_value(uuid, text, date, date, uuid[], integer[], text) is
  'sum adds the days up; average is the sum of numerators by the sum of denominators; last is the
  newest value up to the end. Locations empty: the company. Weekdays: 1 is Monday. Money in another
  currency than the one given is not counted. A computed sum of no days is 0, for nothing happened;
  of one recorded by hand nothing is known.';

revoke all on function private.kpi_value(uuid, text, date, date, uuid[], integer[], text)
  from public, anon, authenticated, service_role;

create type private.period as (
  from_day date,
  to_day date
);

comment on type private.period is 'From the first day to the last, both counted.';

create function private.comparison_period(p_from date, p_to date, p_against text)
returns private.period
language sql
immutable
set search_path = ''
as $$
  select case
    when p_against = 'previous_period'
      then row(p_from - (p_to - p_from + 1), p_from - 1)::private.period
    when p_against = 'previous_week' then row(p_from - 7, p_to - 7)::private.period
    when a.step is not null then row(
      (p_from::timestamp - a.step)::date,
      case
        -- The whole of February is the whole of a month or year before, whatever its length.
        when extract(day from p_from) = 1 and extract(day from p_to + 1) = 1
          then (p_to + 1)::timestamp - a.step - interval '1 day'
        else p_to::timestamp - a.step
      end::date
    )::private.period
  end
  from (select case p_against
    when 'previous_month' then interval '1 month'
    when 'previous_year' then interval '1 year'
  end as step) a;
$$;

comment on function private.comparison_period(date, date, text) is
  'previous_period: as many days before. previous_week: the same weekdays a week before.
  previous_month and previous_year: the same dates a month or a year before, whole months staying
  whole; a day that is not there becomes the last one.';

revoke all on function private.comparison_period(date, date, text)
  from public, anon, authenticated, service_role;

create function private.change_percent(p_value numeric, p_before numeric) returns numeric
language sql
immutable
set search_path = ''
as $$
  select round((p_value - p_before) * 100 / nullif(abs(p_before), 0), 2);
$$;

comment on function private.change_percent(numeric, numeric) is
  'Empty where there was nothing, or zero, before.';

revoke all on function private.change_percent(numeric, numeric)
  from public, anon, authenticated, service_role;

create function public.compare_periods(
  kpi_key text, from_day date, to_day date,
  location_id uuid default null, against text default 'previous_period'
) returns table (
  value numeric, comparison_value numeric, change numeric, change_percent numeric,
  currency text, comparison_from date, comparison_to date
)
language plpgsql
stable
set search_path = ''
as $$
declare
  kpi public.kpis;
  home text;
  compared private.period;
  locations uuid[] := case when $4 is not null then array[$4] end;
begin
  if $2 is null or $3 is null or $2 not between date '1970-01-01' and $3
    or $3 > least($2 + 3660, date '2199-12-31')
  then
    raise exception 'A period goes from a day to the same or a later one, over ten years at most'
      using errcode = 'invalid_parameter_value';
  end if;
  if $5 is null or $5 not in ('previous_period', 'previous_month', 'previous_year') then
    raise exception 'A period is compared with previous_period, previous_month or previous_year'
      using errcode = 'invalid_parameter_value';
  end if;
  select * into kpi from public.kpis k where k.key = $1;
  if not found then
    raise exception 'There is no key figure %', $1 using errcode = 'no_data_found';
  end if;

  select s.currency into home from public.company_settings s;
  compared := private.comparison_period($2, $3, $5);
  return query
  select v.value, v.before, v.value - v.before, private.change_percent(v.value, v.before),
    case when kpi.unit = 'money' then home end, compared.from_day, compared.to_day
  from (select
    private.kpi_value(kpi.id, kpi.aggregation, $2, $3, locations, null, home) as value,
    private.kpi_value(
      kpi.id, kpi.aggregation, compared.from_day, compared.to_day, locations, null, home
    ) as before
  ) v;
end;
$$;

comment on function public.compare_periods(text, date, date, uuid, text) is
  'What a key figure came to in a period and in as many days before (previous_period), or in the same
  dates a month or a year before (previous_month, previous_year). Without a location, the company as
  a whole.';

revoke all on function public.compare_periods(text, date, date, uuid, text)
  from public, anon, authenticated, service_role;

create view public.kpi_target_progress with (security_invoker = true) as
select
  t.id as target_id,
  k.key,
  k.name,
  k.unit,
  k.better,
  t.location_id,
  t.period,
  t.starts_on,
  t.ends_on,
  t.value as target,
  v.value,
  round(v.value * 100 / nullif(t.value, 0), 2) as percent
from public.kpi_targets t
join public.kpis k on k.id = t.kpi_id
cross join public.company_settings c
cross join lateral (
  -- Of a period that is still to come there is nothing to say, whatever stands today.
  select case when t.starts_on <= (now() at time zone c.time_zone)::date then private.kpi_value(
    t.kpi_id, k.aggregation, t.starts_on, t.ends_on,
    case when t.location_id is not null then array[t.location_id] end, null, c.currency
  ) end as value
) v;

revoke all on table public.kpi_target_progress from public, anon, authenticated, service_role;

comment on view public.kpi_target_progress is
  'How far each target has been reached; empty for a period that has not begun.';
comment on column public.kpi_target_progress.percent is 'The value by the target, times 100.';
