/** A broken template for each rule about schemas, which no other rule refuses. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { load, removeFolders } from "#app/domain/catalog/template-folders.ts";
import type { Finding } from "./findings.ts";
import { judgeSchema } from "./in-databases.ts";
import { newProject, preset } from "./project.ts";
import { type ProjectServer, startProjectServer } from "./project-server.ts";
import { closed, more, soundBase, soundShop, told } from "./sample-templates.ts";
import { schemaRules } from "./schema-rules.ts";
import { Timings } from "./timings.ts";

let server: ProjectServer;
beforeAll(async () => {
  server = await startProjectServer();
});
afterAll(() => server?.stop());
afterEach(removeFolders);

/** Installs shop with these files; answers what its schema breaks. */
async function judge(files: Record<string, string>, platform = ""): Promise<Finding[]> {
  const catalog = await load({ ...soundBase, ...soundShop, ...files });
  const templates = catalog.order(["shop"]);
  const project = await newProject(server, "2026-10", preset);
  const admin = await server.connectAsAdmin(project.client);
  await admin.query(platform);
  await admin.end();
  await project.run(templates, new Timings());
  const findings = await judgeSchema(project.client, templates);
  await project.end();
  return findings;
}

const revoked = (what: string) =>
  `\nrevoke all on ${what} from public, anon, authenticated, service_role;`;
const commented = (what: string) => `\ncomment on ${what} is 'For tests.';`;
/** A table of the template's, closed to everyone. */
const table = (columns: string) =>
  `create table public.labels (${columns});${closed("public.labels")}`;
const select = (condition: string, to = "authenticated") =>
  `grant select on public.labels to authenticated;
create policy labels_select on public.labels for select to ${to} using (${condition});`;
const may = select("(select private.may())");
/** A function that policies may ask. */
const asked = (name: string) =>
  `create function ${name} returns boolean language sql stable set search_path = '' as 'select true';${revoked(`function ${name}`)}\n`;
const view = (kind: string, query: string) =>
  `create ${kind} as ${query};${revoked("public.seen")}`;

/** The rule, the object that is named, what breaks it, and what the platform has beforehand. */
type Case = [rule: string, object: string, sql: string, platform?: string];

