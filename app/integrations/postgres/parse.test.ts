import { describe, expect, test } from "vitest";
import { parseMigration } from "./parse.ts";
import { ForbiddenStatementError, SqlSyntaxError } from "./sql-errors.ts";
import { tokenize } from "./sql-tokens.ts";

const file = "base/migrations/20260101000000_start.sql";
const parse = (sql: string, transactional = true) => parseMigration(sql, { file, transactional });
const refusal = async (sql: string, transactional = true) =>
  parse(sql, transactional).then(
    () => {
      throw new Error(`Not refused: ${sql}`);
    },
    (error: unknown) => error as ForbiddenStatementError,
  );

describe("statements", () => {
  test("come with the line of their first word, whatever stands before it", async () => {
    const sql =
      "-- ü😀\nselect ';';\r\n\n /* a /* b */\n */ -- c\n create table ü (a int);;\nselect $x$;\n$x$";
    expect((await parse(sql)).statements).toEqual([
      { sql: "-- ü😀\nselect ';'", line: 2 },
      { sql: "/* a /* b */\n */ -- c\n create table ü (a int)", line: 6 },
      { sql: "select $x$;\n$x$", line: 7 },
    ]);
  });

  test("are none in a file of comments", async () => {
    expect((await parse("-- nothing\n/* at all */\n")).statements).toEqual([]);
  });

  test("of a long chain of operators do not exhaust the stack", async () => {
    const sql = `select ${"1+".repeat(2_000)}1`;
    expect((await parse(sql)).statements).toHaveLength(1);
  });
});

describe("syntax errors", () => {
  test.each([
    ["select 1;\nselect 'ü😀' from from x", 2, /syntax error at or near "from"/],
    ["create table a (id int);\n\\connect other", 2, /\\connect is a command of psql/],
    ["\\i other.sql", 1, /command of psql/],
    ["select 1;\nselect 'a\0b'", 2, /NUL/],
    ["\ufeffselect 1", 1, /byte order mark/],
    ["select '\ud800'", 1, /surrogate/],
    ["select 'open", 1, /unterminated/],
  ])("%j names line %i", async (sql, line, message) => {
    const error = await refusal(sql);
    expect(error).toBeInstanceOf(SqlSyntaxError);
    expect(error).toMatchObject({ file, line });
    expect(error.message).toMatch(message);
    expect(error.fix).toBeTruthy();
  });
});

const fn = (body: string, language = "plpgsql") =>
  `create function public.f() returns void language ${language} as $f$ ${body} $f$`;
const block = (body: string) => `do $f$ begin ${body} end $f$`;

