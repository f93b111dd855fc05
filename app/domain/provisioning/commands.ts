import { sql } from "drizzle-orm";
import { asActor, type Tx } from "#db/index.ts";
import type { Backend, BackendView } from "../backends/index.server.ts";
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
  requireUnmoved,
  type Seen,
} from "../queue/index.server.ts";
import type { Vault } from "../vault/index.server.ts";
import { type CredentialsDeps, planRequest } from "./credentials.ts";
import { CredentialsMissingError, PlanChangedError } from "./errors.ts";
import type { RunPlan } from "./plan.ts";
import { type RunView, startRun, viewRun } from "./runs.ts";
import { linesOf, staysOf, type WhatStays } from "./stays.ts";

/** What a retry would do, and what that was made of: it holds for nothing else. */
export interface RetryPlan {
  now: RunPlan;
  /** The project, and which of its sealed credentials. */
  backend: Pick<Backend, "id" | "generation">;
  /** What the page showed of the request when the person acted, where it was a page. */
  page?: Seen | undefined;
}

/** The plan of a retry that somebody looked at, by its digest, and the one made now. */
export interface SeenPlan extends RetryPlan {
  digest: string;
}

/**
 * Tests the credentials of a failed request, and tells what a retry would do; nothing is kept. With
 * `page`, only while the request stands as the page showed it.
 * @throws MovedOnError, CredentialsMissingError, and what {@link planRequest} throws
 */
export async function planRetry(
  deps: CredentialsDeps,
  requestId: string,
  page?: Seen,
): Promise<RetryPlan> {
  const { db, actor } = deps;
  // Read first: no generation comes back, so where it is in force at the retry, it was all along.
  const { id, generation } = await asActor(db, actor, async (tx) => {
    if (page) await requireUnmoved({ tx }, requestId, page);
    await requireHeld({ tx, actor }, requestId, "plan a retry of", ["failed"]);
    return requireBackend(tx, requestId);
  });
  const now = await planRequest(deps, requestId, null);
  return { now, backend: { id, generation }, page };
}

/**
 * Runs a failed request again, with the credentials and templates as they are now. What is done
 * already is found done, so it goes on from the step that failed. With `seen`, only if the plan is
 * still the one that was looked at, and neither the credentials nor the request have moved since it
 * was made: it is kept with the run, and compared again when that starts.
 * @throws CredentialsMissingError, PlanChangedError, MovedOnError, and what {@link requireHeld} throws
 */
export async function retryRequest(
  { tx, actor }: Context,
  catalog: Catalog,
  requestId: string,
  seen?: SeenPlan,
): Promise<void> {
  if (seen?.page) await requireUnmoved({ tx }, requestId, seen.page);
  const request = await requireHeld({ tx, actor }, requestId, "retry", ["failed"]);
  const backend = await requireBackend(tx, requestId);
  if (seen) requireSame(seen, backend);
  const retried = await moveRequest({ tx, actor }, request, "migrating", {
    event: "retried",
    data: { backendId: backend.id },
    set: { failure: null },
  });
  await startRun({ tx, actor }, catalog, retried, backend, seen?.now);
}

/** @throws CredentialsMissingError */
async function requireBackend(tx: Tx, requestId: string): Promise<Backend> {
  const backend = await liveBackendOf(tx, requestId);
  if (!backend) throw new CredentialsMissingError();
  return backend;
}

/** @throws PlanChangedError */
function requireSame({ digest, now, backend: planned }: SeenPlan, live: Backend): void {
  if (planned.id !== live.id || planned.generation !== live.generation) {
    throw new PlanChangedError(["other credentials than those that the plan was made with"]);
  }
  if (digest !== now.basis?.digest) {
    throw new PlanChangedError(["another plan than the one that was looked at"]);
  }
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
