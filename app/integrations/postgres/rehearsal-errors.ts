import { BerthError } from "#app/platform/errors.ts";

/** The rehearsal's own time is up. */
export class RehearsalTooLongError extends BerthError {
  constructor(what: string, totalMs: number) {
    const limit = `${totalMs / 1_000} s`;
    super("rehearsal_too_long", `${what}: the rehearsal's time was up.`, {
      found: `it was not over after ${limit}`,
      needed: `a rehearsal of at most ${limit}, since its locks are held to its end`,
      fix: "Start the run: there every file has a transaction and a time limit of its own.",
    });
  }
}

/** Whoever asked for the rehearsal has left; what it did was rolled back. */
export class RehearsalStoppedError extends BerthError {
  constructor(cause: unknown) {
    super("rehearsal_stopped", "The rehearsal was given up, and rolled back.", { cause });
  }
}

/** A rehearsal takes connections and locks of its project: there are never many at once. */
export class RehearsalBusyError extends BerthError {
  /** @param found what is under way, in words */
  constructor(found: string) {
    super("rehearsal_busy", "No rehearsal was begun, since others are under way.", {
      found,
      needed: "one rehearsal of a request at a time, and few of all requests together",
      fix: "Wait for their end, a minute at most, then rehearse again.",
    });
  }
}
