import type pg from "pg";
import type { Logger } from "#app/platform/log.ts";
import { describeHolder, watchBlockers } from "./blockers.ts";
import { checkIdentity, GUARD, STEP_LOCK } from "./guard.ts";
import { type LedgerRow, ledgerKey, prepareSchemas, readLedger, type SqlStep } from "./ledger.ts";
import { splitStatements } from "./parse.ts";
import { FailedAttempts, gaveWay } from "./run-attempts.ts";
import { RunConnection } from "./run-connection.ts";
import {
  type Connect,
  DEFAULT_LIMITS,
  type HeldConnection,
  jittered,
  pause,
  type RunLimits,
} from "./run-context.ts";
import { ConnectionLostError, FencedError, LockTimeoutError } from "./run-errors.ts";
import { asScriptError, rollback, ScriptFailure, sendScript } from "./script.ts";
import type { SessionValues } from "./session-values.ts";
import { ForbiddenStatementError } from "./sql-errors.ts";
import { applyAlone } from "./step-alone.ts";
import { applyInTransaction, type StepOutcome } from "./step-transaction.ts";
import { nodeOf } from "./syntax-tree.ts";

/** One line of a `checks.sql`. */
export interface CheckRow {
  check_name: string;
  ok: boolean;
  detail: string | null;
}

/**
 * A run's hold on one customer's database. Calls go one after another. A lost connection is made
 * anew inside each call, and what it left unknown is read from the ledger.
 */
export interface RunSession {
  /**
   * Creates the schemas `berth` and `supabase_migrations` where missing, closes them to the API's
   * roles, and raises the fence. Idempotent.
   */
  prepare(): Promise<void>;
  /**
   * Applies one file and records it. Throws SqlStepError, LockTimeoutError, CancelledError,
   * ChecksumMismatchError, LedgerDisagreementError, StepEscapedError, StepsLostError, FencedError,
   * LockedError, NotPreparedError, RunStoppedError, or UnknownOutcomeError (retryable: the ledger decides).
   */
  apply(step: SqlStep): Promise<StepOutcome>;
  /** What the database's own ledger says, oldest first. */
  ledger(): Promise<LedgerRow[]>;
  /** Runs one SELECT of checks in a read-only transaction, within this time or a minute. */
  check(sql: string, timeoutMs?: number | null): Promise<CheckRow[]>;
  /** Runs reading work on the run's connection; again on a new one after a loss. `what` names it. */
  read<T>(what: string, work: (client: pg.Client) => Promise<T>): Promise<T>;
  /** Cancels the step in progress; the session does nothing more. */
  cancel(): Promise<void>;
  /** Gives the lock back and disconnects. */
  close(): Promise<void>;
}

/** How long the first connection is tried: a closed port need not keep anybody waiting long. */
const FIRST_PATIENCE_MS = 7_000;

/**
 * Connects, ends the sessions of older runs, takes the run lock (polled for up to
 * `limits.runLockPatienceMs`) and raises the fence to `token`.
 *
 * @throws LockedError (retryable), FencedError; when no connection was to be had, the typed error
 * of `connect`, else ConnectionLostError (retryable).
 */
export async function openRunSession(options: {
  connect: Connect;
  backendId: string;
  runId: string;
  token: bigint;
  signal: AbortSignal;
  log: Logger;
  limits?: Partial<RunLimits>;
  /** What files may read with `current_setting`: set on each connection before any step. */
  settings?: SessionValues;
  /** Takes what is tried in vain, here and in the session's calls; not redacted yet. */
  attempts?: FailedAttempts;
}): Promise<RunSession> {
  const identity = { runId: options.runId, token: options.token };
  checkIdentity(identity);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const log = options.log.child({ backendId: options.backendId, runId: options.runId });
  const { connect, signal, settings = {}, attempts = new FailedAttempts() } = options;
  const connection = new RunConnection({
    connect,
    identity,
    signal,
    log,
    limits,
    settings,
    attempts,
  });
  await connection.use("the first connection", async () => undefined, {
    patienceMs: Math.min(FIRST_PATIENCE_MS, limits.reconnectPatienceMs),
  });
  return {
    prepare: () => prepare(connection),
    async apply(step) {
      const timeoutMs = step.timeoutMs ?? limits.statementTimeoutMs;
      const applyStep = step.transactional ? applyInTransaction : applyAlone;
      const outcome = await applyStep(connection, step, timeoutMs);
      connection.noteRecorded(ledgerKey(step).key);
      return outcome;
    },
    ledger: () => connection.use("reading the ledger", ({ client }) => readLedger(client)),
    check: (sql, timeoutMs) => check(connection, sql, timeoutMs ?? CHECK_MS),
    read: (what, work) => connection.use(what, ({ client }) => read(client, work)),
    cancel: () => connection.cancel(),
    close: () => connection.close(),
  };
}

