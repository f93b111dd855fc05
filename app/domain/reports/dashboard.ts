import { sql } from "drizzle-orm";
import type { Actor, Tx } from "#db/index.ts";
import { requireStaff } from "../identity/index.server.ts";
import { countOpen, listLate, listSoon, readLoads } from "./now.ts";
import { readDays, readDurations, readFlow, readRunOutcomes, readWeeks } from "./past.ts";
import { readWindows, type Windows } from "./windows.ts";

/** The share of completed requests that should keep their promise. */
const ATTAINMENT_TARGET = 0.95;

/**
 * Every figure of the dashboard, as of one moment: give it a snapshot. Ten queries, each bound to an
 * index. Days and weeks are cut in UTC.
 * @throws NotStaffError
 */
export async function readDashboard({ tx, actor }: { tx: Tx; actor: Actor }) {
  await requireStaff(tx, actor.id);
  const windows = await readWindows(tx);
  const { last7, previous7, last30 } = windows;
  const { statuses, due } = await countOpen(tx);
  const [week, weekBefore, month] = await readFlow(tx, [last7, previous7, last30]);
  if (!week || !weekBefore || !month) throw new Error("A window was not counted.");
  return {
    windows: named(windows),
    statuses,
    due,
    late: due.late > 0 ? await listLate(tx) : [],
    soon: due.soon > 0 ? await listSoon(tx) : [],
    week,
    weekBefore,
    month,
    durations: await readDurations(tx, last30),
    runs: await readRunOutcomes(tx, last30),
    loads: await readLoads(tx),
    days: await readDays(tx, windows),
    weeks: await readWeeks(tx, windows),
    attainmentTarget: ATTAINMENT_TARGET,
    everReceived: await wasAnyReceived(tx),
  };
}

/** The windows that the page's links speak of. */
const named = ({ last7, previous7, last30 }: Windows) => ({ last7, previous7, last30 });

async function wasAnyReceived(tx: Tx): Promise<boolean> {
  const { rowCount } = await tx.execute(sql`select from provisioning_queue limit 1`);
  return rowCount === 1;
}

export type Dashboard = Awaited<ReturnType<typeof readDashboard>>;
