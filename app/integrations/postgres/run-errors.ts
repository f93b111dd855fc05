import { BerthError } from "#app/platform/errors.ts";
import { adviceFor, mayPass } from "./advice.ts";

/** Somebody else holds the database's run lock, and it was not ours to end their session. */
export class LockedError extends BerthError {
  constructor(holder: string | null) {
    super("run_locked", "Another run is at work on this database.", {
      retryable: true,
      found: holder ? `the run lock is held by ${holder}` : "the run lock is taken",
      needed: "the run lock, which one session at a time can have",
      fix: "Wait until that session has ended, or end it; then retry.",
    });
  }
}

/** A run with a larger fencing token has taken this database over; this one must stop. */
export class FencedError extends BerthError {
  constructor(token: bigint, found: string) {
    super("run_fenced", "Another worker has taken this run over.", {
      found,
      needed: `a fencing token of at most ${token}`,
      fix: "Nothing: the other worker carries on.",
    });
  }
}

/** The run was cancelled; the step in progress was rolled back. */
export class CancelledError extends BerthError {
  constructor() {
    super("run_cancelled", "The run was cancelled; the step in progress was rolled back.", {
      fix: "Resume the run, or close it.",
    });
  }
}

/** The caller's signal asked the run to stop; no step was in progress. */
export class RunStoppedError extends BerthError {
  constructor(cause: unknown) {
    super("run_stopped", "The run stopped between two steps.", { retryable: true, cause });
  }
}

/** The server that answers is a standby: the failover that leads to it is not over. */
export class StandbyError extends BerthError {
  constructor() {
    super("database_standby", "The server that answers is a standby.", {
      retryable: true,
      found: "the server is a standby, which takes no writes",
      needed: "the primary",
      fix: "Wait until the failover is over, or copy the primary's connection string; then retry.",
    });
  }
}

/** The connection broke. What was sent before may or may not have taken effect. */
export class ConnectionLostError extends BerthError {
  constructor(cause: unknown) {
    super("database_connection_lost", "There is no connection to the customer's database.", {
      retryable: true,
      found: lossInWords(cause) ?? "the connection was refused or cut",
      needed: "a connection that lasts",
      fix: "Wait until the project is healthy in Supabase, then retry.",
      cause,
    });
  }
}

/** The connection broke, and the ledger, which knows the outcome, could not be had afterwards. */
export class UnknownOutcomeError extends BerthError {
  constructor(what: string, losses: number, lost: ConnectionLostError) {
    const times = losses === 1 ? "" : ` ${losses} times`;
    super(
      "step_outcome_unknown",
      `The connection was lost during ${what}, and the ledger could not be read afterwards.`,
      {
        retryable: true,
        found: `the connection was lost${times}; ${lost.found}`,
        needed: "a connection over which the ledger can be read",
        fix: "Wait until the project is healthy in Supabase, then retry: the ledger tells whether the step is done.",
        cause: lost,
      },
    );
  }
}

/** Why a session ended, as the end of a sentence; undefined where nobody said. */
function lossInWords(cause: unknown): string | undefined {
  if (cause instanceof BerthError) return cause.found;
  const { code } = (cause ?? {}) as { code?: unknown };
  return typeof code === "string" ? SESSION_ENDS[code] : undefined;
}

const SESSION_ENDS: Readonly<Record<string, string>> = {
  "25P03": "the server ended the session, which had idled in a transaction (25P03)",
  "53300": "all connections are taken (53300)",
  "57P01": "an administrator ended the session, or the server was stopped (57P01)",
  "57P02": "the server crashed (57P02)",
  "57P03": "the server was starting or stopping (57P03)",
  ECONNREFUSED: "nothing listens at its address",
  ECONNRESET: "the connection was cut",
};

/** An applied version has another checksum: its file was edited after release. */
export class ChecksumMismatchError extends BerthError {
  constructor(version: string, file: string, applied: string, wanted: string) {
    super("checksum_mismatch", `${file} differs from what was applied as version ${version}.`, {
      found: `applied with checksum ${applied}`,
      needed: `checksum ${wanted}`,
      fix: "Restore the released file, and put the change into a new version.",
    });
  }
}

/**
 * A failover led to a server that had not heard of steps which were committed before: an
 * asynchronous standby was promoted.
 */
