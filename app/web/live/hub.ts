import type { QueueEvent, Ranking } from "#app/domain/queue/index.server.ts";
import type { Logger } from "#app/platform/log.ts";
import type { Db } from "#db/index.ts";
import { createEventReader } from "./event-reader.ts";
import {
  customerFrame,
  eventFrame,
  HEARTBEAT,
  positionFrame,
  progressFrame,
  REFRESH,
} from "./frames.ts";
import { openListener } from "./listener.ts";
import { createRanker } from "./ranker.ts";
import { createWatchers, type Watcher, WHOLE_QUEUE } from "./watchers.ts";

/** Why there is no room for another watcher. */
export type Full = "person" | "process";

/** What one web process knows of changes, and who wants to know. */
export interface Hub {
  /** Resolves when changes are being heard for the first time. */
  ready: Promise<void>;
  /** Begins to tell. @returns how to stop it, or why there is no room. */
  watch(watcher: Watcher): (() => void) | Full;
  /** Where a request that is watched stands, without asking the database; null if not known. */
  placeOf(requestId: string): { position: number; waiting: number } | null;
  /** Ends all streams, and takes no more. */
  endStreams(): void;
  close(): Promise<void>;
}

export interface HubOptions {
  db: Db;
  connectionString: string;
  log: Logger;
  /** Which of these sessions still hold. */
  livingSessions: (ids: string[]) => Promise<Set<string>>;
  heartbeatMs?: number;
  sessionCheckMs?: number;
}

/** Some windows full of tabs, on some devices. Sessions are easily had, so they do not count. */
export const STREAMS_PER_PERSON = 40;
/** Less than 20 KiB each, so 200 MiB at most. */
const STREAMS_PER_PROCESS = 10_000;
/** Of these, so many are kept for the staff: a crowd of customers does not blind the desk. */
const KEPT_FOR_STAFF = 500;
const HEARTBEAT_MS = 15_000;
/** Ends of sessions are notified; this finds those that ended by their time, or unheard. */
const SESSION_CHECK_MS = 60_000;
/** So many sessions are asked about in one query. */
const SESSION_BATCH = 500;
/** One look over all streams for those whose time is up costs less than a timer for each. */
const END_CHECK_MS = 1_000;
/** A run's steps may be many a second. */
const PROGRESS_EVERY_MS = 100;

/** Opens the hub of this process: it listens from now on. */
export function openHub(options: HubOptions): Hub {
  const { db, log } = options;
  const watchers = createWatchers();
  /** What each customer's stream was told last, so that nothing is said twice. */
  const told = new WeakMap<Watcher, string>();
  const progressed = new Set<string>();
  /** Sessions that may have ended between being read and being watched under: unheard by us. */
  const unproved = new Set<string>();
  let isProving = false;
  let isOpen = true;

  const reader = createEventReader({ db, log, deliver, onSkipped: () => sendAll(REFRESH) });
  const ranker = createRanker({
    db,
    log,
    watched: () => watchers.requestsOfCustomers(),
    publish: tellPositions,
  });
  const listener = openListener({
    connectionString: options.connectionString,
    log,
    channels: ["berth_events", "berth_progress", "berth_sessions"],
    onNotification(channel, payload) {
      if (channel === "berth_events") reader.noticed(Number(payload));
      else if (channel === "berth_progress") progressed.add(payload);
      else endSession(payload);
    },
    async onListening() {
      await reader.catchUp();
      await endDeadSessions();
      ranker.changed();
    },
  });

  function deliver(events: QueueEvent[]): void {
    for (const event of events) {
      const forStaff = eventFrame(event);
      for (const watcher of watchers.of(WHOLE_QUEUE)) watcher.send(forStaff);
      for (const watcher of watchers.of(event.requestId)) {
        watcher.send(watcher.isCustomer ? customerFrame(event) : forStaff);
      }
    }
    ranker.changed();
  }

  function tellPositions(asked: string[], { waiting, positions }: Ranking): void {
    for (const requestId of asked) {
      const position = positions.get(requestId) ?? null;
      const key = `${position} of ${waiting}`;
      const frame = positionFrame({ position, waiting });
      for (const watcher of watchers.of(requestId)) {
        if (!watcher.isCustomer || told.get(watcher) === key) continue;
        told.set(watcher, key);
        watcher.send(frame);
      }
    }
  }

  function tellProgress(): void {
    for (const requestId of progressed) {
      const frame = progressFrame(requestId);
      for (const watcher of watchers.of(requestId)) watcher.send(frame);
    }
    progressed.clear();
  }

  function sendAll(frame: Buffer): void {
    for (const watcher of watchers.all()) watcher.send(frame);
  }

  function endSession(sessionId: string): void {
    for (const watcher of watchers.ofSession(sessionId)) watcher.end();
  }

  async function endDeadSessions(sessions = watchers.sessions()): Promise<void> {
    for (let begin = 0; begin < sessions.length; begin += SESSION_BATCH) {
      const batch = sessions.slice(begin, begin + SESSION_BATCH);
      const living = await options.livingSessions(batch);
      for (const id of batch) if (!living.has(id)) endSession(id);
    }
  }

  /** Asks about sessions that began to watch; those that came meanwhile share the next query. */
  async function proveSessions(): Promise<void> {
    isProving = true;
    while (unproved.size > 0) {
      const sessions = [...unproved];
      unproved.clear();
      await endDeadSessions(sessions).catch((error) => {
        log.warn({ err: error }, "sessions were not checked; their streams end");
        sessions.forEach(endSession);
      });
    }
    isProving = false;
  }

  function endOldStreams(): void {
    const now = performance.now();
    for (const watcher of watchers.all()) if (watcher.endsAt <= now) watcher.end();
  }

  const timers = [
    setInterval(() => sendAll(HEARTBEAT), options.heartbeatMs ?? HEARTBEAT_MS),
    setInterval(tellProgress, PROGRESS_EVERY_MS),
    setInterval(endOldStreams, END_CHECK_MS),
    setInterval(() => {
      endDeadSessions().catch((error) => log.warn({ err: error }, "sessions were not checked"));
    }, options.sessionCheckMs ?? SESSION_CHECK_MS),
  ];
  for (const timer of timers) timer.unref();

  function endStreams(): void {
    isOpen = false;
    unproved.clear();
    for (const watcher of watchers.all()) watcher.end();
  }

  return {
    ready: listener.ready,
    watch(watcher) {
      const room = STREAMS_PER_PROCESS - (watcher.isCustomer ? KEPT_FOR_STAFF : 0);
      if (!isOpen || watchers.size() >= room) return "process";
      if (watchers.countOfPerson(watcher.userId) >= STREAMS_PER_PERSON) return "person";
      watchers.add(watcher);
      unproved.add(watcher.sessionId);
      if (!isProving) void proveSessions();
      if (watcher.isCustomer) ranker.changed();
      return () => watchers.remove(watcher);
    },
    placeOf: (requestId) => ranker.placeOf(requestId),
    endStreams,
    async close() {
      endStreams();
      for (const timer of timers) clearInterval(timer);
      reader.close();
      ranker.close();
      await listener.close();
    },
  };
}
