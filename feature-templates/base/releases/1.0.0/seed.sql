-- A first location, unless the company already has one. Safe to run again.
insert into public.locations (code, name)
select 'MAIN', 'Main location'
where not exists (select from public.locations);