export class StepsLostError extends BerthError {
  constructor(versions: string[]) {
    super("steps_lost", "A failover has undone steps that were applied before.", {
      found: `the ledger no longer has ${versions.join(", ")}`,
      needed: "every version that this run has applied",
      fix: "Retry: a run applies again what is not in the ledger.",
    });
  }
}

/** The two halves of the ledger contradict each other about a version. */
export class LedgerDisagreementError extends BerthError {
  constructor(version: string, found: string) {
    super("ledger_disagreement", `The ledger contradicts itself about version ${version}.`, {
      found,
      needed:
        "the version in both supabase_migrations.schema_migrations and berth.ledger, or in neither",
      fix: "Find out who changed the ledger (supabase migration repair?), undo it, then retry.",
    });
  }
}

/** The file ended its own transaction or changed its role, in spite of the parser's wall. */
export class StepEscapedError extends BerthError {
  constructor(file: string, found: string) {
    super("step_escaped", `${file} left the transaction or the role it was given.`, {
      found,
      needed: "the same transaction and role from the first statement to the last",
      fix: "Release a version of the template without it, and compare the database with a clean one: what ran before a COMMIT stays.",
    });
  }
}

/** The database refused one of the runner's own statements. */
export class DatabaseRefusedError extends BerthError {
  readonly sqlstate: string;

  constructor(what: string, sqlstate: string, message: string) {
    super("database_refused", `The database refused ${what}: ${message} [${sqlstate}]`, {
      retryable: mayPass(sqlstate),
      found: message,
      needed: `a database that takes ${what}`,
      fix: "Look at the server's log for the message, then retry.",
      ...adviceFor(sqlstate, message),
    });
    this.sqlstate = sqlstate;
  }
}

/** The run needs its own schema first. */
export class NotPreparedError extends BerthError {
  constructor() {
    super("database_not_prepared", "The database has no ledger yet.", {
      found: "no schema berth",
      needed: "the schemas berth and supabase_migrations",
      fix: "Retry: a run makes them at its start. Find out who dropped them meanwhile.",
    });
  }
}

/**
 * Every attempt to take a lock timed out, because another session holds a conflicting one.
 * `what`: for what it was needed; `blockers`: the sessions that hold it, in words.
 */
export class LockTimeoutError extends BerthError {
  constructor(what: string, blockers: string[]) {
    super("lock_timeout", `${what}: a lock was not to be had.`, {
      retryable: true,
      found: blockers.length > 0 ? `held up by ${blockers.join("; ")}` : "a conflicting lock",
      needed: "a moment without a conflicting lock",
      fix: "End the other session's transaction, or retry at a quieter time.",
    });
  }
}

/** A statement failed; the database is as it was before the step. */
export class SqlStepError extends BerthError {
  readonly sqlstate: string;
  readonly file: string;
  readonly line: number;
  /** Which statement of the file, counted from 1; null when it failed at the commit. */
  readonly statement: number | null;
  readonly detail: string | undefined;
  readonly hint: string | undefined;

  constructor(data: {
    sqlstate: string;
    message: string;
    detail?: string;
    hint?: string;
    file: string;
    line: number;
    statement: number | null;
    /** The longest time that each statement had, in milliseconds. */
    limitMs?: number;
    /** For whom it waited to its end, in words. */
    waitedFor?: string[];
  }) {
    const where = data.statement === null ? "at the commit" : `statement ${data.statement}`;
    super(
      "sql_step_failed",
      `${data.file}:${data.line} (${where}): ${data.message} [${data.sqlstate}]`,
      {
        retryable: mayPass(data.sqlstate),
        found: [data.detail ?? data.message, ...(data.waitedFor ?? [])].join("; it waited for "),
        needed: "the statement to succeed",
        fix: data.hint ?? "Correct what the message names, then retry: the database is as before.",
        ...adviceFor(data.sqlstate, data.message, data.limitMs),
      },
    );
    this.sqlstate = data.sqlstate;
    this.file = data.file;
    this.line = data.line;
    this.statement = data.statement;
    this.detail = data.detail;
    this.hint = data.hint;
  }
}

/** Failures before which a session has waited as long as it is worth: not to be tried at once again. */
export function hasWaited(error: unknown): boolean {
  if (error instanceof SqlStepError) return error.sqlstate === "40P01";
  return [LockedError, LockTimeoutError, UnknownOutcomeError].some((kind) => error instanceof kind);
}
