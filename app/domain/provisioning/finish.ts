import { eq, sql } from "drizzle-orm";
import { customerBackends } from "#db/backends.ts";
import { provisioningRuns, type StepError } from "#db/provisioning.ts";
import type { RequestFailure } from "#db/queue.ts";
import { recordAudit } from "../audit/index.server.ts";
import { destroySuperseded } from "../backends/index.server.ts";
import { queueMail } from "../notifications/index.server.ts";
import { type Context, lockRequest, moveRequest } from "../queue/index.server.ts";
import { type Lease, requireLease } from "./lease.ts";
import { mailOwnerLink } from "./owner.ts";

/**
 * Ends a run well: the backend is ready, the request completed, the customer told. `hasDue`: a
 * template that it installs has work of its own in the database, which is looked at for the first time.
 * @throws LeaseLostError
 */
export async function completeRun(
  { tx, actor }: Context,
  lease: Lease,
  { hasDue = false }: { hasDue?: boolean } = {},
): Promise<void> {
  await requireLease(tx, lease);
  const { run } = lease;
  await endRun({ tx, actor }, lease, "succeeded", null);
  await tx
    .update(customerBackends)
    .set({
      status: "ready",
      readyAt: sql`berth_now()`,
      installed: run.templates,
      dueAt: hasDue ? sql`berth_now()` : null,
      dueFailures: 0,
    })
    .where(eq(customerBackends.id, run.backendId));
  await destroySuperseded({ tx, actor }, run.backendId);
  const request = await lockRequest(tx, run.requestId);
  await moveRequest({ tx, actor }, request, "completed", {
    event: "completed",
    data: { runId: run.id, backendId: run.backendId },
    set: { failure: null },
  });
  await mailOwnerLink({ tx, actor }, request, run.backendId);
}

/** Ends a run that cannot go on by itself: the request fails, and staff are told why. @throws LeaseLostError */
export async function failRun(
  { tx, actor }: Context,
  lease: Lease,
  failure: { step: string; error: StepError; needsPerson: boolean },
  staffMail: string,
): Promise<void> {
  await requireLease(tx, lease);
  const { run } = lease;
  await endRun(
    { tx, actor },
    lease,
    failure.needsPerson ? "needs_person" : "failed",
    failure.error,
  );
  const request = await lockRequest(tx, run.requestId);
  const { code, message, found, needed, fix, link } = failure.error;
  const told: RequestFailure = { code, message, step: failure.step, found, needed, fix, link };
  await moveRequest({ tx, actor }, request, "failed", {
    event: failure.needsPerson ? "needs_person" : "failed",
    data: { runId: run.id, step: failure.step, code },
    set: { failure: told },
  });
  await queueMail(
    { tx },
    {
      kind: "failed",
      requestId: run.requestId,
      recipient: staffMail,
      data: { problem: [failure.step, message, fix, link].filter(Boolean).join(" — ") },
    },
  );
}

/** Writes down how a run ended; the caller holds the lease. `facts`: for the audit record. */
export async function endRun(
  { tx, actor }: Context,
  { run, token }: Lease,
  status: "succeeded" | "failed" | "needs_person" | "cancelled",
  error: StepError | null,
  facts: Record<string, unknown> = {},
): Promise<void> {
  await tx
    .update(provisioningRuns)
    .set({ status, error, endedAt: sql`berth_now()`, leaseExpiresAt: null })
    .where(eq(provisioningRuns.id, run.id));
  await recordAudit(tx, actor, {
    action: `run.${status}`,
    subjectKind: "run",
    subjectId: run.id,
    requestId: run.requestId,
    data: { token, ...(error ? { code: error.code } : {}), ...facts },
  });
}
