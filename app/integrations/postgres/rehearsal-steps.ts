import { ledgerKeyOf, type SqlStep } from "./ledger.ts";
import { splitStatements } from "./parse.ts";
import { ChecksumMismatchError, LedgerDisagreementError } from "./run-errors.ts";
import { redactServerText, type ScriptFailure } from "./script.ts";
import { nodeOf } from "./syntax-tree.ts";

/**
 * A file of the plan, and what the ledger said of it when it was planned. `kept`: it differs, and a
 * supervisor has accepted that.
 */
export interface RehearsalStep {
  name: string;
  step: SqlStep;
  planned: "apply" | "applied" | "differs" | "kept";
  /** Where it differs: the checksum applied; null where only Supabase's own ledger lists it. */
  appliedChecksum?: string | null;
}

/** What became of a file in the rehearsal. */
export interface RehearsedStep {
  name: string;
  file: string;
  version: string;
  outcome: "rehearsed" | "failed" | "not_rehearsed" | "not_reached" | "applied";
  /** Whole milliseconds; 0 for what did not run. */
  durationMs: number;
  /** Why it could not be rehearsed, in a sentence. */
  reason?: string;
  error?: Error;
}

/** A file that was edited after it was applied: a run stops here. */
export function unlike({ step, appliedChecksum }: RehearsalStep): Error {
  const key = ledgerKeyOf(step);
  if (appliedChecksum) {
    return new ChecksumMismatchError(key, step.file, appliedChecksum, step.checksum);
  }
  return new LedgerDisagreementError(key, "only supabase_migrations.schema_migrations lists it");
}

/** Of a file without a transaction. */
export const ALONE =
  "It cannot run inside a transaction, which a rehearsal is: it runs for the first time in the run itself.";

/** Of a file whose difference was accepted. */
export const KEPT =
  "It was applied with another checksum. As a supervisor has accepted a difference of this database, a run leaves it as it is.";

/** What is missing where something was not made: table, column, function, type, schema, index. */
const MISSING = new Set(["42P01", "42703", "42883", "42704", "3F000", "42P10"]);
/** A reference to a row, or a value taken from one, that is not there. */
const ROWS_MISSING = new Set(["23502", "23503", "P0002"]);

/** Why the failure says nothing about the run, where the file has transactions of its own; or null. */
export async function notRehearsable(
  isCopy: boolean,
  step: SqlStep,
  failure: ScriptFailure,
  done: readonly RehearsedStep[],
): Promise<string | null> {
  const { sqlstate } = failure;
  const message = redactServerText(failure.server.message, sqlstate);
  if (sqlstate === "55P04" && !(await addsValue(step, failure.server.message))) {
    return `It uses a value that an earlier file adds to an enum type, which PostgreSQL allows only once the addition is committed: ${message} [${sqlstate}]`;
  }
  const skipped = done.filter(({ outcome }) => outcome === "not_rehearsed");
  if (skipped.length > 0 && MISSING.has(sqlstate)) {
    const files = skipped.map(({ file }) => file).join(", ");
    return `It may need what ${files} makes, which could not be rehearsed: ${message} [${sqlstate}]`;
  }
  if (isCopy && ROWS_MISSING.has(sqlstate)) {
    return `It needs rows, and the copy has none: ${message} [${sqlstate}]`;
  }
  return null;
}

/** Whether the file itself adds the enum value that it may not use: that fails in a run as well. */
async function addsValue({ sql, file }: SqlStep, message: string): Promise<boolean> {
  const statements = await splitStatements(sql, file);
  return statements.some(({ tree }) => {
    const { name, node } = nodeOf(tree);
    return name === "AlterEnumStmt" && !node.oldVal && message.includes(`"${node.newVal}"`);
  });
}
