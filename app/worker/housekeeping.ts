import { lt, sql } from "drizzle-orm";
import { purgeRetiredSecrets } from "#app/domain/backends/index.server.ts";
import { expireClaims } from "#app/domain/queue/index.server.ts";
import { idempotencyKeys, rateLimits } from "#db/api.ts";
import { type Actor, asActor, type Db } from "#db/index.ts";

/** How long an answer can be asked for again under its Idempotency-Key. */
const ANSWERS_KEPT = sql`berth_now() - interval '30 days'`;
/** Longer than any budget's window. */
const SPENDING_KEPT = sql`berth_now() - interval '1 hour'`;

/**
 * Ends claims that ran out, destroys what was sealed for retired backends, and forgets what the API
 * need not remember. Every worker does it.
 * @returns whether there may be more of it at once.
 */
export async function keepHouse({ db, actor }: { db: Db; actor: Actor }): Promise<boolean> {
  const counts = await asActor(db, actor, async (tx) => [
    await expireClaims({ tx, actor }),
    await purgeRetiredSecrets({ tx, actor }),
  ]);
  await asActor(db, actor, async (tx) => {
    await tx.delete(rateLimits).where(lt(rateLimits.windowStart, SPENDING_KEPT));
    await tx.delete(idempotencyKeys).where(lt(idempotencyKeys.createdAt, ANSWERS_KEPT));
  });
  return counts.some((count) => count > 0);
}
