import { BerthError } from "#app/platform/errors.ts";

/** Somebody else holds the database's run lock, and it was not ours to end their session. */
export class LockedError extends BerthError {
  constructor(holder: string | null) {
    super("run_locked", "Another run is at work on this database.", {
      retryable: true,
      found: holder ? `the run lock is held by ${holder}` : "the run lock is taken",
      needed: "the run lock",
      fix: "Wait until the other run ends; Berth tries again by itself.",
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

/** The connection broke. What was sent before may or may not have taken effect. */
export class ConnectionLostError extends BerthError {
  constructor(cause: unknown) {
    super("database_connection_lost", "There is no connection to the customer's database.", {
      retryable: true,
      found: "the connection was refused or cut",
      needed: "a connection to the database",
      fix: "Check that the database is running, then retry.",
      cause,
    });
  }
}

/** The connection broke, and repeated attempts to connect and read the ledger failed. */
export class UnknownOutcomeError extends BerthError {
  constructor(what: string, attempts: number, cause: unknown) {
    super(
      "step_outcome_unknown",
      `The connection was lost during ${what}, and the ledger could not be read afterwards.`,
      {
        retryable: true,
        found: `${attempts} attempts to reach the database failed`,
        needed: "a connection over which the ledger can be read",
        fix: "Check that the database is running, then retry: the ledger decides whether the step is done.",
        cause,
      },
    );
  }
}

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

/** The two halves of the ledger contradict each other about a version. */
export class LedgerDisagreementError extends BerthError {
  constructor(version: string, found: string) {
    super("ledger_disagreement", `The ledger contradicts itself about version ${version}.`, {
      found,
      needed:
        "the version in both supabase_migrations.schema_migrations and berth.ledger, or in neither",
      fix: "Find out who changed the ledger (supabase migration repair?) and undo it.",
    });
  }
}

/** The file ended its own transaction or changed its role, in spite of the parser's wall. */
export class StepEscapedError extends BerthError {
  constructor(file: string, found: string) {
    super("step_escaped", `${file} left the transaction or the role it was given.`, {
      found,
      needed: "the same transaction and role from the first statement to the last",
      fix: "Compare the database with a clean one: what ran before the file's own COMMIT stays.",
    });
  }
}

/** The database refused one of the runner's own statements. */
export class DatabaseRefusedError extends BerthError {
  readonly sqlstate: string;

  constructor(what: string, sqlstate: string, message: string) {
    super("database_refused", `The database refused ${what}: ${message} [${sqlstate}]`, {
      retryable: /^(40|53|55P03|57|58)/.test(sqlstate),
      found: message,
      needed: `${what} to succeed`,
      fix: "Check the role's privileges and the server's log, then retry.",
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
      fix: "Call prepare() before the first step.",
    });
  }
}

/** Every attempt to take a lock timed out, because another session holds a conflicting one. */
export class LockTimeoutError extends BerthError {
  constructor(file: string, line: number, blockers: string[]) {
    super("lock_timeout", `${file}:${line}: a lock on an existing object was not to be had.`, {
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

  constructor(
    data: {
      sqlstate: string;
      message: string;
      detail?: string;
      hint?: string;
      file: string;
      line: number;
      statement: number | null;
    },
    cause?: unknown,
  ) {
    const where = data.statement === null ? "at the commit" : `statement ${data.statement}`;
    super(
      "sql_step_failed",
      `${data.file}:${data.line} (${where}): ${data.message} [${data.sqlstate}]`,
      {
        retryable: /^(40|53|55P03|57|58)/.test(data.sqlstate),
        found: data.detail ?? data.message,
        needed: "the statement to succeed",
        fix: data.hint ?? "Correct what the message names, then retry: the database is as before.",
        cause,
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
