import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "#app/platform/log.ts";

/**
 * Repeats `work` until `signal` aborts: at once while it found something to do, else after
 * `intervalMs`. A failure is logged and waits like an empty round. Resolves when the last round is over.
 */
export async function repeat(
  name: string,
  intervalMs: number,
  work: () => Promise<boolean>,
  { signal, log }: { signal: AbortSignal; log: Logger },
): Promise<void> {
  while (!signal.aborted) {
    let busy = false;
    try {
      busy = await work();
    } catch (error) {
      log.error({ err: error, loop: name }, "a round of background work failed");
    }
    if (!busy) await sleep(intervalMs, undefined, { signal }).catch(() => {});
  }
}
