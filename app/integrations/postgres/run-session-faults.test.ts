import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type CustomerServer,
  startCustomerServer,
} from "../../../tests/support/customer-database.ts";
import { lostCommits } from "../../../tests/support/lost-commits.ts";
import { type FaultProxy, startFaultProxy } from "../../../tests/support/proxy.ts";
import { sqlStep } from "../../../tests/support/sql-step.ts";
import { FailedAttempts } from "./run-attempts.ts";
import type { RunLimits } from "./run-context.ts";
import { SqlStepError, UnknownOutcomeError } from "./run-errors.ts";
import { openRunSession, type RunSession } from "./run-session.ts";

const log = pino({ level: "silent" });
let server: CustomerServer;
let database: string;
let looker: pg.Client;
let proxy: FaultProxy;
const opened: RunSession[] = [];
let attempts: FailedAttempts;

beforeAll(async () => {
  server = await startCustomerServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  attempts = new FailedAttempts();
  database = await server.createDatabase();
  looker = await server.connectSuperuser(database);
  proxy = await startFaultProxy({
    upstream: { host: "127.0.0.1", port: server.port },
    authority: server.authority,
  });
});
afterEach(async () => {
  for (const session of opened.splice(0)) await session.close();
  await looker.end();
  await proxy.close();
});

async function prepared(
  options: { token?: bigint; runId?: string; limits?: Partial<RunLimits> } = {},
): Promise<RunSession> {
  const session = await openRunSession({
    connect: (name) => server.connect(database, proxy, name),
    backendId: "backend",
    runId: options.runId ?? randomUUID(),
    token: options.token ?? 1n,
    signal: new AbortController().signal,
    log,
    limits: { reconnectPauseMs: 20, ...options.limits },
    attempts,
  });
  opened.push(session);
  await session.prepare();
  return session;
}

async function one(sql: string): Promise<unknown> {
  const { rows } = await looker.query({ text: sql, rowMode: "array" });
  return rows[0]?.[0];
}

const becomes = (sql: string, value: unknown) =>
  expect.poll(() => one(sql), { timeout: 60_000, interval: 10 }).toBe(value);
const runner = `from pg_stat_activity where application_name like 'berth:%' and datname = current_database()`;
const asleep = () => becomes(`select count(*) ${runner} and wait_event = 'PgSleep'`, "1");
const whatFailed = () => attempts.take().map(({ what }) => what);
const terminate = () => one(`select pg_terminate_backend(pid) ${runner}`);

test("lost COMMIT replies, 10 before and 10 after: each is resolved right", async () => {
  const tally = await lostCommits({ server, proxy, rounds: 10, log });
  expect(tally).toEqual({ before: 10, after: 10, atOnce: 10, wrong: [] });
});

test("lost at each of the 13 answers to a step: applied once, whatever the moment", async () => {
  for (let nth = 1; nth <= 14; nth += 1) {
    const session = await prepared({ runId: `n${nth}`, token: BigInt(nth) });
    const fault = proxy.arm({ from: "server", when: "C", nth, action: "cut-before" });
    const version = `202601010000${String(nth).padStart(2, "0")}`;
    const step = await sqlStep(
      version,
      `create table t${nth} (id int); insert into t${nth} values (1)`,
    );
    expect((await session.apply(step)).outcome).toBe("applied");
    expect(await one(`select count(*) from t${nth}`)).toBe("1");
    expect(fault.struck()).toBe(nth <= 13 ? 1 : 0);
    fault.disarm();
    await session.close();
  }
  expect(await one("select count(*) from berth.ledger")).toBe("14");
});

test("a connection lost in prepare() is made anew", async () => {
  const fault = proxy.arm({ from: "client", when: /berth_prepare/, action: "cut-reply", times: 2 });
  const session = await prepared();
  expect(fault.struck()).toBe(2);
  expect(whatFailed()).toEqual(
    Array(2).fill(expect.stringMatching(/^lost its connection during the preparation/)),
  );
  expect(await session.ledger()).toEqual([]);
});

