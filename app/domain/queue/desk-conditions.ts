import { type SQL, sql } from "drizzle-orm";
import { planTargets } from "#db/catalog.ts";
import type { Tx } from "#db/index.ts";
import { provisioningQueue, requestEvents } from "#db/queue.ts";
import { isLateSql, isSoonSql, SOON_SHARE, targetOfRequest } from "../sla/index.server.ts";
import type { DeskFilter, Window } from "./desk-filter.ts";
import { apartSql } from "./desk-status.ts";
import { searchCondition } from "./search.ts";

/** Nothing is "soon" further ahead than this: it bounds the walk along the index. */
const SOONEST = sql`coalesce(${provisioningQueue.dueAt}, 'infinity'::timestamptz) < berth_now() + (
  select max(h.hours) from ${planTargets} h) * ${sql.raw(String(SOON_SHARE))} * interval '1 hour'`;

/** Open, the clock running, not late, and little of the promise left. */
export const SOON: SQL = sql`${SOONEST} and exists (
  select from ${planTargets} where ${targetOfRequest} and ${isSoonSql})`;

const within = (column: SQL, { from, to }: Window): SQL[] => [
  ...(from ? [sql`${column} >= ${from.toISOString()}::timestamptz`] : []),
  ...(to ? [sql`${column} < ${to.toISOString()}::timestamptz`] : []),
];

const oneOf = (column: SQL, values: readonly string[] | undefined): SQL[] =>
  values ? [sql`${column} = any(${sql.param([...values])}::text[])`] : [];

/** What a filter asks for, besides the state and the place. All values go in as parameters. */
export async function conditionsOf(tx: Tx, filter: DeskFilter): Promise<SQL[]> {
  const { status, assignee, due, promise, completed, received, failed, text } = filter;
  const conditions = [
    ...(typeof status === "string" ? [] : apartSql(status)),
    ...oneOf(sql`${provisioningQueue.priority}`, filter.priority),
    ...oneOf(sql`${provisioningQueue.planId}`, filter.plan),
    ...oneOf(sql`${provisioningQueue.region}`, filter.region),
  ];
  if (assignee === "none") conditions.push(sql`${provisioningQueue.assigneeId} is null`);
  else if (assignee) conditions.push(sql`${provisioningQueue.assigneeId} = ${assignee}`);
  if (due) conditions.push(due === "late" ? isLateSql : SOON);
  if (promise || completed) conditions.push(sql`${provisioningQueue.status} = 'completed'`);
  if (promise === "kept") {
    conditions.push(sql`${provisioningQueue.endedAt} <= ${provisioningQueue.dueAt}`);
  } else if (promise === "broken") {
    conditions.push(sql`${provisioningQueue.endedAt} > ${provisioningQueue.dueAt}`);
  }
  if (completed) conditions.push(...within(sql`${provisioningQueue.endedAt}`, completed));
  if (received) conditions.push(...within(sql`${provisioningQueue.createdAt}`, received));
  if (failed) {
    const events = [sql`e.kind in ('failed', 'needs_person')`, ...within(sql`e.at`, failed)];
    conditions.push(sql`${provisioningQueue.id} in (
      select e.request_id from ${requestEvents} e where ${sql.join(events, sql` and `)})`);
  }
  if (text) conditions.push(await searchCondition(tx, text));
  return conditions;
}
