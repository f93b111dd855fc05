import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type CustomerServer,
  startCustomerServer,
} from "../../../tests/support/customer-database.ts";
import { diffInventories, type InventoryLine, readInventory } from "./inventory.ts";

let server: CustomerServer;
let client: pg.Client;
beforeAll(async () => {
  server = await startCustomerServer();
  const database = await server.createDatabase();
  client = await server.connect(database);
  const admin = await server.connectSuperuser(database);
  await admin.query(`create schema auth; create table auth.users (id int primary key);
    grant usage on schema auth to postgres; alter table auth.users owner to postgres;
    create schema storage; create table storage.objects (id int primary key);
    grant usage on schema storage to postgres; alter table storage.objects owner to postgres`);
  await admin.end();
  await client.query(`
    create schema app; create extension pgcrypto; create publication changes;
    create type public.level as enum ('low', 'high');
    create sequence public.numbers;
    create table public.products (id int primary key, name text not null, price numeric(10,2) not null default 0,
      level public.level, constraint cheap check (price < 100));
    create index products_name on public.products (name);
    create view public.names as select name from public.products;
    create function public.f(a int) returns int language sql stable as 'select a';
    create function public.touch() returns trigger language plpgsql as 'begin return new; end';
    create trigger touched before update on public.products for each row execute function public.touch();
    create trigger account after insert on auth.users for each row execute function public.touch();
    alter table public.products enable row level security;
    create policy readers on public.products for select to anon using (id > 0);
    revoke all on table public.products from public, anon, authenticated, service_role`);
});
afterAll(async () => {
  await client?.end();
  await server?.stop();
});

/** What a change makes different from what was there before it. */
async function changed(sql: string): Promise<string[]> {
  const before = await readInventory(client);
  await client.query(sql);
  const differences = diffInventories(before, await readInventory(client));
  return differences.filter(({ implied }) => !implied).map(({ text }) => text);
}

const P = "public.products";
const KEY = `sb_secret_${"x".repeat(30)}`;
/** In turn: each begins where the one before has ended. */
const CHANGES: [sql: string, lines: string[]][] = [
  ["select 1", []],
  [
    "alter table public.products alter price type numeric(12,2)",
    [
      `${P}.price: the column is numeric(12,2) not null default 0, the ledger's versions make numeric(10,2) not null default 0`,
    ],
  ],
  [
    "alter table public.products add extra int",
    [`${P}.extra: a column that no applied version makes`],
  ],
  ["alter table public.products drop extra", [`missing: column ${P}.extra`]],
  [
    "alter table public.products alter name drop not null",
    [`${P}.name: the column is text, the ledger's versions make text not null`],
  ],
  [
    "create table public.extra (id serial primary key, name text unique)",
    ["public.extra: a table that no applied version makes"],
  ],
  ["drop table public.extra", ["missing: table public.extra"]],
  [
    "alter table public.products drop constraint cheap, add constraint cheap check (price < 200)",
    [
      `${P}.cheap: the constraint is CHECK ((price < (200)::numeric)), the ledger's versions make CHECK ((price < (100)::numeric))`,
    ],
  ],
  ["drop index public.products_name", ["missing: index public.products_name"]],
  [
    "create index products_by_name on public.products (name)",
    ["public.products_by_name: an index that no applied version makes"],
  ],
  [
    "create or replace view public.names as select name from public.products where price > 1",
    [
      "public.names: the view is SELECT name FROM public.products WHERE (price > (1)::numeric), the ledger's versions make SELECT name FROM public.products",
    ],
  ],
  [
    "create or replace function public.f(a int) returns int language sql stable as 'select a + 1'",
    ["public.f(integer): its body is not the one that the ledger's versions make"],
  ],
  [
    "alter function public.f(int) security definer",
    [
      "public.f(integer): the function is arguments (a integer), returns integer, language sql, stable, security definer, the ledger's versions make arguments (a integer), returns integer, language sql, stable, security invoker",
    ],
  ],
  [
    "create function public.g() returns int language sql as 'select 1'",
    ["public.g(): a function that no applied version makes"],
  ],
  [
    "alter table public.products disable trigger touched",
    [
      "touched on public.products: the trigger is …FUNCTION public.touch() (disabled), the ledger's versions make …FUNCTION public.touch()",
    ],
  ],
  ["drop trigger account on auth.users", ["missing: trigger account on auth.users"]],
  [
    "alter table public.products disable row level security",
    [`${P}: the row-level security is off, the ledger's versions make on`],
  ],
  [
    "alter policy readers on public.products using (true)",
    [
      "readers on public.products: the policy is permissive for select to anon using (true), the ledger's versions make permissive for select to anon using ((id > 0))",
    ],
  ],
  ["drop policy readers on public.products", ["missing: policy readers on public.products"]],
  [
    "alter type public.level add value 'top'",
    [
      "public.level: the type is enum ('low', 'high', 'top'), the ledger's versions make enum ('low', 'high')",
    ],
  ],
  [
    "alter sequence public.numbers increment 5",
    [
      "public.numbers: the sequence is bigint, start 1, by 5, from 1 to 9223372036854775807, cache 1, the ledger's versions make bigint, start 1, by 1, from 1 to 9223372036854775807, cache 1",
    ],
  ],
  [
    "grant select on public.products to anon",
    [`grants to anon on ${P}: SELECT, by the ledger's versions none`],
  ],
  [
    "grant update (name) on public.products to authenticated",
    [`grants to authenticated on ${P}.name: UPDATE, by the ledger's versions none`],
  ],
  [
    "revoke execute on function public.f(int) from public",
    ["grants to public on public.f(integer): none, by the ledger's versions EXECUTE"],
  ],
  [
    "alter default privileges in schema public grant select on tables to anon",
    ["default privileges to anon on tables in public: SELECT, by the ledger's versions none"],
  ],
  [
    "alter table public.products replica identity full",
    [`${P}: the table is replica identity full, the ledger's versions make plain`],
  ],
  [
    "alter table public.products replica identity default",
    [`${P}: the table is plain, the ledger's versions make replica identity full`],
  ],
  [
    "create policy uploads on storage.objects for insert to anon with check (true)",
    ["uploads on storage.objects: a policy that no applied version makes"],
  ],
  [
    "grant select on public.products to pg_monitor",
    [`grants to pg_monitor on ${P}: SELECT, by the ledger's versions none`],
  ],
  [
    `create trigger called after insert on public.products for each row execute function public.touch('${KEY}')`,
    [`called on ${P}: a trigger that no applied version makes`],
  ],
  [
    "create or replace trigger called after insert on public.products for each row execute function public.touch('another')",
    [`called on ${P}: its arguments are not what the ledger's versions make`],
  ],
  [
    `alter table public.products alter name set default '${"a".repeat(50)} ${KEY}'`,
    [
      `${P}.name: the column is text default '${"a".repeat(50)} sb_secret_[redacted]'::text, the ledger's versions make text`,
    ],
  ],
  [
    `alter table public.products alter name set default '${"a".repeat(50)} ${KEY}x'`,
    [`${P}.name: the column differs in a part that is not shown`],
  ],
  ["drop extension pgcrypto", ["missing: extension pgcrypto"]],
  ["create extension pgcrypto", []],
  [
    "alter publication changes add table public.products (id, name)",
    [`changes of ${P}: a publication that no applied version makes`],
  ],
  [
    "create schema own; create table own.a (id int)",
    ["own: a schema that no applied version makes"],
  ],
];

