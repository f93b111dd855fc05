import type { Logger } from "#app/platform/log.ts";
import type { Canceller } from "./canceller.ts";
import { LeaseLostError } from "./errors.ts";
import { HEARTBEAT_MS, type Lease, renewLease } from "./lease.ts";

/**
 * Renews a lease until the timer is cleared, and hears with every beat whether a person wants the
 * run to end. `lost` fires when the lease is another worker's.
 */
export function keepLease(
  deps: Parameters<typeof renewLease>[0],
  lease: Lease,
  lost: AbortController,
  canceller: Canceller,
  log: Logger,
): NodeJS.Timeout {
  return setInterval(() => {
    renewLease(deps, lease).then(
      ({ cancelRequestedAt }) => {
        if (cancelRequestedAt) canceller.ask();
      },
      (error: unknown) => {
        // A database that is away for a moment is no lost lease: the next beat, or the fence, decides.
        if (!(error instanceof LeaseLostError)) return log.warn({ err: error }, "heartbeat failed");
        lost.abort(error);
      },
    );
  }, HEARTBEAT_MS);
}
