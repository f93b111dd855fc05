import type pg from "pg";
import type { Logger } from "#app/platform/log.ts";
import { checkIdentity, GUARD } from "./guard.ts";
import { type LedgerRow, prepareSchemas, readLedger, type SqlStep } from "./ledger.ts";
import { splitStatements } from "./parse.ts";
import {
  type Connect,
  DEFAULT_LIMITS,
  jittered,
  pause,
  RunConnection,
  type RunLimits,
} from "./run-connection.ts";
import { FencedError } from "./run-errors.ts";
import { rollback, ScriptFailure, sendScript } from "./script.ts";
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
   * ChecksumMismatchError, LedgerDisagreementError, StepEscapedError, FencedError, LockedError,
   * NotPreparedError, RunStoppedError, or UnknownOutcomeError (retryable: the ledger decides).
   */
  apply(step: SqlStep): Promise<StepOutcome>;
  /** What the database's own ledger says, oldest first. */
  ledger(): Promise<LedgerRow[]>;
  /** Runs one SELECT of checks in a read-only transaction. */
  check(sql: string): Promise<CheckRow[]>;
  /** Runs reading work on the run's connection; again on a new one after a loss. `what` names it. */
  read<T>(what: string, work: (client: pg.Client) => Promise<T>): Promise<T>;
  /** Cancels the step in progress; the session does nothing more. */
  cancel(): Promise<void>;
  /** Gives the lock back and disconnects. */
  close(): Promise<void>;
}

/** How often the first connection is tried anew: enough for a restart, not for a closed port. */
const FIRST_RECONNECTS = 3;

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
}): Promise<RunSession> {
  const identity = { runId: options.runId, token: options.token };
  checkIdentity(identity);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const log = options.log.child({ backendId: options.backendId, runId: options.runId });
  const { connect, signal } = options;
  const connection = new RunConnection({ connect, identity, signal, log, limits });
  await connection.use("the first connection", async () => undefined, {
    reconnects: Math.min(FIRST_RECONNECTS, limits.reconnects),
  });
  return {
    prepare: () => prepare(connection),
    apply: (step) => {
      const timeoutMs = step.timeoutMs ?? limits.statementTimeoutMs;
      return step.transactional
        ? applyInTransaction(connection, step, timeoutMs)
        : applyAlone(connection, step, timeoutMs);
    },
    ledger: () => connection.use("reading the ledger", ({ client }) => readLedger(client)),
    check: (sql) => check(connection, sql),
    read: (what, work) => connection.use(what, ({ client }) => work(client)),
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

function prepare(connection: RunConnection): Promise<void> {
  const { identity, signal } = connection.context;
  return connection.use("prepare", async ({ client }) => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await prepareSchemas(client, identity);
      } catch (error) {
        if (!(error instanceof ScriptFailure)) throw error;
        await rollback(client);
        if (error.sqlstate === GUARD.fenced) {
          throw new FencedError(identity.token, "a larger token stands in the fence");
        }
        if (!PREPARE_AGAIN.has(error.sqlstate) || tries >= 20) throw error;
      }
      await pause(jittered(200), signal);
      connection.checkGoing();
    }
  });
}

async function check(connection: RunConnection, sql: string): Promise<CheckRow[]> {
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
      const results = await sendScript(client, ["begin read only", only.sql, "commit"], {
        silenceMs: 75_000,
      });
      return (results[1] as pg.QueryResult<CheckRow>).rows;
    } catch (error) {
      if (error instanceof ScriptFailure) await rollback(client);
      throw error;
    }
  });
}
