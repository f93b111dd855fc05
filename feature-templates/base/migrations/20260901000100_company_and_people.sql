-- The company, its locations and its people, and the helper functions that policies call.
--
-- Every table takes all privileges away from the API's roles first: older Supabase projects
-- grant them everything by default, newer ones next to nothing. The policies file then grants
-- what is meant, so both kinds of project end up the same.

create schema private;

comment on schema private is
  'Functions that policies, triggers and the API functions rely on. Not exposed through the API.';

revoke all on schema private from public, anon, authenticated, service_role;
grant usage on schema private to authenticated, service_role;

create type public.member_role as enum ('viewer', 'staff', 'manager', 'owner');

comment on type public.member_role is
  'What a member may do. The order matters: each role may do everything the one before it may.';

-- Trigger functions without a table of their own ------------------------------------------------

create function private.set_updated_at() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.updated_at := now();
  return new;
end;
$$;

revoke all on function private.set_updated_at() from public, anon, authenticated, service_role;

create function private.refuse_change() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  raise exception '% on %.% is refused: its rows are a record and never change',
    tg_op, tg_table_schema, tg_table_name
    using errcode = 'restrict_violation',
      hint = 'Add a new row that corrects the old one.';
end;
$$;

revoke all on function private.refuse_change() from public, anon, authenticated, service_role;

-- ISO 4217 gives most currencies two decimals; these are the exceptions in use.
create function private.round_money(amount numeric, currency text) returns numeric
language sql
immutable
set search_path = ''
as $$
  select round(amount, case
    when currency in ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF',
                      'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') then 0
    when currency in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then 3
    else 2
  end);
$$;

comment on function private.round_money(numeric, text) is
  'An amount rounded to the smallest unit of its ISO 4217 currency, halves away from zero.';

revoke all on function private.round_money(numeric, text)
  from public, anon, authenticated, service_role;

-- Company -----------------------------------------------------------------------------------

create table public.company_settings (
  id boolean primary key default true,
  name text not null default 'My company',
  currency text not null default 'EUR',
  time_zone text not null default 'UTC',
  locale text not null default 'en',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint company_settings_singleton check (id),
  constraint company_settings_name_length check (length(btrim(name)) between 1 and 200),
  constraint company_settings_currency_code check (currency ~ '^[A-Z]{3}$'),
  -- Converting to an unknown zone raises 22023; the pattern keeps out POSIX specifications.
  constraint company_settings_time_zone_known check (
    time_zone ~ '^[A-Za-z_]+(/[A-Za-z0-9_+-]+)*$'
    and timezone(time_zone, timestamptz '2000-01-01 00:00:00+00') is not null
  ),
  constraint company_settings_locale_tag check (
    locale ~ '^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$'
  )
);

alter table public.company_settings enable row level security;
revoke all on table public.company_settings from public, anon, authenticated, service_role;

comment on table public.company_settings is 'One row: the company itself.';
comment on column public.company_settings.currency is
  'ISO 4217 code; the currency of new prices and of every total.';
comment on column public.company_settings.time_zone is
  'IANA name; decides where a business day begins and ends.';
comment on column public.company_settings.locale is 'BCP 47 tag, e.g. de-AT.';

-- The row is part of the structure: guards below lock it to take turns.
insert into public.company_settings default values;

create trigger company_settings_set_updated_at before update on public.company_settings
  for each row execute function private.set_updated_at();

create table public.locations (
  id uuid primary key default gen_random_uuid(),
  code text not null unique,
  name text not null,
  address text,
  city text,
  postal_code text,
  country text,
  phone text,
  active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint locations_code_form check (code ~ '^[A-Z0-9][A-Z0-9_-]{0,19}$'),
  constraint locations_name_length check (length(btrim(name)) between 1 and 200),
  constraint locations_address_length check (length(address) <= 500),
  constraint locations_city_length check (length(city) <= 200),
  constraint locations_postal_code_length check (length(postal_code) <= 20),
  constraint locations_country_code check (country ~ '^[A-Z]{2}$'),
  constraint locations_phone_length check (length(phone) <= 50)
);

alter table public.locations enable row level security;
revoke all on table public.locations from public, anon, authenticated, service_role;

comment on table public.locations is 'Places where the company works: shops, warehouses, offices.';
comment on column public.locations.country is 'ISO 3166-1 alpha-2 code.';

create trigger locations_set_updated_at before update on public.locations
  for each row execute function private.set_updated_at();

-- People ------------------------------------------------------------------------------------

