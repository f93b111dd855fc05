/** What a run's steps keep of the attempts that failed, as its page and its log show it. */
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  claimedRequest,
  credentialsOf,
  eventually,
  type RunningBerth,
  type SandboxProject,
  settled,
  sharedBerth,
} from "../support/shared-berth.ts";

let berth: RunningBerth;
beforeAll(async () => {
  berth = await sharedBerth();
});
afterAll(() => berth?.stop());

/** Hands over a project's credentials, with which its run begins. */
async function begin(project: SandboxProject, email: string): Promise<string> {
  const requestId = await claimedRequest(berth.api, { email, features: ["inventory"] });
  const path = `/api/queue/${requestId}/credentials`;
  expect((await berth.api("POST", path, credentialsOf(project))).status).toBe(200);
  return requestId;
}

/** The lines that a run's steps keep, once it has ended, each after its step's status. */
async function linesOf(requestId: string): Promise<string[]> {
  const { run } = await settled(berth.api, requestId);
  const steps: { status: string; outcome?: { failedAttempts?: string[] } }[] = run.steps;
  return steps.flatMap(({ status, outcome }) =>
    (outcome?.failedAttempts ?? []).map((line) => `${status}: ${line}`),
  );
}

/** Builds a project whose service is struck. */
async function build(project: SandboxProject, email: string, fault: Record<string, unknown>) {
  await berth.sandbox.call("PUT", "/sandbox/faults", {
    faults: [{ ref: project.ref, kind: "error", status: 500, ...fault }],
  });
  const lines = await linesOf(await begin(project, email));
  await berth.sandbox.call("DELETE", "/sandbox/faults");
  return lines;
}

const HEALTH = "GET /auth/v1/health";
const MOMENT = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;

it("a step that succeeds in the end keeps a line of what failed before", async () => {
  const project = await berth.sandbox.project();
  const lines = await build(project, "passing@example.com", { route: HEALTH, times: 1 });
  expect(lines).toEqual([
    expect.stringMatching(new RegExp(`^done: ${MOMENT} Attempt 1 failed: .+`)),
  ]);
});

it("a step that fails keeps a line of each attempt before the last, which is its failure", async () => {
  const project = await berth.sandbox.project();
  const lines = await build(project, "staying@example.com", { route: HEALTH });
  expect(lines).toHaveLength(3);
  for (const [index, line] of lines.entries()) {
    expect(line).toMatch(new RegExp(`^failed: ${MOMENT} Attempt ${index + 1} failed: .+`));
  }
});

it("a step that is cancelled while it waits for a lock keeps a line of each wait before", async () => {
  const project = await berth.sandbox.project();
  const other = new pg.Client({
    connectionString: project.directUrl.replace(/\?.*$/, ""),
    ssl: { rejectUnauthorized: false },
  });
  await other.connect();
  try {
    // The run's own schema, made by another session that does not commit.
    await other.query("begin; create schema berth");
    const requestId = await begin(project, "waiting@example.com");
    const isWaiting = async (wanted: boolean) => {
      const waits = "select from pg_locks where locktype = 'transactionid' and not granted";
      return (await other.query(waits)).rowCount === (wanted ? 1 : 0);
    };
    await eventually("the step to wait for the lock", () => isWaiting(true));
    await eventually("the end of that wait", () => isWaiting(false), 60_000, 10);
    await eventually("the step to wait for it again", () => isWaiting(true));
    const cancelled = await berth.api("POST", `/api/queue/${requestId}/run/cancel`);
    expect(cancelled.status).toBe(202);
    const lines = await linesOf(requestId);
    expect(lines[0]).toMatch(
      new RegExp(`^pending: ${MOMENT} Attempt 1 gave way after .*: .* waited for a lock$`),
    );
  } finally {
    await other.end();
  }
});
