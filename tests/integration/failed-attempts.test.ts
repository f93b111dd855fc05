/** What a run's steps keep of the attempts that failed, as its page and its log show it. */
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  claimedRequest,
  credentialsOf,
  type SandboxProject,
  settled,
  startBerth,
  type TestBerth,
} from "../support/berth.ts";

let berth: TestBerth;
beforeAll(async () => {
  berth = await startBerth();
});
afterAll(() => berth?.stop());

/** Builds a project whose service is struck; the lines that its steps keep, by status. */
async function build(project: SandboxProject, email: string, fault: Record<string, unknown>) {
  await berth.sandbox.call("PUT", "/sandbox/faults", {
    faults: [{ ref: project.ref, kind: "error", status: 500, ...fault }],
  });
  const requestId = await claimedRequest(berth.api, { email, features: ["inventory"] });
  const path = `/api/queue/${requestId}/credentials`;
  expect((await berth.api("POST", path, credentialsOf(project))).status).toBe(200);
  const { run } = await settled(berth.api, requestId);
  await berth.sandbox.call("DELETE", "/sandbox/faults");
  const steps: { status: string; outcome?: { failedAttempts?: string[] } }[] = run.steps;
  return steps.flatMap(({ status, outcome }) =>
    (outcome?.failedAttempts ?? []).map((line) => `${status}: ${line}`),
  );
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
