/** What templates do by themselves in customers' databases, against a real one. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import pg from "pg";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createOutboundGuard } from "#app/platform/outbound/guard.ts";
import { freePort } from "#local/cluster.ts";
import {
  type CustomerServer,
  startCustomerServer,
} from "../../../tests/support/customer-database.ts";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import type { Catalog } from "../catalog/index.server.ts";
import { base, beside, load, manifest, removeFolders } from "../catalog/template-folders.ts";
import { type DueDeps, doDueWork } from "./due.ts";

let server: CustomerServer;
let desk: Desk;
let deps: DueDeps;
let database: string;
let owner: pg.Client;
let logged: { level: number; msg: string; code?: string; err?: { message: string } }[];
const going = new AbortController().signal;

const withDue = (due: string): Promise<Catalog> =>
  load({ ...base, "base/template.yaml": manifest("base", { due }) });

beforeAll(async () => {
  [server, desk] = await Promise.all([startCustomerServer(), openDesk()]);
  const ca = await readFile(path.join(server.authority, "ca.crt"), "utf8");
  const log = pino({ level: "info" }, { write: (line) => void logged.push(JSON.parse(line)) });
  deps = {
    db: desk.base.db,
    actor: desk.worker,
    vault: desk.vault,
    guard: createOutboundGuard({ allowSuffixes: [], allowOrigins: "127.0.0.1:1-65535" }),
    databaseCa: ca,
    catalog: await withDue("private.run_due"),
    log,
  } as DueDeps;
});
afterAll(async () => {
  await removeFolders();
  await Promise.all([server?.stop(), desk?.base.drop()]);
});
beforeEach(async () => {
  logged = [];
  database = await server.createDatabase();
  owner = await server.connect(database);
  await owner.query(
    "create schema private; create table private.calls (at timestamptz default clock_timestamp())",
  );
});
afterEach(async () => {
  await owner.end();
  await desk.base.admin.query("update customer_backends set due_at = null");
  await desk.base.shiftClock("0");
});

const defineDue = (body: string) =>
  owner.query(`create or replace function private.run_due(p_limit integer default 100)
    returns table (produced integer, next_due_at timestamptz) language plpgsql set search_path = ''
    as $$ begin insert into private.calls default values; ${body} end $$`);
const calls = async () =>
  (await owner.query("select count(*)::int as n from private.calls")).rows[0].n as number;

/** A backend that is ready and due, in this database or at another port. */
async function backend(change: { port?: number; name?: string; installed?: object } = {}) {
  const { port = server.port, name = database, installed = { base: "1.0.0" } } = change;
  const { id: requestId, customerId } = await desk.request();
  const { rows } = await desk.base.admin.query(
    `insert into customer_backends (id, customer_id, request_id, project_ref, url, status, installed, due_at)
     values (gen_random_uuid(), $1, $2, $3, 'https://x', 'ready', $4, berth_now()) returning id`,
    [customerId, requestId, requestId.slice(-20), installed],
  );
  const id = rows[0].id as string;
  const databaseUrl = `postgresql://postgres:test-customer@127.0.0.1:${port}/${name}`;
  await desk.as(desk.worker, (tx) =>
    desk.vault.seal(
      { tx, actor: desk.worker, requestId },
      { backendId: id, generation: 1 },
      "backend-credentials",
      { databaseUrl },
    ),
  );
  return id;
}

/** `wait`: seconds until it is due again. */
async function due(id: string): Promise<{ wait: number | null; failures: number }> {
  const { rows } = await desk.base.admin.query(
    `select extract(epoch from due_at - berth_now())::float8 as wait, due_failures as failures
     from customer_backends where id = $1`,
    [id],
  );
  return rows[0];
}
const uses = async (id: string) =>
  (
    await desk.base.admin.query(
      `select data ->> 'purpose' as purpose from audit_log
       where action = 'secret.use' and subject_id = $1 order by id`,
      [id],
    )
  ).rows.map(({ purpose }) => purpose);
const between = (wait: number | null, low: number, high: number) => {
  expect(wait).toBeGreaterThan(low);
  expect(wait).toBeLessThanOrEqual(high);
};

