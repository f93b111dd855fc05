import { type SQL, sql } from "drizzle-orm";
import { provisioningQueue, REQUEST_STATUSES } from "#db/queue.ts";
import { ENDED, type RequestStatus } from "./states.ts";

/**
 * How a request stands on the desk: its state, or `run_cancelled` where it stands as failed because a
 * person cancelled its run. That is the code of such a failure, and stands in addresses: keep it.
 */
export type DeskStatus = RequestStatus | "run_cancelled";

/** Every one, in the order of a request's life. */
export const DESK_STATUSES: readonly DeskStatus[] = REQUEST_STATUSES.flatMap<DeskStatus>(
  (status) => (status === "failed" ? [status, "run_cancelled"] : [status]),
);

const stateOf = (one: DeskStatus): RequestStatus => (one === "run_cancelled" ? "failed" : one);

/** Whether it has left the queue. A cancelled run has not: it waits to be resumed or closed. */
export const hasEnded = (one: DeskStatus): boolean => ENDED.includes(stateOf(one));

/** Those that are still in the queue. */
export const DESK_OPEN: readonly DeskStatus[] = DESK_STATUSES.filter((one) => !hasEnded(one));

/** The states to look for, each once: by these the index on the state goes. */
export const statesOf = (wanted: readonly DeskStatus[]): RequestStatus[] => [
  ...new Set(wanted.map(stateOf)),
];

const CODE = sql`${provisioningQueue.failure} ->> 'code'`;

/** Tells failures and cancelled runs apart, where one of them alone is wanted, within {@link statesOf}. */
export function apartSql(wanted: readonly DeskStatus[]): SQL[] {
  const isCancelledWanted = wanted.includes("run_cancelled");
  if (wanted.includes("failed") === isCancelledWanted) return [];
  const code = isCancelledWanted
    ? sql`${CODE} = 'run_cancelled'`
    : sql`${CODE} is distinct from 'run_cancelled'`;
  return [sql`(${provisioningQueue.status} <> 'failed' or ${code})`];
}

/** How it stands on the desk. For counting; a list is narrowed by state first. */
export const deskStatusSql: SQL<DeskStatus> = sql<DeskStatus>`case
  when ${provisioningQueue.status} = 'failed' and ${CODE} = 'run_cancelled' then 'run_cancelled'
  else ${provisioningQueue.status} end`;
