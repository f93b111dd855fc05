import { and, eq, isNull, sql } from "drizzle-orm";
import { planTargets } from "#db/catalog.ts";
import { customers } from "#db/customers.ts";
import type { Actor, Tx } from "#db/index.ts";
import { provisioningQueue, requestClockSegments, requestEvents } from "#db/queue.ts";
import { recordAudit } from "../audit/index.server.ts";
import { createLink, queueMail } from "../notifications/index.server.ts";
import { dueAt } from "../sla/index.server.ts";
import { RequestChangedError, RequestNotFoundError, WrongStateError } from "./errors.ts";
import { clockIn, EDGES, leadingTo, type RequestStatus } from "./states.ts";

export type RequestRow = typeof provisioningQueue.$inferSelect;
export type Context = { tx: Tx; actor: Actor };

/** The database's time, as a `Date`. */
export async function databaseNow(tx: Tx): Promise<Date> {
  const { rows } = await tx.execute<{ now: string }>(
    sql`select to_char(berth_now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as now`,
  );
  return new Date(rows[0]?.now ?? Number.NaN);
}

/**
 * Reads a request and keeps others from changing it until the transaction ends.
 * @throws RequestNotFoundError
 */
export async function lockRequest(tx: Tx, requestId: string): Promise<RequestRow> {
  const [row] = await tx
    .select()
    .from(provisioningQueue)
    .where(eq(provisioningQueue.id, requestId))
    .for("update");
  if (!row) throw new RequestNotFoundError();
  return row;
}

/** What a move writes besides the status. */
export interface Move {
  /** The timeline's word for it, which is the audit record's too: `request.<event>`. */
  event: string;
  /** Ids and plain facts for both. */
  data?: Record<string, unknown>;
  set?: Partial<
    Pick<RequestRow, "assigneeId" | "leaseToken" | "failure"> & {
      leaseExpiresAt: Date | null | ReturnType<typeof sql>;
    }
  >;
}

/**
 * Moves a request along one edge: a compare-and-set on (status, version), with the timeline, the
 * audit record and the clock in the same transaction.
 * @throws WrongStateError where there is no such edge; RequestChangedError when somebody was faster.
 */
export async function moveRequest(
  { tx, actor }: Context,
  request: RequestRow,
  to: RequestStatus,
  move: Move,
): Promise<RequestRow> {
  if (!EDGES[request.status].includes(to)) {
    throw new WrongStateError(request.status, `move it to ${to} and so`, leadingTo(to));
  }
  const clock = await turnClock(tx, request, to);
  const ended = clockIn(to) === "stopped";
  const [moved] = await tx
    .update(provisioningQueue)
    .set({
      ...move.set,
      ...clock,
      status: to,
      version: sql`${provisioningQueue.version} + 1`,
      updatedAt: sql`berth_now()`,
      ...(ended ? { endedAt: sql`berth_now()`, leaseExpiresAt: null } : {}),
    })
    .where(
      and(
        eq(provisioningQueue.id, request.id),
        eq(provisioningQueue.status, request.status),
        eq(provisioningQueue.version, request.version),
      ),
    )
    .returning();
  if (!moved) throw new RequestChangedError();
  await addEvent({ tx, actor }, request.id, move.event, move.data);
  await recordAudit(tx, actor, {
    action: `request.${move.event}`,
    subjectKind: "request",
    subjectId: request.id,
    requestId: request.id,
    data: { ...move.data, from: request.status, to },
  });
  return moved;
}

/** Adds to a request's timeline, which wakes whoever is watching it. */
export async function addEvent(
  { tx, actor }: Context,
  requestId: string,
  kind: string,
  data: Record<string, unknown> = {},
): Promise<void> {
  await tx
    .insert(requestEvents)
    .values({ requestId, kind, actorKind: actor.kind, actorId: actor.id, data });
}

