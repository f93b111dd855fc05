import { and, desc, eq, gt, sql } from "drizzle-orm";
import type { Tx } from "#db/index.ts";
import { provisioningQueue } from "#db/queue.ts";
import { estimateCompletion } from "../sla/index.server.ts";
import { databaseNow, type RequestRow } from "./requests.ts";

/** At 100,000 waiting, one count takes about a sixth of one pass. */
const COUNTED_ONE_BY_ONE = 5;

/**
 * The number of waiting requests ahead of each of these; null for one that is not waiting. Run it
 * as the house: row-level security would hide the others from a customer.
 */
export async function positionsOf(
  tx: Tx,
  requestIds: readonly string[],
): Promise<Map<string, number | null>> {
  if (requestIds.length === 0) return new Map();
  // A few are counted by the index; for many, one ordered pass over all who wait costs less.
  const { rows } = await tx.execute<{ id: string; position: string | null }>(
    requestIds.length <= COUNTED_ONE_BY_ONE
      ? sql`
        select mine.id, case when mine.status = 'pending' then (
          select count(*) from provisioning_queue ahead
          where ahead.status = 'pending' and (ahead.due_at, ahead.id) < (mine.due_at, mine.id)
        ) end as position
        from provisioning_queue mine
        where mine.id = any(${sql.param(requestIds)}::uuid[])`
      : sql`
        select mine.id, ordered.position
        from provisioning_queue mine
        left join (
          select id, row_number() over (order by due_at, id) - 1 as position
          from provisioning_queue where status = 'pending'
        ) ordered on ordered.id = mine.id
        where mine.id = any(${sql.param(requestIds)}::uuid[])`,
  );
  return new Map(rows.map((row) => [row.id, row.position === null ? null : Number(row.position)]));
}

/** Where requests stand among all who wait, as of one moment. */
export interface Ranking {
  /** How many wait. */
  waiting: number;
  /** Of the requests asked for, those that wait: how many are ahead of each. */
  positions: Map<string, number>;
}

/**
 * The positions of any number of requests by one ordered pass over all who wait, which is what each
 * refresh of a process costs, however many watch. Run it as the house, as {@link positionsOf}.
 */
export async function rankWaiting(tx: Tx, requestIds: readonly string[]): Promise<Ranking> {
  // Counted and picked out on the way through: kept for a second look, all who wait would not fit
  // into the memory of a query and go by way of a file.
  const { rows } = await tx.execute<{ waiting: string; ids: string[]; positions: string[] }>(sql`
    select count(*) as waiting,
      coalesce(array_agg(id::text) filter (where asked), '{}') as ids,
      coalesce(array_agg(position::text) filter (where asked), '{}') as positions
    from (
      select id, row_number() over (order by due_at, id) - 1 as position,
        id = any(${sql.param(requestIds)}::uuid[]) as asked
      from provisioning_queue where status = 'pending'
    ) ordered`);
  const [row] = rows;
  return {
    waiting: Number(row?.waiting ?? 0),
    positions: new Map(row?.ids.map((id, index) => [id, Number(row.positions[index])])),
  };
}

/** How many finished requests of the same plan speak for how long the next one takes. */
const SAMPLE = 50;

/** How long finished requests of a plan took in the last 30 days, newest first, in milliseconds. */
export async function recentDurations(tx: Tx, planId: string): Promise<number[]> {
  const recent = await tx
    .select({ createdAt: provisioningQueue.createdAt, endedAt: provisioningQueue.endedAt })
    .from(provisioningQueue)
    .where(
      and(
        eq(provisioningQueue.planId, planId),
        eq(provisioningQueue.status, "completed"),
        gt(provisioningQueue.endedAt, sql`berth_now() - interval '30 days'`),
      ),
    )
    .orderBy(desc(provisioningQueue.endedAt))
    .limit(SAMPLE);
  return recent.map(({ createdAt, endedAt }) => (endedAt?.getTime() ?? 0) - createdAt.getTime());
}

/** When this request will probably be done; null where its clock does not run. */
export async function estimateFor(tx: Tx, request: RequestRow): Promise<Date | null> {
  if (request.status === "completed") return request.endedAt;
  if (request.dueAt === null || request.status === "cancelled") return null;
  return estimateCompletion({
    now: await databaseNow(tx),
    createdAt: request.createdAt,
    due: request.dueAt,
    recentDurationsMs: await recentDurations(tx, request.planId),
  });
}