test("pg_terminate_backend in the middle of a step: it is run again, once", async () => {
  const session = await prepared();
  const step = await sqlStep(
    "20260101000000",
    "create table t (id int); select pg_sleep(0.5); insert into t values (1)",
  );
  const work = session.apply(step);
  await asleep();
  await terminate();
  expect((await work).outcome).toBe("applied");
  expect(await one("select count(*) from t")).toBe("1");
  expect(whatFailed()).toEqual([
    `lost its connection during ${step.file} (an administrator ended the session, or the server was stopped (57P01)); the ledger did not have the version`,
  ]);
});

test("a COMMIT whose answer was lost: the attempt's line says that it had taken effect", async () => {
  const session = await prepared();
  proxy.arm({ from: "client", when: /commit/, action: "cut-reply" });
  const step = await sqlStep("20260101000000", "create table t (id int)");
  expect((await session.apply(step)).outcome).toBe("applied");
  expect(whatFailed()).toEqual([expect.stringMatching(/; the ledger had the version$/)]);
});

test("a database that is away for a while: a line of each connection that was refused", async () => {
  const session = await prepared();
  proxy.refuse(true);
  proxy.cutAll();
  const work = session.apply(await sqlStep("20260101000000", "create table t (id int)"));
  await sleep(500);
  proxy.refuse(false);
  expect((await work).outcome).toBe("applied");
  const [lost, ...refused] = whatFailed();
  expect(lost).toMatch(/^lost its connection .*; the ledger did not have the version$/);
  expect(refused.length).toBeGreaterThan(0);
  for (const line of refused) expect(line).toMatch(/^got no connection: \w/);
});

test("a session ended while idle is noticed at the next step", async () => {
  const session = await prepared();
  await terminate();
  await becomes(`select count(*) ${runner}`, "0");
  const step = await sqlStep("20260101000000", "create table t (id int)");
  expect((await session.apply(step)).outcome).toBe("applied");
});

test.each(["fast", "immediate"] as const)("a server restart (%s) in a step", async (mode) => {
  const session = await prepared();
  const step = await sqlStep("20260101000000", "create table t (id int); select pg_sleep(0.5)");
  const work = session.apply(step);
  await asleep();
  await looker.end();
  await server.restart(mode);
  looker = await server.connectSuperuser(database);
  expect((await work).outcome).toBe("applied");
  expect(await session.ledger()).toHaveLength(1);
});

test("a database that stays away ends in a retryable error, and a new session resumes", async () => {
  const session = await prepared({ runId: "away", limits: { reconnectPatienceMs: 200 } });
  proxy
    .arm({ from: "client", when: /commit/, action: "cut-reply" })
    .reached.then(() => proxy.refuse(true));
  const step = await sqlStep("20260101000000", "create table t (id int)");
  const error = await session.apply(step).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(UnknownOutcomeError);
  expect(error).toMatchObject({ retryable: true });
  const [lost, ...refused] = whatFailed();
  expect(lost).toMatch(/^lost its connection during /);
  for (const line of refused) expect(line).toMatch(/^got no connection: /);
  proxy.refuse(false);
  const next = await prepared({ runId: "away" });
  expect((await next.apply(step)).outcome).toBe("already_applied");
});

test("a step whose worker vanished ends by itself, before anybody takes over", async () => {
  const session = await prepared({ limits: { reconnects: 0 } });
  const work = session
    .apply(await sqlStep("20260101000000", "create table t (id int); select pg_sleep(600)"))
    .catch((e: unknown) => e);
  await asleep();
  proxy.refuse(true);
  proxy.cutAll();
  expect(await work).toBeInstanceOf(UnknownOutcomeError);
  // The one loss is the failure itself.
  expect(whatFailed()).toEqual([]);
  await becomes(`select count(*) ${runner}`, "0");
  expect(await one("select to_regclass('t') is null")).toBe(true);
});

