import type pg from "pg";
import { watchBlockers } from "./blockers.ts";
import { findCustomerData } from "./customer-rows.ts";
import { stepFailure } from "./failures.ts";
import { RehearsalTooLongError } from "./rehearsal-errors.ts";
import { fileScript, GUARD_SEQUENCES, OPEN_FILE } from "./rehearsal-script.ts";
import {
  ALONE,
  KEPT,
  notRehearsable,
  type RehearsalStep,
  type RehearsedStep,
  unlike,
} from "./rehearsal-steps.ts";
import { type Connect, jittered, pause } from "./run-context.ts";
import { ConnectionLostError, LockTimeoutError } from "./run-errors.ts";
import { rollback, ScriptFailure, sendScript } from "./script.ts";
import { bindSettings, type SessionValues } from "./session-values.ts";

/** A session in which files are rehearsed. */
export interface RehearsalSession {
  client: pg.Client;
  pid: number;
  name: string;
  id: string;
  connect: Connect;
  /** Ends with the rehearsal's time. */
  signal: AbortSignal;
  /** When the rehearsal's time ends, as performance.now() counts. */
  deadline: number;
  limits: RehearsalLimits;
  /** What files may read, as in a run. */
  settings: SessionValues;
  /** The database is a copy without rows. */
  isCopy: boolean;
}

/** Limits of a rehearsal, in milliseconds unless said otherwise. */
export interface RehearsalLimits {
  /** For all of it. A run that begins meanwhile waits for at least a minute. */
  totalMs: number;
  /** For what is done in the customer's own database, whose locks are held to its end. */
  backendMs: number;
  statementTimeoutMs: number;
  lockTimeoutMs: number;
  /** How long to poll for the run lock. */
  runLockPatienceMs: number;
  /** How often the whole is tried while other sessions hold its locks. */
  tries: number;
}

/** Somebody has rows in the database: its tables are not to be locked. */
export class RowsFoundError extends Error {}

/** Another session held a lock that the file after these needs; null: that the look for rows needs. */
class ContentionError extends Error {
  readonly done: RehearsedStep[] | null;
  constructor(done: RehearsedStep[] | null, cause: unknown) {
    super("A lock was not to be had.", { cause });
    this.done = done;
  }
}

/** Whether another session was in the way. */
const isContention = (error: unknown): boolean =>
  error instanceof ScriptFailure && (error.sqlstate === "55P03" || error.sqlstate === "40P01");

/**
 * Runs the files in order to their end in one transaction, which is rolled back, whatever
 * happens; all of it again after a jittered pause while other sessions hold its locks. Between two
 * tries nothing of ours is held, or waited for. Outside a copy every try looks for rows first.
 *
 * @throws RowsFoundError; LockTimeoutError where no look for rows was possible; ConnectionLostError:
 * the server rolls back by itself.
 */
export async function rehearseFiles(
  session: RehearsalSession,
  steps: readonly RehearsalStep[],
): Promise<RehearsedStep[]> {
  const done = await patiently(
    session,
    () => inOneTransaction(session, steps),
    (error) => error instanceof ContentionError,
    (error, blockers) => {
      const before = (error as ContentionError).done;
      if (!before) throw new LockTimeoutError(LOOK, blockers);
      const stopped = steps[before.length] as RehearsalStep;
      const failure = new LockTimeoutError(stopped.step.file, blockers);
      return [...before, ended(stopped, "failed", { error: failure })];
    },
  );
  return [...done, ...steps.slice(done.length).map((step) => ended(step, "not_reached"))];
}

/** Tries `work` while other sessions are in its way; says at the last who they were. */
async function patiently<T>(
  { id, connect, pid, limits, signal }: RehearsalSession,
  work: () => Promise<T>,
  isInTheWay: (error: unknown) => boolean,
  giveUp: (error: unknown, blockers: string[]) => T,
): Promise<T> {
  for (let tries = 1, wait = 200; ; tries += 1, wait *= 1.6) {
    const isLast = tries >= limits.tries;
    const watcher = isLast ? watchBlockers({ connect, identity: { runId: id } }, pid) : null;
    try {
      return await work();
    } catch (error) {
      if (!isInTheWay(error)) throw error;
      if (isLast) return giveUp(error, (await watcher?.stop()) ?? []);
    } finally {
      await watcher?.stop();
    }
    await pause(jittered(wait), signal);
  }
}

