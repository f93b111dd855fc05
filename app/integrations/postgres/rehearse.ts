import pg from "pg";
import { BerthError } from "#app/platform/errors.ts";
import { describeHolder } from "./blockers.ts";
import { REHEARSAL } from "./guard.ts";
import { RehearsalStoppedError, RehearsalTooLongError } from "./rehearsal-errors.ts";
import {
  type RehearsalLimits,
  type RehearsalSession,
  RowsFoundError,
  rehearseFiles,
} from "./rehearsal-files.ts";
import { openingScript } from "./rehearsal-script.ts";
import type { RehearsalStep, RehearsedStep } from "./rehearsal-steps.ts";
import { jittered, leaveSession, pause } from "./run-context.ts";
import { ConnectionLostError, DatabaseRefusedError, LockedError } from "./run-errors.ts";
import { type ScratchOptions, withScratchDatabase } from "./scratch.ts";
import { redactServerText, ScriptFailure, sendScript } from "./script.ts";
import type { SessionValues } from "./session-values.ts";

export type { RehearsalStep, RehearsedStep } from "./rehearsal-steps.ts";

/** How a rehearsal went. */
export interface Rehearsal {
  where: "backend" | "scratch copy";
  /** Nothing failed and everything was reached; what cannot be rehearsed is listed among the steps. */
  ok: boolean;
  steps: RehearsedStep[];
  /** What the scratch copy lacks, in words. */
  missing: string[];
  /** Whole milliseconds, the copying included. */
  durationMs: number;
}

const DEFAULT_LIMITS: Readonly<RehearsalLimits> = {
  totalMs: 50_000,
  backendMs: 15_000,
  statementTimeoutMs: 300_000,
  lockTimeoutMs: 700,
  runLockPatienceMs: 3_000,
  tries: 4,
};

interface RehearseOptions {
  /** Opens a session in the customer's database, or in another one of the same server. */
  connect: ScratchOptions["connect"];
  /** Tells this rehearsal from others in the sessions' names. */
  id: string;
  signal: AbortSignal;
  /** Says under the run lock which files there are, and what the ledger says of each. */
  plan(client: pg.Client): Promise<readonly RehearsalStep[]>;
  /** What files may read with `current_setting`, as in a run. */
  settings?: SessionValues;
  limits?: Partial<RehearsalLimits>;
}

/**
 * Runs a plan's files to their end in one transaction that is always rolled back: in the
 * customer's own database where nobody has rows in it, and for `backendMs` at most, else in a scratch
 * copy of its catalog. It holds the run lock meanwhile, so that it never meets a run. Neither ledger nor fence is touched;
 * if this process dies, the server rolls back.
 *
 * @throws LockedError, LockTimeoutError, ScratchUnavailableError, ConnectionLostError,
 * DatabaseRefusedError, RehearsalTooLongError, RehearsalStoppedError (the signal's), the typed error
 * of `connect`, or what `plan` throws.
 */
export async function rehearse(options: RehearseOptions): Promise<Rehearsal> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const name = `${REHEARSAL}${options.id}`;
  const started = performance.now();
  const within = AbortSignal.any([options.signal, AbortSignal.timeout(limits.totalMs)]);
  const session: Frame = {
    name,
    id: options.id,
    connect: (as: string) => options.connect(as),
    signal: within,
    deadline: started + limits.totalMs,
    limits,
    settings: options.settings ?? {},
  };
  try {
    return await withClient(session.connect, name, within, async (client) => {
      const pid = await takeRunLock(client, session);
      const steps = await options.plan(client);
      const result = await rehearseSomewhere(
        { ...session, client, pid, isCopy: false },
        steps,
        options,
      );
      const ok = result.steps.every(
        ({ outcome }) => outcome !== "failed" && outcome !== "not_reached",
      );
      return { ...result, ok, durationMs: Math.round(performance.now() - started) };
    });
  } catch (error) {
    if (options.signal.aborted) throw new RehearsalStoppedError(options.signal.reason);
    if (within.aborted) throw new RehearsalTooLongError("The rehearsal", limits.totalMs);
    if (!(error instanceof ScriptFailure)) throw error;
    const message = redactServerText(error.message, error.sqlstate);
    throw new DatabaseRefusedError("the rehearsal", error.sqlstate, message);
  }
}

