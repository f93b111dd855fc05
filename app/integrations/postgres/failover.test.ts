/** The name of a database leads to another server from one moment to the next. */
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type FailoverPair, startFailoverPair } from "../../../tests/support/failover-pair.ts";
import { sqlStep } from "../../../tests/support/sql-step.ts";
import type { RunLimits } from "./run-context.ts";
import { openRunSession, type RunSession } from "./run-session.ts";

let pair: FailoverPair;
const opened: RunSession[] = [];

beforeEach(async () => {
  pair = await startFailoverPair();
});
afterEach(async () => {
  for (const session of opened.splice(0)) await session.close();
  await pair.stop();
});

async function open(token: bigint, limits: Partial<RunLimits> = {}): Promise<RunSession> {
  const session = await openRunSession({
    connect: pair.connect,
    backendId: "backend",
    runId: "run",
    token,
    signal: new AbortController().signal,
    log: pino({ level: "silent" }),
    limits: { reconnectPauseMs: 20, ...limits },
  });
  opened.push(session);
  return session;
}

const step = (n: number) => sqlStep(`2026010100000${n}`, `create table public.t${n} (id int)`);
const isAsked = () =>
  expect.poll(() => pair.asked(), { timeout: 60_000, interval: 20 }).toBeGreaterThan(2);

async function promote(): Promise<void> {
  const admin = await pair.superuser("standby");
  await admin.query("select pg_promote()");
  await admin.end();
}

test("a standby that is not promoted yet is waited for, and then worked on", async () => {
  const session = await open(1n);
  await session.prepare();
  await session.apply(await step(1));
  await pair.makeStandby();
  await pair.failOver();
  const work = session.apply(await step(2));
  await isAsked();
  await promote();
  expect((await work).outcome).toBe("applied");
  expect((await session.ledger()).map(({ version }) => version)).toEqual([
    "20260101000001",
    "20260101000002",
  ]);
});

test("what the failover lost stops the run, and is applied again by the next", async () => {
  const session = await open(1n);
  await session.prepare();
  await session.apply(await step(1));
  await pair.makeStandby();
  expect((await session.apply(await step(2))).outcome).toBe("applied");
  await pair.failOver();
  await promote();
  await expect(session.apply(await step(3))).rejects.toMatchObject({
    code: "steps_lost",
    found: "the ledger no longer has 20260101000002",
    needed: "every version that this run has applied",
    fix: "Retry: a run applies again what is not in the ledger.",
  });
  const next = await open(2n);
  const outcomes = [];
  for (const n of [1, 2, 3]) outcomes.push((await next.apply(await step(n))).outcome);
  expect(outcomes).toEqual(["already_applied", "applied", "applied"]);
});

test("a standby that is never promoted is told as what it is", async () => {
  const session = await open(1n, { reconnectPatienceMs: 300 });
  await session.prepare();
  await pair.makeStandby();
  await pair.failOver();
  await expect(session.apply(await step(1))).rejects.toMatchObject({
    code: "step_outcome_unknown",
    found: "the connection was lost; the server is a standby, which takes no writes",
    retryable: true,
  });
  await expect(open(2n, { reconnectPatienceMs: 300 })).rejects.toMatchObject({
    code: "database_standby",
    found: "the server is a standby, which takes no writes",
    needed: "the primary",
    fix: "Wait until the failover is over, or copy the primary's connection string; then retry.",
  });
});
