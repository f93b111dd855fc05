-- What the customer answered, while it is being installed, that is before the first register: a
-- company that sells already is never rewritten by an upgrade.
update public.pos_settings s
set currency = c.currency,
  staff_refund_limit = coalesce(
    nullif(current_setting('berth.pos.staff_refund_limit', true), '')::numeric,
    s.staff_refund_limit
  ),
  staff_cash_out_limit = coalesce(
    nullif(current_setting('berth.pos.staff_cash_out_limit', true), '')::numeric,
    s.staff_cash_out_limit
  ),
  receipt_footer = coalesce(
    nullif(current_setting('berth.pos.receipt_footer', true), ''), s.receipt_footer
  )
from public.company_settings c
where s.updated_at = s.created_at and not exists (select from public.registers);

-- A first register at the oldest active location, unless there is one. Safe to run again.
insert into public.registers (location_id, code, name)
select l.id, 'REG-1', 'Register 1'
from public.locations l
where l.active and not exists (select from public.registers)
order by l.created_at, l.code
limit 1;
