import { sql } from "drizzle-orm";
import type { Tx } from "#db/index.ts";

const DAY_MS = 86_400_000;

/** From inclusive, to exclusive. ISO 8601 in UTC. */
export interface Window {
  from: string;
  to: string;
}

/** The stretches of time that the dashboard speaks of, cut at one moment. */
export interface Windows {
  last7: Window;
  /** The seven days before those. */
  previous7: Window;
  last30: Window;
  /** Whole days in UTC, oldest first; the last one is today. */
  days: Window[];
  /** Weeks from Monday to Sunday (ISO 8601) in UTC, oldest first; the last one is this week. */
  weeks: Window[];
}

const DAYS_SHOWN = 30;
const WEEKS_SHOWN = 12;

/** Cut by the database's clock, as of the start of this transaction. */
export async function readWindows(tx: Tx): Promise<Windows> {
  const { rows } = await tx.execute<{ now: string }>(sql`
    select floor(extract(epoch from berth_now()) * 1000)::text as now`);
  return windowsAt(new Date(Number(rows[0]?.now)));
}

export function windowsAt(now: Date): Windows {
  const ago = (days: number) => new Date(now.getTime() - days * DAY_MS).toISOString();
  const today = Math.floor(now.getTime() / DAY_MS) * DAY_MS;
  // Sunday is 0 in JavaScript and the week's last day in ISO 8601.
  const monday = today - ((now.getUTCDay() + 6) % 7) * DAY_MS;
  return {
    last7: { from: ago(7), to: now.toISOString() },
    previous7: { from: ago(14), to: ago(7) },
    last30: { from: ago(30), to: now.toISOString() },
    days: stretches(today, DAYS_SHOWN, DAY_MS),
    weeks: stretches(monday, WEEKS_SHOWN, 7 * DAY_MS),
  };
}

/** So many equal stretches, of which the last begins at `lastStart`. UTC knows no summer time. */
function stretches(lastStart: number, count: number, length: number): Window[] {
  return Array.from({ length: count }, (_, index) => {
    const from = lastStart - (count - 1 - index) * length;
    return { from: new Date(from).toISOString(), to: new Date(from + length).toISOString() };
  });
}