const cases: Case[] = [
  [
    "unindexed_foreign_keys",
    "labels.labels_goods_id_fkey",
    `${table("id int primary key, goods_id int references public.goods (id)")}
create index labels_some on public.labels (goods_id) where goods_id > 0;\n${may}`,
  ],
  [
    "unindexed_foreign_keys",
    "labels.labels_goods_id_goods_name_fkey",
    `alter table public.goods add constraint goods_both unique (id, name);
${table("id int primary key, goods_id int, goods_name text, foreign key (goods_id, goods_name) references public.goods (id, name)")}
create index labels_turned on public.labels (goods_name, goods_id);\n${may}`,
  ],
  [
    "auth_users_exposed",
    "seen",
    `${view("view public.seen with (security_invoker = true)", "select id from auth.users")}
grant select on public.seen to authenticated;${commented("view public.seen")}`,
  ],
  [
    "auth_rls_initplan",
    "labels.labels_select",
    `${table("id int primary key")}\n${select("private.may()")}`,
  ],
  [
    "auth_rls_initplan",
    "labels.labels_select",
    `${table("id uuid primary key")}\n${select("id = auth.uid()")}`,
  ],
  [
    "auth_rls_initplan",
    "labels.labels_select",
    `${table("id text primary key")}\n${select("id = current_setting('request.path', true)")}`,
  ],
  [
    "auth_rls_initplan",
    "labels.labels_select",
    `${asked("private.may2()")}${table("id int primary key")}\n${select("private.may2()")}`,
  ],
  [
    "auth_rls_initplan",
    "labels.labels_select",
    `${asked('private."Be"()')}${table("id int primary key")}\n${select('private."Be"()')}`,
  ],
  ["no_primary_key", "labels", `${table("id int")}\n${may}`],
  [
    "multiple_permissive_policies",
    "goods.goods_select",
    "create policy again on public.goods for select to authenticated using (id > 0);",
  ],
  [
    "policy_exists_rls_disabled",
    "labels",
    `${table("id int primary key")}\n${may}\nalter table public.labels disable row level security;`,
  ],
  [
    "rls_disabled_in_public",
    "labels",
    `create table public.labels (id int primary key);${revoked("public.labels")}${commented("table public.labels")}`,
  ],
  [
    "rls_disabled_in_public",
    "private.labels",
    `create table private.labels (id int primary key);${revoked("private.labels")}${commented("table private.labels")}`,
  ],
  ["rls_enabled_no_policy", "labels", table("id int primary key")],
  [
    "duplicate_index",
    "goods_two",
    "create index goods_one on public.goods (name);\ncreate index goods_two on public.goods (name);",
  ],
  [
    "security_definer_view",
    "seen",
    `${view("view public.seen", "select id from public.goods")}${commented("view public.seen")}`,
  ],
  [
    "function_search_path_mutable",
    "f()",
    `create function public.f() returns int language sql as 'select 1';${revoked("function public.f()")}`,
  ],
  [
    "function_search_path_mutable",
    "f()",
    `create function public.f() returns int language sql set search_path = public as 'select 1';${revoked("function public.f()")}`,
  ],
  ["extension_in_public", "citext", "create extension citext schema public;"],
  [
    "rls_references_user_metadata",
    "labels.labels_select",
    `${table("id int primary key")}
${select("((select auth.jwt()) -> 'user_metadata' ->> 'vip') = 'yes'")}`,
  ],
  [
    "materialized_view_in_api",
    "seen",
    `${view("materialized view public.seen", "select id from public.goods")}
grant select on public.seen to anon;`,
  ],
  [
    "foreign_table_in_api",
    "seen",
    `do $$ begin execute format('create %s table public.seen (id int) server elsewhere', 'foreign'); end $$;${revoked("public.seen")}
grant select on public.seen to authenticated;`,
    `create foreign data wrapper elsewhere; create server elsewhere foreign data wrapper elsewhere;
     grant usage on foreign server elsewhere to postgres;`,
  ],
  [
    "unsupported_reg_types",
    "labels.made_by",
    `${table("id int primary key, made_by regproc")}\n${may}`,
  ],
  [
    "fkey_to_auth_unique",
    "labels.labels_phone_fkey",
    `${table("phone text primary key references auth.users (phone)")}\n${may}`,
  ],
  [
    "rls_policy_always_true",
    "labels.labels_insert",
    `${table("id int primary key")}\n${may}
grant insert on public.labels to authenticated;
create policy labels_insert on public.labels for insert to authenticated with check (true);`,
  ],
  [
    "rls_policy_always_true",
    "labels.labels_delete",
    `${table("id int primary key")}\n${may}
grant delete on public.labels to authenticated;
create policy labels_delete on public.labels for delete to authenticated;`,
  ],
  [
    "rls_policy_always_true",
    "labels.labels_update",
    `${table("id int primary key")}\n${may}
grant update on public.labels to authenticated;
create policy labels_update on public.labels for update to authenticated
  using ((select private.may())) with check (1 = 1);`,
  ],
  [
    "public_bucket_allows_listing",
    "storage.objects.all_list on shown",
    "create policy all_list on storage.objects for select to authenticated using (true);",
    "insert into storage.buckets (id, name, public) values ('shown', 'shown', true);",
  ],
  [
    "public_bucket_allows_listing",
    "storage.objects.shown_list on shown",
    "create policy shown_list on storage.objects for select to authenticated using (bucket_id = 'shown');",
    "insert into storage.buckets (id, name, public) values ('shown', 'shown', true);",
  ],
  [
    "anon_security_definer_function_executable",
    "f()",
    `create function public.f() returns int language sql security definer set search_path = '' as 'select 1';${revoked("function public.f()")}
grant execute on function public.f() to anon;`,
  ],
  [
    "authenticated_security_definer_function_executable",
    "f()",
    `create function public.f() returns int language sql security definer set search_path = '' as 'select 1';${revoked("function public.f()")}
grant execute on function public.f() to authenticated;`,
  ],
  [
    "no_comment",
    "labels",
    `${table("id int primary key")}\n${may}\ncomment on table public.labels is null;`,
  ],
  [
    "other_owner",
    "labels",
    `${table("id int primary key")}\n${may}
grant create on schema public to service_role;
alter table public.labels owner to service_role;`,
  ],
  [
    "invalid_index",
    "private.parts_name",
    `create table private.parts (id int primary key, name text) partition by list (id);${closed("private.parts")}
create table private.part partition of private.parts for values in (1);${closed("private.part")}
create index parts_name on only private.parts (name);`,
  ],
  ["unfit_type", "labels.price", `${table("id int primary key, price money")}\n${may}`],
  [
    "function_open_to_everyone",
    "private.f()",
    "create function private.f() returns int language sql set search_path = '' as 'select 1';",
  ],
  ["relation_open_to_everyone", "goods", "grant select on public.goods to anon;"],
  ["relation_open_to_everyone", "goods", "grant select (name) on public.goods to anon;"],
  ["more_than_rows", "goods", "grant references (name) on public.goods to authenticated;"],
  ["more_than_rows", "goods", "grant truncate on public.goods to authenticated;"],
  [
    "broad_policy",
    "labels.labels_select",
    `${table("id int primary key")}\n${select("(select private.may())", "public")}`,
  ],
  ["grant_without_policy", "goods INSERT", "grant insert on public.goods to authenticated;"],
];