test.each(CHANGES)("%s", async (sql, lines) => {
  expect(await changed(sql)).toEqual(lines);
});

test("an event trigger that calls a function of the customer's is one of the customer's", async () => {
  await client.query(
    "create function public.watch() returns event_trigger language plpgsql as 'begin end'",
  );
  const admin = await server.connectSuperuser(client.database ?? "");
  try {
    await admin.query(
      "create event trigger watch on ddl_command_end execute function public.watch()",
    );
    const lines = (await readInventory(client)).filter(({ kind }) => kind === "event trigger");
    expect(lines.map(({ name }) => name)).toEqual(["watch"]);
  } finally {
    await admin.query("drop event trigger if exists watch; drop function public.watch()");
    await admin.end();
  }
});

test("an index that was never finished is not the one that was meant", async () => {
  await client.query("insert into public.products (id, name) values (1, 'a'), (2, 'a')");
  const failed = client.query("create unique index concurrently twice on public.products (name)");
  await expect(failed).rejects.toThrow(/could not create unique index/);
  const invalid = await readInventory(client);
  await client.query("delete from public.products where id = 2");
  await client.query("reindex index public.twice");
  const [line] = diffInventories(await readInventory(client), invalid);
  expect(line?.text).toMatch(
    /public.twice: the index is .*\(invalid\), the ledger's versions make/,
  );
});

test("what is hidden in a line still counts for its hash", () => {
  const line = (name: string, kind = "column"): InventoryLine => ({
    kind,
    name,
    definition: `${name} text`,
    parent: kind === "column" ? "table public.extra" : null,
  });
  const table = line("public.extra", "table");
  const one = diffInventories([], [table, line("public.extra.a")]);
  const other = diffInventories([], [table, line("public.extra.b")]);
  const shown = (all: typeof one) => all.filter((d) => !d.implied).map((d) => d.text);
  expect(shown(one)).toEqual(shown(other));
  expect(one.map((d) => d.exact)).not.toEqual(other.map((d) => d.exact));
});
