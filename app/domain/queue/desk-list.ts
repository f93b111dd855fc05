import { asc, desc, eq, isNull, type SQL, sql } from "drizzle-orm";
import { user } from "#db/auth.ts";
import { PRIORITIES, plans, planTargets } from "#db/catalog.ts";
import { customers } from "#db/customers.ts";
import { adminUsers } from "#db/identity.ts";
import type { Tx } from "#db/index.ts";
import { provisioningQueue, REQUEST_STATUSES } from "#db/queue.ts";
import { type DueState, dueState, isLateSql, targetOfRequest } from "../sla/index.server.ts";
import { conditionsOf, SOON } from "./desk-conditions.ts";
import { type DeskCursor, type DeskOrder, writeDeskCursor } from "./desk-cursor.ts";
import type { DeskFilter } from "./desk-filter.ts";
import { databaseNow } from "./requests.ts";
import { ENDED, OPEN, type RequestStatus } from "./states.ts";

/** Rows of one page of the desk's queue. */
export const DESK_PAGE = 50;

/** A row of the desk's queue. Times are ISO 8601 in UTC. */
export interface DeskRow {
  requestId: string;
  company: string;
  plan: string;
  region: string;
  priority: (typeof PRIORITIES)[number];
  status: RequestStatus;
  dueAt: string | null;
  dueState: DueState;
  createdAt: string;
  endedAt: string | null;
  assignee: { id: string; name: string } | null;
  /** The claim is over and nobody has taken it yet: anybody may. */
  claimEnded: boolean;
}

export interface DeskPage {
  rows: DeskRow[];
  order: DeskOrder;
  nextCursor: string | null;
  previousCursor: string | null;
}

/** By what a list is in order: open ones by their promise, ended ones by their end, newest first. */
export function orderOf({ status }: Pick<DeskFilter, "status">): DeskOrder {
  if (status === "open") return "due";
  if (status === "all") return "received";
  if (status.every((one) => ENDED.includes(one))) return "ended";
  return status.some((one) => ENDED.includes(one)) ? "received" : "due";
}

/** The column that each order goes by, and whether the newest comes first. Each has an index. */
const KEYS: Record<DeskOrder, { key: SQL; newestFirst: boolean }> = {
  due: {
    key: sql`coalesce(${provisioningQueue.dueAt}, 'infinity'::timestamptz)`,
    newestFirst: false,
  },
  ended: { key: sql`${provisioningQueue.endedAt}`, newestFirst: true },
  received: { key: sql`${provisioningQueue.createdAt}`, newestFirst: true },
};

const statusesOf = ({ status }: Pick<DeskFilter, "status">): readonly RequestStatus[] => {
  if (status === "open") return OPEN;
  return status === "all" ? REQUEST_STATUSES : status;
};

/** A page of what the filter leaves, in the order that {@link orderOf} names. */
export async function listDesk(tx: Tx, filter: DeskFilter): Promise<DeskPage> {
  const order = orderOf(filter);
  // A cursor of another order is from another list: this one begins at its beginning.
  const cursor = filter.cursor?.order === order ? filter.cursor : undefined;
  const now = await databaseNow(tx);
  const ids = await pageOf(tx, filter, order, cursor);
  const { key, newestFirst } = KEYS[order];
  const direction = newestFirst ? desc : asc;
  const found = await tx
    .select({
      request: provisioningQueue,
      company: customers.company,
      plan: plans.name,
      targetHours: planTargets.hours,
      assignee: { id: user.id, name: user.name },
    })
    .from(provisioningQueue)
    .innerJoin(customers, eq(customers.id, provisioningQueue.customerId))
    .innerJoin(plans, eq(plans.id, provisioningQueue.planId))
    .innerJoin(planTargets, targetOfRequest)
    .leftJoin(user, eq(user.id, provisioningQueue.assigneeId))
    .where(sql`${provisioningQueue.id} = any(${sql.param(ids.slice(0, DESK_PAGE))}::uuid[])`)
    .orderBy(direction(key), direction(provisioningQueue.id));
  const isMore = ids.length > DESK_PAGE;
  const at = (row: (typeof found)[number] | undefined, towards: DeskCursor["direction"]) =>
    row
      ? writeDeskCursor({
          order,
          direction: towards,
          key: keyOf(row.request, order),
          id: row.request.id,
        })
      : null;
  const backwards = cursor?.direction === "before";
  return {
    order,
    rows: found.map(({ request, targetHours, ...names }) => ({
      ...names,
      requestId: request.id,
      region: request.region,
      priority: request.priority,
      status: request.status,
      dueAt: request.dueAt?.toISOString() ?? null,
      dueState: dueState({ now, dueAt: request.dueAt, targetHours }),
      createdAt: request.createdAt.toISOString(),
      endedAt: request.endedAt?.toISOString() ?? null,
      claimEnded:
        request.status === "in_progress" &&
        request.leaseExpiresAt !== null &&
        request.leaseExpiresAt <= now,
    })),
    // Whoever came from a page can go back to it.
    nextCursor: backwards || isMore ? at(found.at(-1), "after") : null,
    previousCursor: (backwards ? isMore : cursor) ? at(found[0], "before") : null,
  };
}

