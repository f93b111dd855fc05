/** What came in, what was finished and how well, over stretches of time. */
import { sql } from "drizzle-orm";
import type { Tx } from "#db/index.ts";
import type { Window, Windows } from "./windows.ts";

/** How much of a window: both ends bound the index on that column. */
const within = (column: string, { from, to }: Window) =>
  sql`${sql.raw(column)} >= ${from}::timestamptz and ${sql.raw(column)} < ${to}::timestamptz`;

/** What was received and what was completed in one window. */
export interface Flow {
  arrived: number;
  completed: number;
  /** Completed no later than promised. */
  kept: number;
  broken: number;
  /** Requests of which at least one run ended badly. */
  failed: number;
}

export async function readFlow(tx: Tx, windows: readonly Window[]): Promise<Flow[]> {
  const { rows } = await tx.execute<Record<keyof Flow, string>>(sql`
    select arrived.count as arrived, done.completed, done.kept, done.completed - done.kept as broken, failed.count as failed
    from jsonb_to_recordset(${JSON.stringify(windows.map((window, place) => ({ ...window, place })))}::jsonb)
      as w("from" timestamptz, "to" timestamptz, place int)
    cross join lateral (
      select count(*) from provisioning_queue where created_at >= w."from" and created_at < w."to"
    ) arrived
    cross join lateral (
      select count(*) as completed, count(*) filter (where ended_at <= due_at) as kept
      from provisioning_queue
      where status = 'completed' and ended_at >= w."from" and ended_at < w."to"
    ) done
    cross join lateral (
      select count(distinct request_id) from request_events
      where kind in ('failed', 'needs_person') and at >= w."from" and at < w."to"
    ) failed
    order by w.place`);
  return rows.map((row) => ({
    arrived: Number(row.arrived),
    completed: Number(row.completed),
    kept: Number(row.kept),
    broken: Number(row.broken),
    failed: Number(row.failed),
  }));
}

/** Milliseconds; null where there is nothing to measure. */
export interface Spread {
  median: number | null;
  p95: number | null;
}

/** Of the requests completed in a window, how long they took. */
export interface Durations {
  count: number;
  /** Received to completed. */
  whole: Spread;
  /** Received to its first claim. */
  waiting: Spread;
  /** First claim to the first credentials. */
  preparing: Spread;
  /** First credentials to completed, repairs included. */
  building: Spread;
}

export async function readDurations(tx: Tx, window: Window): Promise<Durations> {
  const spread = (from: string, to: string) =>
    sql.raw(
      `percentile_cont(array[0.5, 0.95]) within group (order by extract(epoch from ${to} - ${from}) * 1000)`,
    );
  const first = (kind: string) =>
    sql`(select min(at) from request_events where request_id = q.id and kind = ${kind})`;
  const { rows } = await tx.execute<
    { count: string } & Record<Exclude<keyof Durations, "count">, (number | null)[] | null>
  >(sql`
    with done as materialized (
      select created_at, ended_at, ${first("claimed")} as claimed_at, ${first("credentials_submitted")} as submitted_at
      from provisioning_queue q where status = 'completed' and ${within("ended_at", window)}
    )
    select count(*),
      ${spread("created_at", "ended_at")} as whole,
      ${spread("created_at", "claimed_at")} as waiting,
      ${spread("claimed_at", "submitted_at")} as preparing,
      ${spread("submitted_at", "ended_at")} as building
    from done`);
  const row = rows[0];
  const both = (pair: (number | null)[] | null | undefined): Spread => ({
    median: pair?.[0] ?? null,
    p95: pair?.[1] ?? null,
  });
  return {
    count: Number(row?.count ?? 0),
    whole: both(row?.whole),
    waiting: both(row?.waiting),
    preparing: both(row?.preparing),
    building: both(row?.building),
  };
}

/** Runs that ended by themselves: well, or with something for a person to do. */
export interface RunOutcomes {
  ended: number;
  succeeded: number;
}

export async function readRunOutcomes(tx: Tx, window: Window): Promise<RunOutcomes> {
  const { rows } = await tx.execute<{ ended: string; succeeded: string }>(sql`
    select count(*) as ended, count(*) filter (where status = 'succeeded') as succeeded
    from provisioning_runs
    where status in ('succeeded', 'failed', 'needs_person') and ${within("ended_at", window)}`);
  return { ended: Number(rows[0]?.ended ?? 0), succeeded: Number(rows[0]?.succeeded ?? 0) };
}

/** One stretch of a chart. Both ends are UTC dates; `to` is the day after its last. */
export interface Stretch {
  from: string;
  to: string;
}
export interface DayFlow extends Stretch {
  arrived: number;
  completed: number;
}
export interface WeekPromises extends Stretch {
  completed: number;
  kept: number;
}

const dates = ({ from, to }: Window): Stretch => ({ from: from.slice(0, 10), to: to.slice(0, 10) });

const spanOf = (windows: readonly Window[]): Window => ({
  from: windows[0]?.from ?? "",
  to: windows.at(-1)?.to ?? "",
});

/** Arrivals and completions of each day, days without any included. */
export async function readDays(tx: Tx, { days }: Windows): Promise<DayFlow[]> {
  const span = spanOf(days);
  const { rows } = await tx.execute<{ day: string; arrived: string; completed: string }>(sql`
    select to_char(at at time zone 'UTC', 'YYYY-MM-DD') as day,
      count(*) filter (where what = 'arrived') as arrived,
      count(*) filter (where what = 'completed') as completed
    from (
      select created_at as at, 'arrived' as what from provisioning_queue where ${within("created_at", span)}
      union all
      select ended_at, 'completed' from provisioning_queue
      where status = 'completed' and ${within("ended_at", span)}
    ) happened
    group by 1`);
  const found = new Map(rows.map((row) => [row.day, row]));
  return days.map((day) => {
    const row = found.get(day.from.slice(0, 10));
    return {
      ...dates(day),
      arrived: Number(row?.arrived ?? 0),
      completed: Number(row?.completed ?? 0),
    };
  });
}

/** How many of each week's completed requests kept their promise, weeks without any included. */
export async function readWeeks(tx: Tx, { weeks }: Windows): Promise<WeekPromises[]> {
  const { rows } = await tx.execute<{ monday: string; completed: string; kept: string }>(sql`
    select to_char(date_trunc('week', ended_at at time zone 'UTC'), 'YYYY-MM-DD') as monday,
      count(*) as completed, count(*) filter (where ended_at <= due_at) as kept
    from provisioning_queue
    where status = 'completed' and ${within("ended_at", spanOf(weeks))}
    group by 1`);
  const found = new Map(rows.map((row) => [row.monday, row]));
  return weeks.map((week) => {
    const row = found.get(week.from.slice(0, 10));
    return { ...dates(week), completed: Number(row?.completed ?? 0), kept: Number(row?.kept ?? 0) };
  });
}
