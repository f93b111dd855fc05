-- Since 30 October 2026 the API roles get no rows, no sequence values and no functions of what
-- postgres creates in public. It comes on top of the old grants, and takes back exactly these:
-- TRUNCATE, REFERENCES, TRIGGER and MAINTAIN stay, and functions stay callable through PUBLIC.

alter default privileges for role postgres in schema public
  revoke select, insert, update, delete on tables from anon, authenticated, service_role;
alter default privileges for role postgres in schema public
  revoke usage, select on sequences from anon, authenticated, service_role;
alter default privileges for role postgres in schema public
  revoke execute on functions from anon, authenticated, service_role;
