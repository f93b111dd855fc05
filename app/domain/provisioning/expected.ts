import { sql } from "drizzle-orm";
import type { Tx } from "#db/index.ts";
import type { Run } from "./lease.ts";
import type { PlannedStep, RunPlan } from "./plan.ts";
import type { Step } from "./runs.ts";

/** How many of the newest runs of a step are asked. */
const NEWEST = 50;

/**
 * The plan with what each step took in the newest runs in which it was really done, whatever the
 * customer: the median in milliseconds, or null. Files are told apart by their checksum, so that a
 * changed file is learnt anew. A file that is applied already takes no time worth a word.
 */
export async function withExpectations(tx: Tx, plan: RunPlan): Promise<RunPlan> {
  const identities = plan.steps.map(({ kind, checksum }) => ({ kind, checksum }));
  // Two queries for one, so that each can follow the index.
  const newest = (matches: ReturnType<typeof sql>) => sql`(
    select percentile_disc(0.5) within group (order by d.duration_ms) from (
      select duration_ms from provisioning_steps s
      where s.status = 'done' and s.kind = w.kind and ${matches} and duration_ms is not null
        and coalesce(s.outcome ->> 'outcome', '') not in
          ('already_applied', 'already_configured', 'already_there', 'kept_other', 'nothing_asked')
      order by s.ended_at desc limit ${NEWEST}) d)`;
  const { rows } = await tx.execute<{
    kind: string;
    checksum: string | null;
    median: number | null;
  }>(sql`
    select w.kind, w.checksum, case when w.checksum is null
      then ${newest(sql`s.checksum is null`)} else ${newest(sql`s.checksum = w.checksum`)} end as median
    from jsonb_to_recordset(${JSON.stringify(identities)}::jsonb) as w (kind text, checksum text)`);
  const medians = new Map(
    rows.map(({ kind, checksum, median }) => [`${kind} ${checksum}`, median]),
  );
  const expected = ({ kind, checksum, planned }: PlannedStep) =>
    planned === "applied" || planned === "differs"
      ? null
      : (medians.get(`${kind} ${checksum ?? null}`) ?? null);
  return { ...plan, steps: plan.steps.map((step) => ({ ...step, expectedMs: expected(step) })) };
}

/**
 * How long a run that goes on takes from now, by what its steps took in earlier runs. Milliseconds;
 * null where a step that is left was never run before, or the run has ended.
 */
export function expectedRemaining(
  { status }: Pick<Run, "status">,
  steps: readonly Pick<Step, "status" | "startedAt" | "expectedMs" | "planned">[],
  now: Date,
): number | null {
  if (status !== "queued" && status !== "running") return null;
  let remaining = 0;
  for (const step of steps) {
    if (step.status !== "pending" && step.status !== "running") continue;
    // Found in the ledger, and passed over.
    if (step.planned === "applied" || step.planned === "differs") continue;
    if (step.expectedMs === null) return null;
    const since = step.status === "running" ? (step.startedAt ?? now) : now;
    remaining += Math.max(0, step.expectedMs - (now.getTime() - since.getTime()));
  }
  return remaining;
}
