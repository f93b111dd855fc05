import { sql } from "drizzle-orm";
import type { Tx } from "#db/index.ts";
import type { BackendView } from "../backends/index.server.ts";
import { liveBackendOf, retireBackend, viewBackend } from "../backends/index.server.ts";
import type { Catalog } from "../catalog/index.server.ts";
import { listMails } from "../notifications/index.server.ts";
import {
  type Context,
  getQueueItem,
  leadingTo,
  mailCustomer,
  moveRequest,
  type QueueItem,
  requireHeld,
} from "../queue/index.server.ts";
import type { Vault } from "../vault/index.server.ts";
import { CredentialsMissingError, PlanChangedError } from "./errors.ts";
import type { RunPlan } from "./plan.ts";
import { type RunView, startRun, viewRun } from "./runs.ts";
import { linesOf, staysOf, type WhatStays } from "./stays.ts";

/** The plan of a retry that somebody looked at, by its digest, and the same plan made now. */
export interface SeenPlan {
  digest: string;
  now: RunPlan;
}

/**
 * Runs a failed request again, with the credentials and templates as they are now. What is done
 * already is found done, so it goes on from the step that failed. With `seen`, only if the plan is
 * still the one that was looked at: it is kept with the run, and compared again when that starts.
 * @throws CredentialsMissingError, PlanChangedError, and what {@link requireHeld} throws
 */
export async function retryRequest(
  { tx, actor }: Context,
  catalog: Catalog,
  requestId: string,
  seen?: SeenPlan,
): Promise<void> {
  const request = await requireHeld({ tx, actor }, requestId, "retry", ["failed"]);
  if (seen && seen.digest !== seen.now.basis?.digest) {
    throw new PlanChangedError(["another plan than the one that was looked at"]);
  }
  const backend = await liveBackendOf(tx, requestId);
  if (!backend) throw new CredentialsMissingError();
  const retried = await moveRequest({ tx, actor }, request, "migrating", {
    event: "retried",
    data: { backendId: backend.id },
    set: { failure: null },
  });
  await startRun({ tx, actor }, catalog, retried, backend, seen?.now);
}

/**
 * Cancels a request that is not being built. Its project is let go of, its sealed credentials are
 * destroyed, and the customer is told by mail. What runs built in the project stays there, and is
 * listed in the timeline and in the audit record.
 * @throws what {@link requireHeld} throws
 */
export async function cancelRequest({ tx, actor }: Context, requestId: string): Promise<void> {
  const request = await requireHeld({ tx, actor }, requestId, "cancel", leadingTo("cancelled"));
  const stays = (await staysOf(tx, request)) ?? [];
  const projectRef = stays.map((project) => project.projectRef).join(", ");
  await moveRequest({ tx, actor }, request, "cancelled", {
    event: "cancelled",
    ...(stays.length > 0 ? { data: { projectRef, stays: linesOf(stays) } } : {}),
  });
  const backend = await liveBackendOf(tx, requestId);
  if (backend) await retireBackend({ tx, actor }, backend, "cancelled");
  await mailCustomer({ tx, actor }, request, "cancelled");
}

/** One entry of a request's timeline. */
export interface TimelineEntry {
  kind: string;
  at: string;
  actor: { kind: string; id: string };
  data: Record<string, unknown>;
}

/** Everything the desk shows of one request. */
export interface RequestView extends QueueItem {
  backend: BackendView | null;
  run: RunView | null;
  /** Of a request that failed or was cancelled: what runs built, by project; nobody takes it back. */
  stays: WhatStays[] | null;
  timeline: TimelineEntry[];
  mails: { kind: string; status: string; attempts: number; lastError: string | null }[];
}

/** Newest events shown with a request; older ones are in the audit record. */
const TIMELINE_LENGTH = 200;

/** @throws RequestNotFoundError */
export async function viewRequest(
  { tx, vault }: { tx: Tx; vault: Vault },
  requestId: string,
): Promise<RequestView> {
  const item = await getQueueItem(tx, requestId);
  const { rows } = await tx.execute<{
    kind: string;
    at: Date | string;
    actor_kind: string;
    actor_id: string;
    data: Record<string, unknown>;
  }>(sql`select kind, at, actor_kind, actor_id, data from request_events
    where request_id = ${requestId} order by id desc limit ${TIMELINE_LENGTH}`);
  const mails = await listMails(tx, requestId);
  return {
    ...item,
    backend: await viewBackend(tx, vault, requestId),
    run: await viewRun(tx, requestId),
    stays: await staysOf(tx, { id: requestId, status: item.status }),
    timeline: rows.map(({ kind, at, actor_kind, actor_id, data }) => ({
      kind,
      at: new Date(at).toISOString(),
      actor: { kind: actor_kind, id: actor_id },
      data,
    })),
    mails: mails.map(({ kind, status, attempts, lastError }) => ({
      kind,
      status,
      attempts,
      lastError,
    })),
  };
}