describe("the wall refuses", () => {
  test.each([
    // Transaction control, plain and hidden.
    ["begin"],
    ["start transaction"],
    ["commit"],
    ["commit and chain"],
    ["rollback"],
    ["savepoint a"],
    ["prepare transaction 'x'"],
    ["commit prepared 'x'"],
    ["set transaction isolation level serializable"],
    [block("commit;")],
    [block("if true then rollback; end if;")],
    [block("<<here>> commit and chain;")],
    [block("execute 'commit';")],
    ["do 'begin commit; end'"],
    ["create procedure public.p() language plpgsql as 'begin commit; end'"],
    // Role and identity.
    ["set role anon"],
    ["set local role anon"],
    ["reset role"],
    ["set session authorization anon"],
    ["reset session authorization"],
    ["select set_config('role', 'anon', true)"],
    ["select pg_catalog.set_config('ROLE', 'anon', true)"],
    ["select set_config('ro' || 'le', 'anon', true)"],
    [block("perform set_config('role', 'anon', true);")],
    [block("set local role anon;")],
    [block("execute 'set role anon';")],
    [block("execute format('set %s role %I', 'local', 'anon'); set role anon;")],
    ["create function public.f() returns int language sql set role = anon as 'select 1'"],
    ["alter function public.f() set role = anon"],
    ["create role x"],
    ["grant postgres to anon"],
    ["alter role anon set statement_timeout = 0"],
    ["alter table public.a owner to anon; alter schema public owner to anon"],
    ["create schema mine authorization anon"],
    [block("create schema mine authorization anon;")],
    ["alter default privileges in schema public revoke all on tables from anon"],
    [block("alter default privileges grant select on tables to anon;")],
    // A path that leads into schemas which are not the template's.
    ["set local search_path = berth"],
    ["set local search_path = public, 'storage'"],
    ["select set_config('search_path', 'auth', true)"],
    ["select set_config('search_path', 'public, \"Berth\"', true)"],
    ["select set_config('search_path', 'ber' || 'th', true)"],
    ["select set_config('search_path', name, true) from public.x"],
    [block("set local search_path = auth; insert into users (id) values (default);")],
    [block('set local search_path = public, "berth";')],
    [block("set local search_path to supabase_migrations;")],
    [block("perform set_config('search_path', 'berth', true); delete from ledger;")],
    [block("perform set_config('search_path', 'ber' || 'th', true);")],
    [block("perform set_config('search_path', 'public', false);")],
    [block("execute 'set local search_path = berth';")],
    [block("execute 'set local search_path = ' || 'berth';")],
    [block("execute 'set local search_path = ber' || 'th';")],
    [block("execute format('set local search_path = %I', 'berth');")],
    [fn("begin perform set_config('search_path', 'berth', true); delete from ledger; end")],
    [fn("select set_config('search_path', 'berth', true)", "sql")],
    ["create function public.f() returns int language sql set search_path = berth as 'select 1'"],
    [
      "create function public.f() returns void language plpgsql set search_path to public, supabase_migrations as 'begin delete from schema_migrations; end'",
    ],
    ["alter function public.f() set search_path = auth"],
    // Settings by another name.
    ["update pg_settings set setting = '0' where name = 'lock_timeout'"],
    ["update pg_catalog.pg_settings set setting = '0'"],
    ["create view public.v as select * from pg_settings"],
    [block("update pg_settings set setting = '0';")],
    [fn("begin execute 'update pg_settings set setting = 0'; end")],
    ["delete from pg_class"],
    ["insert into pg_proc select * from pg_proc"],
    ["merge into pg_class c using (select 1) s on false when not matched then do nothing"],
    ["truncate pg_statistic"],
    [block("delete from pg_class;")],
    // Limits and session state.
    ["set lock_timeout = 0"],
    ["set local lock_timeout = 0"],
    ["set local statement_timeout = 0"],
    ["set local berth.xid = '1'"],
    ["select set_config('berth.xid', '1', true)"],
    ["set search_path = public"],
    ["select set_config('search_path', 'public', false)"],
    ["reset all"],
    ["discard all"],
    ["listen x"],
    ["prepare p as select 1"],
    // Locks and other sessions, anywhere in an expression.
    ["select 1 where pg_advisory_unlock_all() is null"],
    ["select pg_catalog.pg_try_advisory_lock(1)"],
    ["create table a (id int default (pg_advisory_xact_lock(1)::text::int))"],
    ["with x as (select pg_advisory_unlock(1)) select * from x"],
    ["explain analyze select pg_advisory_unlock_all()"],
    ["create aggregate public.a (int) (sfunc = pg_advisory_lock, stype = int)"],
    [fn("select pg_advisory_unlock_all()", "sql")],
    [
      "create function public.f() returns void language sql begin atomic select pg_advisory_unlock_all(); end",
    ],
    [fn("begin perform pg_advisory_unlock_all(); end")],
    [fn('begin perform "pg_advisory_unlock_all" /* x */ (); end')],
    ['select U&"pg_advisory_unlock\\005fall"()'],
    [block('perform U&"pg_advisory_unlock\\005fall"();')],
    [block("execute 'select pg_' || 'x'; execute $q$ select pg_advisory_unlock_all() $q$;")],
    // Hidden behind escapes.
    [block("execute E'select pg\\x5fadvisory_unlock_all()';")],
    [block("execute E'select pg\\137advisory_unlock_all()';")],
    [block("execute E'select pg\\u005fadvisory_unlock_all()';")],
    [block("execute E'select pg\\U0000005fadvisory_unlock_all()';")],
    [block("execute E'\\x63ommit';")],
    // SQL given as text to a function.
    [`select ts_rewrite('a'::tsquery, 'select 1')`],
    ["select * from extensions.crosstab2('select 1')"],
    ["select * from crosstab3('select 1')"],
    ["select * from crosstab4('select 1')"],
    ["select * from crosstab_hash('select 1', 'select 2')"],
    ["select * from xpath_table('a', 'b', 'c', 'd', 'e') as t (a int)"],
    ["select pg_terminate_backend(1)"],
    ["select pg_cancel_backend(1)"],
    ["select query_to_xml('select pg_advisory_unlock_all()', true, true, '')"],
    // Files, programs, other servers.
    ["alter system set work_mem = '1GB'"],
    ["copy a from program 'id'"],
    ["copy a to '/tmp/x'"],
    ["copy a from stdin"],
    [block("execute 'copy a to program ''id''';")],
    ["select pg_read_file('/etc/passwd')"],
    ["select pg_ls_logdir()"],
    ["select lo_import('/etc/passwd')"],
    ["select lo_export(1, '/tmp/x')"],
    ["select lo_from_bytea(0, 'x')"],
    ["select lo_create(0)"],
    [fn("begin perform lo_import('/etc/passwd'); end")],
    ["select * from dblink('x', 'select 1') as t (a int)"],
    ["create extension dblink"],
    ["create extension postgres_fdw"],
    ["create extension http"],
    ["create extension pg_net"],
    ["create extension pg_cron"],
    ["create extension tablefunc"],
    ["create extension xml2"],
    ["create server s foreign data wrapper w"],
    ["create subscription s connection 'x' publication p"],
    ["create function public.f() returns int language c as 'x', 'y'"],
    [fn("import os", "plpython3u")],
    ["load 'x'"],
    // What cannot run in a transaction.
    ["create index concurrently i on public.a (id)"],
    ["drop index concurrently i"],
    ["reindex (concurrently) index i"],
    ["alter table a detach partition b concurrently"],
    ["vacuum a"],
    ["create database x"],
    ["reindex database x"],
    // Schemas that are not the template's.
    ["create table auth.x (id int)"],
    ["alter table auth.users add column x int"],
    ["create index on auth.users (email)"],
    ["delete from auth.users"],
    ["with x as (delete from auth.users returning id) select * from x"],
    ["create function auth.f() returns int language sql as 'select 1'"],
    ["create view storage.v as select 1"],
    ["delete from storage.objects"],
    ["drop table auth.users"],
    ["drop schema auth cascade"],
    ["create type vault.t as enum ('a')"],
    ["alter table public.a set schema auth"],
    ["grant all on schema auth to anon"],
    ["grant select on all tables in schema auth to anon"],
    ["truncate public.a, auth.users"],
    ["select 1 as x into auth.y"],
    ["set local search_path = auth; create table x (id int)"],
    ["create schema berth"],
    ["drop schema berth cascade"],
    ["update berth.fence set token = 9"],
    ["create view public.v as select * from berth.ledger"],
    ["insert into supabase_migrations.schema_migrations values ('1')"],
    ["grant usage on schema supabase_migrations to anon"],
    [fn("delete from berth.ledger", "sql")],
    [fn("begin delete from berth . ledger; end")],
    [block("execute 'delete from berth.ledger';")],
    [block("execute 'delete from \"supabase_migrations\".schema_migrations';")],
    // The same in a DO block, which runs at once.
    [block("delete from auth.users;")],
    [block("update only auth . users set email = null;")],
    [block("if true then insert into auth.users (id) values (default); end if;")],
    [block("create table auth.mine (id int);")],
    [block("create or replace function storage.f() returns int language sql as 'select 1';")],
    [block("alter table if exists auth.users add column x int;")],
    [block('drop table "auth"."users";')],
    [block("truncate storage.objects;")],
    [block("grant select on table auth.users to anon;")],
    [block("drop schema storage cascade;")],
    [block("comment on table auth.users is 'mine';")],
    [block("create index i on auth.users (email);")],
    [block("execute 'delete from auth.users';")],
    [block("execute format('alter table auth.%I add column x int', 'users');")],
    [block("with d as (delete from auth.users returning id) insert into public.x select 1;")],
    [block("with d as materialized (update auth.users set email = null) select 1 into x;")],
    [block("for r in delete from auth.users returning id loop null; end loop;")],
    [block("execute 'with d as (delete from auth.users returning id) select 1';")],
    [block("execute 'explain analyze insert into auth.users (id) values (default)';")],
    [block("execute 'select 1; with recursive d (id) as (delete from auth.users) select 1';")],
    [block("execute '(with d as (delete from auth.users returning id) select 1)';")],
    [block("execute 'create temp table t as with d as (delete from auth.users) select 1';")],
    [block("execute 'prepare p as delete from auth.users';")],
    [block("drop table if exists public.x, auth.users;")],
    [block("truncate public.x, only storage.objects;")],
    [block("drop function public.f(int, text), auth.f(int);")],
    [block("grant usage on schema public, vault to anon;")],
    [block("drop schema mine, storage cascade;")],
    [block("alter table public.x set schema auth;")],
    [block("create role x;")],
    [block("execute 'alter role anon set statement_timeout = 0';")],
    [block("alter database postgres set work_mem = '1GB';")],
    [block("drop owned by anon;")],
  ])("%s", async (sql) => {
    const error = await refusal(`select 1;\n${sql}`);
    expect(error).toBeInstanceOf(ForbiddenStatementError);
    expect(error).toMatchObject({ code: "sql_forbidden", file, line: 2 });
    expect(error.found && error.needed && error.fix).toBeTruthy();
  });
});