describe("due work", () => {
  it.each([
    ["the time that the database names", "now() + interval '20 minutes'", 19 * 60, 20 * 60 + 5],
    ["an hour, where that is later", "now() + interval '3 days'", 3_500, 3_600],
    ["an hour, where nothing is planned", "null", 3_500, 3_600],
    ["an hour, where that never comes", "'infinity'", 3_500, 3_600],
    ["an hour, where that is beyond most calendars", "'20000-01-01'", 3_500, 3_600],
    ["a minute, where that is past", "now() - interval '1 day'", 50, 60],
    ["a minute, where that is before most calendars", "'4000-01-01 BC'", 50, 60],
  ])("is done, and done again after %s", async (_, next, low, high) => {
    await defineDue(`return query select 3, (${next})::timestamptz;`);
    const id = await backend();
    expect(await doDueWork(deps, going)).toBe(true);
    expect(await doDueWork(deps, going)).toBe(false);
    expect(await calls()).toBe(1);
    const { wait, failures } = await due(id);
    between(wait, low, high);
    expect(failures).toBe(0);
    expect(await uses(id)).toEqual(["due"]);
  });

  it("is done once for each, however many workers there are", async () => {
    await defineDue("perform pg_sleep(0.2); return query select 1, null::timestamptz;");
    const ids = [await backend(), await backend(), await backend()];
    const worker = async () => {
      while (await doDueWork(deps, going));
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
    expect(await calls()).toBe(ids.length);
    for (const id of ids) expect(await uses(id)).toEqual(["due"]);
  });

  it("waits for nobody else: a worker that was lost at it is replaced after its lease", async () => {
    const id = await backend();
    const standingStill = { ...deps.vault, use: () => new Promise<never>(() => {}) };
    void doDueWork({ ...deps, vault: standingStill }, going);
    await expect.poll(async () => (await due(id)).wait, { timeout: 20_000 }).toBeGreaterThan(60);
    await defineDue("return query select 1, null::timestamptz;");
    expect(await doDueWork(deps, going)).toBe(false);
    await desk.base.shiftClock("5 minutes 1 second");
    expect(await doDueWork(deps, going)).toBe(true);
    expect(await calls()).toBe(1);
  });

  it("ends with the worker, at once, and is left to the next one", async () => {
    await defineDue("perform pg_sleep(60); return query select 1, null::timestamptz;");
    const id = await backend();
    const stop = new AbortController();
    const working = doDueWork(deps, stop.signal);
    const looker = await server.connectSuperuser(database);
    const sleeping = async () =>
      (await looker.query("select from pg_stat_activity where wait_event = 'PgSleep'")).rowCount;
    await expect.poll(sleeping, { timeout: 20_000 }).toBe(1);
    stop.abort(new Error("the worker stops"));
    await working;
    await expect.poll(sleeping, { timeout: 20_000 }).toBe(0);
    await looker.end();
    const { wait, failures } = await due(id);
    expect(wait).toBeLessThanOrEqual(0);
    expect(failures).toBe(0);
    expect(logged).toEqual([]);
  });

  it("is over for good where the database has no such function, as before an upgrade", async () => {
    const id = await backend();
    expect(await doDueWork(deps, going)).toBe(true);
    expect(await due(id)).toEqual({ wait: null, failures: 0 });
    expect(logged).toEqual([]);
  });

  it("needs no look at a database whose templates have none", async () => {
    const id = await backend({ installed: { other: "1.0.0" } });
    expect(await doDueWork(deps, going)).toBe(true);
    expect(await due(id)).toEqual({ wait: null, failures: 0 });
    expect(await uses(id)).toEqual([]);
  });

  it("is that of the version which the database has, until a run brings another", async () => {
    await defineDue("return query select 1, null::timestamptz;");
    const [older] = deps.catalog.templates;
    const renamed = await withDue("private.run_all");
    const history = () => ({ releases: older ? [older] : [], isReleased: false });
    const templates = renamed.templates.map((one) => ({ ...one, version: "1.1.0" }));
    await backend();
    await doDueWork({ ...deps, catalog: { ...renamed, templates, history } }, going);
    expect(await calls()).toBe(1);
  });

  it("of a version that this worker does not know yet is not over for good", async () => {
    const id = await backend({ installed: { base: "1.9.0" } });
    await doDueWork({ ...deps, catalog: await load(base) }, going);
    between((await due(id)).wait, 3_500, 3_600);
  });

  it("leaves nothing of itself in a session that goes on behind a pooler", async () => {
    await defineDue("return query select 1, null::timestamptz;");
    await backend();
    const end = pg.Client.prototype.end as () => Promise<void>;
    let kept: pg.Client | undefined;
    vi.spyOn(pg.Client.prototype, "end").mockImplementation(async function (this: pg.Client) {
      if (this.database === database) kept = this;
      else await end.call(this);
    });
    await doDueWork(deps, going);
    vi.restoreAllMocks();
    expect(await calls()).toBe(1);
    const left = await kept?.query("select name from pg_settings where source = 'session'");
    expect(left?.rows).toEqual([]);
    await kept?.end();
  });
});

describe("due work that cannot be done", () => {
  it("because the database is away waits twice as long each time, and is logged once", async () => {
    const port = await freePort();
    const id = await backend({ port });
    await defineDue("return query select 1, null::timestamptz;");
    const other = await backend();
    while (await doDueWork(deps, going));
    expect(await calls()).toBe(1);
    expect((await due(other)).failures).toBe(0);
    let passed = 0;
    for (const [index, wait] of [60, 120, 240, 480].entries()) {
      const now = await due(id);
      expect(now.failures).toBe(index + 1);
      between(now.wait, wait - 10, wait);
      passed += wait;
      await desk.base.shiftClock(`${passed} seconds`);
      await doDueWork(deps, going);
    }
    expect(logged.filter(({ level }) => level >= 40)).toEqual([
      expect.objectContaining({ msg: expect.stringContaining("due work could not be done") }),
    ]);
    expect(JSON.stringify(logged)).not.toContain("test-customer");
    await desk.base.admin.query(
      "update customer_backends set due_failures = 30, due_at = berth_now() where id = $1",
      [id],
    );
    await doDueWork(deps, going);
    between((await due(id)).wait, 86_000, 86_400);
  });

  it("because the function fails leaves nothing of it, and goes on when it is mended", async () => {
    await defineDue("perform 1 / 0; return query select 1, null::timestamptz;");
    const id = await backend();
    await doDueWork(deps, going);
    expect(await calls()).toBe(0);
    expect((await due(id)).failures).toBe(1);
    expect(logged).toMatchObject([{ level: 40, code: "due_work_failed" }]);
    await defineDue("return query select 1, null::timestamptz;");
    await desk.base.shiftClock("2 minutes");
    await doDueWork(deps, going);
    expect(await calls()).toBe(1);
    expect((await due(id)).failures).toBe(0);
    expect(logged.map(({ msg }) => msg)).toContain("due work goes on again");
  });

  it("of one template is tried again when another's is due, at the latest", async () => {
    const two = beside("more", {
      "template.yaml": manifest("more", { due: "private.run_more" }),
    });
    const own = { ...base, "base/template.yaml": manifest("base", { due: "private.run_due" }) };
    const both = { ...deps, catalog: await load({ ...own, ...two }) };
    await defineDue("perform 1 / 0; return query select 1, null::timestamptz;");
    await owner.query(`create function private.run_more()
      returns table (produced integer, next_due_at timestamptz) language sql
      as $$ select 1, now() + interval '2 hours' $$`);
    const id = await backend({ installed: { base: "1.0.0", more: "1.0.0" } });
    await desk.base.admin.query("update customer_backends set due_failures = 9 where id = $1", [
      id,
    ]);
    await doDueWork(both, going);
    const { wait, failures } = await due(id);
    between(wait, 3_500, 3_600);
    expect(failures).toBe(10);
  });

  it("because its answer is another one is a failure too", async () => {
    await owner.query("create function private.run_due() returns integer language sql return 1");
    const id = await backend();
    await doDueWork(deps, going);
    expect((await due(id)).failures).toBe(1);
    expect(logged).toMatchObject([{ code: "due_work_failed" }]);
  });

  it("waits for nobody's lock for long", async () => {
    await defineDue("lock table private.calls; return query select 1, null::timestamptz;");
    const id = await backend();
    const busy = await server.connect(database);
    await busy.query("begin; lock table private.calls in share row exclusive mode");
    await doDueWork(deps, going);
    await busy.end();
    expect((await due(id)).failures).toBe(1);
    expect(logged).toMatchObject([{ err: { message: expect.stringContaining("lock timeout") } }]);
  });

  it("leaves alone what a run has said meanwhile", async () => {
    await defineDue("perform pg_sleep(1); return query select 1, null::timestamptz;");
    const id = await backend();
    const working = doDueWork(deps, going);
    await expect.poll(async () => (await due(id)).wait, { timeout: 20_000 }).toBeGreaterThan(60);
    await desk.base.admin.query("update customer_backends set due_at = berth_now() where id = $1", [
      id,
    ]);
    await working;
    expect((await due(id)).wait).toBeLessThanOrEqual(0);
  });
});