const LOOK = "The look for rows in the customer's tables";
const SILENCE_MS = 15_000;

const ended = (
  { name, step }: RehearsalStep,
  outcome: RehearsedStep["outcome"],
  more: Partial<RehearsedStep> = {},
): RehearsedStep => ({
  name,
  file: step.file,
  version: step.version,
  outcome,
  durationMs: 0,
  ...more,
});

async function inOneTransaction(
  session: RehearsalSession,
  steps: readonly RehearsalStep[],
): Promise<RehearsedStep[]> {
  const { client, limits, isCopy } = session;
  const done: RehearsedStep[] = [];
  let isGuarded = isCopy;
  let hasLooked = isCopy;
  try {
    await sendScript(
      client,
      [
        "begin isolation level read committed",
        `set local lock_timeout = ${limits.lockTimeoutMs}`,
        `set local statement_timeout = ${limits.totalMs}`,
      ],
      { silenceMs: SILENCE_MS },
    );
    if (!hasLooked) {
      // Each time: rows may have come while the last try waited for a lock.
      if ((await findCustomerData(client)) !== null) throw new RowsFoundError();
      hasLooked = true;
    }
    for (const step of steps) {
      if (!isGuarded && step.planned === "apply") {
        await sendScript(client, GUARD_SEQUENCES, { silenceMs: limits.totalMs });
        isGuarded = true;
      }
      const result = await rehearseStep(session, step, done);
      done.push(result);
      if (result.outcome === "failed") break;
    }
    return done;
  } catch (error) {
    if (isContention(error)) throw new ContentionError(hasLooked ? done : null, error);
    throw error;
  } finally {
    // Where the connection is gone, the server has rolled back, or is about to.
    await rollback(client).catch((error: unknown) => {
      if (!(error instanceof ConnectionLostError)) throw error;
    });
  }
}

/** @throws ScriptFailure for a lock that was not to be had */
async function rehearseStep(
  session: RehearsalSession,
  planned: RehearsalStep,
  done: readonly RehearsedStep[],
): Promise<RehearsedStep> {
  const { step } = planned;
  if (planned.planned === "applied") return ended(planned, "applied");
  if (planned.planned === "kept") return ended(planned, "not_rehearsed", { reason: KEPT });
  if (planned.planned === "differs") return ended(planned, "failed", { error: unlike(planned) });
  if (!step.transactional) return ended(planned, "not_rehearsed", { reason: ALONE });
  const remaining = Math.floor(session.deadline - performance.now());
  const tooLong = new RehearsalTooLongError(step.file, session.limits.totalMs);
  if (remaining <= 0) return ended(planned, "failed", { error: tooLong });

  const ownLimit = step.timeoutMs ?? session.limits.statementTimeoutMs;
  const statementTimeoutMs = Math.min(ownLimit, remaining);
  const { name, limits, client, settings } = session;
  const hasSettings = Object.keys(settings).length > 0;
  const script = fileScript(step, {
    name,
    lockTimeoutMs: limits.lockTimeoutMs,
    statementTimeoutMs,
    isOpened: hasSettings,
  });
  const started = performance.now();
  const durationMs = () => Math.round(performance.now() - started);
  if (hasSettings) {
    await sendScript(client, OPEN_FILE, { silenceMs: SILENCE_MS });
    await bindSettings(client, settings);
  }
  try {
    await sendScript(client, script.text, { silenceMs: statementTimeoutMs + SILENCE_MS });
    return ended(planned, "rehearsed", { durationMs: durationMs() });
  } catch (error) {
    if (error instanceof ConnectionLostError && performance.now() >= session.deadline) {
      return ended(planned, "failed", { durationMs: durationMs(), error: tooLong });
    }
    if (!(error instanceof ScriptFailure) || isContention(error)) throw error;
    const reason = await notRehearsable(session.isCopy, step, error, done);
    if (reason !== null) {
      await sendScript(client, "rollback to savepoint berth_file", { silenceMs: SILENCE_MS });
      return ended(planned, "not_rehearsed", { durationMs: durationMs(), reason });
    }
    const ranOut = error.sqlstate === "57014" && statementTimeoutMs < ownLimit;
    const failure = stepFailure(error, step, { runId: session.id, token: 0n }, script.shape);
    const told = ranOut ? tooLong : failure;
    return ended(planned, "failed", { durationMs: durationMs(), error: told });
  }
}
