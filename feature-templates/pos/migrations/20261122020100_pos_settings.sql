-- What the company decides about its tills.

create table public.pos_settings (
  id boolean primary key default true,
  currency text not null,
  staff_refund_limit numeric(18, 4) not null default 0,
  staff_cash_out_limit numeric(18, 4) not null default 0,
  receipt_footer text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint pos_settings_singleton check (id),
  constraint pos_settings_currency_code check (currency ~ '^[A-Z]{3}$'),
  constraint pos_settings_staff_refund_limit_not_negative check (
    staff_refund_limit >= 0 and staff_refund_limit <> 'NaN'
  ),
  constraint pos_settings_staff_cash_out_limit_not_negative check (
    staff_cash_out_limit >= 0 and staff_cash_out_limit <> 'NaN'
  ),
  constraint pos_settings_receipt_footer_length check (length(receipt_footer) <= 1000)
);

alter table public.pos_settings enable row level security;
revoke all on table public.pos_settings from public, anon, authenticated, service_role;

comment on table public.pos_settings is 'One row: what the company decides about its tills.';
comment on column public.pos_settings.currency is
  'Of the limits. In a session of another currency, the limits of staff are zero.';
comment on column public.pos_settings.staff_refund_limit is
  'How much of one sale staff may refund in all. Zero, the default, leaves refunds to managers.';
comment on column public.pos_settings.staff_cash_out_limit is
  'How much cash one of the staff may take out in one session. Zero leaves it to managers.';
comment on column public.pos_settings.receipt_footer is 'Stands at the end of every receipt.';

-- The row is part of the structure, as that of the company is.
insert into public.pos_settings (currency) select c.currency from public.company_settings c;

create trigger pos_settings_set_updated_at before update on public.pos_settings
  for each row execute function private.set_updated_at();

create trigger pos_settings_log_activity
  after insert or update or delete on public.pos_settings
  for each row execute function private.log_activity('id');
