import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createOutboundGuard } from "#app/platform/outbound/guard.ts";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { attachBackend } from "../backends/index.server.ts";
import { lockRequest } from "../queue/index.server.ts";
import { cancelRun } from "./cancel-run.ts";
import { executeRun } from "./execute.ts";
import { keepAttempts } from "./kept-attempts.ts";
import { takeRun } from "./lease.ts";
import { startRun, stepsOf } from "./runs.ts";

/** Nothing listens there. */
const CLOSED_PORT = 1;

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk?.base.drop());

/** A run of a request that Kim holds, on a project whose database does not answer. */
async function newRun(ref: string): Promise<{ requestId: string; runId: string }> {
  const request = await desk.request();
  await desk.plant(request.id, { status: "migrating", assignee_id: "kim" });
  const credentials = {
    url: `https://${ref}.supabase.co`,
    anonKey: "anon-0123456789",
    serviceRoleKey: "service-0123456789",
    databaseUrl: `postgresql://postgres:pw@127.0.0.1:${CLOSED_PORT}/postgres`,
  };
  const runId = await desk.as(desk.kim, async (tx) => {
    const context = { tx, actor: desk.kim, vault: desk.vault };
    const project = { ref, status: "building" } as const;
    const backend = await attachBackend(context, request, credentials, project);
    return startRun(context, desk.catalog, await lockRequest(tx, request.id), backend);
  });
  return { requestId: request.id, runId };
}

const firstStep = async (runId: string) =>
  (await desk.as(desk.worker, (tx) => stepsOf(tx, runId)))[0];

it("failed attempts are added to what a step's outcome has, by Berth's own time", async () => {
  const { runId } = await newRun("added");
  await desk.base.admin.query(
    `update provisioning_steps set outcome = '{"outcome": "applied"}' where run_id = $1 and position = 1`,
    [runId],
  );
  await desk.base.shiftClock("365 days");
  const outcomes = await desk.as(desk.worker, async (tx) => {
    for (const step of (await stepsOf(tx, runId)).slice(0, 3)) {
      const what = "met postgresql://u:hunter2@h/d \0";
      const failed = step.position < 2 ? [{ at: performance.now(), what }] : [];
      await keepAttempts(tx, step, failed);
    }
    return (await stepsOf(tx, runId)).slice(0, 3).map(({ outcome }) => outcome);
  });
  await desk.base.shiftClock("0");
  const year = new Date(Date.now() + 365 * 86_400_000).getUTCFullYear();
  const line = expect.stringMatching(new RegExp(`^${year}-\\S+Z Attempt 1 met postgresql://u:\\[`));
  expect(outcomes).toEqual([
    { failedAttempts: [line] },
    { outcome: "applied", failedAttempts: [line] },
    null,
  ]);
});

it("those of a later worker go on where an earlier one's end, within the same bounds", async () => {
  const { runId } = await newRun("bounded");
  const kept = async (who: string, count: number) => {
    const step = await firstStep(runId);
    if (!step) throw new Error("There is no step.");
    const failed = Array.from({ length: count }, () => ({ at: performance.now(), what: who }));
    const outcome = await desk.as(desk.worker, async (tx) => {
      // As a step's end does it.
      await tx.execute(`update provisioning_steps set outcome = null where id = '${step.id}'`);
      await keepAttempts(tx, step, failed);
      return (await stepsOf(tx, runId))[0]?.outcome;
    });
    const lines = outcome?.failedAttempts as string[];
    return lines.map((line) => line.replace(/^\S+Z Attempt /, ""));
  };
  const numbers = (who: string, ...of: number[]) => of.map((n) => `${n} ${who}`);
  expect(await kept("a", 2)).toEqual(numbers("a", 1, 2));
  expect(await kept("b", 2)).toEqual([...numbers("a", 1, 2), ...numbers("b", 3, 4)]);
  expect(await kept("c", 0)).toEqual([...numbers("a", 1, 2), ...numbers("b", 3, 4)]);
  const first = [...numbers("a", 1, 2), ...numbers("b", 3)];
  const left = (count: number) => `… and ${count} more, which are not kept.`;
  expect(await kept("d", 8)).toEqual([...first, left(4), ...numbers("d", 8, 9, 10, 11, 12)]);
  expect(await kept("e", 1)).toEqual([
    ...first,
    left(5),
    ...numbers("d", 9, 10, 11, 12),
    ...numbers("e", 13),
  ]);
});

it("a run keeps what its first connection met, though it is set aside, and cancelled after that", async () => {
  const { requestId, runId } = await newRun("closed");
  const deps = {
    db: desk.base.db,
    actor: desk.worker,
    vault: desk.vault,
    catalog: desk.catalog,
    guard: createOutboundGuard({
      allowSuffixes: ["supabase.co"],
      allowOrigins: `127.0.0.1:${CLOSED_PORT}`,
    }),
    management: null,
    staffMail: "staff@berth.example",
    log: pino({ level: "silent" }),
  };
  const work = async (stop: AbortSignal, meanwhile: () => Promise<void>) => {
    const lease = await takeRun({ ...deps, runConcurrency: 10 }, runId);
    if (!lease) throw new Error("There was no run to take.");
    const run = executeRun(deps, lease, stop);
    await expect
      .poll(async () => (await firstStep(runId))?.status, { timeout: 10_000 })
      .toBe("running");
    await sleep(1_500);
    await meanwhile();
    await run;
    return firstStep(runId);
  };

  const stop = new AbortController();
  const aside = await work(stop.signal, async () => stop.abort(new Error("The worker ends.")));
  const before = aside?.outcome?.failedAttempts as string[];
  expect(aside?.status).toBe("running");
  expect(before.length).toBeGreaterThan(1);
  expect(before[0]).toMatch(
    /Z Attempt 1 got no connection: nothing answers at 127\.0\.0\.1 port 1/,
  );

  const cancelled = await work(new AbortController().signal, () =>
    desk.as(desk.kim, (tx) => cancelRun({ tx, actor: desk.kim }, requestId)),
  );
  expect(cancelled).toMatchObject({ status: "pending", outcome: { outcome: "unknown" } });
  const after = cancelled?.outcome?.failedAttempts as string[];
  expect(after.slice(0, 3)).toEqual(before.slice(0, 3));
  const number = (line: string | undefined) => Number(/Attempt (\d+) got/.exec(line ?? "")?.[1]);
  expect(number(after.at(-1))).toBeGreaterThan(number(before.at(-1)));
});
