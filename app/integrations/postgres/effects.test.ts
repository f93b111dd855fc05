import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type CustomerServer,
  startCustomerServer,
} from "../../../tests/support/customer-database.ts";
import { effectsOf } from "./effects.ts";
import { effectsOn } from "./effects-on-survey.ts";
import { splitStatements } from "./parse.ts";
import { surveyDatabase } from "./survey.ts";

let server: CustomerServer;
let client: pg.Client;
let blocker: pg.Client;
beforeAll(async () => {
  server = await startCustomerServer();
  const database = await server.createDatabase();
  client = await server.connect(database);
  blocker = await server.connect(database);
  await client.query(FIXTURE);
});
afterAll(async () => {
  await client?.end();
  await blocker?.end();
  await server?.stop();
});

const FIXTURE = `
  create schema app;
  create table public.t (id int primary key, a int, b text, c varchar(10), v int not null default 0);
  create table public.u (id int primary key, t_id int);
  create table public.w (id int, t_id int);
  create table app.t (id int primary key);
  create table public.parent (id int) partition by list (id);
  create table public.piece partition of public.parent for values in (1);
  create table public.apart (id int);
  create table public.kin (id int);
  create table public.child () inherits (public.kin);
  create view public.seen as select 1 as one;
  create materialized view public.kept as select 1 as id;
  create unique index kept_id on public.kept (id);
  create index t_a on public.t (a);
  create sequence public.s;
  create function public.f() returns trigger language plpgsql as 'begin return new; end';
  create trigger tr before insert on public.u for each row execute function public.f();
  create policy p on public.u using (true);
  create rule r as on insert to public.w do also select 1;
  alter table public.u add constraint positive check (id > 0) not valid;
  alter table public.w add constraint w_t foreign key (t_id) references public.t (id) not valid;
  create domain app.positive as int check (value > 0);
  cluster public.t using t_pkey;
  create table public.root (id int primary key);
  create table public.branch (id int primary key references public.root);
  create table app.leaf (id int references public.branch);
  alter table public.root add foreign key (id) references public.branch;
  insert into public.t (id) values (1);`;

/** What the statements claim to lock of what stands in the fixture, and to rewrite. */
async function claimed(sql: string) {
  const { locks, rewrites } = effectsOn(
    effectsOf(await splitStatements(sql, "test.sql")),
    await surveyDatabase(client),
  );
  return {
    locks: locks.map(({ relation, mode }) => `${mode} on ${relation}`).sort(),
    rewrites: [...new Set(rewrites.map(({ relation }) => relation))].sort(),
  };
}

const FILES = `select n.nspname || '.' || c.relname as name, c.oid, pg_relation_filenode(c.oid) as file
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname in ('public', 'app') and c.relkind in ('r', 'p', 'v', 'm')`;

/** What this transaction holds on what stood there before it: by oid, since names may change. */
const HELD = `select l.relation as oid, l.mode from pg_locks l
  where l.pid = pg_backend_pid() and l.locktype = 'relation' and l.granted`;

const MODES = [
  "AccessShareLock",
  "RowShareLock",
  "RowExclusiveLock",
  "ShareUpdateExclusiveLock",
  "ShareLock",
  "ShareRowExclusiveLock",
  "ExclusiveLock",
  "AccessExclusiveLock",
];
const inWords = (mode: string) =>
  mode
    .replace("Lock", "")
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ")
    .toUpperCase();

/** What the server really does, in a transaction that is rolled back. */
async function real(sql: string) {
  await client.query("begin");
  try {
    const { rows: before } = await client.query(FILES);
    await client.query(sql);
    const { rows: held } = await client.query<{ oid: number; mode: string }>(HELD);
    const { rows: after } = await client.query(FILES);
    const locks = before.flatMap(({ name, oid }) => {
      const modes = held.filter((lock) => lock.oid === oid).map(({ mode }) => mode);
      const [most] = modes.sort((a, b) => MODES.indexOf(b) - MODES.indexOf(a));
      return most ? [`${inWords(most)} on ${name}`] : [];
    });
    const changed = before.filter(({ oid, file }) =>
      after.some((row) => row.oid === oid && row.file !== file),
    );
    return { locks: locks.sort(), rewrites: changed.map(({ name }) => name).sort() };
  } finally {
    await client.query("rollback");
  }
}

