import { afterAll, beforeAll, expect, it } from "vitest";
import { advice } from "./advisors.ts";
import { type ProjectServer, startProjectServer } from "./project-server.ts";

let server: ProjectServer;
beforeAll(async () => {
  server = await startProjectServer();
});
afterAll(() => server?.stop());

const PLANTED = `
create schema private;
create table public.sound (
  id uuid primary key references auth.users (id), email text, is_admin boolean
);
alter table public.sound enable row level security;
grant select, update on public.sound to authenticated;
create policy sound_select on public.sound for select to authenticated
  using (id = (select auth.uid()));
create view public.sound_names with (security_invoker = on) as select id from public.sound;

create table public.bare (a regproc, sound_id uuid references public.sound (id));
create policy bare_select on public.bare for select to authenticated using (a is not null);
create table public.mute (id int primary key);
alter table public.mute enable row level security;
create table private.mute (id int primary key);
alter table private.mute enable row level security;

create table public.loose (id int primary key, owner uuid);
alter table public.loose enable row level security;
create policy loose_each on public.loose for select to authenticated using (owner = auth.uid());
create policy loose_twice on public.loose for select to authenticated
  using (((select auth.jwt()) -> 'user_metadata' ->> 'vip') = 'yes');
create policy loose_update on public.loose for update to authenticated
  using (owner = (select auth.uid())) with check (true);
create index loose_owner on public.loose (owner);
create index loose_owner_again on public.loose (owner);
create index loose_owner_part on public.loose (owner) where owner is not null;

create view public.people as select id, email from auth.users;
grant select on public.people to authenticated;
create materialized view public.counted as select count(*) from public.loose;
grant select on public.counted to anon;
create function public.mine() returns int language sql security definer as 'select 1';
grant execute on function public.mine() to anon, authenticated;
create extension citext schema public;
`;

it("tells each planted breach by the name that Supabase gives it", async () => {
  const client = await server.createDatabase("2026-10");
  expect(await advice(client)).toEqual([]);
  await client.query(PLANTED);
  const admin = await server.connectAsAdmin(client);
  await admin.query(`
    insert into storage.buckets (id, name, public) values ('shown', 'shown', true);
    create policy shown_list on storage.objects for select using (bucket_id = 'shown');
    alter table auth.users add constraint users_email_once unique (email);
    create foreign data wrapper elsewhere;
    create server elsewhere foreign data wrapper elsewhere;
    create foreign table public.far (id int) server elsewhere;
    grant select on public.far to authenticated;
    create table public.by_mail (email varchar(255) primary key references auth.users (email));
    alter table public.by_mail enable row level security;
    create policy by_mail_select on public.by_mail for select to authenticated using (email <> '');
  `);
  const found = await advice(client);
  expect(found.map(({ lint, sentence }) => `${lint} ${sentence.split(" ")[0]}`).sort()).toEqual(
    [
      "anon_security_definer_function_executable mine()",
      "auth_rls_initplan loose.loose_each",
      "auth_users_exposed people",
      "authenticated_security_definer_function_executable mine()",
      "duplicate_index loose_owner_again",
      "extension_in_public citext",
      "fkey_to_auth_unique by_mail.by_mail_email_fkey",
      "foreign_table_in_api far",
      "function_search_path_mutable mine()",
      "materialized_view_in_api counted",
      "multiple_permissive_policies loose",
      "no_primary_key bare",
      "policy_exists_rls_disabled bare",
      "public_bucket_allows_listing shown_list",
      "rls_disabled_in_public bare",
      "rls_enabled_no_policy mute",
      "rls_policy_always_true loose.loose_update",
      "rls_references_user_metadata loose.loose_twice",
      "security_definer_view people",
      "unindexed_foreign_keys bare.bare_sound_id_fkey",
      "unsupported_reg_types bare.a",
    ].sort(),
  );
  expect(found.every(({ sentence }) => /\. [A-Z].+\.$/.test(sentence))).toBe(true);
  await admin.end();
  await client.end();
});
