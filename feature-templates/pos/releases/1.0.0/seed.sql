-- A first register at the oldest active location, unless there is one. Safe to run again.
insert into public.registers (location_id, code, name)
select l.id, 'REG-1', 'Register 1'
from public.locations l
where l.active and not exists (select from public.registers)
order by l.created_at, l.code
limit 1;
