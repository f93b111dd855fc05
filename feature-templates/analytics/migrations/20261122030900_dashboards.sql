-- Dashboards and their widgets as data. A widget shows what a report would: its definition is one.

create table public.dashboards (
  id uuid primary key default gen_random_uuid(),
  owner_id uuid default auth.uid() references public.profiles (id) on delete set null,
  name text not null,
  description text,
  shared boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint dashboards_name_length check (length(btrim(name)) between 1 and 120),
  constraint dashboards_description_length check (length(description) <= 2000)
);

alter table public.dashboards enable row level security;
revoke all on table public.dashboards from public, anon, authenticated, service_role;

comment on table public.dashboards is 'Pages of widgets.';
comment on column public.dashboards.owner_id is
  'Empty for dashboards of the company, and of people who left: those that are not shared are the
  managers'' alone.';
comment on column public.dashboards.shared is 'Whether everyone in the company sees it.';

create index dashboards_owner_id_idx on public.dashboards (owner_id);

create trigger dashboards_set_updated_at before update on public.dashboards
  for each row execute function private.set_updated_at();

create table public.dashboard_widgets (
  id uuid primary key default gen_random_uuid(),
  dashboard_id uuid not null references public.dashboards (id) on delete cascade,
  "position" integer not null,
  kind text not null,
  title text not null,
  definition jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- Keeps a dashboard to 50 widgets as well. Its index also serves the foreign key.
  constraint dashboard_widgets_one_per_position
    unique (dashboard_id, "position") deferrable initially immediate,
  constraint dashboard_widgets_position_range check ("position" between 1 and 50),
  constraint dashboard_widgets_kind_known check (
    kind in ('number', 'line', 'bar', 'table', 'target')
  ),
  constraint dashboard_widgets_title_length check (length(btrim(title)) between 1 and 120),
  constraint dashboard_widgets_definition_size check (length(definition::text) <= 16384)
);

alter table public.dashboard_widgets enable row level security;
revoke all on table public.dashboard_widgets from public, anon, authenticated, service_role;

comment on table public.dashboard_widgets is 'What a dashboard shows, in order of position.';
comment on column public.dashboard_widgets.kind is 'How a screen draws it.';
comment on column public.dashboard_widgets.definition is 'As the definition of a report.';

create trigger dashboard_widgets_set_updated_at before update on public.dashboard_widgets
  for each row execute function private.set_updated_at();

create trigger dashboard_widgets_check_definition
  before insert or update of definition on public.dashboard_widgets
  for each row execute function private.check_definition();

create function public.run_dashboard(dashboard_id uuid, parameters jsonb default '{}')
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  answer jsonb := '[]';
  widget public.dashboard_widgets;
  shown jsonb;
begin
  if not exists (select from public.dashboards d where d.id = $1) then
    raise exception 'There is no dashboard %', $1 using errcode = 'no_data_found';
  end if;
  if jsonb_typeof($2) is distinct from 'object' then
    raise exception 'Parameters are an object' using errcode = 'invalid_parameter_value';
  end if;

  for widget in
    select * from public.dashboard_widgets w where w.dashboard_id = $1 order by w."position"
  loop
    -- What is wrong with one widget is said in its place.
    begin
      -- Each is given those parameters that it knows.
      shown := jsonb_build_object('rows', private.report_rows(widget.definition, (
        select coalesce(jsonb_object_agg(p.key, p.value), '{}')
        from jsonb_each($2) p
        where coalesce(widget.definition -> 'parameters' ? p.key, false)
      )));
    exception when others then
      shown := jsonb_build_object(
        'rows', '[]'::jsonb, 'error', jsonb_build_object('code', sqlstate, 'message', sqlerrm)
      );
    end;
    answer := answer || (jsonb_build_object(
      'widget', widget.id, 'kind', widget.kind, 'title', widget.title
    ) || shown);
  end loop;
  return answer;
end;
$$;

comment on function public.run_dashboard(uuid, jsonb) is
  'The widgets of a dashboard with their rows: a list of {widget, kind, title, rows}, with error
  {code, message} for one that cannot be shown.';

revoke all on function public.run_dashboard(uuid, jsonb)
  from public, anon, authenticated, service_role;
