/**
 * What `postgres` may do to the platform's tables that it does not own: policies, as the extension
 * supautils allows it at Supabase, and nothing else.
 */
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Cluster,
  clusterRoot,
  freePort,
  initCluster,
  type PostgresVersion,
  startCluster,
} from "#local/cluster.ts";

const PASSWORD = "of-this-test";
const FILES = [
  "01-roles",
  "02-schemas",
  "03-auth",
  "04-storage",
  "grants-legacy",
  "grants-2026-10",
];
const CREATE = "create policy reads on storage.objects for select to authenticated using (true)";
const OWNERS = [
  "realtime.messages supabase_realtime_admin",
  "storage.buckets supabase_storage_admin",
  "storage.objects supabase_storage_admin",
];

describe.each<PostgresVersion>([17, 15])("on PostgreSQL %i", (version) => {
  let folder: string;
  let cluster: Cluster;
  let db: pg.Client;
  const clients: pg.Client[] = [];

  async function connect(user: string): Promise<pg.Client> {
    const client = new pg.Client({
      host: "127.0.0.1",
      port: cluster.port,
      user,
      password: PASSWORD,
      database: "postgres",
    });
    await client.connect();
    clients.push(client);
    return client;
  }

  beforeAll(async () => {
    folder = await clusterRoot(path.join(tmpdir(), `berth-policies-${version}-${process.pid}`));
    const dataDir = path.join(folder, "data");
    const login = { superuser: "supabase_admin", password: PASSWORD, version };
    await initCluster({ dataDir, ...login });
    const settings = { fsync: "off" };
    cluster = await startCluster({ dataDir, port: await freePort(), ...login, settings });
    const admin = await connect("supabase_admin");
    for (const file of FILES) {
      await admin.query(await readFile(path.join(import.meta.dirname, `${file}.sql`), "utf8"));
    }
    await admin.query(`alter role postgres password '${PASSWORD}'`);
    db = await connect("postgres");
  });
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.end()));
    await cluster?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function column(sql: string): Promise<unknown[]> {
    return (await db.query({ text: sql, rowMode: "array" })).rows.map((row) => row[0]);
  }
  const policies = () =>
    column("select tablename || '.' || policyname from pg_policies where schemaname = 'storage'");
  const owners = () =>
    column(`select oid::regclass || ' ' || relowner::regrole from pg_class
    where oid in ('storage.objects'::regclass, 'storage.buckets'::regclass,
      'realtime.messages'::regclass) order by 1`);

  const refused = async (sql: string, words: RegExp) =>
    expect(db.query(sql), sql).rejects.toMatchObject({
      code: "42501",
      message: expect.stringMatching(words),
    });

  describe("policies of the platform's tables", () => {
    test.each(["storage.objects", "storage.buckets", "realtime.messages"])(
      "%s: postgres creates, alters and drops them",
      async (table) => {
        await db.query(`create policy mine on ${table} for select to authenticated using (false)`);
        await db.query(`alter policy mine on ${table} to anon using (true)`);
        await db.query(`alter policy mine on ${table} rename to yours`);
        const { rows } = await db.query(
          `select policyname, roles::text, qual from pg_policies
         where format('%I.%I', schemaname, tablename) = $1`,
          [table],
        );
        expect(rows).toEqual([{ policyname: "yours", roles: "{anon}", qual: "true" }]);
        await db.query(`drop policy yours on ${table}`);
        await db.query(`drop policy if exists yours on ${table}`);
        expect(await policies()).toEqual([]);
        expect(await owners()).toEqual(OWNERS);
      },
    );

    test("they hold for those whom they name", async () => {
      await db.query("insert into storage.buckets (id, name) values ('mine', 'mine')");
      await db.query(
        "create policy seen on storage.buckets for select to authenticated using (id = 'mine')",
      );
      for (const [role, count] of [
        ["authenticated", 1],
        ["anon", 0],
      ] as const) {
        await db.query(`begin; set local role ${role}`);
        expect(await column("select id from storage.buckets"), role).toHaveLength(count);
        await db.query("rollback");
      }
      await db.query("drop policy seen on storage.buckets");
    });

    test("they are made in a transaction, in a block, and by text that a block puts together", async () => {
      await db.query("begin");
      await db.query(CREATE);
      await db.query("do $$ begin execute 'drop policy reads on storage.objects'; end $$");
      await db.query(`create table public.notes (id int); ${CREATE}; drop table public.notes`);
      expect(await policies()).toEqual(["objects.reads"]);
      await db.query("rollback");
      expect(await policies()).toEqual([]);
      expect(await owners()).toEqual(OWNERS);
    });

    test("a command that fails leaves the owner as it was", async () => {
      await db.query("begin; savepoint before");
      await expect(
        db.query("create policy p on storage.objects using (nothing)"),
      ).rejects.toMatchObject({ code: "42703" });
      await db.query("rollback to savepoint before");
      expect(await owners()).toEqual(OWNERS);
      await refused("drop table storage.objects", /^must be owner of table objects$/);
      await db.query("rollback");
      expect(await owners()).toEqual(OWNERS);
    });

    test("two transactions that make policies at once take turns", async () => {
      const other = await connect("postgres");
      await db.query("begin");
      await db.query(CREATE);
      const second = other.query(CREATE.replace("reads", "writes"));
      await db.query("commit");
      await second;
      expect((await policies()).sort()).toEqual(["objects.reads", "objects.writes"]);
      await db.query("drop policy reads on storage.objects; drop policy writes on storage.objects");
      expect(await owners()).toEqual(OWNERS);
    });
  });

  describe("nothing but policies", () => {
    test.each([
      ["create table storage.mine (id int)", /^permission denied for schema storage$/],
      ["create view storage.mine as select 1", /^permission denied for schema storage$/],
      ["create type storage.mine as enum ()", /^permission denied for schema storage$/],
      [
        "create function storage.mine() returns int language sql as 'select 1'",
        /^permission denied for schema storage$/,
      ],
      [
        "create or replace function storage.foldername(name text) returns text[] language sql as 'select null'",
        /^permission denied for schema storage$/,
      ],
      ["alter table storage.objects add column mine text", /^must be owner of table objects$/],
      [
        "alter table storage.objects disable row level security",
        /^must be owner of table objects$/,
      ],
      ["alter table storage.objects owner to postgres", /^must be owner of table objects$/],
      ["alter table storage.objects set schema public", /^must be owner of table objects$/],
      [
        "alter table storage.objects disable trigger protect_objects_delete",
        /^must be owner of table objects$/,
      ],
      ["create index on storage.objects (owner_id)", /^must be owner of table objects$/],
      ["drop index storage.bname", /^must be owner of index bname$/],
      ["drop table storage.objects", /^must be owner of table objects$/],
      [
        "drop trigger protect_objects_delete on storage.objects",
        /^must be owner of (table|relation) objects$/,
      ],
      ["create rule r as on delete to storage.objects do instead nothing", /^must be owner/],
      [
        "drop function storage.protect_delete()",
        /^must be owner of function storage.protect_delete/,
      ],
      [
        "alter function storage.filename(text) volatile",
        /^must be owner of function storage.filename$/,
      ],
      ["drop schema storage cascade", /^must be owner of schema storage$/],
      ["comment on table storage.objects is 'mine'", /^must be owner of table objects$/],
      ["create publication p for table storage.objects", /^must be owner of table objects$/],
      ["select * into storage.mine from storage.objects", /^permission denied for schema storage$/],
      [
        "insert into storage.migrations values (1, 'a', 'a')",
        /^permission denied for table migrations$/,
      ],
      ["truncate storage.migrations", /^permission denied for table migrations$/],
      ["delete from storage.objects", /^Direct deletion from storage tables is not allowed/],
      [
        "create policy p on storage.migrations using (true)",
        /^must be owner of (table|relation) migrations$/,
      ],
      ["create policy p on auth.users using (true)", /^must be owner of (table|relation) users$/],
      [
        "set role supabase_storage_admin",
        /^permission denied to set role "supabase_storage_admin"$/,
      ],
      ["alter function extensions.open_tables_to_policies() security invoker", /^must be owner/],
    ])("%s", async (sql, words) => {
      await refused(sql, words);
      expect(await owners()).toEqual(OWNERS);
    });

    // Before 16 whoever may create roles may grant any role but a superuser's.
    if (version >= 16) {
      test("postgres makes itself no member of the owner", async () => {
        await refused("grant supabase_storage_admin to postgres", /./);
      });
    }

    test("the open door is for postgres alone", async () => {
      for (const role of ["anon", "authenticated", "service_role"]) {
        await db.query(`begin; set local role ${role}`);
        await refused(CREATE, /^must be owner of (table|relation) objects$/);
        await db.query("rollback");
      }
      await db.query(`create role helper login password '${PASSWORD}'`);
      const helper = await connect("helper");
      await expect(helper.query(CREATE)).rejects.toMatchObject({ code: "42501" });
    });

    test("nobody calls what opens it", async () => {
      await expect(db.query("select extensions.open_tables_to_policies()")).rejects.toMatchObject({
        message: expect.stringMatching(/trigger functions can only be called/),
      });
    });
  });
});
