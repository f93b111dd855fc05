import { and, desc, eq, lt, sql } from "drizzle-orm";
import { user } from "#db/auth.ts";
import type { Tx } from "#db/index.ts";
import { provisioningQueue, requestEvents } from "#db/queue.ts";
import { requireStaff } from "../identity/index.server.ts";
import { ClaimExpiredError, HeldByOtherError, WrongStateError } from "./errors.ts";
import {
  type Context,
  databaseNow,
  lockRequest,
  mailCustomer,
  moveRequest,
  type RequestRow,
} from "./requests.ts";
import { HELD, type RequestStatus } from "./states.ts";

/** A claim ends by itself after this long without any act of its holder on the request. */
export const CLAIM_HOURS = 4;

const claimExpiry = sql`berth_now() + make_interval(hours => ${CLAIM_HOURS})`;

const hasExpired = (request: RequestRow, now: Date) =>
  request.leaseExpiresAt !== null && request.leaseExpiresAt <= now;

/**
 * Takes a pending request, or one whose claim has ended, for the person acting. Claiming what one
 * already holds changes nothing.
 * @throws NotStaffError, RequestNotFoundError, WrongStateError; HeldByOtherError says who has it.
 */
export async function claimRequest(context: Context, requestId: string): Promise<RequestRow> {
  const { tx, actor } = context;
  await requireStaff(tx, actor.id);
  let request = await lockRequest(tx, requestId);
  if (request.status === "in_progress" && hasExpired(request, await databaseNow(tx))) {
    request = await returnToQueue(context, request, "claim_expired");
  }
  if (HELD.includes(request.status) && request.assigneeId === actor.id) return request;
  if (request.status !== "pending") {
    if (request.assigneeId !== null && request.assigneeId !== actor.id) {
      throw await heldBy(tx, request.id, request.assigneeId);
    }
    throw new WrongStateError(request.status, "claim", ["pending"]);
  }
  const claimed = await moveRequest(context, request, "in_progress", {
    event: "claimed",
    data: { assigneeId: actor.id, leaseToken: request.leaseToken + 1 },
    set: {
      assigneeId: actor.id,
      leaseToken: request.leaseToken + 1,
      leaseExpiresAt: claimExpiry,
    },
  });
  // Whoever was taken off the staff since the first look gets nothing: see releaseAllOf.
  await requireStaff(tx, actor.id);
  await mailCustomer(context, request, "claimed");
  return claimed;
}

/**
 * Gives a claimed request back to the queue, at its old place. A supervisor may do it for others.
 * @throws NotStaffError, RequestNotFoundError, WrongStateError, HeldByOtherError
 */
export async function releaseRequest(context: Context, requestId: string): Promise<RequestRow> {
  const { tx, actor } = context;
  const { role } = await requireStaff(tx, actor.id);
  const request = await lockRequest(tx, requestId);
  if (request.status !== "in_progress") {
    throw new WrongStateError(request.status, "release", ["in_progress"]);
  }
  if (request.assigneeId !== null && request.assigneeId !== actor.id && role !== "supervisor") {
    throw await heldBy(tx, request.id, request.assigneeId);
  }
  return returnToQueue(context, request, "released");
}

/**
 * Gives everything that a person is preparing back to the queue, with this note for the next one.
 * The caller holds that person's row of the staff FOR UPDATE: a claim that is under way waits there,
 * looks again, and finds its holder gone.
 * @returns how many.
 */
export async function releaseAllOf(
  context: Context,
  accountId: string,
  note: string,
): Promise<number> {
  const held = await context.tx
    .select()
    .from(provisioningQueue)
    .where(
      and(eq(provisioningQueue.assigneeId, accountId), eq(provisioningQueue.status, "in_progress")),
    )
    .orderBy(provisioningQueue.id)
    .for("update");
  for (const request of held) await returnToQueue(context, request, "released", note);
  return held.length;
}

/** What the next one to take it is told. */
const HANDOVER = {
  released: "It was given back; nothing had been submitted.",
  claim_expired: `Nobody acted on it for ${CLAIM_HOURS} hours, so it came back by itself.`,
};

function returnToQueue(
  context: Context,
  request: RequestRow,
  event: "released" | "claim_expired",
  note = HANDOVER[event],
) {
  return moveRequest(context, request, "pending", {
    event,
    data: { assigneeId: request.assigneeId, note },
    set: { assigneeId: null, leaseExpiresAt: null },
  });
}

/**
 * The request, locked, if it is in one of these states and nobody else holds it; a claim is
 * extended, since this is an act on it. A supervisor may act on what others hold.
 * @throws NotStaffError, RequestNotFoundError, WrongStateError, HeldByOtherError, ClaimExpiredError
 */
export async function requireHeld(
  context: Context,
  requestId: string,
  act: string,
  states: readonly RequestStatus[],
): Promise<RequestRow> {
  const { tx, actor } = context;
  const { role } = await requireStaff(tx, actor.id);
  const request = await lockRequest(tx, requestId);
  if (request.assigneeId !== null && request.assigneeId !== actor.id && role !== "supervisor") {
    throw await heldBy(tx, request.id, request.assigneeId);
  }
  if (!states.includes(request.status)) throw new WrongStateError(request.status, act, states);
  if (request.status !== "in_progress") return request;
  if (hasExpired(request, await databaseNow(tx))) throw new ClaimExpiredError();
  const [extended] = await tx
    .update(provisioningQueue)
    .set({ leaseExpiresAt: claimExpiry, version: sql`${provisioningQueue.version} + 1` })
    .where(eq(provisioningQueue.id, request.id))
    .returning();
  if (!extended) throw new Error("A locked request vanished.");
  return extended;
}

/**
 * Takes a request up again without waiting for the customer any longer: its clock runs on, and the
 * claim begins anew, since the old one may have ended in the meantime.
 * @throws what {@link requireHeld} throws
 */
export async function resumeRequest(context: Context, requestId: string): Promise<RequestRow> {
  const request = await requireHeld(context, requestId, "take up", ["waiting_on_customer"]);
  return moveRequest(context, request, "in_progress", {
    event: "resumed",
    set: { leaseExpiresAt: claimExpiry },
  });
}

/** Returns to the queue what was claimed and then left alone. Bounded; safe from many workers at once. */
export async function expireClaims(context: Context, limit = 100): Promise<number> {
  const expired = await context.tx
    .select()
    .from(provisioningQueue)
    .where(
      and(
        eq(provisioningQueue.status, "in_progress"),
        lt(provisioningQueue.leaseExpiresAt, sql`berth_now()`),
      ),
    )
    .orderBy(provisioningQueue.leaseExpiresAt)
    .limit(limit)
    .for("update", { skipLocked: true });
  for (const request of expired) await returnToQueue(context, request, "claim_expired");
  return expired.length;
}

async function heldBy(tx: Tx, requestId: string, accountId: string): Promise<HeldByOtherError> {
  const [holder] = await tx
    .select({ id: user.id, name: user.name })
    .from(user)
    .where(eq(user.id, accountId));
  const [claim] = await tx
    .select({ at: requestEvents.at })
    .from(requestEvents)
    .where(and(eq(requestEvents.requestId, requestId), eq(requestEvents.kind, "claimed")))
    .orderBy(desc(requestEvents.id))
    .limit(1);
  return new HeldByOtherError(
    holder ?? { id: accountId, name: "Somebody else" },
    claim?.at ?? null,
  );
}
