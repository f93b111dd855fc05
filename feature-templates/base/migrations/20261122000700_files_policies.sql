-- berth: phase=policies
-- Files of the company, in the bucket that template.yaml declares. Everyone in the company reads
-- them; staff add their own, under the id of a location or under "company"; managers change all.
--
-- A path has no empty, "." or ".." part, so that nothing pretends to lie elsewhere.

create policy berth_files_select on storage.objects
  for select to authenticated
  using (bucket_id = 'files' and (select private.has_role('viewer')));

create policy berth_files_insert on storage.objects
  for insert to authenticated
  with check (
    bucket_id = 'files'
    and (select private.has_role('staff'))
    and owner_id = (select auth.uid())::text
    and name like '%/%' and name !~ '(^|/)\.{0,2}(/|$)'
    and (
      split_part(name, '/', 1) = 'company'
      or split_part(name, '/', 1) in (select l.id::text from public.locations l)
    )
  );

create policy berth_files_update on storage.objects
  for update to authenticated
  using (
    bucket_id = 'files'
    and (
      (select private.has_role('manager'))
      or ((select private.has_role('staff')) and owner_id = (select auth.uid())::text)
    )
  )
  with check (
    bucket_id = 'files'
    and (
      (select private.has_role('manager'))
      or ((select private.has_role('staff')) and owner_id = (select auth.uid())::text)
    )
    and name like '%/%' and name !~ '(^|/)\.{0,2}(/|$)'
    and (
      split_part(name, '/', 1) = 'company'
      or split_part(name, '/', 1) in (select l.id::text from public.locations l)
    )
  );

create policy berth_files_delete on storage.objects
  for delete to authenticated
  using (
    bucket_id = 'files'
    and (
      (select private.has_role('manager'))
      or ((select private.has_role('staff')) and owner_id = (select auth.uid())::text)
    )
  );
