import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Auth,
  act,
  anon,
  createAccount,
  createPeople,
  type People,
  service,
  startUntilBlocked,
} from "./acting.ts";
import { applyTemplates, grantModes, type ProjectServer } from "./fresh-database.ts";
import { joinProjectServer } from "./shared-server.ts";

let server: ProjectServer;
beforeAll(async () => {
  server = await joinProjectServer();
});
afterAll(() => server?.stop());

const denied = { code: "42501" };
const roleOf = async (client: pg.Client, id: string) => {
  const { rows } = await client.query(
    "select role::text, active from public.members where user_id = $1",
    [id],
  );
  return rows[0] ?? null;
};

describe.each(grantModes)("people in a project with the grants of %s", (mode) => {
  let client: pg.Client;
  let auth: Auth;
  let people: People;
  beforeAll(async () => {
    client = await server.createDatabase(mode);
    auth = await server.connectAsAuth(client);
    await applyTemplates(client, ["base", "inventory", "pos", "analytics"]);
    people = await createPeople(client, auth);
  });

  it("shows the company to its members, and to nobody else", async () => {
    const { rows: relations } = await client.query<{ name: string }>(
      `select oid::regclass::text as name from pg_class
       where relnamespace = 'public'::regnamespace and relkind in ('r', 'v')`,
    );
    expect(relations.length).toBeGreaterThan(20);
    for (const { name } of relations) {
      await expect(act(client, anon, `select from public.${name}`)).rejects.toMatchObject(denied);
      const { rowCount } = await act(client, people.stranger, `select from public.${name}`);
      expect([name, rowCount]).toEqual([name, name === "profiles" ? 1 : 0]);
    }
    for (const name of ["company_settings", "locations", "members", "products", "kpis"]) {
      const count = async (who: typeof anon) =>
        (await act(client, who, `select from public.${name}`)).rowCount;
      const { rowCount: all } = await client.query(`select from public.${name}`);
      expect([name, await count(people.viewer)]).toEqual([name, all]);
      expect([name, await count(service)]).toEqual([name, all]);
    }
  });

  it("lets viewers, strangers and anon change nothing", async () => {
    const { rows: tables } = await client.query<{ name: string; column: string }>(
      `select c.oid::regclass::text as name, min(a.attname) as column
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
       where relnamespace = 'public'::regnamespace and relkind = 'r'
         and has_column_privilege('authenticated', c.oid, a.attname, 'UPDATE')
         and a.attname <> 'id'
       group by c.oid`,
    );
    expect(tables.length).toBeGreaterThan(10);
    const before = await client.query("select count(*) from public.activity_log");
    for (const who of [people.viewer, people.stranger, anon]) {
      for (const { name, column } of tables) {
        const own = name === "profiles" ? `where id <> '${who.id ?? people.owner.id}'` : "";
        for (const sql of [
          `update public.${name} set ${column} = ${column} ${own}`,
          `delete from public.${name} ${own}`,
        ]) {
          const result = await act(client, who, sql).catch((error) => {
            expect(error).toMatchObject(denied);
            return { rowCount: 0 };
          });
          expect([sql, result.rowCount]).toEqual([sql, 0]);
        }
      }
      const insert = "insert into public.locations (code, name) values ('X', 'X')";
      await expect(act(client, who, insert)).rejects.toMatchObject(denied);
    }
    expect((await client.query("select count(*) from public.activity_log")).rows).toEqual(
      before.rows,
    );
  });

  it("keeps API functions from anon", async () => {
    const { rows: functions } = await client.query<{ call: string }>(
      `select format('%I.%I(%s)', n.nspname, p.proname,
         array_to_string(array_fill('null'::text, array[p.pronargs::int]), ', ')) as call
       from pg_proc p join pg_namespace n on n.oid = p.pronamespace
       where n.nspname in ('public', 'private') and p.prorettype <> 'trigger'::regtype`,
    );
    expect(functions.length).toBeGreaterThan(10);
    for (const { call } of functions) {
      await expect(act(client, anon, `select ${call}`), call).rejects.toMatchObject(denied);
    }
  });

  it("lets managers manage those below them only, and owners everyone", async () => {
    const { manager, owner, staff } = people;
    const newcomer = await createAccount(auth);
    const add = "insert into public.members (user_id, role) values ($1, $2)";
    for (const role of ["manager", "owner"]) {
      const adding = act(client, manager, add, [newcomer.id, role]);
      await expect(adding).rejects.toMatchObject(denied);
    }
    await act(client, manager, add, [newcomer.id, "viewer"]);
    const set = "update public.members set role = $2 where user_id = $1";
    await expect(act(client, manager, set, [newcomer.id, "manager"])).rejects.toMatchObject(denied);
    expect((await act(client, manager, set, [manager.id, "owner"])).rowCount).toBe(0);
    expect((await act(client, manager, set, [owner.id, "viewer"])).rowCount).toBe(0);
    expect((await act(client, staff, set, [staff.id, "manager"])).rowCount).toBe(0);
    expect((await act(client, owner, set, [newcomer.id, "manager"])).rowCount).toBe(1);
    await act(client, owner, "delete from public.members where user_id = $1", [newcomer.id]);
    expect(await roleOf(client, newcomer.id)).toBeNull();
  });

  it("takes a deactivated member's sight away at once", async () => {
    const { owner, manager } = people;
    const leaver = await createAccount(auth);
    await client.query("insert into public.members (user_id, role) values ($1, 'manager')", [
      leaver.id,
    ]);
    const see = () => act(client, leaver, "select from public.locations");
    expect((await see()).rowCount).toBe(1);
    const set = "update public.members set active = false where user_id = $1";
    expect((await act(client, manager, set, [leaver.id])).rowCount).toBe(0);
    expect((await act(client, owner, set, [leaver.id])).rowCount).toBe(1);
    expect((await see()).rowCount).toBe(0);
  });

  it("records who changed what, without values, and never lets go of it", async () => {
    const change = "update public.company_settings set name = 'Harbour & Sons'";
    await expect(act(client, people.manager, change)).resolves.toMatchObject({ rowCount: 0 });
    await act(client, people.owner, change);
    const sql = "select * from public.activity_log where table_name = 'company_settings'";
    const { rows } = await act(client, people.manager, sql);
    expect(rows).toMatchObject([
      { actor_id: people.owner.id, action: "update", row_id: "true", changed_columns: ["name"] },
    ]);
    expect((await act(client, people.staff, sql)).rowCount).toBe(0);
    for (const sql of [
      "update public.activity_log set action = 'x'",
      "delete from public.activity_log",
      "truncate public.activity_log",
    ]) {
      await expect(client.query(sql)).rejects.toMatchObject({ code: "23001" });
    }
  });
});

