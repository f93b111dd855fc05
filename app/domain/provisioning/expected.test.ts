import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { expectedRemaining, withExpectations } from "./expected.ts";
import { planRun, type RunPlan } from "./index.server.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk?.base.drop());

/** Runs of other customers, planted one after another, each with one step of these facts. */
async function planted(
  steps: { kind: string; checksum?: string; ms: number; outcome?: string; status?: string }[],
) {
  const { rows } = await desk.base.admin.query<{ id: string }>(`
    with c as (select id, customer_id from provisioning_queue limit 1),
      b as (insert into customer_backends (id, request_id, customer_id, project_ref, url, status)
        select gen_random_uuid(), id, customer_id, substr(md5(random()::text), 1, 20), 'https://x.example', 'retired'
        from c returning id, request_id)
    insert into provisioning_runs (id, request_id, backend_id, templates, status)
    select gen_random_uuid(), request_id, id, '{}', 'succeeded' from b returning id`);
  const [run] = rows;
  for (const [position, { kind, checksum, ms, outcome, status = "done" }] of steps.entries()) {
    await desk.base.admin.query(
      `insert into provisioning_steps
         (id, run_id, position, name, kind, status, checksum, duration_ms, outcome, ended_at)
       values (gen_random_uuid(), $1, $2::int, 'x', $3, $4, $5, $6, $7, now() + $2::int * interval '1 s')`,
      [run?.id, position, kind, status, checksum ?? null, ms, outcome ? { outcome } : null],
    );
  }
}

const expectations = (plan: RunPlan) => desk.as(desk.kim, (tx) => withExpectations(tx, plan));

describe("how long a step takes", () => {
  it("is the median of its newest runs in which it was really done", async () => {
    await desk.request();
    const plan = planRun(desk.catalog, ["base"]);
    const [first, second] = plan.steps.filter(({ kind }) => kind === "sql");
    const file = { kind: "sql", checksum: first?.checksum ?? "" };
    await planted([
      // Older than the newest fifty.
      ...Array.from({ length: 30 }, () => ({ ...file, ms: 90_000, outcome: "applied" })),
      ...Array.from({ length: 50 }, (_, i) => ({ ...file, ms: 100 + i, outcome: "applied" })),
      ...Array.from({ length: 60 }, () => ({ ...file, ms: 1, outcome: "already_applied" })),
      ...Array.from({ length: 60 }, () => ({ ...file, ms: 2, status: "failed" })),
      { kind: "sql", checksum: "another file", ms: 7, outcome: "applied" },
      { kind: "health", ms: 30 },
      { kind: "health", ms: 10 },
      { kind: "health", ms: 20 },
      { kind: "owner", ms: 3, outcome: "already_there" },
    ]);
    const { steps } = await expectations(plan);
    const of = (kind: string) => steps.find((step) => step.kind === kind)?.expectedMs;
    expect(of("sql")).toBe(124);
    expect(steps.find(({ checksum }) => checksum === second?.checksum)?.expectedMs).toBeNull();
    expect([of("health"), of("owner"), of("preflight")]).toEqual([20, null, null]);
  });

  it("is nothing worth a word where the file is applied already", async () => {
    const plan = planRun(desk.catalog, ["base"]);
    const steps = plan.steps.map((step) =>
      step.kind === "sql" ? { ...step, planned: "applied" as const } : step,
    );
    const learnt = await expectations({ ...plan, steps });
    expect(learnt.steps.filter(({ kind }) => kind === "sql").map((one) => one.expectedMs)).toEqual(
      steps.filter(({ kind }) => kind === "sql").map(() => null),
    );
    // It does not leave the whole run without an expectation.
    const now = new Date();
    const left = { status: "pending", startedAt: null } as const;
    const of = (planned: "applied" | "apply") =>
      expectedRemaining(
        { status: "running" },
        [
          { ...left, planned, expectedMs: null },
          { ...left, planned: null, expectedMs: 500 },
        ],
        now,
      );
    expect([of("applied"), of("apply")]).toEqual([500, null]);
  });
});
