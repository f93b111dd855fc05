import { sql } from "drizzle-orm";
import { purgeRetiredSecrets } from "#app/domain/backends/index.server.ts";
import { forgetDrafts } from "#app/domain/onboarding/index.server.ts";
import { expireClaims } from "#app/domain/queue/index.server.ts";
import { type Actor, asActor, type Db, type Tx } from "#db/index.ts";

/** At most so many rows of each kind in one transaction. */
const BATCH = 100;

/**
 * Ends claims that ran out, destroys what was sealed for retired backends, forgets sign-ups that
 * nobody goes on with, and what the API need not remember: budgets after an hour, answers under an
 * Idempotency-Key after 30 days. Every worker does it.
 * @returns whether there may be more of it at once.
 */
export async function keepHouse({ db, actor }: { db: Db; actor: Actor }): Promise<boolean> {
  const counts = [
    await asActor(db, actor, (tx) => expireClaims({ tx, actor })),
    await asActor(db, actor, (tx) => purgeRetiredSecrets({ tx, actor })),
    await asActor(db, actor, (tx) => forgetDrafts({ tx, actor })),
    await asActor(db, actor, forget),
  ];
  return counts.some((count) => count >= BATCH);
}

async function forget(tx: Tx): Promise<number> {
  const spent = await tx.execute(sql`delete from rate_limits where ctid = any(array(
    select ctid from rate_limits where window_start < berth_now() - interval '1 hour' limit ${BATCH}))`);
  const answers = await tx.execute(sql`delete from idempotency_keys where ctid = any(array(
    select ctid from idempotency_keys where created_at < berth_now() - interval '30 days' limit ${BATCH}))`);
  return Math.max(spent.rowCount ?? 0, answers.rowCount ?? 0);
}