describe("accounts", () => {
  let client: pg.Client;
  let auth: Auth;
  beforeAll(async () => {
    client = await server.createDatabase("2026-10");
    auth = await server.connectAsAuth(client);
  });

  it("gives accounts that were there before base their profiles and the owner the role", async () => {
    const owner = await createAccount(auth, {
      app: { berth_role: "owner" },
      user: { full_name: "  Ada Lovelace " },
    });
    const other = await createAccount(auth);
    await applyTemplates(client, ["base"]);
    expect(await roleOf(client, owner.id)).toEqual({ role: "owner", active: true });
    expect(await roleOf(client, other.id)).toBeNull();
    const { rows } = await client.query("select full_name from public.profiles where id = $1", [
      owner.id,
    ]);
    expect(rows).toEqual([{ full_name: "Ada Lovelace" }]);
  });

  it("believes app metadata alone, given at once or later, and only when it changes", async () => {
    const pretender = await createAccount(auth, { user: { berth_role: "owner", full_name: 7 } });
    expect(await roleOf(client, pretender.id)).toBeNull();

    const invited = await createAccount(auth);
    const setApp = (metadata: object) =>
      auth.query("update auth.users set raw_app_meta_data = $2 where id = $1", [
        invited.id,
        metadata,
      ]);
    await setApp({ berth_role: "owner" });
    expect(await roleOf(client, invited.id)).toEqual({ role: "owner", active: true });

    await client.query("update public.members set role = 'viewer' where user_id = $1", [
      invited.id,
    ]);
    await setApp({ berth_role: "owner", providers: ["email", "github"] });
    expect(await roleOf(client, invited.id)).toEqual({ role: "viewer", active: true });
  });

  it("never stands in the way of a sign-up, whatever its metadata holds", async () => {
    for (const user of [{ full_name: "x".repeat(10_000) }, { full_name: { a: 1 } }, ["list"], {}]) {
      const account = await createAccount(auth, { user });
      const { rowCount } = await client.query("select from public.profiles where id = $1", [
        account.id,
      ]);
      expect(rowCount).toBe(1);
    }
    await auth.query("insert into auth.users (id) values (gen_random_uuid())");
  });

  it("follows a changed address, and removes what belongs to a removed account", async () => {
    const account = await createAccount(auth);
    await auth.query("update auth.users set email = 'new@example.test' where id = $1", [
      account.id,
    ]);
    const profile = () =>
      client.query("select email from public.profiles where id = $1", [account.id]);
    expect((await profile()).rows).toEqual([{ email: "new@example.test" }]);
    await auth.query("delete from auth.users where id = $1", [account.id]);
    expect((await profile()).rowCount).toBe(0);
  });

  it("keeps an owner, also when two leave at the same moment", async () => {
    await client.query("update public.members set role = 'viewer' where role <> 'owner'");
    const second = await createAccount(auth, { app: { berth_role: "owner" } });
    const { rows } = await client.query(
      "select user_id as id from public.members where role = 'owner' and user_id <> $1",
      [second.id],
    );
    const first = { role: "authenticated" as const, id: rows[0].id as string };
    expect(rows).toHaveLength(1);

    const beside = await server.connectBeside(client);
    const leave = "update public.members set role = 'staff' where user_id = $1";
    await client.query("begin");
    await client.query(leave, [first.id]);
    const { blocked, outcome } = await startUntilBlocked(auth, beside, () =>
      act(beside, second, leave, [second.id]),
    );
    await client.query("commit");
    expect(blocked).toBe(true);
    expect(await outcome).toMatchObject({ status: "rejected", reason: { code: "23001" } });

    const last = second;
    const remove = "delete from public.members where user_id = $1";
    await expect(act(client, last, remove, [last.id])).rejects.toMatchObject({ code: "23001" });
    // The account itself can go: that is Auth's decision, and the service can name another owner.
    await auth.query("delete from auth.users where id = $1", [last.id]);
    expect(await roleOf(client, last.id)).toBeNull();
  });

  it.each([
    ["currency", "euro", "23514"],
    ["locale", "german", "23514"],
    ["time_zone", "Europe/Nowhere", "22023"],
    ["time_zone", "FOO5BAR", "23514"],
    ["name", " ", "23514"],
  ])("refuses %s %j among the company's settings", async (column, value, code) => {
    const set = `update public.company_settings set ${column} = $1`;
    await expect(client.query(set, [value])).rejects.toMatchObject({ code });
  });

  it("takes settings as the world writes them", async () => {
    for (const [currency, zone, locale] of [
      ["EUR", "Europe/Vienna", "de-AT"],
      ["BRL", "America/Argentina/Buenos_Aires", "pt-BR"],
      ["TWD", "Etc/GMT+8", "zh-Hant-TW"],
      ["USD", "UTC", "es-419"],
    ]) {
      const set = "update public.company_settings set currency = $1, time_zone = $2, locale = $3";
      await client.query(set, [currency, zone, locale]);
    }
    await expect(
      client.query("insert into public.company_settings default values"),
    ).rejects.toMatchObject({ code: "23505" });
  });
});
