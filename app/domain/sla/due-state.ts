import { and, eq, type SQL, sql } from "drizzle-orm";
import { planTargets } from "#db/catalog.ts";
import { provisioningQueue } from "#db/queue.ts";

/**
 * How a request stands against its promise. `paused`: the clock does not run, so nothing is due.
 * What has ended keeps its due time; ask only about open requests.
 */
export type DueState = "fine" | "soon" | "late" | "paused";

/** "Soon" begins when less than this share of the promise is left. */
export const SOON_SHARE = 0.25;

const HOUR_MS = 3_600_000;

/** {@link dueStateSql} for one request in hand; `targetHours` is the whole promise. */
export function dueState(facts: { now: Date; dueAt: Date | null; targetHours: number }): DueState {
  if (facts.dueAt === null) return "paused";
  const left = facts.dueAt.getTime() - facts.now.getTime();
  if (left <= 0) return "late";
  return left < facts.targetHours * SOON_SHARE * HOUR_MS ? "soon" : "fine";
}

/** Once per query, in whole milliseconds, as due times and JavaScript's dates are. */
const now = sql`(select date_trunc('milliseconds', berth_now()))`;
const soonFrom = sql`${now} + ${planTargets.hours} * ${sql.raw(String(SOON_SHARE))} * interval '1 hour'`;

/** The join that the fragments below need: each request's promise, by plan and priority. */
export const targetOfRequest = and(
  eq(planTargets.planId, provisioningQueue.planId),
  eq(planTargets.priority, provisioningQueue.priority),
) as SQL;

/** {@link dueState} of each request, for queries that join {@link targetOfRequest}. */
export const dueStateSql = sql<DueState>`case
  when ${provisioningQueue.dueAt} is null then 'paused'
  when ${provisioningQueue.dueAt} <= ${now} then 'late'
  when ${provisioningQueue.dueAt} < ${soonFrom} then 'soon'
  else 'fine' end`;

/** As the indexes have it: paused requests come last. */
const dueOrLast = sql`coalesce(${provisioningQueue.dueAt}, 'infinity'::timestamptz)`;

/** Neither completed nor cancelled; written as a list, since the index on the status wants one. */
export const isOpenSql = sql<boolean>`${provisioningQueue.status} in
  ('pending', 'in_progress', 'waiting_on_customer', 'credentials_received', 'migrating', 'failed')`;

/** Open, its clock running, and its promise past. */
export const isLateSql = sql<boolean>`(${isOpenSql} and ${dueOrLast} <= ${now})`;

/** Open, its clock running, not late, little of its promise left. Needs {@link targetOfRequest}. */
export const isSoonSql = sql<boolean>`(${isOpenSql} and ${dueOrLast} > ${now} and ${dueOrLast} < ${soonFrom})`;