describe("what a file is said to lock and rewrite is what PostgreSQL locks and rewrites", () => {
  it.each([
    // Reading and changing rows.
    "select * from t",
    "select * from t join u on u.t_id = t.id where exists (select from app.t)",
    "with t as (select * from u) select * from t",
    "with t as (select * from t) select * from t, u",
    "with recursive n as (select 1 as i union all select i + 1 from n, u where i < 3) select * from n",
    "select * from t for update",
    "select * from t x join u y on true for share of y",
    "select * from (select * from t) s, u for update",
    "insert into w (id) select id from u",
    "update t set a = u.id from u where u.t_id = t.id",
    "delete from t using u where u.t_id = t.id and u.id = 0",
    "merge into t using u on t.id = u.id when not matched then do nothing",
    "with gone as (delete from u returning id) insert into app.t select id from gone",
    "explain select * from t",
    "lock table t in share mode",
    "lock table t, u",
    "truncate u, app.t",
    "truncate root cascade",
    "truncate t, root cascade",
    // New relations and what they refer to.
    "create table x (id int primary key, a int)",
    "create table x (id int references t (id), u_id int, foreign key (u_id) references u)",
    "create table x (like t including all)",
    "create table x () inherits (kin)",
    "create table x as select * from t",
    "select * into x from t",
    "create schema z create table x (id int references public.t)",
    "create view x as select t.id from t, u",
    "create or replace view seen as select 2 as one",
    "create materialized view x as select * from t",
    "create sequence x owned by t.a",
    // ALTER TABLE: its lock depends on the subcommand.
    "alter table t add column d text",
    "alter table t add column d text not null default 'x'",
    "alter table t add column d timestamptz not null default now()",
    "alter table t add column d uuid default gen_random_uuid()",
    "alter table t add column d float default random() + 1",
    "alter table t add column d int generated always as (a + 1) stored",
    "alter table t add column d int generated by default as identity",
    "alter table t add column d bigserial",
    "alter table t add column d int references u (id)",
    "alter table t drop column b",
    "alter table t alter v set not null",
    "alter table t alter v drop not null",
    "alter table t alter a set default 7",
    "alter table t alter a type bigint",
    "alter table t alter b type int using 1",
    "alter table t alter a set statistics 100",
    "alter table t alter a set (n_distinct = 5)",
    "alter table t alter b set storage external",
    "alter table t set (fillfactor = 70, autovacuum_enabled = off)",
    "alter table t reset (fillfactor)",
    "alter table t set (user_catalog_table = on)",
    "alter table t cluster on t_pkey",
    "alter table t set without cluster",
    "alter table t add constraint k check (id > 0)",
    "alter table t add constraint k check (id > 0) not valid",
    "alter table u validate constraint positive",
    "alter table t add unique (b)",
    "alter table u add constraint k foreign key (t_id) references t (id)",
    "alter table u add constraint k foreign key (t_id) references t (id) not valid",
    "alter table u drop constraint positive",
    "alter table w validate constraint w_t",
    "alter table w drop constraint w_t",
    "alter table w drop column t_id",
    "alter table w alter t_id type bigint",
    "alter table t alter id type bigint",
    "alter table u disable trigger tr",
    "alter table u enable always trigger tr",
    "alter table w disable rule r",
    "alter table t enable row level security",
    "alter table t replica identity full",
    "alter table t owner to postgres",
    "alter table w set unlogged",
    "alter table u set schema app",
    "alter table parent attach partition apart for values in (2)",
    "alter table parent detach partition piece",
    "alter table apart inherit kin",
    "alter table child no inherit kin",
    "alter table u alter t_id set statistics 10, add constraint k check (true) not valid",
    "alter view seen set (security_invoker = on)",
    "alter table u rename to x",
    "alter table t rename column a to x",
    "alter table u rename constraint positive to x",
    "alter index t_a rename to x",
    "alter index t_a set (fillfactor = 50)",
    "alter trigger tr on u rename to x",
    "alter policy p on u rename to x",
    // Indexes, triggers, policies, rules, comments.
    "create index on t (b)",
    "create index i on t (b); drop index i",
    "drop index t_a",
    "reindex table t",
    "reindex index t_a",
    "create trigger x before update on t for each row execute function f()",
    "create policy x on t using (exists (select from u where u.t_id = t.id))",
    "alter policy p on u using (false)",
    "create rule x as on update to t do also insert into u values (1)",
    "create statistics x on a, b from t",
    "comment on table t is 'x'",
    "comment on column t.a is 'x'",
    "comment on column app.t.id is 'x'",
    "comment on view seen is 'x'",
    "comment on constraint positive on u is 'x'",
    "comment on trigger tr on u is 'x'",
    "comment on policy p on u is 'x'",
    "comment on index t_a is 'x'",
    "grant select on t to anon",
    "create publication x for table t",
    // Dropping.
    "drop table u",
    "drop table app.t, child",
    "drop table w",
    "drop table t cascade",
    "drop view seen",
    "drop materialized view kept",
    "drop trigger tr on u",
    "drop policy p on u",
    "drop rule r on w",
    // Whole tables.
    "refresh materialized view kept",
    "refresh materialized view concurrently kept",
    "cluster t using t_a",
    "analyze t",
    // Not run by being created, but read.
    "create function x() returns bigint language sql as 'select count(*) from t'",
    "create function x() returns bigint language sql begin atomic select count(*) from app.t; end",
    "create function x() returns void language plpgsql as 'begin delete from t; end'",
    "set local search_path = app, public; alter table t add column x int",
    "do $$ begin null; end $$",
  ])("%s", async (sql) => {
    const claim = await claimed(sql);
    const found = await real(sql);
    // This puts an empty file in place of the old one, and writes no row anew.
    if (sql.startsWith("truncate")) found.rewrites = [];
    expect(claim).toEqual(found);
  });

  it("says of a change of type that may spare the table that it may rewrite it", async () => {
    const sql = "alter table t alter c type varchar(20)";
    expect((await real(sql)).rewrites).toEqual([]);
    const { rewrites } = effectsOf(await splitStatements(sql, "test.sql"));
    expect(rewrites).toEqual([
      {
        relation: "public.t",
        line: 1,
        why: "the column c becomes varchar: every row is written anew, unless the old values are stored the same way",
      },
    ]);
  });

  it.each([
    ["create index concurrently x on t (b)", "SHARE UPDATE EXCLUSIVE", false],
    ["drop index concurrently t_a", "SHARE UPDATE EXCLUSIVE", false],
    ["reindex (concurrently) table t", "SHARE UPDATE EXCLUSIVE", false],
    ["vacuum t", "SHARE UPDATE EXCLUSIVE", false],
    ["vacuum (full) t", "ACCESS EXCLUSIVE", true],
  ])("outside a transaction: %s", async (sql, mode, rewrites) => {
    expect(await claimed(sql)).toEqual({
      locks: [`${mode} on public.t`],
      rewrites: rewrites ? ["public.t"] : [],
    });
    // What it asks for is seen while another session is in its way.
    await blocker.query("begin; lock table t in share mode");
    const { rows: self } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
    const waiting = client.query(sql).then(
      () => undefined,
      (error: unknown) => error,
    );
    const asked = async () => {
      const { rows } = await blocker.query<{ mode: string }>(
        "select mode from pg_locks where not granted and pid = $1 and relation = 't'::regclass",
        [self[0]?.pid],
      );
      return rows[0]?.mode;
    };
    let found = await asked();
    for (let tries = 0; !found && tries < 500; tries += 1) found = await asked();
    await blocker.query("select pg_cancel_backend($1)", [self[0]?.pid]);
    await blocker.query("rollback");
    await waiting;
    expect(inWords(found ?? "")).toBe(mode);
  });
});

