import {
  executeRun,
  type RunnerDeps,
  type Taking,
  takeRun,
} from "#app/domain/provisioning/index.server.ts";

export interface Runner {
  /** Takes one run that nobody holds, or the given one, if there is room. Resolves once it is taken. */
  takeOne(runId?: string): Promise<boolean>;
  /** Resolves when no run is in hand. */
  idle(): Promise<void>;
}

/**
 * Works on at most `limit` runs at once, and ends one more that is to be cancelled: whoever asked for
 * that does not wait for a place. `stop` sets them aside between two steps.
 */
export function createRunner(deps: RunnerDeps & Taking, limit: number, stop: AbortSignal): Runner {
  const inHand = new Set<Promise<void>>();
  let taking = 0;
  return {
    async takeOne(runId) {
      const used = inHand.size + taking;
      if (stop.aborted || used > limit) return false;
      taking += 1;
      try {
        const lease = await takeRun(deps, runId, { onlyCancelled: used >= limit });
        if (!lease) return false;
        const run = executeRun(deps, lease, stop)
          .catch((error) => deps.log.error({ err: error }, "a run ended outside its own rules"))
          .finally(() => inHand.delete(run));
        inHand.add(run);
        return true;
      } finally {
        taking -= 1;
      }
    },
    async idle() {
      await Promise.allSettled(inHand);
    },
  };
}
