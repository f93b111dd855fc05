import { asc, desc, eq, type SQL, sql } from "drizzle-orm";
import { user } from "#db/auth.ts";
import { type PRIORITIES, plans, planTargets } from "#db/catalog.ts";
import { customers } from "#db/customers.ts";
import type { Tx } from "#db/index.ts";
import { provisioningQueue, REQUEST_STATUSES } from "#db/queue.ts";
import { type DueState, dueStateSql, targetOfRequest } from "../sla/index.server.ts";
import { conditionsOf } from "./desk-conditions.ts";
import { type DeskCursor, type DeskOrder, writeDeskCursor } from "./desk-cursor.ts";
import type { DeskFilter } from "./desk-filter.ts";
import { hasEnded, statesOf } from "./desk-status.ts";
import { OPEN, type RequestStatus } from "./states.ts";

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
  /** Why it stands as failed. */
  failureCode: string | null;
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
  if (status.every(hasEnded)) return "ended";
  return status.some(hasEnded) ? "received" : "due";
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
  return status === "all" ? REQUEST_STATUSES : statesOf(status);
};

/** A page of what the filter leaves, in the order that {@link orderOf} names. */
export async function listDesk(tx: Tx, filter: DeskFilter): Promise<DeskPage> {
  const order = orderOf(filter);
  // A cursor of another order is from another list: this one begins at its beginning.
  const cursor = filter.cursor?.order === order ? filter.cursor : undefined;
  const { key, newestFirst } = KEYS[order];
  const direction = newestFirst ? desc : asc;
  const found = await tx
    .select({
      requestId: provisioningQueue.id,
      company: customers.company,
      plan: plans.name,
      region: provisioningQueue.region,
      priority: provisioningQueue.priority,
      status: provisioningQueue.status,
      failureCode: sql<string | null>`${provisioningQueue.failure} ->> 'code'`,
      dueAt: provisioningQueue.dueAt,
      createdAt: provisioningQueue.createdAt,
      endedAt: provisioningQueue.endedAt,
      assignee: { id: user.id, name: user.name },
      dueState: dueStateSql,
      claimEnded: sql<boolean>`${provisioningQueue.status} = 'in_progress'
        and coalesce(${provisioningQueue.leaseExpiresAt} <= berth_now(), false)`,
    })
    .from(provisioningQueue)
    .innerJoin(customers, eq(customers.id, provisioningQueue.customerId))
    .innerJoin(plans, eq(plans.id, provisioningQueue.planId))
    .innerJoin(planTargets, targetOfRequest)
    .leftJoin(user, eq(user.id, provisioningQueue.assigneeId))
    .where(sql`${provisioningQueue.id} in (${await idsOfPage(tx, filter, order, cursor)})`)
    .orderBy(direction(key), direction(provisioningQueue.id));
  const isMore = found.length > DESK_PAGE;
  const backwards = cursor?.direction === "before";
  const rows = (backwards ? found.slice(-DESK_PAGE) : found.slice(0, DESK_PAGE)).map((row) => ({
    ...row,
    dueAt: row.dueAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    endedAt: row.endedAt?.toISOString() ?? null,
  }));
  const at = (row: DeskRow | undefined, towards: DeskCursor["direction"]) =>
    row
      ? writeDeskCursor({ order, direction: towards, key: keyOf(row, order), id: row.requestId })
      : null;
  return {
    order,
    rows,
    // Whoever came from a page can go back to it.
    nextCursor: backwards || isMore ? at(rows.at(-1), "after") : null,
    previousCursor: (backwards ? isMore : cursor) ? at(rows[0], "before") : null,
  };
}

const keyOf = (row: DeskRow, order: DeskOrder): string => {
  if (order === "received") return row.createdAt;
  return (order === "due" ? row.dueAt : row.endedAt) ?? "infinity";
};

/** A query for the ids of a page, and of one more row, from the cursor on. */
async function idsOfPage(
  tx: Tx,
  filter: DeskFilter,
  order: DeskOrder,
  cursor: DeskCursor | undefined,
): Promise<SQL> {
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
  const page = (columns: SQL, status: SQL) => sql`
    select ${columns} from ${provisioningQueue}
    where ${sql.join([status, ...conditions], sql` and `)}
    order by ${key} ${towards}, ${provisioningQueue.id} ${towards} limit ${DESK_PAGE + 1}`;
  const id = sql`${provisioningQueue.id} as id`;
  const statuses = sql`${sql.param([...statusesOf(filter)])}::text[]`;
  if (order !== "due") {
    return page(
      id,
      filter.status === "all" ? sql`true` : sql`${provisioningQueue.status} = any(${statuses})`,
    );
  }
  return sql`select page.id from unnest(${statuses}) as wanted(status)
    cross join lateral (
      ${page(sql`${id}, ${key} as key`, sql`${provisioningQueue.status} = wanted.status`)}) page
    order by page.key ${towards}, page.id ${towards} limit ${DESK_PAGE + 1}`;
}
