-- Who changed what, and when. It holds ids and names of columns, never their values, so that
-- it can be kept after the personal data it speaks of is gone.

create table public.activity_log (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  actor_id uuid,
  action text not null,
  table_name text not null,
  row_id text not null,
  changed_columns text[] not null default '{}',
  constraint activity_log_action_known check (action in ('insert', 'update', 'delete'))
);

alter table public.activity_log enable row level security;
revoke all on table public.activity_log from public, anon, authenticated, service_role;
revoke all on sequence public.activity_log_id_seq from public, anon, authenticated, service_role;

comment on table public.activity_log is 'A record of changes, written by triggers only.';
comment on column public.activity_log.actor_id is
  'The account that acted, empty for the service. No foreign key: the record outlives the account.';
comment on column public.activity_log.changed_columns is 'For an update: the columns that differ.';

create index activity_log_at_idx on public.activity_log (at);
create index activity_log_row_idx on public.activity_log (table_name, row_id, at);

create trigger activity_log_refuse_change
  before update or delete or truncate on public.activity_log
  for each statement execute function private.refuse_change();

create function private.log_activity() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  before jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  after jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  changed text[] := '{}';
begin
  if tg_op = 'UPDATE' then
    select coalesce(array_agg(a.key order by a.key), '{}') into changed
    from jsonb_each(after) a
    where a.value is distinct from before -> a.key and a.key <> 'updated_at';
    if changed = '{}' then
      return null;
    end if;
  end if;

  insert into public.activity_log (actor_id, action, table_name, row_id, changed_columns)
  values (
    (select auth.uid()),
    lower(tg_op),
    tg_table_name,
    coalesce(after, before) ->> tg_argv[0],
    changed
  );
  return null;
end;
$$;

comment on function private.log_activity() is
  'Trigger for any table; its one argument is the name of the primary key column.';

revoke all on function private.log_activity() from public, anon, authenticated, service_role;

create trigger company_settings_log_activity
  after insert or update or delete on public.company_settings
  for each row execute function private.log_activity('id');

create trigger locations_log_activity after insert or update or delete on public.locations
  for each row execute function private.log_activity('id');

create trigger members_log_activity after insert or update or delete on public.members
  for each row execute function private.log_activity('user_id');
