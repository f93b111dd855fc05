/** A retry starts what somebody looked at, or nothing; where nobody looked, it is planned later. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { MovedOnError } from "../queue/index.server.ts";
import { retryRequest, type SeenPlan } from "./commands.ts";
import { PlanChangedError } from "./errors.ts";
import { planRun, type RunPlan } from "./plan.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk?.base.drop());

/** A failed request that Kim holds, with a project. */
async function failedRequest() {
  const { id, customerId } = await desk.request();
  await desk.plant(id, {
    status: "failed",
    failure: { code: "x", message: "x" },
    assignee_id: "kim",
  });
  await desk.base.admin.query(
    `insert into customer_backends (id, customer_id, request_id, project_ref, url, status)
     values (gen_random_uuid(), $1, $2, $3, 'https://x', 'building')`,
    [customerId, id, id.slice(-20)],
  );
  return id;
}

/** A plan made on a database that has every file of the base template already. */
function planOnBase(): { plan: RunPlan; digest: string } {
  const base = desk.catalog.get("base");
  const plan = planRun(desk.catalog, ["pos"], {
    serverMajor: 17,
    serverVersion: "17.6",
    isFresh: false,
    ledger: base.migrations.map(({ version, checksum }) => ({
      version,
      name: null,
      template: "base",
      templateVersion: base.version,
      checksum,
      runId: "an earlier run",
      appliedAt: null,
    })),
    unlisted: [],
    existing: [],
    indexes: {},
    references: [],
  });
  return { plan, digest: plan.basis?.digest ?? "" };
}

const backendOf = async (requestId: string): Promise<SeenPlan["backend"]> =>
  (
    await desk.base.admin.query(
      "select id, generation from customer_backends where request_id = $1 and status <> 'retired'",
      [requestId],
    )
  ).rows[0];
const retry = (id: string, seen?: SeenPlan) =>
  desk.as(desk.kim, (tx) => retryRequest({ tx, actor: desk.kim }, desk.catalog, id, seen));
const runsOf = async (id: string) =>
  (
    await desk.base.admin.query(
      `select r.basis, array_agg(s.planned order by s.position) filter (where s.file is not null) as planned
       from provisioning_runs r join provisioning_steps s on s.run_id = r.id
       where r.request_id = $1 group by r.id`,
      [id],
    )
  ).rows;

it("keeps the plan that was looked at with its run, for the worker to compare", async () => {
  const id = await failedRequest();
  const { plan, digest } = planOnBase();
  await retry(id, { digest, now: plan, backend: await backendOf(id) });
  const planned = plan.steps.flatMap((step) => (step.file ? [step.planned] : []));
  expect(new Set(planned)).toEqual(new Set(["applied", "apply"]));
  expect(await runsOf(id)).toEqual([{ basis: plan.basis, planned }]);
});

it("starts nothing where the plan is another by now", async () => {
  const id = await failedRequest();
  const { plan } = planOnBase();
  const seen = { digest: "0".repeat(64), now: plan, backend: await backendOf(id) };
  const refused = await retry(id, seen).catch((error) => error);
  expect(refused).toBeInstanceOf(PlanChangedError);
  expect(refused.found).toBe("another plan than the one that was looked at");
  expect(await runsOf(id)).toEqual([]);
  const { rows } = await desk.base.admin.query(
    "select status from provisioning_queue where id = $1",
    [id],
  );
  expect(rows).toEqual([{ status: "failed" }]);
});

it.each([
  ["other credentials of the same project", "update customer_backends set generation = 2"],
  ["another project", "update customer_backends set id = gen_random_uuid()"],
])("starts nothing where the request has %s than were planned with", async (_what, change) => {
  const id = await failedRequest();
  const { plan, digest } = planOnBase();
  const seen = { digest, now: plan, backend: await backendOf(id) };
  await desk.base.admin.query(`${change} where request_id = $1`, [id]);
  const refused = await retry(id, seen).catch((error) => error);
  expect(refused).toBeInstanceOf(PlanChangedError);
  expect(refused.found).toBe("other credentials than those that the plan was made with");
  expect(await runsOf(id)).toEqual([]);
});

it("starts nothing where the request has moved on while the plan was made", async () => {
  const id = await failedRequest();
  const { plan, digest } = planOnBase();
  const page = { version: 0, eventId: 0 };
  const seen = { digest, now: plan, backend: await backendOf(id), page };
  await expect(retry(id, seen)).rejects.toBeInstanceOf(MovedOnError);
  expect(await runsOf(id)).toEqual([]);
});

it("is planned by the worker where nobody looked", async () => {
  const id = await failedRequest();
  await retry(id);
  expect(await runsOf(id)).toMatchObject([{ basis: null }]);
});
