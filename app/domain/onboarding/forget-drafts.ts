import { sql } from "drizzle-orm";
import type { Actor, Tx } from "#db/index.ts";
import { recordAudit } from "../audit/index.server.ts";
import { destroySealedAhead } from "../backends/index.server.ts";

/** A sign-up that nobody has touched for so many days is forgotten. */
export const DRAFT_DAYS = 30;

/**
 * Deletes drafts that nobody has touched for long, with what is sealed for them. Bounded; safe from
 * many workers at once, and from a customer who comes back in that moment.
 * @returns how many went
 */
export async function forgetDrafts(
  { tx, actor }: { tx: Tx; actor: Actor },
  limit = 100,
): Promise<number> {
  const stale = sql`request_id is null and updated_at < berth_now() - make_interval(days => ${DRAFT_DAYS})`;
  const { rows } = await tx.execute<{ id: string; backend_id: string | null }>(sql`
    delete from onboarding_drafts
    where id = any(array(select id from onboarding_drafts where ${stale} order by id limit ${limit})) and ${stale}
    returning id, backend_id`);
  for (const { id, backend_id: backendId } of rows) {
    if (backendId !== null) await destroySealedAhead({ tx, actor }, backendId);
    await recordAudit(tx, actor, { action: "draft.expire", subjectKind: "draft", subjectId: id });
  }
  return rows.length;
}
