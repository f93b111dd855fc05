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
  select case p_aggregation
    -- Where it stood at the end, per location; a day without a value leaves it where it was.
    when 'last' then (
      select sum(v.value)
      from unnest(coalesce(p_locations, array[null::uuid])) l (location_id)
      cross join lateral (
        select s.value
        from public.kpi_snapshots s
        where s.kpi_id = p_kpi_id and s.location_id is not distinct from l.location_id
          and s.day <= p_to
          and (p_weekdays is null or extract(isodow from s.day) = any (p_weekdays))
          and (s.currency is null or s.currency = p_currency)
        order by s.day desc
        limit 1
      ) v
    )
    else (
      select case p_aggregation
        when 'sum' then sum(s.value)
        else round(
          sum(coalesce(s.numerator, s.value)) / nullif(sum(coalesce(s.denominator, 1)), 0), 6
        )
      end
      from public.kpi_snapshots s
      where s.kpi_id = p_kpi_id and s.day between p_from and p_to
        and case
          when p_locations is null then s.location_id is null
          else s.location_id = any (p_locations)
        end
        and (p_weekdays is null or extract(isodow from s.day) = any (p_weekdays))
        and (s.currency is null or s.currency = p_currency)
    )
  end;
$$;

comment on function private.kpi_value(uuid, text, date, date, uuid[], integer[], text) is
  'sum adds the days up; average is the sum of numerators by the sum of denominators; last is the
  newest value up to the end. Locations empty: the company. Weekdays: 1 is Monday. Money in another
  currency than the one given is not counted.';

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
  with facts as (
    select
      extract(day from p_from) = 1 as from_first,
      extract(day from p_to + 1) = 1 as to_last,
      date_trunc('month', p_from::timestamp) = date_trunc('month', p_to::timestamp) as one_month,
      make_interval(months => (
        (extract(year from p_to) - extract(year from p_from)) * 12
        + extract(month from p_to) - extract(month from p_from) + 1
      )::integer) as months
  )
  select case
    when p_against = 'previous_year' then row(
      (p_from::timestamp - interval '1 year')::date,
      case
        -- The whole of February is the whole of February, in a leap year or out of one.
        when f.to_last and f.from_first
          then (p_to + 1)::timestamp - interval '1 year' - interval '1 day'
        else p_to::timestamp - interval '1 year'
      end::date
    )::private.period
    when p_against = 'previous_period' and f.from_first and f.to_last
      then row((p_from::timestamp - f.months)::date, p_from - 1)::private.period
    when p_against = 'previous_period' and f.from_first and f.one_month and p_from < p_to
      then row(
        (p_from::timestamp - interval '1 month')::date,
        (p_to::timestamp - interval '1 month')::date
      )::private.period
    when p_against = 'previous_period'
      then row(p_from - (p_to - p_from + 1), p_from - 1)::private.period
  end
  from facts f;
$$;

comment on function private.comparison_period(date, date, text) is
  'previous_period: of whole months, as many whole months before; of the first days of a month, the
  same days of the month before; else as many days before. previous_year: the same dates a year
  before, whole months staying whole; the 29th of February becomes the 28th.';

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
  if $5 is null or $5 not in ('previous_period', 'previous_year') then
    raise exception 'A period is compared with previous_period or previous_year'
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
  'What a key figure came to in a period and in the one before (previous_period) or the same of the
  year before (previous_year). Without a location, the company as a whole.';

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
  select private.kpi_value(
    t.kpi_id, k.aggregation, t.starts_on, t.ends_on,
    case when t.location_id is not null then array[t.location_id] end, null, c.currency
  ) as value
) v;

revoke all on table public.kpi_target_progress from public, anon, authenticated, service_role;

comment on view public.kpi_target_progress is 'How far each target has been reached.';
comment on column public.kpi_target_progress.percent is 'The value by the target, times 100.';
