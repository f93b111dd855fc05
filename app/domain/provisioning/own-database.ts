import { BerthError } from "#app/platform/errors.ts";

/**
 * SQLSTATEs of a session that could not be had, was ended, or may simply be tried again:
 * connection, idle in a transaction, rollback, resources, the server's shutdown.
 */
const PASSING_STATES = /^(?:08...|25P03|40...|53...|57P..)$/;
const PASSING_ERRNOS = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EPIPE",
  "ETIMEDOUT",
]);
/** `pg` and its pool give these no code. */
const LOST = /^(?:Connection terminated|Client (?:has encountered|was closed)|timeout exceeded)/;

/**
 * Whether an error means that Berth's own database was away for a moment. Nothing about the run
 * follows from that. What happens to a customer's database comes as a BerthError, and is not meant.
 */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof BerthError) return false;
  const { code } = error as { code?: unknown };
  if (typeof code === "string") return PASSING_STATES.test(code) || PASSING_ERRNOS.has(code);
  return LOST.test(error.message) || isDatabaseAway(error.cause);
}
