import { eq, sql } from "drizzle-orm";
import type { FailedAttempt } from "#app/integrations/postgres/run-attempts.ts";
import { type Actor, asActor, type Db, type Tx } from "#db/index.ts";
import { provisioningSteps } from "#db/provisioning.ts";
import { databaseNow } from "../queue/index.server.ts";
import { type Lease, requireLease } from "./lease.ts";
import { describeAttempts } from "./report.ts";
import { type Step, stepsOf } from "./runs.ts";

/**
 * Adds to a step's outcome what was tried in vain, after what is kept of an earlier worker's
 * attempts; the audit record has no use for it.
 * @param step as it was before its outcome was written, which may have left those out
 */
export async function keepAttempts(
  tx: Tx,
  step: Pick<Step, "id" | "outcome">,
  failed: readonly FailedAttempt[],
): Promise<void> {
  const earlier = linesOf(step);
  if (earlier.length === 0 && failed.length === 0) return;
  const failedAttempts = continued(earlier, failed, await databaseNow(tx));
  const { outcome, id } = provisioningSteps;
  await tx
    .update(provisioningSteps)
    .set({
      outcome: sql`coalesce(${outcome}, '{}') || ${JSON.stringify({ failedAttempts })}::jsonb`,
    })
    .where(eq(id, step.id));
}

/** Keeps with the step in progress what its worker tried in vain before it let go. @throws LeaseLostError */
export async function keepForNext(
  { db, actor }: { db: Db; actor: Actor },
  lease: Lease,
  failed: readonly FailedAttempt[],
): Promise<void> {
  if (failed.length === 0) return;
  await asActor(db, actor, async (tx) => {
    await requireLease(tx, lease);
    const steps = await stepsOf(tx, lease.run.id);
    const step = steps.find(({ status }) => status === "running");
    if (step) await keepAttempts(tx, step, failed);
  });
}

const linesOf = ({ outcome }: Pick<Step, "outcome">): string[] =>
  Array.isArray(outcome?.failedAttempts) ? outcome.failedAttempts.map(String) : [];

const numberOf = (line: string): number => Number(/^\S+ Attempt (\d+) /.exec(line)?.[1] ?? 0);

/**
 * Lines and attempts as one list, numbered on and bounded as one. Of what an earlier bound left out
 * nothing is shown here either: it lies between the first and the last, which only move apart.
 */
function continued(lines: string[], attempts: readonly FailedAttempt[], now: Date): string[] {
  const told = new Map(lines.map((line) => [numberOf(line), line]));
  // Not an attempt, but the line that says how many were left out: there are more of them now.
  told.delete(0);
  const before = Math.max(0, ...told.keys());
  const places: FailedAttempt[] = Array.from({ length: before }, () => ({ at: 0, what: "" }));
  return describeAttempts([...places, ...attempts], now).map(
    (line) => told.get(numberOf(line)) ?? line,
  );
}
