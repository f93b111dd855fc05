import { and, gt, inArray } from "drizzle-orm";
import { session } from "#db/auth.ts";
import type { Db } from "#db/index.ts";

/**
 * Which of these sessions still hold. `authDb` is a pool under the login role `berth_auth`, which
 * alone may look.
 */
export async function livingSessions(
  authDb: Db,
  sessionIds: readonly string[],
): Promise<Set<string>> {
  if (sessionIds.length === 0) return new Set();
  const rows = await authDb
    .select({ id: session.id })
    .from(session)
    .where(and(inArray(session.id, [...sessionIds]), gt(session.expiresAt, new Date())));
  return new Set(rows.map(({ id }) => id));
}
