import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Logger } from "#app/platform/log.ts";

export interface ListenerOptions {
  /** A login of Berth's own database, not by way of a transaction pooler: LISTEN needs a session. */
  connectionString: string;
  channels: readonly string[];
  log: Logger;
  onNotification: (channel: string, payload: string) => void;
  /**
   * Called each time the connection listens, the first time too, to read what was missed. If it
   * rejects, the connection counts as failed.
   */
  onListening: () => Promise<void>;
}

export interface Listener {
  /** Resolves when it has listened for the first time. */
  ready: Promise<void>;
  close(): Promise<void>;
}

/** Waits between attempts to connect: 100 ms, 200 ms … up to five seconds, in milliseconds. */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;
/** A connection that has silently gone is noticed by a question that gets no answer. */
const PROBE_EVERY_MS = 20_000;
const PROBE_TIMEOUT_MS = 10_000;
const CLOSE_MS = 2_000;

/** The one connection of this process that listens. It comes back by itself, for ever. */
export function openListener(options: ListenerOptions): Listener {
  const { log, channels } = options;
  const stop = new AbortController();
  let first = () => {};
  const ready = new Promise<void>((resolve) => {
    first = resolve;
  });
  let waitMs = FIRST_WAIT_MS;

  async function listenOnce(): Promise<void> {
    const client = new pg.Client({
      connectionString: options.connectionString,
      application_name: "berth-live",
      connectionTimeoutMillis: 10_000,
      query_timeout: PROBE_TIMEOUT_MS,
      keepAlive: true,
    });
    const gone = new Promise<Error>((resolve) => {
      // Without a listener for it, a lost connection would end the process.
      client.on("error", ({ message }) => resolve(new Error(message)));
      client.on("end", () => resolve(new Error("the connection ended")));
    });
    client.on("notification", ({ channel, payload }) =>
      options.onNotification(channel, payload ?? ""),
    );
    const hangUp = () => void client.end().catch(() => {});
    stop.signal.addEventListener("abort", hangUp);
    try {
      await client.connect();
      for (const channel of channels)
        await client.query(`listen ${client.escapeIdentifier(channel)}`);
      // Only now: what is committed from here on is notified, what came before is read.
      await options.onListening();
      waitMs = FIRST_WAIT_MS;
      first();
      throw await Promise.race([gone, probe(client, stop.signal)]);
    } finally {
      stop.signal.removeEventListener("abort", hangUp);
      hangUp();
    }
  }

  async function listenForEver(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        await listenOnce();
      } catch (error) {
        if (stop.signal.aborted) return;
        // pg's errors carry the whole client, which belongs in no log.
        const reason = error instanceof Error ? error.message : String(error);
        log.warn({ reason, waitMs }, "not listening for changes; connecting again");
        const jitter = 0.5 + Math.random();
        await sleep(waitMs * jitter, undefined, { signal: stop.signal }).catch(() => {});
        waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
      }
    }
  }

  const running = listenForEver();
  return {
    ready,
    async close() {
      stop.abort();
      // A connection that is just being made may take its time to give up; nobody waits for it.
      await Promise.race([running, sleep(CLOSE_MS, undefined, { ref: false })]);
    },
  };
}

/** Asks from time to time; resolves with what is wrong once there is no answer. */
async function probe(client: pg.Client, signal: AbortSignal): Promise<Error> {
  for (;;) {
    try {
      await sleep(PROBE_EVERY_MS, undefined, { signal });
      await client.query("select 1");
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}
