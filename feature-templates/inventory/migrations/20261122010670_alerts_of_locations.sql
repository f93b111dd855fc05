-- The same for a location that is closed, and for one that is opened again.
create trigger locations_hold_watched before update of active on public.locations
  for each row when (old.active <> new.active)
  execute function private.hold_watched();

create trigger locations_follow_watched after update of active on public.locations
  for each row when (old.active <> new.active)
  execute function private.follow_watched();
