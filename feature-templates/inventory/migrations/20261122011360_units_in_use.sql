-- The same for a unit that loses decimals: every product that is counted in it must be unused.
create function private.guard_unit_in_use() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform private.require_unused(
    p.id, 'its unit cannot have fewer decimals', 'units_in_use_keep_decimals'
  )
  from (
    select o.id from public.products o where o.unit_code = old.code order by o.id
  ) p;
  return new;
end;
$$;

revoke all on function private.guard_unit_in_use() from public, anon, authenticated, service_role;

create trigger units_guard_in_use before update of decimals on public.units
  for each row when (new.decimals < old.decimals)
  execute function private.guard_unit_in_use();
