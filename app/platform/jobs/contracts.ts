import { z } from "zod";

/**
 * A job is declared here and handled in the worker alone. A payload holds ids, never a secret:
 * it stands in a table for days.
 */
export interface JobContract<Payload> {
  readonly name: string;
  readonly payload: z.ZodType<Payload>;
  /** pg-boss's queue settings: how often and how long it tries again. */
  readonly queue: {
    retryLimit: number;
    retryDelay: number;
    retryBackoff: boolean;
    expireInSeconds: number;
  };
}

function contract<Payload>(declared: JobContract<Payload>): JobContract<Payload> {
  return declared;
}

/** Wakes a worker for a run. The run's own lease decides who works on it, and the scan finds it anyway. */
export const provisionRun = contract({
  name: "provision-run",
  payload: z.strictObject({ runId: z.uuid() }),
  queue: { retryLimit: 0, retryDelay: 1, retryBackoff: false, expireInSeconds: 3600 },
});

/** Wakes a worker for a mail. The outbox row keeps count of attempts, and the scan finds it anyway. */
export const deliverMail = contract({
  name: "deliver-mail",
  payload: z.strictObject({ outboxId: z.uuid() }),
  queue: { retryLimit: 0, retryDelay: 1, retryBackoff: false, expireInSeconds: 120 },
});

export const jobContracts = [provisionRun, deliverMail] as const;
