import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { BerthError } from "#app/platform/errors.ts";
import type { Logger } from "#app/platform/log.ts";
import {
  acquireBlock,
  applicationName,
  GUARD,
  LOCK_CLASS,
  RUN_LOCK,
  type RunIdentity,
  sessionSettings,
} from "./guard.ts";
import {
  CancelledError,
  ConnectionLostError,
  DatabaseRefusedError,
  FencedError,
  LockedError,
  RunStoppedError,
  UnknownOutcomeError,
} from "./run-errors.ts";
import { redactServerText, ScriptFailure, sendScript } from "./script.ts";

/** Opens a connection to the customer's database; the name goes into its start-up packet. */
export type Connect = (applicationName: string) => Promise<pg.Client>;

/** Limits of a run, in milliseconds unless said otherwise. */
export interface RunLimits {
  /** Longest wait of one statement for a lock. Above 800 others would queue behind us too long. */
  lockTimeoutMs: number;
  /** How long a step goes on trying to get its locks. */
  lockPatienceMs: number;
  /** How long to poll for the run lock. */
  runLockPatienceMs: number;
  statementTimeoutMs: number;
  /** How long after a statement's time-out a silent server counts as lost. */
  silenceGraceMs: number;
  /** How often a lost connection is made anew within one call. */
  reconnects: number;
  /** First pause before a reconnect; doubles up to 5 s. */
  reconnectPauseMs: number;
}

export const DEFAULT_LIMITS: Readonly<RunLimits> = {
  lockTimeoutMs: 700,
  lockPatienceMs: 60_000,
  runLockPatienceMs: 15_000,
  statementTimeoutMs: 300_000,
  silenceGraceMs: 15_000,
  reconnects: 10,
  reconnectPauseMs: 100,
};

/** How long a session's orderly end may take. */
const FAREWELL_MS = 2_000;

export interface RunContext {
  connect: Connect;
  identity: RunIdentity;
  signal: AbortSignal;
  log: Logger;
  limits: RunLimits;
}

/** A connection that holds the run lock, and whose token stands in the fence if there is one. */
export interface HeldConnection {
  client: pg.Client;
  /** The server's own process id; a pooler shows its clients another. */
  pid: number;
}

/** A pause of `ms`, give or take half. */
export function jittered(ms: number): number {
  return ms * (0.5 + Math.random());
}

/** Waits; ends early when the run is asked to stop. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/**
 * Connects, takes over from older sessions, polls for the run lock and raises the fence: one
 * round trip after the connection is up, if nobody is in the way.
 *
 * @throws FencedError, LockedError, ConnectionLostError, or the typed error of `connect`.
 */
async function acquire(context: RunContext): Promise<HeldConnection> {
  const client = await open(context);
  try {
    return await takeLock(client, context);
  } catch (error) {
    await end(client);
    throw error;
  }
}

async function open({ connect, identity }: RunContext): Promise<pg.Client> {
  let client: pg.Client;
  try {
    client = await connect(applicationName(identity));
  } catch (error) {
    if (error instanceof BerthError && !error.retryable) throw error;
    // A refused log-in or an unknown database will not mend itself; all else may be a restart.
    if (error instanceof pg.DatabaseError && /^(28|3D)/.test(error.code ?? "")) throw error;
    throw new ConnectionLostError(error);
  }
  // Without a listener a session that the server ends while idle would end this process.
  client.on("error", () => undefined);
  return client;
}

async function takeLock(client: pg.Client, context: RunContext): Promise<HeldConnection> {
  const { identity, limits, signal } = context;
  const block = acquireBlock(identity);
  const look =
    "select pg_catalog.pg_backend_pid() as pid, pg_catalog.current_setting('berth.locked') as locked";
  const deadline = Date.now() + limits.runLockPatienceMs;
  let script = [...sessionSettings(identity, limits.lockTimeoutMs), block, look];
  for (let wait = 20; ; wait = Math.min(wait * 1.5, 250)) {
    try {
      const results = await sendScript(client, script, { silenceMs: 75_000 });
      const row = results.at(-1)?.rows[0] as { pid: number; locked: string };
      if (row.locked === "on") return { client, pid: row.pid };
    } catch (error) {
      if (!(error instanceof ScriptFailure)) throw error;
      if (error.sqlstate === GUARD.fenced) {
        throw new FencedError(identity.token, error.server.detail ?? "a larger token");
      }
      // The old session's last step still holds the fence's row.
      if (error.sqlstate !== "55P03") throw error;
    }
    if (Date.now() > deadline) throw new LockedError(await describeHolder(client));
    await pause(jittered(wait), signal);
    if (signal.aborted) throw new RunStoppedError(signal.reason);
    script = [block, look];
  }
}

