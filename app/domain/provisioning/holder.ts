import { and, eq, isNotNull } from "drizzle-orm";
import { adminUsers } from "#db/identity.ts";
import type { Tx } from "#db/index.ts";

/** Whether somebody is off the staff by now. What waits or has failed stays with them all the same. */
export async function hasLeft(tx: Tx, userId: string): Promise<boolean> {
  const left = await tx
    .select({ userId: adminUsers.userId })
    .from(adminUsers)
    .where(and(eq(adminUsers.userId, userId), isNotNull(adminUsers.deactivatedAt)));
  return left.length > 0;
}
