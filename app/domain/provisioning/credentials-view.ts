import type { Tx } from "#db/index.ts";
import { type BackendView, viewBackend } from "../backends/index.server.ts";
import type { StaffRole } from "../identity/index.server.ts";
import {
  databaseNow,
  getQueueItem,
  type QueueItem,
  type RequestStatus,
} from "../queue/index.server.ts";
import type { Vault } from "../vault/index.server.ts";
import { OPEN_TO_CREDENTIALS } from "./credentials.ts";
import { runsOf } from "./run-report.ts";

/** What the page for a request's credentials shows. No secret is among it. */
export interface CredentialsView {
  request: Pick<QueueItem, "requestId" | "company"> & { status: RequestStatus };
  /**
   * Whether this person may supply credentials now: `open`; `over` where the request has them, or
   * has ended; `unclaimed`, `expired` where it must be claimed first; `held` by somebody else.
   */
  standing: "open" | "over" | "unclaimed" | "expired" | "held";
  holder: { name: string; isVisitor: boolean } | null;
  /** The project that the customer gave, not yet taken up; or the one that is attached. */
  backend: BackendView | null;
  /** Why the last run failed, if it stands as failed. */
  failure: { step: string | null; message: string } | null;
  hasRun: boolean;
}

/** @throws RequestNotFoundError */
export async function viewCredentials(
  { tx, vault }: { tx: Tx; vault: Vault },
  requestId: string,
  visitor: { userId: string; role: StaffRole },
): Promise<CredentialsView> {
  const item = await getQueueItem(tx, requestId);
  const backend = await viewBackend(tx, vault, requestId);
  const { company, assignee, failure } = item;
  return {
    request: { requestId, company, status: item.status as RequestStatus },
    standing: standingOf(item, visitor, await databaseNow(tx)),
    holder: assignee && { name: assignee.name, isVisitor: assignee.id === visitor.userId },
    backend: backend?.status === "retired" ? null : backend,
    failure: failure && {
      step: typeof failure.step === "string" ? failure.step : null,
      message: String(failure.message),
    },
    hasRun: (await runsOf(tx, requestId)).length > 0,
  };
}

/** As `requireHeld` judges it when the person acts. */
function standingOf(
  { status, assignee, claimExpiresAt }: QueueItem,
  visitor: { userId: string; role: StaffRole },
  now: Date,
): CredentialsView["standing"] {
  if (status === "pending") return "unclaimed";
  if (!OPEN_TO_CREDENTIALS.some((open) => open === status)) return "over";
  const expired = claimExpiresAt !== null && new Date(claimExpiresAt) <= now;
  if (status === "in_progress" && expired) return "expired";
  const isHolder = assignee === null || assignee.id === visitor.userId;
  return isHolder || visitor.role === "supervisor" ? "open" : "held";
}
