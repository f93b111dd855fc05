import { and, desc, eq, gt, inArray, or, sql } from "drizzle-orm";
import type { Tx } from "#db/index.ts";
import { requestEvents } from "#db/queue.ts";

/** An event as those who watch are told of it: ids and a word, nothing about anybody. */
export interface QueueEvent {
  id: number;
  requestId: string;
  kind: string;
}

const told = {
  id: requestEvents.id,
  requestId: requestEvents.requestId,
  kind: requestEvents.kind,
};

/** These events, in order of id; those that are not there are left out. */
export async function eventsById(tx: Tx, ids: readonly number[]): Promise<QueueEvent[]> {
  if (ids.length === 0) return [];
  return tx
    .select(told)
    .from(requestEvents)
    .where(inArray(requestEvents.id, [...ids]))
    .orderBy(requestEvents.id);
}

/** The first events beyond an id, in order of id. */
export async function eventsAfter(tx: Tx, after: number, limit: number): Promise<QueueEvent[]> {
  return tx
    .select(told)
    .from(requestEvents)
    .where(gt(requestEvents.id, after))
    .orderBy(requestEvents.id)
    .limit(limit);
}

/** The newest events there are, newest first. */
export async function newestEvents(tx: Tx, limit: number): Promise<QueueEvent[]> {
  return tx.select(told).from(requestEvents).orderBy(desc(requestEvents.id)).limit(limit);
}

/** How many ids below the last one seen may belong to a transaction that ended after it. */
const LATE_IDS = 100;

/**
 * What a watcher may have missed since it saw event `since`: of one request, or of all. Ids are
 * given out before a transaction commits, so a smaller one may become visible after a larger one:
 * what is hardly older than `since` is told again while it is young. Telling twice does no harm.
 */
export async function eventsSince(
  tx: Tx,
  since: number,
  options: { requestId?: string | undefined; limit: number },
): Promise<QueueEvent[]> {
  return tx
    .select(told)
    .from(requestEvents)
    .where(
      and(
        gt(requestEvents.id, since - LATE_IDS),
        options.requestId === undefined
          ? undefined
          : eq(requestEvents.requestId, options.requestId),
        or(
          gt(requestEvents.id, since),
          // Hardly any transaction lasts longer: each statement and each pause in it ends after
          // 60 s (db/index.ts).
          gt(requestEvents.at, sql`berth_now() - interval '2 minutes'`),
        ),
      ),
    )
    .orderBy(requestEvents.id)
    .limit(options.limit);
}