create table public.profiles (
  id uuid primary key references auth.users (id) on delete cascade,
  email text,
  full_name text,
  phone text,
  avatar_url text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint profiles_full_name_length check (length(full_name) <= 200),
  constraint profiles_phone_length check (length(phone) <= 50),
  constraint profiles_avatar_url_form check (avatar_url ~ '^https://' and length(avatar_url) <= 2000)
);

alter table public.profiles enable row level security;
revoke all on table public.profiles from public, anon, authenticated, service_role;

comment on table public.profiles is
  'What people may know of each other. Made for every account; an account alone gives no access.';
comment on column public.profiles.email is 'A copy kept by trigger, since auth.users is not exposed.';

create trigger profiles_set_updated_at before update on public.profiles
  for each row execute function private.set_updated_at();

create table public.members (
  user_id uuid primary key references public.profiles (id) on delete cascade,
  role public.member_role not null default 'viewer',
  active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

alter table public.members enable row level security;
revoke all on table public.members from public, anon, authenticated, service_role;

comment on table public.members is
  'Accounts that belong to the company, and their roles. Who has no active row here sees nothing.';
comment on column public.members.user_id is 'The account of auth.users, by way of its profile.';

create trigger members_set_updated_at before update on public.members
  for each row execute function private.set_updated_at();

create function private.has_role(minimum public.member_role) returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select exists (
    select from public.members m
    where m.user_id = (select auth.uid()) and m.active and m.role >= minimum
  );
$$;

comment on function private.has_role(public.member_role) is
  'Whether the caller is an active member of at least this role. Policies call it as
  (select private.has_role(...)), which costs one look-up per query, not one per row.';

revoke all on function private.has_role(public.member_role)
  from public, anon, authenticated, service_role;

create function private.require_role(minimum public.member_role) returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  if not private.has_role(minimum) then
    raise exception 'This needs the role % or above', minimum
      using errcode = 'insufficient_privilege';
  end if;
end;
$$;

comment on function private.require_role(public.member_role) is
  'Raises 42501 unless the caller is an active member of at least this role.';

revoke all on function private.require_role(public.member_role)
  from public, anon, authenticated, service_role;

-- A company without an owner could never be given one through the API.
create function private.keep_an_owner() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if tg_op = 'UPDATE' and new.role = 'owner' and new.active then
    return new;
  end if;
  if old.role = 'owner' and old.active
    -- A deleted account takes its membership along; the cascade must not be stopped half-way.
    and exists (select from auth.users u where u.id = old.user_id)
  then
    -- Two owners who leave at the same moment take turns here, and the second one is refused.
    perform from public.company_settings for update;
    if not exists (
      select from public.members m
      where m.role = 'owner' and m.active and m.user_id <> old.user_id
    ) then
      raise exception 'The company needs at least one active owner'
        using errcode = 'restrict_violation', hint = 'Make somebody else an owner first.';
    end if;
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end;
$$;

revoke all on function private.keep_an_owner() from public, anon, authenticated, service_role;

create trigger members_keep_an_owner before update of role, active or delete on public.members
  for each row execute function private.keep_an_owner();

-- Accounts ------------------------------------------------------------------------------------

-- Only app metadata may give a role: it takes the service key to write it, whereas people write
-- their user metadata themselves. A later change of other metadata never gives the role again.
create function private.sync_account() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.profiles as p (id, email, full_name)
  values (
    new.id,
    new.email,
    left(nullif(btrim(new.raw_user_meta_data ->> 'full_name'), ''), 200)
  )
  on conflict (id) do update set email = excluded.email
    where p.email is distinct from excluded.email;

  if new.raw_app_meta_data ->> 'berth_role' = 'owner'
    and (tg_op = 'INSERT' or old.raw_app_meta_data ->> 'berth_role' is distinct from 'owner')
  then
    insert into public.members (user_id, role) values (new.id, 'owner')
    on conflict (user_id) do update set role = 'owner', active = true;
  end if;
  return null;
end;
$$;

revoke all on function private.sync_account() from public, anon, authenticated, service_role;

create trigger berth_sync_account
  after insert or update of email, raw_app_meta_data on auth.users
  for each row execute function private.sync_account();

-- Accounts that were there first. The trigger's lock lets nobody slip in between.
insert into public.profiles (id, email, full_name)
select u.id, u.email, left(nullif(btrim(u.raw_user_meta_data ->> 'full_name'), ''), 200)
from auth.users u;

insert into public.members (user_id, role)
select u.id, 'owner' from auth.users u where u.raw_app_meta_data ->> 'berth_role' = 'owner';
