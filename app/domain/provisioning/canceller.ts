import { CancelledError } from "#app/integrations/postgres/run-errors.ts";
import type { RunSession } from "#app/integrations/postgres/run-session.ts";
import { BerthError } from "#app/platform/errors.ts";
import type { Logger } from "#app/platform/log.ts";

/** Passes a person's wish to end the run on to whatever the run is doing. */
export interface Canceller {
  /** Fires when the end was asked for. */
  signal: AbortSignal;
  /** The end was asked for; every call cancels once more what goes on in spite of it. */
  ask(): void;
  /** Where the run's statements go. */
  watch(session: RunSession): void;
}

export function createCanceller(log: Logger): Canceller {
  const asked = new AbortController();
  let session: RunSession | null = null;
  let atIt = false;
  function strike() {
    if (!session || atIt) return;
    atIt = true;
    session
      .cancel()
      .catch((error: unknown) => log.warn({ err: error }, "the step could not be cancelled yet"))
      .finally(() => {
        atIt = false;
      });
  }
  return {
    signal: asked.signal,
    ask() {
      if (!asked.signal.aborted) log.info("the end of the run was asked for");
      asked.abort(new CancelledError());
      strike();
    },
    watch(opened) {
      session = opened;
      if (asked.signal.aborted) strike();
    },
  };
}

/**
 * Whether work ended because the run's end was asked for, and not of itself. What would have been
 * tried again is not, so its failure says nothing; nor does a statement that was cancelled.
 */
export function isCancellation(error: unknown, { signal }: Canceller): boolean {
  if (error instanceof CancelledError) return true;
  if (!signal.aborted || !(error instanceof Error)) return false;
  if (error instanceof BerthError) return error.retryable;
  return error.name === "AbortError" || (error as { code?: unknown }).code === "57014";
}
