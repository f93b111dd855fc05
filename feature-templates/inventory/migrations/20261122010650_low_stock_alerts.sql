-- Low stock as something that begins and ends, and that somebody can take in hand. What counts is
-- what is free, quantity less reserved: promised goods are to be ordered anew like sold ones. Only
-- active products at active locations are low. Alerts follow their level by trigger: whoever changes
-- a level holds its row, so they open and close in turn.

create table public.low_stock_alerts (
  id uuid primary key default gen_random_uuid(),
  product_id uuid not null,
  location_id uuid not null,
  quantity numeric(18, 6) not null,
  reorder_point numeric(18, 6) not null,
  opened_at timestamptz not null default now(),
  acknowledged_at timestamptz,
  acknowledged_by uuid,
  note text,
  closed_at timestamptz,
  constraint low_stock_alerts_level_fkey foreign key (product_id, location_id)
    references public.stock_levels (product_id, location_id) on delete cascade,
  constraint low_stock_alerts_note_length check (length(note) <= 1000),
  constraint low_stock_alerts_acknowledged_whole check (
    acknowledged_by is null or acknowledged_at is not null
  )
);

alter table public.low_stock_alerts enable row level security;
revoke all on table public.low_stock_alerts from public, anon, authenticated, service_role;

comment on table public.low_stock_alerts is
  'From stock reaching its reorder point to rising above it. Written by trigger; staff acknowledge.';
comment on column public.low_stock_alerts.quantity is 'What was free when the alert was opened: there, and not reserved.';
comment on column public.low_stock_alerts.acknowledged_by is
  'The account that acted. No foreign key: the record outlives the account.';
comment on column public.low_stock_alerts.closed_at is 'Empty as long as stock is low.';

-- Its first columns also serve the foreign key.
create index low_stock_alerts_level_idx
  on public.low_stock_alerts (product_id, location_id, opened_at);
create unique index low_stock_alerts_one_open on public.low_stock_alerts (product_id, location_id)
  where closed_at is null;

create function private.follow_low_stock() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  watched boolean;
begin
  -- Held against being made inactive meanwhile: either we see that, or its trigger sees our level.
  select p.active and p.track_stock and l.active into watched
  from public.products p
  cross join public.locations l
  where p.id = new.product_id and l.id = new.location_id
  for key share of p, l;
  if watched and new.quantity - new.reserved <= new.reorder_point then
    insert into public.low_stock_alerts (product_id, location_id, quantity, reorder_point)
    values (new.product_id, new.location_id, new.quantity - new.reserved, new.reorder_point)
    on conflict (product_id, location_id) where closed_at is null do nothing;
  else
    update public.low_stock_alerts a set closed_at = now()
    where a.product_id = new.product_id and a.location_id = new.location_id
      and a.closed_at is null;
  end if;
  return null;
end;
$$;

revoke all on function private.follow_low_stock() from public, anon, authenticated, service_role;

create trigger stock_levels_follow_low_stock_first after insert on public.stock_levels
  for each row when (new.quantity - new.reserved <= new.reorder_point)
  execute function private.follow_low_stock();

-- Most movements cross no reorder point, and cost nothing here.
create trigger stock_levels_follow_low_stock
  after update of quantity, reserved, reorder_point on public.stock_levels
  for each row when (
    ((old.quantity - old.reserved <= old.reorder_point) is true)
      <> ((new.quantity - new.reserved <= new.reorder_point) is true)
  )
  execute function private.follow_low_stock();

-- What is low already. The triggers' lock lets no level change in between.
insert into public.low_stock_alerts (product_id, location_id, quantity, reorder_point)
select s.product_id, s.location_id, s.quantity - s.reserved, s.reorder_point
from public.stock_levels s
join public.products p on p.id = s.product_id
join public.locations l on l.id = s.location_id
where p.active and p.track_stock and l.active
  and s.quantity - s.reserved <= s.reorder_point;

create function private.acknowledge_low_stock(p_alert_id uuid, p_note text) returns timestamptz
language plpgsql
security definer
set search_path = ''
as $$
declare
  at timestamptz;
begin
  perform private.require_role('staff');
  -- The first who took it in hand stays named.
  update public.low_stock_alerts a
  set acknowledged_at = coalesce(a.acknowledged_at, now()),
    acknowledged_by = coalesce(a.acknowledged_by, auth.uid()),
    note = coalesce(p_note, a.note)
  where a.id = p_alert_id
  returning a.acknowledged_at into at;
  if not found then
    raise exception 'There is no alert %', p_alert_id using errcode = 'no_data_found';
  end if;
  return at;
end;
$$;

revoke all on function private.acknowledge_low_stock(uuid, text)
  from public, anon, authenticated, service_role;

create function public.acknowledge_low_stock(alert_id uuid, note text default null)
returns timestamptz
language sql
set search_path = ''
as $$
  select private.acknowledge_low_stock($1, $2);
$$;

comment on function public.acknowledge_low_stock(uuid, text) is
  'Says that somebody takes an alert in hand; answers when that was first said.';

revoke all on function public.acknowledge_low_stock(uuid, text)
  from public, anon, authenticated, service_role;