/** Turns the clock where the new state asks for it, and computes anew what is due. */
async function turnClock(
  tx: Tx,
  request: RequestRow,
  to: RequestStatus,
): Promise<{ dueAt?: Date | null }> {
  const kind = clockIn(to);
  if (kind === clockIn(request.status)) return {};
  const now = await databaseNow(tx);
  await tx
    .update(requestClockSegments)
    .set({ endedAt: now })
    .where(
      and(eq(requestClockSegments.requestId, request.id), isNull(requestClockSegments.endedAt)),
    );
  await tx.insert(requestClockSegments).values({ requestId: request.id, kind, startedAt: now });
  // A finished request keeps the promise it was measured against.
  return kind === "stopped" ? {} : { dueAt: await computeDue(tx, request) };
}

/** When a request is due by its clock as it ran, and the promise of its plan and priority. */
export async function computeDue(
  tx: Tx,
  request: Pick<RequestRow, "id" | "planId" | "priority">,
): Promise<Date | null> {
  const segments = await tx
    .select()
    .from(requestClockSegments)
    .where(eq(requestClockSegments.requestId, request.id))
    .orderBy(requestClockSegments.startedAt, requestClockSegments.id);
  return dueAt(segments, await promisedHours(tx, request));
}

async function promisedHours(
  tx: Tx,
  { planId, priority }: Pick<RequestRow, "planId" | "priority">,
): Promise<number> {
  const [target] = await tx
    .select({ hours: planTargets.hours })
    .from(planTargets)
    .where(and(eq(planTargets.planId, planId), eq(planTargets.priority, priority)));
  if (!target) throw new Error(`Plan ${planId} has no target for ${priority}.`);
  return target.hours;
}

export type NewRequest = Pick<
  RequestRow,
  "customerId" | "planId" | "billingCycle" | "region" | "features" | "priority"
> &
  Partial<Pick<RequestRow, "parameters">>;

/**
 * Puts a request into the queue: its row, its clock, its timeline, the audit record and the mail
 * that it was received, with a link to set a password where the account has none.
 */
export async function createRequest(
  { tx, actor }: Context,
  wish: NewRequest,
  options: { accountWithoutPassword?: string | undefined },
): Promise<RequestRow> {
  // Complete from its first row on: a customer may insert a request, but not change what is due.
  const startedAt = await databaseNow(tx);
  const clock = { kind: "running" as const, startedAt };
  const due = dueAt([{ ...clock, endedAt: null }], await promisedHours(tx, wish));
  const [request] = await tx
    .insert(provisioningQueue)
    .values({ ...wish, dueAt: due, createdAt: startedAt })
    .returning();
  if (!request) throw new Error("A request was not made.");
  await tx.insert(requestClockSegments).values({ requestId: request.id, ...clock });
  await addEvent({ tx, actor }, request.id, "received", {
    plan: wish.planId,
    features: wish.features,
  });
  await recordAudit(tx, actor, {
    action: "request.received",
    subjectKind: "request",
    subjectId: request.id,
    requestId: request.id,
    data: { customerId: wish.customerId, plan: wish.planId, features: wish.features },
  });
  const link: Record<string, string> = options.accountWithoutPassword
    ? {
        linkPurpose: "set-password",
        linkId: await createLink(tx, {
          purpose: "set-password",
          subjectId: options.accountWithoutPassword,
          requestId: request.id,
        }),
      }
    : {};
  await mailCustomer({ tx, actor }, request, "received", link);
  return request;
}

/** Writes a mail to the person who speaks for the request's customer. */
export async function mailCustomer(
  context: Context,
  request: Pick<RequestRow, "id" | "customerId">,
  kind: "received" | "claimed" | "credentials_problem" | "ready" | "cancelled",
  data: Record<string, string> = {},
): Promise<void> {
  const [customer] = await context.tx
    .select({ email: customers.email })
    .from(customers)
    .where(eq(customers.id, request.customerId));
  if (!customer) throw new Error("A request without a customer.");
  await queueMail(context, { kind, requestId: request.id, recipient: customer.email, data });
}
