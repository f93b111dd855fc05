-- Storage's own tables. Files themselves are not part of the stand-in; their rows are.

set role supabase_storage_admin;

create type storage.buckettype as enum ('STANDARD', 'ANALYTICS', 'VECTOR');

create table storage.migrations (
  id integer primary key,
  name varchar(100) not null unique,
  hash varchar(40) not null,
  executed_at timestamp default current_timestamp
);

create table storage.buckets (
  id text primary key,
  name text not null,
  owner uuid,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  public boolean default false,
  avif_autodetection boolean default false,
  file_size_limit bigint,
  allowed_mime_types text[],
  owner_id text,
  type storage.buckettype not null default 'STANDARD'
);
create unique index bname on storage.buckets (name);

create table storage.objects (
  id uuid primary key default gen_random_uuid(),
  bucket_id text references storage.buckets,
  name text,
  owner uuid,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  last_accessed_at timestamptz default now(),
  metadata jsonb,
  path_tokens text[] generated always as (string_to_array(name, '/')) stored,
  version text,
  owner_id text,
  user_metadata jsonb
);
create unique index bucketid_objname on storage.objects (bucket_id, name);
create index name_prefix_search on storage.objects (name text_pattern_ops);

create function storage.foldername(name text) returns text[] language sql immutable as $$
  select (string_to_array(name, '/'))[1 : array_length(string_to_array(name, '/'), 1) - 1]
$$;
create function storage.filename(name text) returns text language sql immutable as $$
  select (string_to_array(name, '/'))[array_length(string_to_array(name, '/'), 1)]
$$;
create function storage.extension(name text) returns text language sql immutable as $$
  select reverse(split_part(reverse(storage.filename(name)), '.', 1))
$$;

-- Rows deleted by SQL would leave the files behind, so only Storage's API may delete.
create function storage.protect_delete() returns trigger language plpgsql as $$
begin
  if coalesce(current_setting('storage.allow_delete_query', true), 'false') <> 'true' then
    raise exception 'Direct deletion from storage tables is not allowed. Use the Storage API instead.'
      using errcode = '42501',
        hint = 'This prevents accidental data loss from orphaned objects.';
  end if;
  return null;
end
$$;
create trigger protect_buckets_delete before delete on storage.buckets
  for each statement execute function storage.protect_delete();
create trigger protect_objects_delete before delete on storage.objects
  for each statement execute function storage.protect_delete();

create function storage.update_updated_at_column() returns trigger language plpgsql as $$
begin
  new.updated_at = now();
  return new;
end
$$;
create trigger update_objects_updated_at before update on storage.objects
  for each row execute function storage.update_updated_at_column();

alter table storage.migrations enable row level security;
alter table storage.buckets enable row level security;
alter table storage.objects enable row level security;

grant all on storage.buckets, storage.objects to anon, authenticated, service_role;
grant all on storage.buckets, storage.objects to postgres with grant option;

reset role;

-- At Supabase the extension supautils lets postgres create, alter and drop policies on some of the
-- platform's tables, of which it may change nothing else. Here those tables are postgres's own for
-- as long as such a command takes. Its lock is taken beforehand, so nobody else meets them then.
create function extensions.open_tables_to_policies() returns event_trigger language plpgsql
  security definer set search_path = '' as $$
declare
  lent record;
begin
  if session_user <> 'postgres' or current_setting('role') not in ('none', 'postgres') then
    return;
  end if;
  -- The command cannot be seen yet, only the text that it stands in.
  for lent in
    select c.oid, format('%I.%I', n.nspname, c.relname) as name
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where (n.nspname, c.relname) in
        (('realtime', 'messages'), ('storage', 'buckets'), ('storage', 'objects'))
      and current_query() ~* format('\m%s\M', n.nspname)
      and current_query() ~* format('\m%s\M', c.relname)
    order by name
  loop
    execute format('lock table only %s in access exclusive mode', lent.name);
    update pg_catalog.pg_class set relowner = 'postgres'::pg_catalog.regrole where oid = lent.oid;
  end loop;
end
$$;

create function extensions.close_tables_to_policies() returns event_trigger language plpgsql
  security definer set search_path = '' as $$
begin
  update pg_catalog.pg_class c set relowner = pg_catalog.to_regrole(format('supabase_%s_admin', n.nspname))
  from pg_catalog.pg_namespace n
  where n.oid = c.relnamespace and c.relowner = 'postgres'::pg_catalog.regrole
    and (n.nspname, c.relname) in
      (('realtime', 'messages'), ('storage', 'buckets'), ('storage', 'objects'));
end
$$;

create event trigger open_tables_to_policies on ddl_command_start
  when tag in ('CREATE POLICY', 'ALTER POLICY', 'DROP POLICY')
  execute function extensions.open_tables_to_policies();
create event trigger close_tables_to_policies on ddl_command_end
  when tag in ('CREATE POLICY', 'ALTER POLICY', 'DROP POLICY')
  execute function extensions.close_tables_to_policies();
