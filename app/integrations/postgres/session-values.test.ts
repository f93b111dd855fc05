/** What a customer answered reaches files as settings of the session, and nothing else. */
import { randomUUID } from "node:crypto";
import { Writable } from "node:stream";
import pg from "pg";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type CustomerServer,
  startCustomerServer,
} from "../../../tests/support/customer-database.ts";
import { sqlStep } from "../../../tests/support/sql-step.ts";
import { parseMigration } from "./parse.ts";
import { rehearse } from "./rehearse.ts";
import { openRunSession, type RunSession } from "./run-session.ts";

/** Whatever is in it, it is a value. */
const HOSTILE = `O'Neil & Söhne "GmbH" $$ \\ ; drop table public.told; --`;
const SETTINGS = { "berth.base.company_name": HOSTILE, "berth.point_of_sale.rounding": "0.05" };
const READ = `insert into public.told select
  current_setting('berth.base.company_name', true), current_setting('berth.point_of_sale.rounding', true)`;

let server: CustomerServer;
let database: string;
let owner: pg.Client;
let logged: string;
const opened: RunSession[] = [];

beforeAll(async () => {
  server = await startCustomerServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  database = await server.createDatabase();
  const superuser = await server.connectSuperuser(database);
  await superuser.query("grant all on schema public to postgres");
  await superuser.end();
  owner = await server.connect(database);
  logged = "";
});
afterEach(async () => {
  for (const session of opened.splice(0)) await session.close();
  await owner.end();
});

const sink = new Writable({
  write(chunk, _, done) {
    logged += chunk;
    done();
  },
});

/** Every connection of the session, and the texts that went over them. */
async function open(settings: Record<string, string>) {
  const clients: pg.Client[] = [];
  const texts: string[] = [];
  const session = await openRunSession({
    connect: async (name) => {
      const client = await server.connect(database, undefined, name);
      const query = client.query.bind(client);
      client.query = ((text: string, ...rest: []) => {
        texts.push(text);
        return query(text, ...rest);
      }) as never;
      clients.push(client);
      return client;
    },
    backendId: "backend",
    runId: randomUUID(),
    token: 1n,
    signal: new AbortController().signal,
    log: pino({ level: "trace" }, sink),
    limits: { reconnectPauseMs: 1 },
    settings,
  });
  opened.push(session);
  return { session, clients, texts };
}

const TABLE = "create table public.told (company text, rounding text)";
const told = async () => (await owner.query("select * from public.told")).rows;

describe("a run's settings", () => {
  test("are there for every step, on a connection made anew as well, and never in SQL's text", async () => {
    const { session, clients, texts } = await open(SETTINGS);
    await session.prepare();
    await session.apply(await sqlStep("20260101000001", TABLE));
    const seed = await sqlStep("", READ, { kind: "seed", file: "base/seed.sql" });
    await session.apply(seed);
    await owner.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'berth:%' and datname = current_database()",
    );
    await session.apply({ ...seed, template: "inventory", file: "inventory/seed.sql" });
    expect(clients.length).toBeGreaterThan(1);
    const row = { company: HOSTILE, rounding: "0.05" };
    expect(await told()).toEqual([row, row]);
    expect(texts.length).toBeGreaterThan(5);
    for (const text of texts) expect(text).not.toContain("Neil");
    expect(logged).toContain("no connection");
    expect(logged).not.toContain("Neil");
  });

  test("cost one round trip for each connection, and none where there are none", async () => {
    const without = await open({});
    const before = without.texts.length;
    await without.session.close();
    const { texts } = await open(SETTINGS);
    expect(texts.length).toBe(before + 1);
    expect(without.texts.join()).not.toContain("unnest");
  });

  test("are gone from the session when it has been closed", async () => {
    const connections: pg.Client[] = [];
    const session = await openRunSession({
      connect: async (name) => {
        const client = await server.connect(database, undefined, name);
        connections.push(client);
        // As behind a pooler, where the server's session lives on.
        client.end = (async () => undefined) as never;
        return client;
      },
      backendId: "backend",
      runId: randomUUID(),
      token: 1n,
      signal: new AbortController().signal,
      log: pino({ level: "silent" }),
      settings: SETTINGS,
    });
    await session.close();
    const [held] = connections as [pg.Client];
    const read = "select current_setting('berth.base.company_name', true) as left";
    expect((await held.query(read)).rows[0].left ?? "").toBe("");
    await (pg.Client.prototype.end as () => Promise<void>).call(held);
  });

  test("have names of their own alone: nothing else of the session can be set", async () => {
    for (const name of ["role", "search_path", "berth.xid", "berth.base.Name", "app.base.x"]) {
      await expect(open({ [name]: "postgres" })).rejects.toThrow(TypeError);
    }
  });

  test.each([
    "set local berth.base.company_name = 'other'",
    `set local "berth.base.company_name" = 'other'`,
    "select set_config('berth.base.company_name', 'other', true)",
    "do $$ begin set local berth.base.company_name = 'other'; end $$",
    "do $$ begin perform set_config('Berth.base.company_name', 'other', true); end $$",
    "reset berth.base.company_name",
    "reset all",
    "discard all",
    "create function public.f() returns int language sql set berth.base.company_name = 'x' return 1",
    "alter role postgres set berth.base.company_name = 'other'",
  ])("cannot be changed by a file: %s", async (sql) => {
    await expect(
      parseMigration(sql, { file: "base/seed.sql", transactional: true }),
    ).rejects.toMatchObject({ code: "sql_forbidden" });
  });
});

test("a rehearsal has them for each of its files, whatever an earlier one set", async () => {
  const step = async (version: string, sql: string) => ({
    name: version,
    planned: "apply" as const,
    step: await sqlStep(version, sql, { file: `base/migrations/${version}_file.sql` }),
  });
  const right = HOSTILE.replaceAll("'", "''");
  const result = await rehearse({
    connect: (name, other) => server.connect(other ?? database, undefined, name),
    id: randomUUID(),
    signal: new AbortController().signal,
    settings: SETTINGS,
    plan: async () => [
      await step("20260101000001", TABLE),
      await step("20260101000002", `${READ}; set local search_path = ''`),
      await step("20260101000003", READ),
      await step(
        "20260101000004",
        `alter table public.told add check (company = '${right}' and rounding = '0.05'), alter company set not null`,
      ),
      await step("20260101000005", "select 1; select 1 / 0"),
    ],
  });
  expect(result.steps.map(({ outcome }) => outcome)).toEqual([
    ...Array(4).fill("rehearsed"),
    "failed",
  ]);
  expect(result.steps.at(-1)?.error).toMatchObject({ line: 1, statement: 2, sqlstate: "22012" });
  expect((await owner.query("select to_regclass('public.told') as t")).rows).toEqual([{ t: null }]);
});