describe("the wall lets pass", () => {
  test.each([
    ["create table public.x (id uuid primary key references auth.users (id) on delete cascade)"],
    ["alter table public.x enable row level security"],
    ["create policy p on public.x to authenticated using (id = (select auth.uid()))"],
    ["create policy p on storage.objects for select using (bucket_id = 'a')"],
    ["insert into storage.buckets (id, name) values ('a', 'a') on conflict do nothing"],
    ["create trigger t after insert on auth.users for each row execute function public.f()"],
    ["drop trigger if exists t on auth.users"],
    [
      "grant select on public.x to authenticated; revoke execute on function public.f() from public",
    ],
    ["set local search_path = pg_catalog, extensions, public"],
    ["create function public.f() returns int language sql set search_path = '' as 'select 1'"],
    [block("set local search_path = public, extensions; execute 'set local search_path = x';")],
    [block("insert into public.help values ('With care: update auth.users yourself; or ask us');")],
    [block("raise notice 'Set role first, then commit'; raise exception 'set role %', 'x';")],
    [fn("begin raise exception using message = 'x'; raise warning 'commit'; end")],
    ["update public.m set role = 'x'; select current_setting('server_version')"],
    ["select * from pg_class; select 1 from pg_catalog.pg_proc"],
    ["create extension if not exists pgcrypto with schema extensions"],
    ["alter publication supabase_realtime add table public.x"],
    ["notify pgrst, 'reload schema'"],
    ["comment on table public.x is 'commit'; comment on column public.x.id is 'a'"],
    ["set local search_path = public, extensions; select set_config('search_path', '', true)"],
    ["set constraints all immediate"],
    ["create type public.t as enum ('commit', 'rollback')"],
    ["analyze public.x"],
    [block("create policy p on storage.objects for select using (bucket_id = 'a');")],
    [
      block(
        "create trigger t after insert on auth.users for each row execute function public.f();",
      ),
    ],
    [
      block(
        "drop trigger if exists t on auth.users; insert into storage.buckets (id) values ('a');",
      ),
    ],
    [block("create table public.y (id uuid primary key references auth.users (id));")],
    [block("create view public.v as select u.id from auth.users u;")],
    [block("insert into public.x select u.id from auth.users u; perform 1 from auth.users;")],
    [block("raise notice 'delete from the list what auth.users lacks';")],
    [block("drop function if exists public.f(int, extensions.citext), public.g(auth.aal_level);")],
    [block("drop table public.x, public.y; grant select, insert on public.x, public.z to anon;")],
    [block("alter table public.x set schema private; grant usage on schema public, mine to anon;")],
    [block("comment on table public.x is 'The trigger will delete from auth.users later.';")],
    [block("perform 1 from auth.users for update; grant delete, update on public.x to anon;")],
    [block("create trigger t after delete or update of email on auth.users execute function f();")],
    [block("insert into public.x select 1 on conflict do update set a = 1;")],
    [block("perform current_setting('berth.base.currency', true);")],
    [fn("begin delete from auth.users where id = old.id; end")],
    ["refresh materialized view concurrently public.m"],
    ["create index on public.x (id); reindex index public.i"],
    ["select 'pg_advisory_lock(1)'"],
    [
      block(
        "if not exists (select 1 from pg_type) then create type public.t as enum ('a'); end if;",
      ),
    ],
    [
      fn(`declare role text := 'x'; begin
        update public.m set role = 'x', name = 'y' where id = 1; -- commit;
        raise exception 'Set the price; commit it. Rollback is not possible';
      end`),
    ],
    [
      "create function public.f() returns trigger language plpgsql security definer set search_path = '' " +
        "as 'begin insert into public.p (id) values (new.id); return new; end'",
    ],
    [fn("select auth.uid()", "sql")],
  ])("%s", async (sql) => {
    await expect(parse(sql)).resolves.toBeTruthy();
  });
});

