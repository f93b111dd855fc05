import { type Ranking, rankWaiting } from "#app/domain/queue/index.server.ts";
import type { Logger } from "#app/platform/log.ts";
import { asActor, type Db } from "#db/index.ts";
import { HOUSE } from "./event-reader.ts";

/** At most one pass over the queue in this time, however much changes and however many watch. */
export const RANK_EVERY_MS = 250;
const RETRY_AFTER_MS = 1_000;
const FRESH_MS = 1_000;

export interface Ranker {
  /** The queue, or who watches it, has changed: rank again as soon as may be. */
  changed(): void;
  /** Where a watched request stood in the last pass; null unless that is a second old at most. */
  placeOf(requestId: string): { position: number; waiting: number } | null;
  close(): void;
}

/**
 * Ranks the requests that are watched, once for all watchers, and only while there are any.
 * `watched` is asked at the beginning of each pass; `publish` is told what that pass found.
 */
export function createRanker(options: {
  db: Db;
  log: Logger;
  watched: () => string[];
  publish: (asked: string[], ranking: Ranking) => void;
}): Ranker {
  const { db, log } = options;
  let timer: NodeJS.Timeout | undefined;
  let isRanking = false;
  let isStale = false;
  let isClosed = false;
  let last = Number.NEGATIVE_INFINITY;
  let latest: Ranking | null = null;

  async function rank(): Promise<void> {
    timer = undefined;
    isStale = false;
    const asked = options.watched();
    if (asked.length === 0) return;
    isRanking = true;
    last = performance.now();
    let waitMs = RANK_EVERY_MS;
    try {
      const ranking = await asActor(db, HOUSE, (tx) => rankWaiting(tx, asked));
      latest = ranking;
      if (!isClosed) options.publish(asked, ranking);
    } catch (error) {
      log.warn({ err: error }, "the queue could not be ranked");
      waitMs = RETRY_AFTER_MS;
      isStale = true;
    }
    isRanking = false;
    if (isStale) schedule(waitMs);
  }

  function schedule(waitMs: number): void {
    if (timer || isClosed) return;
    timer = setTimeout(() => void rank(), Math.max(0, last + waitMs - performance.now()));
  }

  return {
    changed() {
      isStale = true;
      if (!isRanking) schedule(RANK_EVERY_MS);
    },
    placeOf(requestId) {
      const position = latest?.positions.get(requestId);
      const isFresh = performance.now() - last <= FRESH_MS && !isStale;
      if (!latest || position === undefined || !isFresh) return null;
      return { position, waiting: latest.waiting };
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
