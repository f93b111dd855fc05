import {
  eventsAfter,
  eventsById,
  newestEvents,
  type QueueEvent,
} from "#app/domain/queue/index.server.ts";
import type { Logger } from "#app/platform/log.ts";
import { type Actor, asActor, type Db } from "#db/index.ts";

/** Who reads for all watchers: the house. What each may see is decided before it watches. */
export const HOUSE: Actor = { kind: "worker", id: "live", origin: "", correlationId: "" };

export interface EventReader {
  /** An event was committed: read it, with whatever else has come meanwhile, and deliver it. */
  noticed(id: number): void;
  /** Delivers what was missed. The first time it only takes note of where things stand. */
  catchUp(): Promise<void>;
  close(): void;
}

/** How far below the newest event known another may still become visible, in ids. */
const OVERLAP = 1_000;
/** More than this is not told one by one: everybody looks again. */
const MOST_MISSED = 1_000;
const BATCH = 500;
const REPAIR_AFTER_MS = 1_000;

/**
 * Turns notifications into events, each delivered once.
 *
 * The ids of events are no safe bookmark: a transaction takes its id when it inserts and becomes
 * visible when it commits, so event 7 may appear after event 9. While we listen this does no harm,
 * since a notification comes with the commit and names the id, and we read by that. After a lost
 * connection we read again from a good way below the newest id known, and leave out what was
 * delivered already.
 */
export function createEventReader(options: {
  db: Db;
  log: Logger;
  deliver: (events: QueueEvent[]) => void;
  /** Too much was missed to tell. */
  onSkipped: () => void;
}): EventReader {
  const { db, log } = options;
  const noticedIds = new Set<number>();
  /** In the order in which they were delivered: the oldest are forgotten first. */
  const delivered = new Set<number>();
  let newest: number | null = null;
  let isReading = false;
  let repair: NodeJS.Timeout | undefined;
  let isClosed = false;

  function note(events: QueueEvent[]): void {
    for (const { id } of events) {
      delivered.add(id);
      newest = Math.max(newest ?? 0, id);
    }
    for (const id of delivered) {
      if (delivered.size <= 2 * OVERLAP) break;
      delivered.delete(id);
    }
  }

  function accept(events: QueueEvent[]): void {
    const fresh = events.filter(({ id }) => !delivered.has(id));
    if (fresh.length === 0 || isClosed) return;
    note(fresh);
    options.deliver(fresh);
  }

  /** From here on, as if we had known everything. */
  async function begin(): Promise<void> {
    const recent = await asActor(db, HOUSE, (tx) => newestEvents(tx, OVERLAP));
    note(recent.reverse());
    newest ??= 0;
  }

  async function catchUp(): Promise<void> {
    if (newest === null) return begin();
    const floor = newest - OVERLAP;
    const most = OVERLAP + MOST_MISSED;
    const events = await asActor(db, HOUSE, (tx) => eventsAfter(tx, floor, most + 1));
    if (events.length <= most) return accept(events);
    await begin();
    options.onSkipped();
  }

  async function readNoticed(): Promise<void> {
    isReading = true;
    try {
      while (noticedIds.size > 0) {
        const ids = [...noticedIds].slice(0, BATCH);
        for (const id of ids) noticedIds.delete(id);
        accept(await asActor(db, HOUSE, (tx) => eventsById(tx, ids)));
      }
    } catch (error) {
      // What could not be read is above the overlap, or it is so much that everybody looks again.
      noticedIds.clear();
      log.warn({ err: error }, "events could not be read; catching up soon");
      repairSoon();
    } finally {
      isReading = false;
    }
  }

  function repairSoon(): void {
    if (isClosed || repair) return;
    repair = setTimeout(() => {
      repair = undefined;
      catchUp().catch(repairSoon);
    }, REPAIR_AFTER_MS);
  }

  return {
    noticed(id) {
      if (isClosed || delivered.has(id)) return;
      noticedIds.add(id);
      if (!isReading) void readNoticed();
    },
    catchUp,
    close() {
      isClosed = true;
      clearTimeout(repair);
    },
  };
}
