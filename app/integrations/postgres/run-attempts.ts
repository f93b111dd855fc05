import { formatDuration } from "#app/platform/durations.ts";
import { GUARD } from "./guard.ts";

/** An attempt within a step that came to nothing. That by which the step fails is its failure. */
export interface FailedAttempt {
  /** When it had failed, in milliseconds as `performance.now()` counts them. */
  at: number;
  /** What became of it, as the rest of "Attempt 2 …"; not redacted yet. */
  what: string;
}

/** Keeps the attempts that failed until they are taken. */
export class FailedAttempts {
  #kept: FailedAttempt[] = [];
  /** Whose outcome only the ledger knows. */
  #unsure: FailedAttempt | null = null;

  note(what: string): FailedAttempt {
    const attempt = { at: performance.now(), what };
    this.#kept.push(attempt);
    return attempt;
  }

  /** Notes an attempt that was cut off: {@link settle} adds what the ledger says about it. */
  noteLoss(what: string): void {
    this.#unsure = this.note(what);
  }

  /** Tells of the last attempt that was cut off whether it had taken effect all the same. */
  settle(isInLedger: boolean): void {
    if (!this.#unsure) return;
    this.#unsure.what += `; the ledger ${isInLedger ? "had" : "did not have"} the version`;
    this.#unsure = null;
  }

  /** What was noted since the last call, oldest first. */
  take(): FailedAttempt[] {
    this.#unsure = null;
    return this.#kept.splice(0);
  }
}

/**
 * What became of an attempt that gave way to other sessions. `place` is where it stood, `ms` how
 * long it took in all, `obstacle` what was in its way, where that is known.
 */
export function gaveWay(
  sqlstate: string,
  place: string,
  ms: number,
  obstacle: string | null = null,
): string {
  const begin = `gave way after ${formatDuration(ms)}`;
  if (sqlstate === GUARD.stepInFlight) return `${begin}: another session had a step in flight`;
  if (sqlstate === "40P01") return `${begin}: ${place} met a deadlock`;
  if (sqlstate === "55P03") return `${begin}: ${place} waited for ${obstacle ?? "a lock"}`;
  return `${begin}: ${place} met another session's work [${sqlstate}]`;
}