describe("a schema that breaks one rule is refused by that one alone, with its place", () => {
  it.each(cases)("%s: %s", async (rule, object, sql, platform) => {
    const findings = await judge({ [more]: sql }, platform);
    expect(findings.map((found) => found.rule)).toEqual([rule]);
    const [{ file, line, message } = {}] = findings;
    // What is made by EXECUTE is made nowhere.
    const place = sql.includes("execute format") ? "" : `${file}:${line}: `;
    expect(message?.startsWith(`${place}${object} `), message).toBe(true);
    expect(message).toMatch(/ \S.*\. [A-Z].+\.$/);
    if (place !== "") expect(file).toMatch(/^shop\/migrations\//);
  });

  it("and by no rule about texts", async () => {
    const files = cases.map(([, , sql], i) => [`shop/migrations/${20260301000000 + i}_x.sql`, sql]);
    expect(await told({ ...soundBase, ...soundShop, ...Object.fromEntries(files) })).toEqual([]);
  });

  it("and every rule has its schema", () => {
    const tried = new Set(cases.map(([rule]) => rule));
    expect([...tried].sort()).toEqual(schemaRules.map(({ name }) => name).sort());
  });

  it("but not what comes close", async () => {
    const close = `
${asked('private."May2"()')}
create table private.secrets (id int primary key);${closed("private.secrets")}
${table("id int primary key, goods_id int references public.goods (id), email text, is_admin boolean")}
create index labels_goods on public.labels (goods_id) where goods_id is not null;
create index labels_email on public.labels (email);
create index labels_admins on public.labels (email) where is_admin;
create view public.seen with (security_invoker = on) as select id from public.labels;
${revoked("public.seen")}${commented("view public.seen")}
${select(`id > 0 and (select auth.uid()) is not null and (select private."May2"()) and (select current_setting('a.b', true)) <> ''`)}
create function private.f() returns int language sql security definer set search_path = ''
as 'select 1';${revoked("function private.f()")}`;
    expect(await judge({ [more]: close })).toEqual([]);
  });
});
