import { afterAll, beforeAll, expect, it } from "vitest";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { liveBackendOf } from "../backends/index.server.ts";
import { lockRequest } from "../queue/index.server.ts";
import { keepAttempts } from "./execute.ts";
import { startRun, stepsOf } from "./runs.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk?.base.drop());

it("failed attempts are added to what a step's outcome has, by Berth's own time", async () => {
  const request = await desk.request();
  await desk.base.admin.query(
    `insert into customer_backends (id, customer_id, request_id, project_ref, url, status)
     values (gen_random_uuid(), $1, $2, 'attempts', 'https://x', 'building')`,
    [request.customerId, request.id],
  );
  await desk.plant(request.id, { status: "migrating", assignee_id: "kim" });
  const runId = await desk.as(desk.kim, async (tx) => {
    const backend = await liveBackendOf(tx, request.id);
    if (!backend) throw new Error("There is no backend.");
    const context = { tx, actor: desk.kim };
    return startRun(context, desk.catalog, await lockRequest(tx, request.id), backend);
  });
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
  const year = new Date(Date.now() + 365 * 86_400_000).getUTCFullYear();
  const line = expect.stringMatching(new RegExp(`^${year}-\\S+Z Attempt 1 met postgresql://u:\\[`));
  expect(outcomes).toEqual([
    { failedAttempts: [line] },
    { outcome: "applied", failedAttempts: [line] },
    null,
  ]);
});
