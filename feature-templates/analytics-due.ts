/** Schedules of reports, and the run that produces what is due. */
import type pg from "pg";
import { type Actor, act } from "./acting.ts";
import type { Office } from "./analytics-company.ts";

export const daily = { frequency: "daily", at_time: "06:30" };

/** A schedule of somebody's, due a while ago unless told otherwise; answers its id. */
export async function schedule(
  { client }: Office,
  who: Actor,
  report: string,
  facts: Record<string, unknown> = daily,
  dueSince: string | null = "1 minute",
) {
  const columns = { report_id: report, ...facts };
  const names = Object.keys(columns);
  const { rows } = await act<{ id: string }>(
    client,
    who,
    `insert into public.report_schedules (${names.join(", ")})
     values (${names.map((_, index) => `$${index + 1}`).join(", ")}) returning id`,
    Object.values(columns),
  );
  const id = rows[0]?.id as string;
  if (dueSince) {
    await client.query(
      `update public.report_schedules set next_run_at = now() - $2::interval,
         due_at = now() - $2::interval where id = $1`,
      [id, dueSince],
    );
  }
  return id;
}

/** Produces what is due, as the clock does. */
export async function runDue(client: pg.Client, limit = 100) {
  const { rows } = await client.query("select * from private.run_due($1)", [limit]);
  return rows[0] as { produced: number; next_due_at: Date | null };
}
