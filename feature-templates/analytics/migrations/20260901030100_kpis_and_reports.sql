-- Key figures, their values per day and location, and reports. Nothing here assumes another
-- feature than base: whoever knows a figure records it.

create table public.kpis (
  id uuid primary key default gen_random_uuid(),
  key text not null unique,
  name text not null,
  description text,
  unit text not null,
  aggregation text not null default 'sum',
  better text not null default 'higher',
  active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint kpis_key_form check (key ~ '^[a-z][a-z0-9_]{0,62}$'),
  constraint kpis_name_length check (length(btrim(name)) between 1 and 120),
  constraint kpis_description_length check (length(description) <= 2000),
  constraint kpis_unit_known check (unit in ('money', 'count', 'quantity', 'percent')),
  constraint kpis_aggregation_known check (aggregation in ('sum', 'average', 'last')),
  constraint kpis_better_known check (better in ('higher', 'lower', 'neither'))
);

alter table public.kpis enable row level security;
revoke all on table public.kpis from public, anon, authenticated, service_role;

comment on table public.kpis is 'Definitions of key figures.';
comment on column public.kpis.unit is 'percent is a number out of 100, money has a currency.';
comment on column public.kpis.aggregation is 'How days become a week, a month or a year.';
comment on column public.kpis.better is 'Which direction is good news.';

create trigger kpis_set_updated_at before update on public.kpis
  for each row execute function private.set_updated_at();

create table public.kpi_snapshots (
  id bigint generated always as identity primary key,
  kpi_id uuid not null references public.kpis (id) on delete cascade,
  location_id uuid references public.locations (id) on delete restrict,
  day date not null,
  value numeric(20, 6) not null,
  currency text,
  recorded_by uuid default auth.uid(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- Its index also serves the foreign key to kpis.
  constraint kpi_snapshots_one_per_day unique nulls not distinct (kpi_id, day, location_id),
  constraint kpi_snapshots_value_number check (value <> 'NaN'),
  constraint kpi_snapshots_currency_code check (currency ~ '^[A-Z]{3}$')
);

alter table public.kpi_snapshots enable row level security;
revoke all on table public.kpi_snapshots from public, anon, authenticated, service_role;
revoke all on sequence public.kpi_snapshots_id_seq from public, anon, authenticated, service_role;

comment on table public.kpi_snapshots is 'The value of a key figure on one day.';
comment on column public.kpi_snapshots.location_id is 'Empty for the company as a whole.';
comment on column public.kpi_snapshots.day is 'A day in the company''s time zone.';
comment on column public.kpi_snapshots.currency is 'Set for money, and for nothing else.';
comment on column public.kpi_snapshots.recorded_by is
  'The account that acted, empty for the service. No foreign key: the value outlives the account.';

create index kpi_snapshots_location_idx on public.kpi_snapshots (location_id, day);

create trigger kpi_snapshots_set_updated_at before update on public.kpi_snapshots
  for each row execute function private.set_updated_at();

create function private.set_snapshot_currency() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if (select k.unit from public.kpis k where k.id = new.kpi_id) = 'money' then
    new.currency := coalesce(new.currency, (select s.currency from public.company_settings s));
  else
    new.currency := null;
  end if;
  return new;
end;
$$;

revoke all on function private.set_snapshot_currency()
  from public, anon, authenticated, service_role;

create trigger kpi_snapshots_set_currency before insert or update on public.kpi_snapshots
  for each row execute function private.set_snapshot_currency();

-- The newest value of every active figure, per location and for the company.
create view public.kpi_latest with (security_invoker = true) as
select distinct on (s.kpi_id, s.location_id)
  k.id as kpi_id,
  k.key,
  k.name,
  k.unit,
  k.better,
  s.location_id,
  s.day,
  s.value,
  s.currency
from public.kpi_snapshots s
join public.kpis k on k.id = s.kpi_id
where k.active
order by s.kpi_id, s.location_id, s.day desc;

revoke all on table public.kpi_latest from public, anon, authenticated, service_role;

comment on view public.kpi_latest is 'Where each key figure stands now.';

create table public.reports (
  id uuid primary key default gen_random_uuid(),
  owner_id uuid default auth.uid() references public.profiles (id) on delete set null,
  name text not null,
  description text,
  definition jsonb not null,
  shared boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint reports_name_length check (length(btrim(name)) between 1 and 120),
  constraint reports_description_length check (length(description) <= 2000),
  constraint reports_definition_kpis check (
    jsonb_typeof(definition -> 'kpis') is not distinct from 'array'
    and jsonb_array_length(definition -> 'kpis') between 1 and 50
  ),
  constraint reports_definition_period check (
    coalesce(definition ->> 'period' in (
      'today', 'last_7_days', 'last_30_days', 'this_month', 'last_month', 'this_year'
    ), false)
  ),
  constraint reports_definition_size check (length(definition::text) <= 65536)
);

alter table public.reports enable row level security;
revoke all on table public.reports from public, anon, authenticated, service_role;

comment on table public.reports is 'Saved reports: which figures, over which period.';
comment on column public.reports.owner_id is 'Empty for reports of the company.';
comment on column public.reports.definition is
  '{"kpis": [key, …], "period": "last_30_days", …}; an object that screens read, never SQL.';
comment on column public.reports.shared is 'Whether everyone in the company sees it.';

create index reports_owner_id_idx on public.reports (owner_id);

create trigger reports_set_updated_at before update on public.reports
  for each row execute function private.set_updated_at();

-- Runs with the caller's rights: the policies of kpi_snapshots decide.
create function public.record_kpi_snapshot(
  kpi_key text, day date, value numeric, location_id uuid default null
) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  recorded bigint;
begin
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

comment on function public.record_kpi_snapshot(text, date, numeric, uuid) is
  'Records the value of a key figure for a day; a second value for that day replaces the first.';

revoke all on function public.record_kpi_snapshot(text, date, numeric, uuid)
  from public, anon, authenticated, service_role;
