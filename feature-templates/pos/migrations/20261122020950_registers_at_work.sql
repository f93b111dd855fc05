-- What stays true of a register while people work at it, and who changed it when.

create function private.keep_register() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  -- Its receipts say the code, and prove their series by it.
  if new.code <> old.code and old.last_receipt_number > 0 then
    raise exception 'Register % has given receipts, so its code stays', old.code
      using errcode = 'restrict_violation', hint = 'Make a new register, and end this one.';
  end if;
  -- Opening locks the row that is changed here, so the two take turns.
  if new.location_id <> old.location_id and exists (
    select from public.register_sessions s
    where s.register_id = old.id and s.closed_at is null
  ) then
    raise exception 'Register % is open, so it stays where it is', old.code
      using errcode = 'object_not_in_prerequisite_state', hint = 'Close its session first.';
  end if;
  return new;
end;
$$;

revoke all on function private.keep_register() from public, anon, authenticated, service_role;

create trigger registers_keep before update of code, location_id on public.registers
  for each row execute function private.keep_register();

-- Not of last_receipt_number: every receipt is a record itself.
create trigger registers_log_activity
  after insert or delete or update of location_id, code, name, active on public.registers
  for each row execute function private.log_activity('id');
