-- How the company looks at its figures, and what it wants them to be.

create table public.analytics_settings (
  id boolean primary key default true,
  week_start text not null default 'monday',
  results_kept integer not null default 100,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint analytics_settings_singleton check (id),
  constraint analytics_settings_week_start_known check (week_start in ('monday', 'sunday')),
  constraint analytics_settings_results_kept_range check (results_kept between 1 and 1000)
);

alter table public.analytics_settings enable row level security;
revoke all on table public.analytics_settings from public, anon, authenticated, service_role;

comment on table public.analytics_settings is
  'One row at most, made by the seed; without it the defaults hold.';
comment on column public.analytics_settings.week_start is 'The first day of a week in reports.';
comment on column public.analytics_settings.results_kept is
  'How many results of each schedule are kept; older ones go.';

create trigger analytics_settings_set_updated_at before update on public.analytics_settings
  for each row execute function private.set_updated_at();

create table public.kpi_targets (
  id uuid primary key default gen_random_uuid(),
  kpi_id uuid not null references public.kpis (id) on delete cascade,
  location_id uuid references public.locations (id) on delete cascade,
  period text not null,
  starts_on date not null,
  ends_on date not null generated always as ((
    starts_on::timestamp + case period
      when 'day' then interval '0 days'
      when 'month' then interval '1 month -1 day'
      when 'quarter' then interval '3 months -1 day'
      else interval '1 year -1 day'
    end
  )::date) stored,
  value numeric(20, 6) not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint kpi_targets_period_known check (period in ('day', 'month', 'quarter', 'year')),
  -- Periods begin where the calendar's do: two of one kind are the same, or do not overlap. Then
  -- one row of each is enough to keep targets from overlapping. Its index serves the foreign key.
  constraint kpi_targets_period_aligned check (
    case when period in ('day', 'month', 'quarter', 'year') then
      starts_on between date '1970-01-01' and date '2199-12-31'
      and starts_on = date_trunc(period, starts_on::timestamp)::date
    end
  ),
  constraint kpi_targets_one_per_period unique nulls not distinct (
    kpi_id, location_id, period, starts_on
  ),
  constraint kpi_targets_value_number check (value <> 'NaN')
);

alter table public.kpi_targets enable row level security;
revoke all on table public.kpi_targets from public, anon, authenticated, service_role;

comment on table public.kpi_targets is 'What a key figure should come to in a period.';
comment on column public.kpi_targets.location_id is 'Empty for the company as a whole.';
comment on column public.kpi_targets.starts_on is 'The first day of a day, month, quarter or year.';
comment on column public.kpi_targets.value is
  'In the unit of the key figure; money in the company''s currency.';

create index kpi_targets_location_id_idx on public.kpi_targets (location_id);

create trigger kpi_targets_set_updated_at before update on public.kpi_targets
  for each row execute function private.set_updated_at();