const SILENCE = { silenceMs: 15_000 };

type Frame = Omit<RehearsalSession, "client" | "pid" | "isCopy">;

/** Opens a session, hangs up when the signal says so, and ends it in order otherwise. */
async function withClient<T>(
  connect: (name: string) => Promise<pg.Client>,
  name: string,
  signal: AbortSignal,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const client = await connect(name).catch((error: unknown) => {
    if (error instanceof BerthError || error instanceof pg.DatabaseError) throw error;
    throw new ConnectionLostError(error);
  });
  client.on("error", () => undefined);
  const hangUp = () => client.connection.stream.destroy();
  signal.addEventListener("abort", hangUp, { once: true });
  if (signal.aborted) hangUp();
  try {
    return await work(client);
  } finally {
    signal.removeEventListener("abort", hangUp);
    await leaveSession(client);
  }
}

/** A run that has just ended lets its lock go a moment after it has said so. */
async function takeRunLock(client: pg.Client, session: Frame): Promise<number> {
  const { name, limits, signal } = session;
  const until = performance.now() + limits.runLockPatienceMs;
  let script = openingScript(name, limits.lockTimeoutMs);
  for (;;) {
    const results = await sendScript(client, script, SILENCE);
    const row = results.at(-1)?.rows[0] as { pid: number; locked: boolean };
    if (row.locked) return row.pid;
    if (performance.now() > until) throw new LockedError(await describeHolder(client));
    await pause(jittered(250), signal);
    script = script.slice(-1);
  }
}

type Place = Pick<Rehearsal, "where" | "steps" | "missing">;

async function rehearseSomewhere(
  session: RehearsalSession,
  steps: readonly RehearsalStep[],
  { connect }: RehearseOptions,
): Promise<Place> {
  try {
    return { where: "backend", steps: await rehearseOnBackend(session, steps), missing: [] };
  } catch (error) {
    if (!(error instanceof RowsFoundError)) throw error;
  }
  return rehearseOnCopy(session, steps, connect);
}

/** Hangs up when its short time is over, whatever goes on by then: the server rolls back. */
async function rehearseOnBackend(session: RehearsalSession, steps: readonly RehearsalStep[]) {
  const totalMs = Math.min(session.limits.backendMs, session.limits.totalMs);
  const deadline = Math.min(session.deadline, performance.now() + totalMs);
  const hangUp = () => session.client.connection.stream.destroy();
  // A timer may be early by a part of a millisecond.
  const timer = setTimeout(hangUp, Math.ceil(deadline - performance.now()) + 1);
  try {
    const limits = { ...session.limits, totalMs };
    return await rehearseFiles({ ...session, limits, deadline }, steps);
  } catch (error) {
    if (!(error instanceof ConnectionLostError) || performance.now() < deadline) throw error;
    throw new RehearsalTooLongError("The rehearsal", totalMs);
  } finally {
    clearTimeout(timer);
  }
}

function rehearseOnCopy(
  session: RehearsalSession,
  steps: readonly RehearsalStep[],
  connect: ScratchOptions["connect"],
): Promise<Place> {
  const { signal } = session;
  return withScratchDatabase({ connect, schemas: "all", signal }, async ({ client, missing }) => {
    const { rows } = await client.query<{ pid: number }>(
      "select pg_catalog.pg_backend_pid() as pid",
    );
    const pid = rows[0]?.pid ?? 0;
    const files = await rehearseFiles({ ...session, client, pid, isCopy: true }, steps);
    return { where: "scratch copy", steps: files, missing };
  });
}