test("a network that swallows the answer: the watchdog hangs up, the ledger decides", async () => {
  const session = await prepared({ limits: { silenceGraceMs: 200 } });
  const hole = proxy.arm({ from: "server", when: "Z", action: "pause" });
  const step = await sqlStep("20260101000000", "create table t (id int)");
  expect((await session.apply({ ...step, timeoutMs: 1_000 })).outcome).toBe("applied");
  expect(hole.struck()).toBe(1);
  hole.release();
});

describe("CREATE INDEX CONCURRENTLY", () => {
  const sql = "create index concurrently t_n on public.t (n)";
  const alone = (text = sql, version = "20260101000001") =>
    sqlStep(version, text, { transactional: false });
  const validity = "select indisvalid from pg_index where indexrelid = to_regclass('public.t_n')";

  async function withTable(options: Parameters<typeof prepared>[0] = {}): Promise<RunSession> {
    const session = await prepared(options);
    await session.apply(
      await sqlStep(
        "20260101000000",
        "create table public.t (n int); insert into t select generate_series(1, 1000)",
      ),
    );
    return session;
  }
  /** An open transaction for which CREATE INDEX CONCURRENTLY must wait. */
  async function holdUp(): Promise<pg.Client> {
    const other = await server.connect(database);
    await other.query("begin; insert into t values (0)");
    return other;
  }
  const building = () =>
    becomes(
      "select count(*) from pg_stat_progress_create_index where datname = current_database()",
      "1",
    );

  test("is built, proven valid and recorded once", async () => {
    const session = await withTable();
    expect((await session.apply(await alone())).outcome).toBe("applied");
    expect((await session.apply(await alone())).outcome).toBe("already_applied");
    expect(await one(validity)).toBe(true);
    expect(await one("select count(*) from berth.unfinished")).toBe("0");
    expect(await session.ledger()).toHaveLength(2);
  });

  test("killed while it builds: the invalid rest is dropped and the index rebuilt", async () => {
    const session = await withTable();
    const other = await holdUp();
    const work = session.apply(await alone());
    await building();
    await terminate();
    await becomes(
      "select count(*) from pg_locks where locktype = 'virtualxid' and not granted",
      "0",
    );
    await other.query("commit");
    await other.end();
    expect((await work).outcome).toBe("applied");
    expect(await one(validity)).toBe(true);
    expect(await one("select count(*) from pg_index where not indisvalid")).toBe("0");
  });

  test.each([
    ["the first note", /insert into berth\.unfinished/],
    ["the statement", /create index concurrently/],
    ["the proof", /berth_proof/],
  ])("the answer to %s lost, or it never sent: one valid index, one entry", async (_, when) => {
    for (const [n, action] of (["cut-before", "cut-reply", "cut-after"] as const).entries()) {
      const version = `2026020100000${n}`;
      const session = await (n === 0 ? withTable() : prepared({ token: BigInt(n + 1) }));
      await looker.query("drop index if exists t_n");
      const fault = proxy.arm({ from: "client", when, action });
      expect((await session.apply(await alone(sql, version))).outcome).toBe("applied");
      expect(fault.struck()).toBe(1);
      expect(await one(validity)).toBe(true);
      expect(await one("select count(*) from berth.unfinished")).toBe("0");
      await session.close();
    }
  });

  test("with IF NOT EXISTS over an invalid leftover: dropped and rebuilt, not reported as done", async () => {
    const session = await withTable();
    await looker.query("insert into t values (1), (1)");
    await expect(looker.query("create unique index concurrently t_n on t (n)")).rejects.toThrow();
    expect(await one(validity)).toBe(false);
    await looker.query("alter index t_n owner to postgres").catch(() => undefined);
    const text = "create index concurrently if not exists t_n on public.t (n)";
    expect((await session.apply(await alone(text))).outcome).toBe("applied");
    expect(await one(validity)).toBe(true);
  });

  test("killed before the ledger, then corrected: the index is the corrected file's", async () => {
    const session = await withTable({ limits: { reconnects: 0 } });
    proxy.arm({ from: "client", when: /berth_proof/, action: "cut-before" });
    const error = await session.apply(await alone()).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UnknownOutcomeError);
    expect(await one(validity)).toBe(true);
    const next = await prepared({ token: 2n });
    await next.apply(await alone("create index concurrently t_n on public.t (n desc)"));
    expect(await one("select pg_get_indexdef('t_n'::regclass)")).toContain("(n DESC)");
  });

  test("failing leaves nothing behind; an index of somebody else under that name stays", async () => {
    const session = await withTable();
    await looker.query("insert into t values (1)");
    const unique = await alone("create unique index concurrently t_n on public.t (n)");
    const error = await session.apply(unique).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(SqlStepError);
    expect(error).toMatchObject({ sqlstate: "23505", line: 1, statement: 1 });
    expect(await one("select to_regclass('t_n') is null")).toBe(true);
    await looker.query("create index t_n on t (n)");
    const again = await session.apply(await alone()).catch((e: unknown) => e);
    expect(again).toMatchObject({ sqlstate: "42P07" });
    // A second try must not take the index for its own.
    expect(await session.apply(await alone()).catch((e: unknown) => e)).toMatchObject({
      sqlstate: "42P07",
    });
    expect(await one(validity)).toBe(true);
    expect(await one("select count(*) from berth.unfinished")).toBe("0");
  });

  test("dropped by somebody before its proof: built again, with a line of it", async () => {
    const session = await withTable();
    attempts.take();
    const proof = proxy.arm({ from: "client", when: /berth_proof/, action: "pause" });
    const work = session.apply(await alone());
    await proof.reached;
    await looker.query("drop index t_n");
    proof.release();
    expect((await work).outcome).toBe("applied");
    expect(await one(validity)).toBe(true);
    expect(whatFailed()).toEqual(["built it, and then found no valid index"]);
  });

  test("a waiting second run does not block it", async () => {
    const session = await withTable({ token: 2n, runId: "first" });
    const other = await holdUp();
    const work = session.apply(await alone());
    await building();
    const waiting = openRunSession({
      connect: (name) => server.connect(database, proxy, name),
      backendId: "backend",
      runId: "second",
      token: 1n,
      signal: new AbortController().signal,
      log,
      limits: { runLockPatienceMs: 300 },
    }).catch((e: unknown) => e);
    expect(await waiting).toMatchObject({ code: "run_fenced" });
    await other.query("commit");
    await other.end();
    expect((await work).outcome).toBe("applied");
  });

  test("cancelled: nothing invalid stays once it is resumed", async () => {
    const session = await withTable();
    const other = await holdUp();
    const work = session.apply(await alone()).catch((e: unknown) => e);
    await building();
    const cancelling = session.cancel();
    await becomes(
      "select count(*) from pg_locks where locktype = 'virtualxid' and not granted",
      "0",
    );
    await other.query("commit");
    await other.end();
    await cancelling;
    expect(await work).toMatchObject({ code: "run_cancelled" });
    await session.close();
    const next = await prepared({ token: 2n });
    expect((await next.apply(await alone())).outcome).toBe("applied");
    expect(await one("select count(*) from pg_index where not indisvalid")).toBe("0");
  });

  test("DROP INDEX, REINDEX and VACUUM, with the answer lost", async () => {
    const session = await withTable();
    await session.apply(await alone());
    const cases = [
      ["20260101000002", "reindex index concurrently public.t_n", /^reindex/],
      ["20260101000003", "vacuum public.t", /^vacuum/],
      ["20260101000004", "drop index concurrently public.t_n", /^drop index concurrently/],
    ] as const;
    for (const [version, text, when] of cases) {
      const fault = proxy.arm({ from: "client", when, action: "cut-reply" });
      expect((await session.apply(await alone(text, version))).outcome).toBe("applied");
      expect(fault.struck()).toBe(1);
    }
    expect(await one("select to_regclass('t_n') is null")).toBe(true);
    expect(await session.ledger()).toHaveLength(5);
  });
});
