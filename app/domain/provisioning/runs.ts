import { asc, desc, eq, sql } from "drizzle-orm";
import { CancelledError } from "#app/integrations/postgres/run-errors.ts";
import { provisionRun } from "#app/platform/jobs/contracts.ts";
import { enqueue } from "#app/platform/jobs/enqueue.ts";
import { storable } from "#app/platform/text.ts";
import type { Tx } from "#db/index.ts";
import {
  type PlanBasis,
  provisioningRuns,
  provisioningSteps,
  type StepError,
} from "#db/provisioning.ts";
import { recordAudit } from "../audit/index.server.ts";
import type { Backend } from "../backends/index.server.ts";
import type { Catalog } from "../catalog/index.server.ts";
import { type Context, databaseNow, type RequestRow } from "../queue/index.server.ts";
import { expectedRemaining, withExpectations } from "./expected.ts";
import { type Lease, requireLease } from "./lease.ts";
import { planRun, type RunPlan } from "./plan.ts";
import type { StepFacts } from "./steps.ts";

export type Step = typeof provisioningSteps.$inferSelect;

/**
 * Enqueues a run of this plan for this backend, in the caller's transaction. Without a plan, one that
 * the worker completes when it looks at the database.
 */
export async function startRun(
  { tx, actor }: Context,
  catalog: Catalog,
  request: RequestRow,
  backend: Backend,
  agreed?: RunPlan,
): Promise<string> {
  const plan = await withExpectations(tx, agreed ?? planRun(catalog, request.features));
  const { templates, basis } = plan;
  const [run] = await tx
    .insert(provisioningRuns)
    .values({ requestId: request.id, backendId: backend.id, templates, basis })
    .returning({ id: provisioningRuns.id });
  if (!run) throw new Error("A run was not made.");
  await tx
    .insert(provisioningSteps)
    .values(plan.steps.map((step, position) => ({ ...step, runId: run.id, position })));
  await enqueue(tx, provisionRun, { runId: run.id });
  await recordAudit(tx, actor, {
    action: "run.create",
    subjectKind: "run",
    subjectId: run.id,
    requestId: request.id,
    data: {
      backendId: backend.id,
      generation: backend.generation,
      templates,
      ...(basis ? { plan: basis.digest } : {}),
    },
  });
  return run.id;
}

/**
 * Keeps the plan that the worker made of a run which nobody had planned before it.
 * @throws LeaseLostError
 */
export async function keepPlan(tx: Tx, lease: Lease, plan: RunPlan): Promise<void> {
  await requireLease(tx, lease);
  const { id } = lease.run;
  await tx.update(provisioningRuns).set({ basis: plan.basis }).where(eq(provisioningRuns.id, id));
  const { steps } = await withExpectations(tx, plan);
  await tx.execute(sql`
    update provisioning_steps s
    set planned = p.planned, effects = p.effects, expected_ms = p."expectedMs"
    from jsonb_to_recordset(${JSON.stringify(steps)}::jsonb)
      as p (file text, planned text, effects jsonb, "expectedMs" int)
    where s.run_id = ${id} and s.file = p.file`);
}

/** The steps of a run, in order. */
export function stepsOf(tx: Tx, runId: string): Promise<Step[]> {
  return tx
    .select()
    .from(provisioningSteps)
    .where(eq(provisioningSteps.runId, runId))
    .orderBy(asc(provisioningSteps.position));
}

/** Notes that a step begins. @throws LeaseLostError; CancelledError when the run is to end */
export async function beginStep(tx: Tx, lease: Lease, step: Step): Promise<void> {
  const { cancelRequestedAt } = await requireLease(tx, lease);
  if (cancelRequestedAt) throw new CancelledError();
  await tx
    .update(provisioningSteps)
    .set({
      status: "running",
      attempts: sql`${provisioningSteps.attempts} + 1`,
      startedAt: sql`berth_now()`,
      error: null,
    })
    .where(eq(provisioningSteps.id, step.id));
}

/** Notes how a step ended. Durations in whole milliseconds. @throws LeaseLostError */
export async function endStep(
  { tx, actor }: Context,
  lease: Lease,
  step: Step,
  end:
    | { status: "done"; durationMs: number; facts: StepFacts }
    | { status: "failed" | "needs_person"; durationMs: number; error: StepError },
): Promise<void> {
  await requireLease(tx, lease);
  await tx
    .update(provisioningSteps)
    .set({
      status: end.status,
      endedAt: sql`berth_now()`,
      durationMs: end.durationMs,
      ...(end.status === "done"
        ? { outcome: storable(end.facts), error: null }
        : { error: end.error }),
    })
    .where(eq(provisioningSteps.id, step.id));
  await recordAudit(tx, actor, {
    action: `step.${end.status}`,
    subjectKind: "step",
    subjectId: step.id,
    requestId: lease.run.requestId,
    data: {
      runId: lease.run.id,
      name: step.name,
      ...(end.status === "done" ? storable(end.facts) : { code: end.error.code }),
    },
  });
}

/** A run as staff see it. Times are ISO 8601 in UTC. */
export interface RunView {
  runId: string;
  status: string;
  templates: Record<string, string>;
  takeovers: number;
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  /** What its plan was made from; null until the worker has made it. */
  basis: PlanBasis | null;
  /** Of the run itself: why it did not end well, or who cancelled it. */
  error: StepError | null;
  /** When a person asked for its end. */
  cancelRequestedAt: string | null;
  /** Milliseconds; null where a step was never run before, or the run has ended. */
  expectedRemainingMs: number | null;
  steps: {
    name: string;
    kind: string;
    status: string;
    attempts: number;
    durationMs: number | null;
    expectedMs: number | null;
    planned: Step["planned"];
    effects: Step["effects"];
    outcome?: Record<string, unknown>;
    error?: StepError;
  }[];
}

/** The newest run of a request, with its steps. */
export async function viewRun(tx: Tx, requestId: string): Promise<RunView | null> {
  const [run] = await tx
    .select()
    .from(provisioningRuns)
    .where(eq(provisioningRuns.requestId, requestId))
    .orderBy(desc(provisioningRuns.id))
    .limit(1);
  if (!run) return null;
  const steps = await stepsOf(tx, run.id);
  return {
    runId: run.id,
    status: run.status,
    templates: run.templates,
    takeovers: run.takeovers,
    createdAt: run.createdAt.toISOString(),
    startedAt: run.startedAt?.toISOString() ?? null,
    endedAt: run.endedAt?.toISOString() ?? null,
    basis: run.basis,
    error: run.error,
    cancelRequestedAt: run.cancelRequestedAt?.toISOString() ?? null,
    expectedRemainingMs: expectedRemaining(run, steps, await databaseNow(tx)),
    steps: steps.map(
      ({ name, kind, status, attempts, durationMs, expectedMs, planned, effects, ...end }) => ({
        name,
        kind,
        status,
        attempts,
        durationMs,
        expectedMs,
        planned,
        effects,
        ...(end.outcome ? { outcome: end.outcome } : {}),
        ...(end.error ? { error: end.error } : {}),
      }),
    ),
  };
}
