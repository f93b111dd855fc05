import { sql } from "drizzle-orm";
import type { Tx } from "#db/index.ts";
import type { JobContract } from "./contracts.ts";

/**
 * Enqueues a job in the caller's transaction: it exists if and only if that commits. Works under
 * every role, through the one function that may write to the job engine's tables.
 */
export async function enqueue<Payload>(
  tx: Tx,
  job: JobContract<Payload>,
  payload: Payload,
): Promise<void> {
  const body = JSON.stringify(job.payload.parse(payload));
  await tx.execute(sql`select berth_enqueue(${job.name}, ${body}::jsonb)`);
}
