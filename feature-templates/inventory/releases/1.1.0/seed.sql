-- Common units, and a first category unless there is one. Safe to run again.
insert into public.units (code, name, decimals)
values
  ('piece', 'Piece', 0),
  ('box', 'Box', 0),
  ('kg', 'Kilogram', 3),
  ('g', 'Gram', 0),
  ('l', 'Litre', 3),
  ('m', 'Metre', 2),
  ('hour', 'Hour', 2)
on conflict (code) do nothing;

insert into public.categories (name)
select 'General'
where not exists (select from public.categories);