describe("a file without a transaction", () => {
  test.each([
    ["create index concurrently i on public.a (id)"],
    ["-- why\ncreate unique index concurrently if not exists i on a (id) where id > 1"],
    ["drop index concurrently public.i"],
    ["reindex table concurrently public.a"],
    ["vacuum (analyze) public.a"],
  ])("may hold %s", async (sql) => {
    expect((await parse(sql, false)).statements).toHaveLength(1);
  });

  test.each([
    [""],
    ["-- nothing"],
    ["select 1"],
    ["create index i on a (id)"],
    ["create index concurrently on a (id)"],
    ["create index concurrently i on auth.users (id)"],
    ["drop index concurrently a, b"],
    ["reindex database concurrently x"],
    ["vacuum"],
    ["create database x"],
    ["create index concurrently i on a (id); create index concurrently j on a (id)"],
    ["create index concurrently i on a ((pg_advisory_unlock_all()::text))"],
  ])("may not hold %j", async (sql) => {
    expect(await refusal(sql, false)).toBeInstanceOf(ForbiddenStatementError);
  });
});

describe("a file without a transaction closes no table, since nothing limits its wait for the lock", () => {
  test.each([
    ["vacuum full a", "VACUUM FULL", /without FULL/],
    ["vacuum (analyze, full true) a", "VACUUM FULL", /without FULL/],
    ["vacuum (full 1) a", "VACUUM FULL", /without FULL/],
    ["reindex table a", "REINDEX without CONCURRENTLY", /CONCURRENTLY/],
    ["reindex (verbose) index i", "REINDEX without CONCURRENTLY", /CONCURRENTLY/],
    ["reindex (concurrently false) table a", "REINDEX without CONCURRENTLY", /CONCURRENTLY/],
    ["cluster a using i", "CLUSTER", /transaction=none/],
    ["cluster", "CLUSTER", /transaction=none/],
  ])("%s", async (sql, found, fix) => {
    const error = await refusal(sql, false);
    expect(error).toMatchObject({ code: "sql_forbidden", file, line: 1 });
    expect(error.found).toContain(found);
    expect(error.message).toMatch(/closes the table to everyone/);
    expect(error.fix).toMatch(fix);
  });

  test("nor is VACUUM FULL sent from a file with a transaction to one without", async () => {
    expect((await refusal("vacuum full a")).fix).not.toMatch(/transaction=none/);
  });

  test("what is switched off is not refused", async () => {
    expect((await parse("vacuum (full false) a", false)).statements).toHaveLength(1);
  });
});

test("tokens: comments go, strings keep their content, words fold", () => {
  const tokens = tokenize(`Se"a""B" e'a\\'b' 'c''d' $q$ e; $q$ /* /* */ */ 12.5 <= -- x`);
  expect(tokens.map(({ kind, text }) => [kind, text])).toEqual([
    ["word", "se"],
    ["name", 'a"B'],
    ["string", "a'b"],
    ["string", "c'd"],
    ["string", " e; "],
    ["number", "12.5"],
    ["sign", "<"],
    ["sign", "="],
  ]);
  for (const open of ["'", '"', "$$", "/*", "e'\\", "--"]) tokenize(open);
});
