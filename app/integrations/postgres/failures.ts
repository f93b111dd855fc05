import { GUARD, type RunIdentity } from "./guard.ts";
import { ledgerKey, type SqlStep } from "./ledger.ts";
import { lineAt } from "./parse.ts";
import {
  ChecksumMismatchError,
  ConnectionLostError,
  DatabaseRefusedError,
  FencedError,
  LedgerDisagreementError,
  NotPreparedError,
  SqlStepError,
  StepEscapedError,
} from "./run-errors.ts";
import { redactServerText, type ScriptFailure } from "./script.ts";

/** Where a step's file stands within the script that was sent. */
export interface ScriptShape {
  /** Statements before the file's first. */
  preamble: number;
  /** Characters before the file's first. */
  preambleLength: number;
  /** The longest time that each statement has, in milliseconds. */
  limitMs: number;
}

/** Maps what a step's script failed with to the error that a person can act on. */
export function stepFailure(
  failure: ScriptFailure,
  step: SqlStep,
  identity: RunIdentity,
  shape: ScriptShape,
): Error {
  const { sqlstate, server } = failure;
  const detail = redactServerText(server.detail ?? server.message, sqlstate);
  switch (sqlstate) {
    case GUARD.otherChecksum:
      return new ChecksumMismatchError(ledgerKey(step).key, step.file, detail, step.checksum);
    case GUARD.fenced:
      return new FencedError(identity.token, detail);
    case GUARD.lockLost:
      // A new connection takes the lock again, or says who has it.
      return new ConnectionLostError(failure);
    case GUARD.escaped:
      return new StepEscapedError(step.file, redactServerText(server.message, sqlstate));
    case GUARD.ledgerDisagrees:
      return new LedgerDisagreementError(ledgerKey(step).key, detail);
  }
  const inGuard = failure.completed < shape.preamble;
  // Whether it is a standby or a read-only primary is found out when the lock is taken anew.
  if (inGuard && sqlstate === "25006") return new ConnectionLostError(failure);
  if (inGuard && (sqlstate === "3F000" || sqlstate === "42P01" || sqlstate === "42704")) {
    return new NotPreparedError();
  }
  if (inGuard) {
    const message = redactServerText(server.message, sqlstate);
    return new DatabaseRefusedError("the step's guard", sqlstate, message);
  }
  return locate(failure, step, shape);
}

/** The line and statement of a failure, with the server's words made safe. */
export function locate(
  failure: ScriptFailure,
  step: SqlStep,
  shape: ScriptShape,
  waitedFor?: string[],
): SqlStepError {
  const { sqlstate, server } = failure;
  const index = failure.completed - shape.preamble;
  const statement = step.statements[index];
  const safe = (text: string | undefined) =>
    text === undefined ? undefined : redactServerText(text, sqlstate);
  // Without the server's error as its cause: the fields of that are not redacted.
  return new SqlStepError({
    sqlstate,
    message: safe(server.message) ?? "",
    detail: safe(server.detail),
    hint: safe(server.hint),
    file: step.file,
    line: exactLine(server.position, step, shape) ?? statement?.line ?? lastLine(step),
    statement: statement ? index + 1 : null,
    limitMs: shape.limitMs,
    waitedFor,
  });
}

/** Errors of the parser and analyser carry a position, in characters of the whole script. */
function exactLine(
  position: string | undefined,
  step: SqlStep,
  shape: ScriptShape,
): number | undefined {
  const offset = Number(position) - 1 - shape.preambleLength;
  const characters = [...step.sql];
  if (!(offset >= 0 && offset < characters.length)) return undefined;
  return lineAt(step.sql, characters.slice(0, offset).join("").length);
}

function lastLine(step: SqlStep): number {
  return step.statements.at(-1)?.line ?? 1;
}
