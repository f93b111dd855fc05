import type { FailedAttempt } from "#app/integrations/postgres/run-attempts.ts";
import { SqlStepError } from "#app/integrations/postgres/run-errors.ts";
import { BerthError } from "#app/platform/errors.ts";
import { redactText } from "#app/platform/redact.ts";
import { cut, storable } from "#app/platform/text.ts";
import type { StepError } from "#db/provisioning.ts";
import { DriftError } from "./drift.ts";
import { NeedsPersonError } from "./errors.ts";

/** What a step's failure is to people: redacted, bounded, with what to do; fit to be stored. */
export function describeFailure(error: unknown): StepError {
  if (!(error instanceof BerthError)) {
    return {
      code: "unexpected",
      message: "The step met a failure that Berth does not know.",
      fix: "Look at the worker's log under this run's id, then retry.",
    };
  }
  const described: StepError = {
    code: error.code,
    message: error.message,
    found: error.found,
    needed: error.needed,
    fix: error.fix,
    retryable: error.retryable,
  };
  if (error instanceof NeedsPersonError) described.link = error.link;
  if (error instanceof DriftError) {
    described.difference = error.difference;
    described.digest = error.digest;
  }
  if (error instanceof SqlStepError) {
    described.sqlstate = error.sqlstate;
    described.file = error.file;
    described.line = error.line;
    described.detail = error.detail;
    described.hint = error.hint;
    if (error.statement !== null) described.statement = String(error.statement);
  }
  const bounded = Object.entries(described).map(([key, value]) => [
    key,
    typeof value === "string" ? cut(redactText(value), 4_000) : value,
  ]);
  return storable(Object.fromEntries(bounded));
}

/** How many of a step's failed attempts are kept of its beginning, and of its end. */
const FIRST_KEPT = 3;
const LAST_KEPT = 5;
const MAX_ATTEMPT = 500;

/**
 * A step's failed attempts, a line each: redacted, bounded, fit to be stored.
 * @param now Berth's own time, by which the moment of each is told
 */
export function describeAttempts(attempts: readonly FailedAttempt[], now: Date): string[] {
  const counted = performance.now();
  const lines = attempts.map(({ at, what }, index) => {
    const moment = new Date(now.getTime() - (counted - at)).toISOString();
    return cut(redactText(`${moment} Attempt ${index + 1} ${what}`), MAX_ATTEMPT);
  });
  const left = lines.length - FIRST_KEPT - LAST_KEPT;
  if (left > 1) lines.splice(FIRST_KEPT, left, `… and ${left} more, which are not kept.`);
  return storable(lines);
}
