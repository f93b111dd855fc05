/** What became of a step, as its customer's database tells it. */
import { randomUUID } from "node:crypto";
import type pg from "pg";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { SqlStep } from "#app/integrations/postgres/ledger.ts";
import { openRunSession, type RunSession } from "#app/integrations/postgres/run-session.ts";
import {
  type CustomerServer,
  startCustomerServer,
} from "../../../tests/support/customer-database.ts";
import { sqlStep } from "../../../tests/support/sql-step.ts";
import { createCanceller, isCancellation } from "./canceller.ts";
import { inWords, lookForOwner, lookForSchemas, lookForVersion } from "./findings.ts";

const log = pino({ level: "silent" });
let server: CustomerServer;
let database: string;
let looker: pg.Client;
const opened: RunSession[] = [];

beforeAll(async () => {
  server = await startCustomerServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  database = await server.createDatabase();
  looker = await server.connectSuperuser(database);
});
afterEach(async () => {
  for (const session of opened.splice(0)) await session.close();
  await looker.end();
});

async function open(token: bigint, runId: string = randomUUID()): Promise<RunSession> {
  const session = await openRunSession({
    connect: (name) => server.connect(database, undefined, name),
    backendId: "backend",
    runId,
    token,
    signal: new AbortController().signal,
    log,
  });
  opened.push(session);
  return session;
}

/** Looks for a step of this run. */
const look = (session: RunSession, { kind, template, version, checksum }: SqlStep, runId: string) =>
  lookForVersion(
    { session: async () => session },
    {
      kind: kind === "seed" ? "seed" : "sql",
      template,
      ledgerVersion: kind === "seed" ? null : version,
      checksum,
      runId,
    },
  );

const seen = async (sql: string) => {
  for (let tries = 0; tries < 1_200; tries += 1) {
    if (((await looker.query(sql)).rowCount ?? 0) > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Waited in vain for: ${sql}`);
};

describe("what became of a step", () => {
  it("is what the ledger has under its checksum, and by which run", async () => {
    const runId = randomUUID();
    const session = await open(1n, runId);
    const site = { session: async () => session };
    expect(await lookForSchemas(site)).toEqual({ outcome: "undone", facts: null });
    const table = await sqlStep("20260101000001", "create table public.t (n int)");
    expect(await look(session, table, runId)).toEqual({ outcome: "undone", facts: null });
    await session.prepare();
    expect(await lookForSchemas(site)).toMatchObject({ facts: { outcome: "prepared" } });
    expect(await look(session, table, runId)).toEqual({ outcome: "undone", facts: null });
    await session.apply(table);
    expect(await look(session, table, runId)).toEqual({
      outcome: "done",
      facts: { outcome: "applied" },
    });
    const byOther = { outcome: "done", facts: { outcome: "already_applied" } };
    expect(await look(session, table, randomUUID())).toEqual(byOther);
    const changed = { ...table, checksum: "0".repeat(64) };
    expect(await look(session, changed, runId)).toEqual({ outcome: "undone", facts: null });
    const seed = await sqlStep("", "insert into public.t values (1)", { kind: "seed" });
    expect(await look(session, seed, runId)).toMatchObject({ outcome: "undone" });
    await session.apply(seed);
    expect(await look(session, seed, runId)).toMatchObject({ outcome: "done" });
  });

  it("is told by a session that has ended a dead worker's first", async () => {
    const runId = randomUUID();
    const dead = await open(1n, runId);
    await dead.prepare();
    const slow = await sqlStep(
      "20260101000001",
      "create table public.t (n int); select pg_sleep(600)",
    );
    const work = dead.apply(slow).catch((error: unknown) => error);
    await seen("select from pg_stat_activity where wait_event = 'PgSleep'");
    const next = await open(2n, runId);
    expect(await look(next, slow, runId)).toMatchObject({ outcome: "undone" });
    expect(await work).toMatchObject({ code: "run_fenced" });
    const { rows } = await looker.query("select to_regclass('public.t') as t");
    expect(rows).toEqual([{ t: null }]);
  });

  it("is half done where an index could not be cleared away, and the next run does so", async () => {
    const runId = randomUUID();
    const session = await open(1n, runId);
    await session.prepare();
    await session.apply(await sqlStep("20260101000001", "create table public.t (n int)"));
    const index = await sqlStep("20260101000002", "create index concurrently t_n on public.t (n)", {
      transactional: false,
    });
    const other = await server.connect(database);
    await other.query("begin; insert into public.t values (1)");
    const canceller = createCanceller(log);
    canceller.watch(session);
    const work = session.apply(index).catch((error: unknown) => error);
    await seen("select from pg_locks where locktype = 'virtualxid' and not granted");
    canceller.ask();
    const error = await work;
    expect(error).toMatchObject({ code: "run_cancelled" });
    expect(isCancellation(error, canceller)).toBe(true);
    await session.close();

    const next = await open(2n, runId);
    const finding = await look(next, index, runId);
    expect(finding.outcome).toBe("unfinished");
    expect(inWords({ name: "Index", kind: "sql" }, finding)).toContain(
      "an index that is not valid",
    );
    await other.query("rollback");
    await other.end();
    await next.apply(index);
    expect(await look(next, index, runId)).toMatchObject({ outcome: "done" });
    const { rowCount } = await looker.query("select from pg_index where not indisvalid");
    expect(rowCount).toBe(0);
  });
});

describe("whether the owner's account was made", () => {
  /** A project in which the account is to be seen at that look. */
  const lookAtOwner = async (seenAt: number) => {
    const found: string[] = [];
    let looks = 0;
    const site = {
      admin: { findOwner: async () => (++looks >= seenAt ? "user" : null) },
      owner: { email: "owner@example.com", name: "Owner" },
      ownerFound: async (userId: string) => void found.push(userId),
      signal: new AbortController().signal,
    } as unknown as Parameters<typeof lookForOwner>[0];
    return { finding: await lookForOwner(site), found, looks };
  };

  it("is looked for again, since a call that was given up may still take effect", async () => {
    expect(await lookAtOwner(2)).toMatchObject({
      finding: { outcome: "done" },
      found: ["user"],
      looks: 2,
    });
  });

  it("is not known where it is not there after all looks", async () => {
    const { finding, found } = await lookAtOwner(Number.POSITIVE_INFINITY);
    expect(finding).toMatchObject({ outcome: "unknown", facts: { outcome: "unknown" } });
    expect(found).toEqual([]);
    expect(inWords({ name: "Owner account", kind: "owner" }, finding)).toContain("is not known");
  });
});