async function describeHolder(client: pg.Client): Promise<string | null> {
  const [holder] = await sendScript(
    client,
    `select a.pid, a.usename, a.application_name,
       pg_catalog.date_trunc('second', pg_catalog.now() - a.backend_start)::text as age
     from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.classid = ${LOCK_CLASS} and l.objid = ${RUN_LOCK}
       and l.granted`,
    { silenceMs: 15_000 },
  );
  const row = holder?.rows[0] as
    | { pid: number; usename: string; application_name: string; age: string }
    | undefined;
  if (!row) return null;
  return `session ${row.pid} of ${row.usename} (${row.application_name}), connected for ${row.age}`;
}

/** Ends a session in order, or hangs up when the other side does not take the farewell. */
async function end(client: pg.Client): Promise<void> {
  const hangUp = setTimeout(() => client.connection.stream.destroy(), FAREWELL_MS);
  await client.end().catch(() => undefined);
  clearTimeout(hangUp);
}

/**
 * The run's one connection, made anew when it is lost. Whatever is done with it must be safe to
 * do again: steps are, since their guard reads the ledger under the lock.
 */
export class RunConnection {
  readonly context: RunContext;
  #held: HeldConnection | null = null;
  #closed = false;
  #cancelled = false;
  #busy = false;

  constructor(context: RunContext) {
    this.context = context;
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** @throws CancelledError, RunStoppedError */
  checkGoing(): void {
    if (this.#cancelled) throw new CancelledError();
    if (this.context.signal.aborted) throw new RunStoppedError(this.context.signal.reason);
    if (this.#closed) throw new RunStoppedError(new Error("The session is closed."));
  }

  /**
   * Runs `work` on a connection that holds the lock, again on a new one after each loss.
   *
   * @throws UnknownOutcomeError when the connection was lost at work and could not be had again;
   * when none was ever had, the typed error of `connect`, else ConnectionLostError; what `work`
   * throws.
   */
  async use<T>(
    what: string,
    work: (held: HeldConnection) => Promise<T>,
    options: { onLoss?: () => void; reconnects?: number } = {},
  ): Promise<T> {
    const { limits, log, signal } = this.context;
    const reconnects = options.reconnects ?? limits.reconnects;
    let unsure = false;
    this.#busy = true;
    try {
      for (let losses = 0; ; ) {
        this.checkGoing();
        const wasHeld = this.#held !== null;
        try {
          this.#held ??= await acquire(this.context);
          return await work(this.#held);
        } catch (error) {
          if (!(error instanceof ConnectionLostError)) throw this.#explain(what, error);
          if (wasHeld || this.#held) {
            unsure = true;
            options.onLoss?.();
          }
          await this.#drop();
          losses += 1;
          if (losses > reconnects) {
            if (unsure) throw new UnknownOutcomeError(what, losses, error);
            // Nothing was ever sent: the reason why there is no connection is all there is to say.
            throw error.cause instanceof BerthError ? error.cause : error;
          }
          log.warn({ what, losses, runId: this.context.identity.runId }, "connection lost");
        }
        const wait = Math.min(limits.reconnectPauseMs * 2 ** (losses - 1), 5_000);
        await pause(jittered(wait), signal);
      }
    } finally {
      this.#busy = false;
    }
  }

  /**
   * Cancels what the session is doing from a second connection, until it has ended. Sticky: the
   * session does nothing more.
   */
  async cancel(): Promise<void> {
    this.#cancelled = true;
    if (!this.#busy || !this.#held) return;
    const name = `berth-cancel:${this.context.identity.runId}`;
    const client = await this.context.connect(name);
    client.on("error", () => undefined);
    try {
      // More than once: the first may arrive between two of the session's statements.
      for (let tries = 0; this.#busy && tries < 60; tries += 1) {
        const pid = this.#held?.pid ?? 0;
        // The name guards against a process id that has been given to another session meanwhile.
        await client.query(
          `select pg_catalog.pg_cancel_backend(pid) from pg_catalog.pg_stat_activity
           where pid = $1 and application_name = $2`,
          [pid, applicationName(this.context.identity)],
        );
        await sleep(100);
      }
    } finally {
      await end(client);
    }
  }

  /** Gives the lock back and ends the session. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#drop(true);
  }

  /** What a statement's failure means to the caller; typed errors pass. */
  #explain(what: string, error: unknown): unknown {
    if (!(error instanceof ScriptFailure)) return error;
    if (error.sqlstate === "57014" && this.#cancelled) return new CancelledError();
    return new DatabaseRefusedError(
      what,
      error.sqlstate,
      redactServerText(error.message, error.sqlstate),
    );
  }

  async #drop(orderly = false): Promise<void> {
    const held = this.#held;
    this.#held = null;
    if (!held) return;
    // Behind a pooler the server's session lives on: it must not keep lock, name and settings.
    if (orderly) {
      await sendScript(held.client, "discard all", { silenceMs: FAREWELL_MS }).catch(
        () => undefined,
      );
    }
    await end(held.client);
  }
}
