import { eq, isNull, type SQL, sql } from "drizzle-orm";
import { user } from "#db/auth.ts";
import { PRIORITIES, plans } from "#db/catalog.ts";
import { adminUsers } from "#db/identity.ts";
import type { Tx } from "#db/index.ts";
import { provisioningQueue } from "#db/queue.ts";
import { isLateSql } from "../sla/index.server.ts";
import { SOON } from "./desk-conditions.ts";
import { DESK_STATUSES, type DeskStatus } from "./desk-status.ts";

/** Beyond this nobody counts with the eye; the dashboard has the exact numbers. */
const COUNTED = 1_000;

/** At most 1,000; `isMore` where there are more. */
interface DeskCount {
  count: number;
  isMore: boolean;
}

/** How many requests wait, are due soon, and are late. */
export interface DeskCounts {
  waiting: DeskCount;
  soon: DeskCount;
  late: DeskCount;
}

const upToBound = (found = 0): DeskCount => ({
  count: Math.min(found, COUNTED),
  isMore: found > COUNTED,
});

/** Counts what matters now on the desk. */
export async function countDesk(tx: Tx): Promise<DeskCounts> {
  const count = (condition: SQL) => sql`(select count(*)::int from (
    select from ${provisioningQueue} where ${condition} limit ${COUNTED + 1}) counted)`;
  const { rows } = await tx.execute<Record<keyof DeskCounts, number>>(sql`select
    ${count(sql`${provisioningQueue.status} = 'pending'`)} as waiting,
    ${count(SOON)} as soon,
    ${count(isLateSql)} as late`);
  const [found] = rows;
  return {
    waiting: upToBound(found?.waiting),
    soon: upToBound(found?.soon),
    late: upToBound(found?.late),
  };
}

interface DeskChoices {
  statuses: readonly DeskStatus[];
  priorities: typeof PRIORITIES;
  plans: { id: string; name: string }[];
  staff: { id: string; name: string }[];
}

/** What the filters offer to choose from. */
export async function deskChoices(tx: Tx): Promise<DeskChoices> {
  return {
    statuses: DESK_STATUSES,
    priorities: PRIORITIES,
    plans: await tx.select({ id: plans.id, name: plans.name }).from(plans).orderBy(plans.position),
    staff: await tx
      .select({ id: adminUsers.userId, name: user.name })
      .from(adminUsers)
      .innerJoin(user, eq(user.id, adminUsers.userId))
      .where(isNull(adminUsers.deactivatedAt))
      .orderBy(user.name, user.id)
      .limit(200),
  };
}

/** Who a list is narrowed to, if the filters do not offer them: who left the staff still has requests. */
export async function assigneeName(tx: Tx, userId: string): Promise<string | null> {
  const [found] = await tx
    .select({ name: user.name })
    .from(adminUsers)
    .innerJoin(user, eq(user.id, adminUsers.userId))
    .where(eq(adminUsers.userId, userId));
  return found?.name ?? null;
}
