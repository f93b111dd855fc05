/**
 * A fresh project's database against what is known of Supabase's own (collected in 2026 from
 * its documentation, its SQL and its CLI).
 */
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestSandbox, type TestSandbox } from "../test-sandbox.ts";

let box: TestSandbox;
beforeAll(async () => {
  box = await startTestSandbox();
});
afterAll(() => box.remove());

describe.each(["2026-10", "legacy"])("a fresh database, grants %s", (grants) => {
  let db: pg.Client;
  beforeAll(async () => {
    db = await box.connect((await box.project({ grants })).databaseUrl);
  });

  async function value(sql: string): Promise<unknown> {
    const result = await db.query({ text: sql, rowMode: "array" });
    return result.rows[0]?.[0];
  }
  const column = async (sql: string) =>
    (await db.query({ text: sql, rowMode: "array" })).rows.map((row) => row[0]);
  const refused = (sql: string) =>
    expect(db.query(sql), sql).rejects.toMatchObject({ code: "42501" });

  /** Runs statements as another role, and takes everything back. */
  async function inTransaction(work: () => Promise<void>): Promise<void> {
    await db.query("begin");
    try {
      await work();
    } finally {
      await db.query("rollback");
    }
  }

  test("is PostgreSQL 17 with UTF8, owned by postgres", async () => {
    expect(await value("show server_version_num")).toMatch(/^17/);
    expect(await value("show server_encoding")).toBe("UTF8");
    expect(await value("select current_user")).toBe("postgres");
    expect(
      await value("select pg_get_userbyid(datdba) from pg_database where datname = 'postgres'"),
    ).toBe("postgres");
  });

  test("has the roles with their attributes", async () => {
    const result = await db.query(`
      select rolname as name, rolsuper as super, rolcreatedb as createdb, rolcreaterole as createrole,
        rolreplication as replication, rolbypassrls as bypass, rolcanlogin as login,
        rolinherit as inherit
      from pg_roles where rolname !~ '^pg_' order by rolname`);
    const flags = Object.fromEntries(
      result.rows.map(({ name, ...row }) => [name, Object.keys(row).filter((key) => row[key])]),
    );
    expect(flags).toEqual({
      anon: [],
      authenticated: [],
      authenticator: ["login"],
      dashboard_user: ["createdb", "createrole", "replication", "inherit"],
      postgres: ["createdb", "createrole", "replication", "bypass", "login", "inherit"],
      service_role: ["bypass"],
      supabase_admin: [
        "super",
        "createdb",
        "createrole",
        "replication",
        "bypass",
        "login",
        "inherit",
      ],
      supabase_auth_admin: ["createrole", "login"],
      supabase_realtime_admin: ["createrole", "login"],
      supabase_storage_admin: ["createrole", "login"],
    });
  });

  test("has the memberships", async () => {
    const memberships = (role: string) =>
      column(`select r.rolname || case when m.admin_option then ' admin' else '' end
        from pg_auth_members m join pg_roles r on r.oid = m.roleid join pg_roles u on u.oid = m.member
        where u.rolname = '${role}' order by 1`);
    expect(await memberships("postgres")).toEqual([
      "anon admin",
      "authenticated admin",
      "pg_monitor",
      "pg_read_all_data",
      "pg_signal_backend",
      "service_role admin",
    ]);
    expect(await memberships("authenticator")).toEqual(["anon", "authenticated", "service_role"]);
  });

  test("limits statements and sets the search path", async () => {
    const settings = await db.query(`select rolname, unnest(setconfig) as setting
      from pg_db_role_setting join pg_roles r on r.oid = setrole`);
    const of = (role: string) =>
      settings.rows.filter((row) => row.rolname === role).map((row) => row.setting);
    expect(of("anon")).toContain("statement_timeout=3s");
    expect(of("authenticated")).toContain("statement_timeout=8s");
    expect(await value("show statement_timeout")).toBe("2min");
    expect(await value("show search_path")).toBe('"$user", public, extensions');
  });

  test("has the schemas, and no ledger yet", async () => {
    const names = await column(`select nspname from pg_namespace
      where nspname !~ '^pg_' and nspname <> 'information_schema' order by 1`);
    expect(names).toEqual([
      "auth",
      "extensions",
      "graphql_public",
      "public",
      "realtime",
      "storage",
      "vault",
    ]);
    for (const schema of ["auth", "storage", "realtime"]) {
      expect(
        await value(
          `select pg_get_userbyid(nspowner) from pg_namespace where nspname = '${schema}'`,
        ),
      ).toBe("supabase_admin");
      expect(await value(`select has_schema_privilege('${schema}', 'usage')`)).toBe(true);
      expect(await value(`select has_schema_privilege('${schema}', 'create')`)).toBe(false);
    }
    expect(
      await column(`select extname from pg_extension e join pg_namespace n on n.oid = extnamespace
        where nspname = 'extensions' order by 1`),
    ).toEqual(["pgcrypto", "uuid-ossp"]);
    expect(
      await value("select length(gen_salt('bf')) > 0 and uuid_generate_v4() is not null"),
    ).toBe(true);
  });

  test("knows who asks: auth.uid, role, email, jwt", async () => {
    const id = "11111111-2222-4333-8444-555555555555";
    await inTransaction(async () => {
      const claims = JSON.stringify({ sub: id, role: "authenticated", email: "a@example.com" });
      await db.query("select set_config('request.jwt.claims', $1, true)", [claims]);
      await db.query("set local role authenticated");
      expect(await value("select auth.uid()")).toBe(id);
      expect(await value("select auth.role()")).toBe("authenticated");
      expect(await value("select auth.email()")).toBe("a@example.com");
      expect(await value("select auth.jwt() ->> 'sub'")).toBe(id);
      await db.query("select set_config('request.jwt.claims', '', true)");
      expect(await value("select auth.uid() is null and auth.jwt() is null")).toBe(true);
      await db.query("select set_config('request.jwt.claim.sub', $1, true)", [id]);
      expect(await value("select auth.uid()")).toBe(id);
    });
    const kinds = `select bool_and(provolatile = 's' and lanname = 'sql') from pg_proc p
      join pg_language l on l.oid = prolang
      where pronamespace = 'auth'::regnamespace and proname in ('uid', 'role', 'email', 'jwt')`;
    expect(await value(kinds)).toBe(true);
  });

  test("has Auth's and Storage's tables with their rules", async () => {
    expect(
      await value(`select bool_and(relrowsecurity) from pg_class
        where relnamespace in ('auth'::regnamespace, 'storage'::regnamespace) and relkind = 'r'`),
    ).toBe(true);
    expect(
      await value(`select atthasdef from pg_attribute
        where attrelid = 'auth.users'::regclass and attname = 'id'`),
    ).toBe(false);
    const indexes = await column("select indexdef from pg_indexes where schemaname = 'auth'");
    expect(indexes).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/UNIQUE .* auth\.users .*\(email\) WHERE \(is_sso_user = false\)/),
        expect.stringMatching(/UNIQUE .* auth\.users .*\(phone\)/),
        expect.stringMatching(/UNIQUE .* auth\.identities .*\(provider_id, provider\)/),
      ]),
    );
    expect(
      await value(`select confdeltype from pg_constraint
        where conrelid = 'auth.identities'::regclass and contype = 'f'`),
    ).toBe("c");
    const types = await db.query(`select column_name, data_type from information_schema.columns
      where table_schema = 'auth' and table_name = 'users' and column_name ~ '^raw_'`);
    expect(types.rows.map((row) => row.data_type)).toEqual(["jsonb", "jsonb"]);
    await inTransaction(async () => {
      await db.query("insert into storage.buckets (id, name, public) values ('b', 'b', true)");
      await db.query("insert into storage.objects (bucket_id, name) values ('b', 'one/two.txt')");
      expect(await value("select path_tokens from storage.objects")).toEqual(["one", "two.txt"]);
      expect(await value("select storage.foldername(name) from storage.objects")).toEqual(["one"]);
      expect(
        await value(
          "select storage.filename(name) || storage.extension(name) from storage.objects",
        ),
      ).toBe("two.txttxt");
    });
    await refused("delete from storage.objects");
    await refused("delete from storage.buckets");
  });

  test("lets postgres do what it may", async () => {
    await inTransaction(async () => {
      await db.query(`
        create table profiles (id uuid primary key references auth.users on delete cascade);
        create function on_user() returns trigger language plpgsql security definer
          set search_path = '' as $$ begin return new; end $$;
        create trigger on_user after insert on auth.users for each row execute function on_user();
        insert into storage.buckets (id, name) values ('a', 'a');
        alter publication supabase_realtime add table profiles;
        create extension citext with schema extensions;
        create schema shop;
        create role helper nologin;
        grant select on profiles to authenticated;
        set local role service_role`);
      expect(await value("select current_user")).toBe("service_role");
    });
  });

  test("refuses postgres what it may not", async () => {
    await refused("create table auth.mine (id int)");
    await refused("create function storage.mine() returns int language sql as 'select 1'");
    await refused("create table realtime.mine (id int)");
    await refused("alter table auth.users add column mine text");
    await refused("create index on auth.users (created_at)");
    await refused("copy (select 1) to program 'cat'");
    await refused("create publication everything for all tables");
    await refused("create role boss superuser");
    await refused("set role supabase_admin");
    await refused("set role supabase_auth_admin");
    await refused("alter role supabase_auth_admin password 'x'");
    await refused(
      "create event trigger mine on sql_drop execute function extensions.pgrst_drop_watch()",
    );
    await refused("alter system set fsync = off");
  });

  test("tells PostgREST to reload its schema", async () => {
    const heard: string[] = [];
    db.on("notification", (message) => heard.push(`${message.channel}: ${message.payload}`));
    await db.query("listen pgrst");
    await db.query("create table noticed (id int)");
    await db.query("select 1");
    expect(heard).toEqual(["pgrst: reload schema"]);
    await db.query("drop table noticed");
    await db.query("select 1");
    expect(heard).toHaveLength(2);
  });

  test("opens new objects of postgres to the API roles as its mode says", async () => {
    const legacy = grants === "legacy";
    await inTransaction(async () => {
      await db.query(`create table thing (id bigserial primary key, name text);
        create function act() returns int language sql as 'select 1'`);
      for (const role of ["anon", "authenticated", "service_role"]) {
        const table = async (privilege: string) =>
          value(`select has_table_privilege('${role}', 'thing', '${privilege}')`);
        for (const privilege of ["select", "insert", "update", "delete"]) {
          expect(await table(privilege), `${role} ${privilege}`).toBe(legacy);
        }
        for (const privilege of ["truncate", "references", "trigger", "maintain"]) {
          expect(await table(privilege), `${role} ${privilege}`).toBe(true);
        }
        for (const privilege of ["usage", "select"]) {
          expect(
            await value(`select has_sequence_privilege('${role}', 'thing_id_seq', '${privilege}')`),
          ).toBe(legacy);
        }
        const granted = await value(`select exists (select from pg_proc, aclexplode(proacl) a
          where proname = 'act' and a.grantee = '${role}'::regrole)`);
        expect(granted, `${role} execute`).toBe(legacy);
        expect(await value(`select has_function_privilege('${role}', 'act()', 'execute')`)).toBe(
          true,
        );
      }
      await db.query("revoke execute on function act() from public");
      expect(await value("select has_function_privilege('anon', 'act()', 'execute')")).toBe(legacy);
    });
  });
});
