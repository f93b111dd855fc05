import { and, asc, desc, eq, gt, notInArray, sql } from "drizzle-orm";
import { BerthError } from "#app/platform/errors.ts";
import { user } from "#db/auth.ts";
import type { Tx } from "#db/index.ts";
import { provisioningQueue, requestEvents } from "#db/queue.ts";
import { RequestNotFoundError } from "./errors.ts";
import { type Context, lockRequest, type RequestRow } from "./requests.ts";

/** What the page showed when the person began: the request's version, and its newest event. */
export interface Seen {
  version: number;
  eventId: number;
}

/**
 * Where a request stands, for a page whose forms carry it. Read it before what the page shows: so it
 * is never newer than that. @throws RequestNotFoundError
 */
export async function readSeen(tx: Tx, requestId: string): Promise<Seen> {
  const [seen] = await tx
    .select({
      version: provisioningQueue.version,
      eventId: sql`coalesce(max(${requestEvents.id}), 0)`.mapWith(Number),
    })
    .from(provisioningQueue)
    .leftJoin(requestEvents, eq(requestEvents.requestId, provisioningQueue.id))
    .where(eq(provisioningQueue.id, requestId))
    .groupBy(provisioningQueue.id);
  if (!seen) throw new RequestNotFoundError();
  return seen;
}

/** One thing that happened to a request, and who did it. */
export interface RequestChange {
  id: number;
  kind: string;
  at: string;
  actor: { kind: string; id: string; name: string | null };
  data: Record<string, unknown>;
}

/** The act was meant for a request that has moved on since; nothing was done. */
export class MovedOnError extends BerthError {
  constructor() {
    super("request_changed", "This request has changed since it was read. Nothing was done.", {
      fix: "Read what changed. If the act still makes sense, do it again.",
    });
  }
}

/** More than this cannot be read on one screen. */
const MOST_CHANGES = 20;

/** What happened to a request after an event, oldest first, with the names of who did it. */
export async function changesSince(
  tx: Tx,
  requestId: string,
  eventId: number,
): Promise<RequestChange[]> {
  const rows = await changes(tx)
    .where(and(eq(requestEvents.requestId, requestId), gt(requestEvents.id, eventId)))
    .orderBy(asc(requestEvents.id))
    .limit(MOST_CHANGES);
  return rows.map(toChange);
}

/** What last happened to a request, newest first. */
export async function newestChanges(
  tx: Tx,
  requestId: string,
  limit: number,
): Promise<RequestChange[]> {
  const rows = await changes(tx)
    .where(eq(requestEvents.requestId, requestId))
    .orderBy(desc(requestEvents.id))
    .limit(limit);
  return rows.map(toChange);
}

const changes = (tx: Tx) =>
  tx
    .select({ event: requestEvents, name: user.name })
    .from(requestEvents)
    .leftJoin(user, eq(user.id, requestEvents.actorId));

const toChange = ({ event, name }: Awaited<ReturnType<typeof changes>>[number]): RequestChange => ({
  id: event.id,
  kind: event.kind,
  at: event.at.toISOString(),
  actor: { kind: event.actorKind, id: event.actorId, name },
  data: event.data,
});

/** These leave the request where it was, and in whose hands it was. */
const HARMLESS = ["note", "priority_changed"];

/**
 * Keeps an act from being done on other grounds than the person saw: throws when the request has
 * moved since. What only makes its version grow (an act extends the claim) or leaves it where it
 * was (a note) is let pass, since nobody would decide otherwise because of it. The request stays
 * locked until the transaction ends, so that what is checked here still holds for the act.
 * `heeded`: kinds of events that matter to this act although they matter to no other.
 * @returns the request. @throws MovedOnError, RequestNotFoundError
 */
export async function requireUnmoved(
  { tx }: Pick<Context, "tx">,
  requestId: string,
  seen: Seen,
  heeded: readonly string[] = [],
): Promise<RequestRow> {
  const request = await lockRequest(tx, requestId);
  if (request.version === seen.version) return request;
  const harmless = HARMLESS.filter((kind) => !heeded.includes(kind));
  const [move] = await tx
    .select({ id: requestEvents.id })
    .from(requestEvents)
    .where(
      and(
        eq(requestEvents.requestId, requestId),
        gt(requestEvents.id, seen.eventId),
        notInArray(requestEvents.kind, harmless),
      ),
    )
    .limit(1);
  if (move) throw new MovedOnError();
  return request;
}
