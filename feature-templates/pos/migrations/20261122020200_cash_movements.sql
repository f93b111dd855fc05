-- Cash that comes into an open till or leaves it without a sale: change, the bank, petty expenses.

create table public.cash_movements (
  id uuid primary key default gen_random_uuid(),
  client_token uuid not null unique,
  session_id uuid not null references public.register_sessions (id) on delete restrict,
  currency text not null,
  amount numeric(18, 4) not null,
  reason text not null,
  moved_at timestamptz not null default now(),
  moved_by uuid,
  constraint cash_movements_currency_code check (currency ~ '^[A-Z]{3}$'),
  constraint cash_movements_amount_not_zero check (amount <> 0 and amount <> 'NaN'),
  -- However many there are, a session can still be summed up and closed.
  constraint cash_movements_amount_bounded check (abs(amount) < 1e9),
  constraint cash_movements_reason_length check (length(btrim(reason)) between 1 and 500)
);

alter table public.cash_movements enable row level security;
revoke all on table public.cash_movements from public, anon, authenticated, service_role;

comment on table public.cash_movements is
  'Cash put into an open till or taken out of it, never changed. Written by move_cash only.';
comment on column public.cash_movements.client_token is
  'Made by the till; the same token sent again is the same movement.';
comment on column public.cash_movements.amount is 'Positive into the till, negative out of it.';
comment on column public.cash_movements.moved_by is
  'The account that acted. No foreign key: the record outlives the account.';

create index cash_movements_session_id_idx on public.cash_movements (session_id);

create trigger cash_movements_refuse_change
  before update or delete or truncate on public.cash_movements
  for each statement execute function private.refuse_change();
