-- Who computes key figures. A feature that can compute some registers a source: two functions of
-- the schema private, named here, never anything that a user wrote. Nobody but migrations writes
-- these tables.

create table public.kpi_sources (
  key text primary key,
  compute_function text not null,
  mark_function text not null,
  refreshed_at timestamptz,
  error_code text,
  created_at timestamptz not null default now(),
  constraint kpi_sources_key_form check (key ~ '^[a-z][a-z0-9_]{0,30}$'),
  constraint kpi_sources_compute_function_form check (compute_function ~ '^compute_[a-z_]{1,50}$'),
  constraint kpi_sources_mark_function_form check (mark_function ~ '^mark_[a-z_]{1,50}$')
);

alter table public.kpi_sources enable row level security;
revoke all on table public.kpi_sources from public, anon, authenticated, service_role;

comment on table public.kpi_sources is 'Features that compute key figures.';
comment on column public.kpi_sources.compute_function is
  'Of the schema private: (date[]) returns setof private.computed_figure.';
comment on column public.kpi_sources.mark_function is
  'Of the schema private: () marks every day it knows as changed.';
comment on column public.kpi_sources.error_code is
  'SQLSTATE of the last refresh if it failed; empty when it went well.';

create table public.kpi_computations (
  kpi_id uuid primary key references public.kpis (id) on delete cascade,
  source text not null references public.kpi_sources (key) on delete cascade,
  measure text not null,
  -- Its index also serves the foreign key.
  constraint kpi_computations_one_per_measure unique (source, measure),
  constraint kpi_computations_measure_form check (measure ~ '^[a-z][a-z0-9_]{0,62}$')
);

alter table public.kpi_computations enable row level security;
revoke all on table public.kpi_computations from public, anon, authenticated, service_role;

comment on table public.kpi_computations is
  'Key figures that are computed, and are hence not recorded by hand.';
comment on column public.kpi_computations.measure is 'What the source calls it, whatever its key is.';

-- A company may have a figure of its own under the same key; that one stays what it is.
create function private.add_computed_kpi(
  p_source text, p_measure text, p_name text, p_description text, p_unit text,
  p_aggregation text, p_better text
) returns void
language plpgsql
set search_path = ''
as $$
declare
  candidate text;
  bound uuid;
begin
  if exists (
    select from public.kpi_computations c where c.source = p_source and c.measure = p_measure
  ) then
    return;
  end if;
  for candidate in
    select p_measure
    union all
    select p_source || '_' || p_measure || case when n > 1 then '_' || n else '' end
    from generate_series(1, 1000) n
  loop
    insert into public.kpis (key, name, description, unit, aggregation, better)
    values (candidate, p_name, p_description, p_unit, p_aggregation, p_better)
    on conflict (key) do nothing;
    select k.id into bound
    from public.kpis k
    where k.key = candidate and k.unit = p_unit and k.aggregation = p_aggregation
      and not exists (select from public.kpi_computations c where c.kpi_id = k.id);
    exit when found;
  end loop;
  insert into public.kpi_computations (kpi_id, source, measure) values (bound, p_source, p_measure);
end;
$$;

comment on function private.add_computed_kpi(text, text, text, text, text, text, text) is
  'Has a source compute a measure from now on: in the figure of that key if it is of this unit and
  aggregation, or else in one whose key begins with the source.';

revoke all on function private.add_computed_kpi(text, text, text, text, text, text, text)
  from public, anon, authenticated, service_role;

-- Each writer adds a row of its own and waits for nobody; a refresh takes away only the rows that it
-- sees. A sale that commits late leaves its row for the next refresh, so nothing is missed.
create table public.kpi_changes (
  id bigint generated always as identity primary key,
  source text not null,
  at timestamptz not null,
  constraint kpi_changes_at_finite check (isfinite(at))
);

alter table public.kpi_changes enable row level security;
revoke all on table public.kpi_changes from public, anon, authenticated, service_role;
revoke all on sequence public.kpi_changes_id_seq from public, anon, authenticated, service_role;

comment on table public.kpi_changes is
  'Moments whose day must be computed again. Written by triggers, emptied by each refresh.';
comment on column public.kpi_changes.source is
  'A source''s key. No foreign key: its lock would make every sale touch the source''s row.';

create index kpi_changes_source_idx on public.kpi_changes (source, at);

create type private.computed_figure as (
  measure text,
  location_id uuid,
  day date,
  value numeric,
  currency text,
  numerator numeric,
  denominator numeric
);

comment on type private.computed_figure is 'One value that a source computed.';

-- A computed value stands until it is computed anew; a value by hand that goes makes room for it.
create function private.mark_removed_snapshots() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.kpi_changes (source, at)
  select distinct c.source, (r.day + time '12:00') at time zone s.time_zone
  from removed r
  join public.kpi_computations c on c.kpi_id = r.kpi_id
  cross join public.company_settings s
  where r.source is null;
  return null;
end;
$$;

revoke all on function private.mark_removed_snapshots()
  from public, anon, authenticated, service_role;

create trigger kpi_snapshots_mark_removed after delete on public.kpi_snapshots
  referencing old table as removed
  for each statement execute function private.mark_removed_snapshots();