const keyOf = (request: typeof provisioningQueue.$inferSelect, order: DeskOrder): string => {
  if (order === "received") return request.createdAt.toISOString();
  const key = order === "due" ? request.dueAt : request.endedAt;
  return key?.toISOString() ?? "infinity";
};

/** The ids of a page, and of one more row, from the cursor on. */
async function pageOf(
  tx: Tx,
  filter: DeskFilter,
  order: DeskOrder,
  cursor: DeskCursor | undefined,
): Promise<string[]> {
  const { key, newestFirst } = KEYS[order];
  const descending = newestFirst !== (cursor?.direction === "before");
  const towards = sql.raw(descending ? "desc" : "asc");
  const conditions = await conditionsOf(tx, filter);
  if (cursor) {
    const compare = sql.raw(descending ? "<" : ">");
    conditions.push(
      sql`(${key}, ${provisioningQueue.id}) ${compare} (${cursor.key}::timestamptz, ${cursor.id}::uuid)`,
    );
  }
  if (order === "ended") conditions.push(sql`${provisioningQueue.endedAt} is not null`);
  // Status by status, since an index gives the order within one status alone. The mixed list goes
  // by arrival, and by that index.
  const page = (status: SQL) => sql`
    select ${provisioningQueue.id} as id, ${key} as key from ${provisioningQueue}
    where ${sql.join([status, ...conditions], sql` and `)}
    order by ${key} ${towards}, ${provisioningQueue.id} ${towards} limit ${DESK_PAGE + 1}`;
  const statuses = sql`${sql.param([...statusesOf(filter)])}::text[]`;
  const { rows } = await tx.execute<{ id: string }>(
    order === "due"
      ? sql`select page.id from unnest(${statuses}) as wanted(status)
          cross join lateral (${page(sql`${provisioningQueue.status} = wanted.status`)}) page
          order by page.key ${towards}, page.id ${towards} limit ${DESK_PAGE + 1}`
      : page(
          filter.status === "all" ? sql`true` : sql`${provisioningQueue.status} = any(${statuses})`,
        ),
  );
  return rows.map(({ id }) => id);
}

/** Beyond this nobody counts with the eye; the dashboard has the exact numbers. */
const COUNTED = 10_000;

/** How many requests wait, are due soon, and are late; each counted up to one more than 10,000. */
export async function countDesk(tx: Tx): Promise<{ waiting: number; soon: number; late: number }> {
  const count = (condition: SQL) => sql`(select count(*)::int from (
    select from ${provisioningQueue} where ${condition} limit ${COUNTED + 1}) counted)`;
  const { rows } = await tx.execute<{ waiting: number; soon: number; late: number }>(sql`select
    ${count(sql`${provisioningQueue.status} = 'pending'`)} as waiting,
    ${count(SOON)} as soon,
    ${count(isLateSql)} as late`);
  return rows[0] ?? { waiting: 0, soon: 0, late: 0 };
}

/** What the filters offer to choose from. */
export async function deskChoices(tx: Tx): Promise<{
  statuses: readonly RequestStatus[];
  priorities: typeof PRIORITIES;
  plans: { id: string; name: string }[];
  staff: { id: string; name: string }[];
}> {
  return {
    statuses: REQUEST_STATUSES,
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
