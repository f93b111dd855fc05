import { eq } from "drizzle-orm";
import type { Tx } from "#db/index.ts";
import { provisioningQueue } from "#db/queue.ts";
import { RequestNotFoundError } from "./errors.ts";
import { positionsOf, recentDurations } from "./positions.ts";
import { databaseNow } from "./requests.ts";

/** When a request is expected to be done. `from` is absent where too little is known to say. */
export interface ExpectedWindow {
  from: Date | null;
  to: Date;
}

/** What only the house can tell of a request: a customer does not see the others. */
export interface Outlook {
  now: Date;
  /** How many are ahead; null unless it waits. */
  position: number | null;
  waiting: number;
  /** Null where the clock does not run. */
  expected: ExpectedWindow | null;
}

/** Fewer examples than this tell nothing about the next one. */
const FEW = 5;
const EARLY_SHARE = 0.25;
const LATE_SHARE = 0.9;

const MINUTE_MS = 60_000;
/** Windows are told in steps that a person would use. */
const grid = (spanMs: number) => (spanMs > 4 * 60 * MINUTE_MS ? 60 : 15) * MINUTE_MS;

/**
 * An honest window: of the recent requests that took longer than this one has taken already, when
 * the early ones and the late ones would have been done. Never beyond the promise; just the promise
 * where fewer than five of them speak, or once it has passed.
 */
export function expectedWindow(facts: {
  now: Date;
  createdAt: Date;
  due: Date;
  recentDurationsMs: readonly number[];
}): ExpectedWindow {
  const { createdAt, due } = facts;
  const now = facts.now.getTime();
  const elapsed = now - createdAt.getTime();
  const longer = facts.recentDurationsMs.filter((ms) => ms > elapsed).sort((a, b) => a - b);
  const promise = { from: null, to: due };
  if (longer.length < FEW || due.getTime() <= now) return promise;
  const at = (share: number) =>
    createdAt.getTime() + (longer[Math.floor(share * (longer.length - 1))] ?? 0);
  const step = grid(at(LATE_SHARE) - at(EARLY_SHARE));
  const from = Math.floor(at(EARLY_SHARE) / step) * step;
  const to = Math.min((Math.floor(at(LATE_SHARE) / step) + 1) * step, due.getTime());
  // What might be done any minute has no beginning worth telling.
  if (from >= to) return promise;
  return { from: from > now ? new Date(from) : null, to: new Date(to) };
}

/** Where a request stands: how many are ahead of it, and how many wait in all. */
type Place = Pick<Outlook, "position" | "waiting">;

/** One place is counted by the index: a pass over all who wait costs many times as much. */
async function countPlace(tx: Tx, requestId: string): Promise<Place> {
  const positions = await positionsOf(tx, [requestId]);
  const waiting = await tx.$count(provisioningQueue, eq(provisioningQueue.status, "pending"));
  return { position: positions.get(requestId) ?? null, waiting };
}

/**
 * Run it as the house. `known`: the place, where the caller has it.
 * @throws RequestNotFoundError
 */
export async function outlookOf(
  tx: Tx,
  requestId: string,
  known: Place | null = null,
): Promise<Outlook> {
  const [request] = await tx
    .select()
    .from(provisioningQueue)
    .where(eq(provisioningQueue.id, requestId));
  if (!request) throw new RequestNotFoundError();
  const now = await databaseNow(tx);
  const place: Place =
    request.status === "pending"
      ? (known ?? (await countPlace(tx, requestId)))
      : { waiting: 0, position: null };
  return {
    now,
    ...place,
    expected:
      request.dueAt === null || request.endedAt !== null
        ? null
        : expectedWindow({
            now,
            createdAt: request.createdAt,
            due: request.dueAt,
            recentDurationsMs: await recentDurations(tx, request.planId),
          }),
  };
}
