-- What was asked about the company, while it is being installed, that is before its first location:
-- a company at work is never rewritten by an upgrade. A value that the table's constraints refuse
-- stops the run.
update public.company_settings s
set
  name = coalesce(asked.name, s.name),
  currency = coalesce(asked.currency, s.currency),
  time_zone = coalesce(asked.time_zone, s.time_zone),
  locale = coalesce(asked.locale, s.locale)
from (
  select
    nullif(current_setting('berth.base.company_name', true), '') as name,
    nullif(current_setting('berth.base.currency', true), '') as currency,
    nullif(current_setting('berth.base.time_zone', true), '') as time_zone,
    nullif(current_setting('berth.base.locale', true), '') as locale
) asked
where s.updated_at = s.created_at
  and coalesce(asked.name, asked.currency, asked.time_zone, asked.locale) is not null
  and not exists (select from public.locations);

-- A first location, unless the company already has one. Safe to run again.
insert into public.locations (code, name)
select 'MAIN', 'Main location'
where not exists (select from public.locations);
