import { and, desc, eq, inArray, sql } from "drizzle-orm";
import { provisioningRuns } from "#db/provisioning.ts";
import { recordAudit } from "../audit/index.server.ts";
import {
  type Context,
  lockRequest,
  RequestChangedError,
  requireHeld,
} from "../queue/index.server.ts";

/** In these states a request has a run that is waiting or at work. */
const WITH_RUN = ["credentials_received", "migrating"] as const;

/** The code under which a request stands as failed whose run a person cancelled. */
export const RUN_CANCELLED = "run_cancelled";

/**
 * Asks for the end of a request's run. The worker that has it, or the next one that takes it, ends
 * it within seconds; the request then stands as failed, to be resumed or closed. Asking again
 * changes nothing, even when the run has ended by then.
 * @throws what {@link requireHeld} throws, with WrongStateError where no run is open
 */
export async function cancelRun({ tx, actor }: Context, requestId: string): Promise<void> {
  const run = await lockOpenRun(tx, requestId);
  const { status, failure } = await lockRequest(tx, requestId);
  const hasEnded = status === "failed" && failure?.code === RUN_CANCELLED;
  const states = hasEnded ? (["failed"] as const) : WITH_RUN;
  await requireHeld({ tx, actor }, requestId, "cancel the run of", states);
  if (hasEnded) return;
  // It was made after the first look.
  if (!run) throw new RequestChangedError();
  if (run.cancelRequestedAt) return;
  await tx
    .update(provisioningRuns)
    .set({ cancelRequestedAt: sql`berth_now()`, cancelRequestedBy: actor.id })
    .where(eq(provisioningRuns.id, run.id));
  await recordAudit(tx, actor, {
    action: "run.cancel_request",
    subjectKind: "run",
    subjectId: run.id,
    requestId,
    data: { status: run.status },
  });
}

/**
 * The open run, locked. Call it before anything locks the request: a worker, too, takes the run
 * before its request, and whoever does it the other way round meets it half-way.
 */
export async function lockOpenRun(tx: Context["tx"], requestId: string) {
  const [run] = await tx
    .select()
    .from(provisioningRuns)
    .where(
      and(
        eq(provisioningRuns.requestId, requestId),
        inArray(provisioningRuns.status, ["queued", "running"]),
      ),
    )
    .orderBy(desc(provisioningRuns.id))
    .limit(1)
    .for("update");
  return run;
}
