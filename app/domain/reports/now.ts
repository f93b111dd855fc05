/** The queue as it stands: what waits, what is due, who carries what. */
import { and, asc, eq, isNull, type SQL, sql } from "drizzle-orm";
import { user } from "#db/auth.ts";
import { planTargets } from "#db/catalog.ts";
import { customers } from "#db/customers.ts";
import { adminUsers } from "#db/identity.ts";
import type { Tx } from "#db/index.ts";
import { provisioningQueue } from "#db/queue.ts";
import type { RequestStatus } from "../queue/index.server.ts";
import { DESK_OPEN, type DeskStatus, deskStatusSql } from "../queue/index.server.ts";
import {
  type DueState,
  dueStateSql,
  isLateSql,
  isOpenSql,
  isSoonSql,
  targetOfRequest,
} from "../sla/index.server.ts";

/** How many open requests stand how, failures apart from cancelled runs, and how many of them stand how against their promise. */
export async function countOpen(tx: Tx): Promise<{
  statuses: { status: DeskStatus; count: number }[];
  due: Record<DueState, number>;
}> {
  const rows = await tx
    .select({
      status: deskStatusSql.as("desk_status"),
      due: dueStateSql.as("due"),
      count: sql`count(*)`.mapWith(Number),
    })
    .from(provisioningQueue)
    .innerJoin(planTargets, targetOfRequest)
    .where(isOpenSql)
    .groupBy(sql`desk_status`, sql`due`);
  const due: Record<DueState, number> = { fine: 0, soon: 0, late: 0, paused: 0 };
  const statuses = new Map<DeskStatus, number>(DESK_OPEN.map((status) => [status, 0]));
  for (const row of rows) {
    due[row.due] += row.count;
    statuses.set(row.status, (statuses.get(row.status) ?? 0) + row.count);
  }
  return { statuses: [...statuses].map(([status, count]) => ({ status, count })), due };
}

/** A request in a list of what is due. Times are ISO 8601 in UTC. */
export interface DueRequest {
  requestId: string;
  company: string;
  status: RequestStatus;
  /** Why it stands as failed. */
  failureCode: string | null;
  createdAt: string;
  dueAt: string;
  assignee: string | null;
}

/** How many of each list the dashboard names; the queue shows the rest. */
const NAMED = 5;

/** The most urgent requests that are late, or due soon: the oldest promise first. */
export const listLate = (tx: Tx) => listDue(tx, isLateSql);
export const listSoon = (tx: Tx) => listDue(tx, isSoonSql);

async function listDue(tx: Tx, condition: SQL): Promise<DueRequest[]> {
  const rows = await tx
    .select({
      requestId: provisioningQueue.id,
      company: customers.company,
      status: provisioningQueue.status,
      failureCode: sql<string | null>`${provisioningQueue.failure} ->> 'code'`,
      createdAt: provisioningQueue.createdAt,
      dueAt: provisioningQueue.dueAt,
      assignee: user.name,
    })
    .from(provisioningQueue)
    .innerJoin(planTargets, targetOfRequest)
    .innerJoin(customers, eq(customers.id, provisioningQueue.customerId))
    .leftJoin(user, eq(user.id, provisioningQueue.assigneeId))
    .where(condition)
    .orderBy(
      sql`coalesce(${provisioningQueue.dueAt}, 'infinity'::timestamptz)`,
      provisioningQueue.id,
    )
    .limit(NAMED);
  return rows.map((row) => ({
    ...row,
    createdAt: row.createdAt.toISOString(),
    dueAt: row.dueAt?.toISOString() ?? "",
  }));
}

/** A member of the staff, and how much of what it can carry it has in hand. */
export interface Load {
  userId: string;
  name: string;
  role: string;
  onDuty: boolean;
  /** Open requests assigned to this person. */
  held: number;
  capacity: number;
}

/** Everybody active on the staff: who is on duty first, the fullest hands first. */
export async function readLoads(tx: Tx): Promise<Load[]> {
  const held = sql<number>`count(${provisioningQueue.id})`.mapWith(Number);
  return tx
    .select({
      userId: adminUsers.userId,
      name: user.name,
      role: adminUsers.role,
      onDuty: adminUsers.onDuty,
      held,
      capacity: adminUsers.capacity,
    })
    .from(adminUsers)
    .innerJoin(user, eq(user.id, adminUsers.userId))
    .leftJoin(
      provisioningQueue,
      and(eq(provisioningQueue.assigneeId, adminUsers.userId), isOpenSql),
    )
    .where(isNull(adminUsers.deactivatedAt))
    .groupBy(adminUsers.userId, user.name)
    .orderBy(sql`${adminUsers.onDuty} desc`, sql`${held} desc`, asc(user.name));
}
