import type { StaffRole } from "../identity/index.server.ts";
import { ENDED, HELD, type RequestRow } from "../queue/index.server.ts";

/** Whether the person looking may act on the request as its holder, and if not, why. */
export type Standing =
  | "unclaimed"
  | "mine"
  | "expired"
  | "supervising"
  | "held"
  | "machine"
  | "ended";

/** As the domain's commands judge it when the person acts. */
export function standingOf(
  request: Pick<RequestRow, "status" | "assigneeId" | "leaseExpiresAt">,
  visitor: { userId: string; role: StaffRole },
  now: Date,
): Standing {
  const { status, assigneeId, leaseExpiresAt } = request;
  if (status === "pending") return "unclaimed";
  if (ENDED.includes(status)) return "ended";
  if (!HELD.includes(status)) return "machine";
  if (status === "in_progress" && leaseExpiresAt !== null && leaseExpiresAt <= now)
    return "expired";
  if (assigneeId === null || assigneeId === visitor.userId) return "mine";
  return visitor.role === "supervisor" ? "supervising" : "held";
}
