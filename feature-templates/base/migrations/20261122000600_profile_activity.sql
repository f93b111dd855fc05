-- Accounts that come, go or change their address belong in the record of changes.

create trigger profiles_log_activity after insert or update or delete on public.profiles
  for each row execute function private.log_activity('id');