/** The same table made by Supabase's CLI at the same moment, a lock, or another step's end. */
const PREPARE_AGAIN = new Set([
  "42P06",
  "42P07",
  "23505",
  "55P03",
  "40P01",
  "XX000",
  GUARD.stepInFlight,
]);

const PREPARE_TRIES = 20;

function prepare(connection: RunConnection): Promise<void> {
  const { context } = connection;
  return connection.use("the preparation of its schemas", async (held) => {
    for (let tries = 1; ; tries += 1) {
      const watcher = tries === PREPARE_TRIES ? watchBlockers(context, held.pid) : null;
      await watcher?.ready;
      const begun = performance.now();
      try {
        return await prepareSchemas(held.client, context.identity);
      } catch (error) {
        if (!(error instanceof ScriptFailure)) throw error;
        const ms = performance.now() - begun;
        await rollback(held.client);
        if (error.sqlstate === GUARD.fenced) {
          throw new FencedError(context.identity.token, "a larger token stands in the fence");
        }
        if (!PREPARE_AGAIN.has(error.sqlstate)) throw error;
        if (watcher) throw await prepareFailure(error, held, await watcher.stop());
        context.attempts.note(gaveWay(error.sqlstate, "the preparation of its schemas", ms));
      } finally {
        await watcher?.stop();
      }
      await pause(jittered(200), context.signal);
      connection.checkGoing();
    }
  });
}

/** Where locks were in the way, who held them. */
async function prepareFailure(error: ScriptFailure, held: HeldConnection, blockers: string[]) {
  if (error.sqlstate !== "55P03" && error.sqlstate !== GUARD.stepInFlight) return error;
  const inFlight = await describeHolder(held.client, STEP_LOCK);
  return new LockTimeoutError(
    "The schemas berth and supabase_migrations",
    inFlight === null ? blockers : [inFlight],
  );
}

/** Reading work fails as a script does, and leaves no failed transaction behind. */
async function read<T>(client: pg.Client, work: (client: pg.Client) => Promise<T>): Promise<T> {
  try {
    return await work(client);
  } catch (error) {
    const failure = asScriptError(error, client);
    if (!(failure instanceof ConnectionLostError)) await rollback(client);
    throw failure;
  }
}

/** Longest time for a query of checks that names none. */
const CHECK_MS = 60_000;

async function check(
  connection: RunConnection,
  sql: string,
  timeoutMs: number,
): Promise<CheckRow[]> {
  const statements = await splitStatements(sql, "checks.sql");
  const only = statements[0];
  if (statements.length !== 1 || !only || nodeOf(only.tree).name !== "SelectStmt") {
    throw new ForbiddenStatementError(
      { file: "checks.sql", line: statements[1]?.line ?? 1 },
      `${statements.length} statements`,
      "checks are one query that only reads",
      "Join the checks with UNION ALL into one SELECT.",
    );
  }
  return connection.use("the checks", async ({ client }) => {
    try {
      const limit = `set local statement_timeout = ${Math.trunc(timeoutMs)}`;
      const script = ["begin read only", limit, only.sql, "commit"];
      const silenceMs = timeoutMs + connection.context.limits.silenceGraceMs;
      const results = await sendScript(client, script, { silenceMs });
      return (results[2] as pg.QueryResult<CheckRow>).rows;
    } catch (error) {
      if (error instanceof ScriptFailure) await rollback(client);
      throw error;
    }
  });
}
