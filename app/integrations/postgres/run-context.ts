import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Logger } from "#app/platform/log.ts";
import type { RunIdentity } from "./guard.ts";
import type { FailedAttempts } from "./run-attempts.ts";
import { sendScript } from "./script.ts";
import type { SessionValues } from "./session-values.ts";

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
  /** How often work that was cut off is begun anew within one call. */
  reconnects: number;
  /** How long the database may be away, restarts and failovers included. */
  reconnectPatienceMs: number;
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
  reconnectPatienceMs: 60_000,
  reconnectPauseMs: 100,
};

/** How long a session's orderly end may take. */
export const FAREWELL_MS = 2_000;

export interface RunContext {
  connect: Connect;
  identity: RunIdentity;
  signal: AbortSignal;
  log: Logger;
  limits: RunLimits;
  /** What files may read, on every connection. */
  settings: SessionValues;
  /** What was tried in vain, for whoever reports on the step. */
  attempts: FailedAttempts;
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

/** Ends a session in order, or hangs up when the other side does not take the farewell. */
export async function endSession(client: pg.Client): Promise<void> {
  const hangUp = setTimeout(() => client.connection.stream.destroy(), FAREWELL_MS);
  await client.end().catch(() => undefined);
  clearTimeout(hangUp);
}

/**
 * The same for a session that was set up for its work: behind a pooler the server's session lives on,
 * and must not keep lock, name and settings.
 */
export async function leaveSession(client: pg.Client): Promise<void> {
  await sendScript(client, "discard all", { silenceMs: FAREWELL_MS }).catch(() => undefined);
  await endSession(client);
}
