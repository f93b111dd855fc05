import type { REQUEST_STATUSES } from "#db/queue.ts";

export type RequestStatus = (typeof REQUEST_STATUSES)[number];

/** Every edge there is; the database holds the same table, and a test holds them together. */
export const EDGES: Record<RequestStatus, readonly RequestStatus[]> = {
  pending: ["in_progress", "migrating", "cancelled"],
  in_progress: ["pending", "waiting_on_customer", "credentials_received", "migrating", "cancelled"],
  waiting_on_customer: ["in_progress", "cancelled"],
  credentials_received: ["migrating"],
  migrating: ["completed", "failed"],
  completed: [],
  failed: ["migrating", "in_progress", "cancelled"],
  cancelled: [],
};

const STATUSES = Object.keys(EDGES) as RequestStatus[];

/** From these states an edge leads to this one. */
export const leadingTo = (to: RequestStatus): RequestStatus[] =>
  STATUSES.filter((from) => EDGES[from].includes(to));

/** In these states somebody on the staff has the request in hand. */
export const HELD: readonly RequestStatus[] = ["in_progress", "waiting_on_customer", "failed"];

/** Where an edge leads to, and what the request's clock does from then on. */
export function clockIn(status: RequestStatus): "running" | "paused" | "stopped" {
  if (status === "waiting_on_customer") return "paused";
  return status === "completed" || status === "cancelled" ? "stopped" : "running";
}

/** These have left the queue. */
export const ENDED: readonly RequestStatus[] = STATUSES.filter((one) => clockIn(one) === "stopped");
/** All others, in the order of a request's life; `isOpenSql` says the same (a test holds them together). */
export const OPEN: readonly RequestStatus[] = STATUSES.filter((one) => !ENDED.includes(one));
