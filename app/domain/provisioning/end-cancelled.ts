import { eq, sql } from "drizzle-orm";
import type { FailedAttempt, FailedAttempts } from "#app/integrations/postgres/run-attempts.ts";
import type { Logger } from "#app/platform/log.ts";
import { user } from "#db/auth.ts";
import { asActor, type Tx } from "#db/index.ts";
import { provisioningRuns, provisioningSteps, type StepError } from "#db/provisioning.ts";
import { recordAudit } from "../audit/index.server.ts";
import { type Context, lockRequest, moveRequest } from "../queue/index.server.ts";
import { RUN_CANCELLED } from "./cancel-run.ts";
import type { RunnerDeps } from "./execute.ts";
import { type Finding, findOut, inWords } from "./findings.ts";
import { endRun } from "./finish.ts";
import { keepAttempts } from "./kept-attempts.ts";
import { type Lease, requireLease } from "./lease.ts";
import { type Step, stepsOf } from "./runs.ts";

/**
 * Ends a run whose end a person asked for: what became of the step in progress is read from the
 * customer's project, whose ledger decides, and the request stands as failed, to be resumed or
 * closed. Staff get no mail: one of them asked for it. May be done again after a crash.
 * @param attempts what the step in progress had tried in vain, which is kept with it
 * @throws LeaseLostError, and what {@link findOut} throws: then another worker ends it.
 */
export async function endCancelled(
  deps: RunnerDeps,
  lease: Lease,
  { taken, attempts }: { taken: AbortSignal; attempts: FailedAttempts },
  log: Logger,
): Promise<void> {
  const { db, actor } = deps;
  const steps = await asActor(db, actor, (tx) => stepsOf(tx, lease.run.id));
  // Only what has begun can have had an effect.
  const begun = steps.find(({ status }) => status === "running") ?? null;
  const finding = begun ? await findOut(deps, lease, begun, taken, log) : null;
  const failed = attempts.take();
  await asActor(db, actor, async (tx) => {
    const { cancelRequestedAt } = await requireLease(tx, lease);
    if (!cancelRequestedAt) throw new Error("Nobody asked for the end of this run.");
    if (begun && finding) await settleStep({ tx, actor }, lease, begun, finding, failed);
    const done =
      steps.filter(({ status }) => status === "done").length +
      (finding?.outcome === "done" ? 1 : 0);
    const by = await askerOf(tx, lease);
    const error = describe(by, done, steps.length, begun, finding);
    const at = begun ?? steps.find(({ status }) => status !== "done");
    const facts = { step: at?.name, outcome: finding?.outcome, done, of: steps.length };
    await endRun({ tx, actor }, lease, "cancelled", error, facts);
    const request = await lockRequest(tx, lease.run.requestId);
    const { code, message, found, needed, fix } = error;
    await moveRequest({ tx, actor }, request, "failed", {
      event: "run_cancelled",
      data: { runId: lease.run.id, step: at?.name, code, by },
      set: { failure: { code, message, step: at?.name, found, needed, fix } },
    });
  });
  log.info({ step: begun?.name, outcome: finding?.outcome }, "the run was cancelled");
}

/** A step that took effect counts as done; any other waits to be done again. */
async function settleStep(
  { tx, actor }: Context,
  { run }: Lease,
  step: Step,
  { outcome, facts }: Finding,
  failed: FailedAttempt[],
): Promise<void> {
  const isDone = outcome === "done";
  await tx
    .update(provisioningSteps)
    .set(
      isDone
        ? { status: "done", endedAt: sql`berth_now()`, outcome: facts }
        : { status: "pending", startedAt: null, endedAt: null, outcome: facts },
    )
    .where(eq(provisioningSteps.id, step.id));
  await keepAttempts(tx, step, failed);
  await recordAudit(tx, actor, {
    action: isDone ? "step.done" : "step.cancelled",
    subjectKind: "step",
    subjectId: step.id,
    requestId: run.requestId,
    data: { runId: run.id, name: step.name, ...facts },
  });
}

/** The name of the person who asked for it. */
async function askerOf(tx: Tx, { run }: Lease): Promise<string> {
  const [asked] = await tx
    .select({ name: user.name })
    .from(provisioningRuns)
    .innerJoin(user, eq(user.id, provisioningRuns.cancelRequestedBy))
    .where(eq(provisioningRuns.id, run.id));
  return asked?.name ?? "Somebody";
}

function describe(
  asker: string,
  done: number,
  total: number,
  step: Step | null,
  finding: Finding | null,
): StepError {
  return {
    code: RUN_CANCELLED,
    message: `${asker} cancelled this run: ${done} of its ${total} steps ${done === 1 ? "is" : "are"} done.`,
    found: step && finding ? inWords(step, finding) : "no step was in progress",
    needed:
      finding?.outcome === "unknown"
        ? "a look at the customer's project"
        : "a decision whether it goes on",
    fix: "Resume it: what is done stays done, and the rest follows. Or close the request: what stays in the project is listed.",
  };
}
