-- Invitations: whoever proves that the address is theirs becomes a member with the role.
--
-- Auth sends the mail and confirms the address; this is what the company meant by it. It relies on
-- sign-ups being off (template.yaml): an account then begins with a mail that the company caused.

create table public.invitations (
  id uuid primary key default gen_random_uuid(),
  -- "C" folds ASCII letters only. Elsewhere the Kelvin sign is a k, and so another's address.
  email text collate "C" not null,
  role public.member_role not null default 'viewer',
  invited_by uuid,
  expires_at timestamptz not null default now() + interval '7 days',
  accepted_at timestamptz,
  accepted_by uuid,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint invitations_email_form check (
    email ~ '^[^[:space:][:cntrl:]@<>(),;:"\\]+@[^[:space:][:cntrl:]@<>(),;:"\\]+$'
    and length(email) <= 254
    and email = lower(email)
  ),
  constraint invitations_expiry_bounded check (
    expires_at - created_at > interval '0' and expires_at - created_at <= interval '30 days'
  ),
  constraint invitations_accepted_by_somebody check ((accepted_at is null) = (accepted_by is null)),
  constraint invitations_closed_once check (accepted_at is null or revoked_at is null)
);

alter table public.invitations enable row level security;
revoke all on table public.invitations from public, anon, authenticated, service_role;

comment on table public.invitations is
  'Who was asked to join the company, with which role. Open until accepted, revoked or expired.';
comment on column public.invitations.email is 'In lower case; the account must have confirmed it.';
comment on column public.invitations.role is
  'Given once, to somebody who is not a member. It never changes a membership that exists.';
comment on column public.invitations.invited_by is
  'The account that invited, empty for the service. No foreign key: the record outlives the account.';
comment on column public.invitations.accepted_by is
  'The account that accepted. No foreign key: the record outlives the account.';
comment on column public.invitations.revoked_at is
  'Set by hand; when the inviter may no longer invite to the role; when the person became a member
  another way; and, on an expired invitation, when the address is invited again.';

create unique index invitations_open_email_key on public.invitations (email)
  where accepted_at is null and revoked_at is null;

create trigger invitations_set_updated_at before update on public.invitations
  for each row execute function private.set_updated_at();

create trigger invitations_log_activity after insert or update or delete on public.invitations
  for each row execute function private.log_activity('id');

create function private.prepare_invitation() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  inviter constant uuid := auth.uid();
  inviter_role public.member_role;
begin
  new.email := lower(btrim(new.email) collate "C");
  new.invited_by := inviter;

  if inviter is not null then
    -- Whoever takes the inviter's role away at this moment waits, and then revokes this too.
    select m.role into inviter_role from public.members m
    where m.user_id = inviter and m.active
    for share;
    if inviter_role is null or inviter_role < 'manager'
      or (inviter_role < 'owner' and new.role >= 'manager')
    then
      raise exception 'Inviting somebody as % needs a higher role', new.role
        using errcode = 'insufficient_privilege',
          hint = 'Owners invite to any role, managers staff and viewers.';
    end if;
  end if;

  if exists (
    select from public.members m
    join public.profiles p on p.id = m.user_id
    where lower(p.email collate "C") = new.email
  ) then
    raise exception 'This address belongs to a member already'
      using errcode = 'unique_violation',
        hint = 'Change the role of the member, or make the member active again.';
  end if;

  update public.invitations i set revoked_at = now()
  where i.email = new.email and i.accepted_at is null and i.revoked_at is null
    and i.expires_at <= now();
  return new;
end;
$$;

revoke all on function private.prepare_invitation() from public, anon, authenticated, service_role;

create trigger invitations_prepare before insert on public.invitations
  for each row execute function private.prepare_invitation();

create function private.guard_invitation() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if old.accepted_at is not null or old.revoked_at is not null then
    raise exception 'This invitation is closed: it was % before',
      case when old.accepted_at is not null then 'accepted' else 'revoked' end
      using errcode = 'restrict_violation', hint = 'Make a new invitation.';
  end if;
  if new.revoked_at is not null then
    new.revoked_at := now();
  end if;
  return new;
end;
$$;

revoke all on function private.guard_invitation() from public, anon, authenticated, service_role;

create trigger invitations_guard before update on public.invitations
  for each row execute function private.guard_invitation();