describe("the effects of a file", () => {
  const of = async (sql: string) => effectsOf(await splitStatements(sql, "test.sql"));

  it.each([
    ["do $$ begin lock table t; end $$", "a DO block"],
    ["call app.tidy(1)", "CALL of app.tidy()"],
    ["select count(*), app.tidy() from t", "the function app.tidy()"],
    ["select cron.schedule('a', '* * * * *', 'select 1')", "the function cron.schedule()"],
    ["select public.now()", "the function public.now()"],
    ["insert into w select tidy(id) from t", "the function tidy()"],
    ["create table x as select tidy(id) from t", "the function tidy()"],
    ["alter table t add column d int default tidy()", "the function tidy()"],
    ["alter table t alter a type text using tidy(a)", "the function tidy()"],
    ["alter table t add check (tidy(a))", "the function tidy()"],
    ["create index on t (tidy(a))", "the function tidy()"],
    ["drop table t cascade", "DROP TABLE … CASCADE"],
    ["drop view if exists seen cascade", "DROP VIEW … CASCADE"],
    ["drop type x", "DROP TYPE"],
    ["drop domain app.positive", "DROP DOMAIN"],
    ["drop function f()", "DROP FUNCTION"],
    ["drop schema app cascade", "DROP SCHEMA … CASCADE"],
    ["drop extension pgcrypto", "DROP EXTENSION"],
    ["drop statistics x", "DROP STATISTICS"],
    ["create extension pgcrypto", "CREATE EXTENSION"],
    ["alter table t drop column a cascade", "ALTER TABLE … CASCADE"],
    ["alter type x add attribute b int", "ALTER TYPE of a composite type"],
    ["alter index a attach partition b", "ALTER INDEX … ATTACH PARTITION"],
    ["alter domain app.positive add check (value < 9)", /^ALTER DOMAIN, /],
    ["alter domain app.positive validate constraint k", /^ALTER DOMAIN, /],
    ["refresh materialized view kept", "the query behind public.kept"],
    ["create table x partition of parent default", "a default partition of public.parent"],
    ["alter publication p set table t", "the tables that a publication loses"],
    ["analyze", "ANALYZE of every table"],
  ])("name what the text cannot tell: %s", async (sql, what) => {
    const { unseen } = await of(`select 1;\n${sql}`);
    expect(unseen).toEqual([
      { line: 2, what: typeof what === "string" ? what : expect.stringMatching(what) },
    ]);
  });

  it.each([
    "select now(), pg_catalog.lower('A'), auth.uid(), count(*) from t",
    "alter table t alter a set default tidy()",
    "alter domain app.positive add check (value < 9) not valid",
    "alter domain app.positive drop constraint k",
    "create table x (a int default tidy()); drop table x; drop index t_a",
    "create policy x on t using (tidy(a))",
    "create function x() returns int language sql as 'select tidy()'",
    "create table x (id int) partition by list (id); create table y partition of x default",
    "create type x as enum ('a'); grant select on t to anon; refresh materialized view kept with no data",
  ])("leave nothing unseen of %s", async (sql) => {
    expect((await of(sql)).unseen).toEqual([]);
  });

  it("takes an option that is switched off for absent", async () => {
    const { locks } = await of("reindex (concurrently false) table t; vacuum (full off) u");
    expect(locks.map(({ mode }) => mode)).toEqual(["SHARE", "SHARE UPDATE EXCLUSIVE"]);
  });

  it("name each relation once, with its strongest lock and that statement's line", async () => {
    const { creates, locks } = await of(`select * from t;
      create table x (id int references u);
      -- a comment before it
      alter table t add column d int;
      create index on t (d);`);
    expect(creates).toEqual(["public.x"]);
    expect(locks).toEqual([
      { relation: "public.t", mode: "ACCESS EXCLUSIVE", line: 4 },
      { relation: "public.u", mode: "SHARE ROW EXCLUSIVE", line: 2 },
    ]);
  });

  it("take an unknown function for volatile, and say which", async () => {
    const { rewrites } = await of("alter table t add column d int default app.next_number()");
    expect(rewrites.map(({ why }) => why)).toEqual([
      "the new column d gets a value of its own in every row, from next_number()",
    ]);
  });

  it("bear a chain of operators deeper than JavaScript's calls", async () => {
    const chain = Array.from({ length: 3_000 }, (_, i) => `a <> ${i}`).join(" and ");
    const { locks } = await of(`select * from t where ${chain}`);
    expect(locks).toEqual([{ relation: "public.t", mode: "ACCESS SHARE", line: 1 }]);
  });
});
