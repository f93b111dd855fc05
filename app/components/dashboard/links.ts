import type { Window } from "#app/domain/reports/index.server.ts";

type Bounds = Pick<Window, "from" | "to">;

/** The queue's list behind a number: exactly the requests that were counted. */
export const queueLink = (params: Record<string, string>) =>
  `/desk/queue?${new URLSearchParams(params)}`;

export const withStatus = (...statuses: string[]) => queueLink({ status: statuses.join(",") });

export const received = ({ from, to }: Bounds) =>
  queueLink({ status: "all", receivedFrom: from, receivedTo: to });

export const completed = ({ from, to }: Bounds, promise?: "kept" | "broken") =>
  queueLink({
    status: "completed",
    completedFrom: from,
    completedTo: to,
    ...(promise ? { promise } : {}),
  });

export const failed = ({ from, to }: Bounds) =>
  queueLink({ status: "all", failedFrom: from, failedTo: to });

export const heldBy = (userId: string) => queueLink({ assignee: userId });
