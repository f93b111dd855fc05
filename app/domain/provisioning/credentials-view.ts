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
import { hasLeft } from "./holder.ts";
import { runsOf } from "./run-report.ts";
import { type Standing, standingOf } from "./standing.ts";

/** What the page for a request's credentials shows. No secret is among it. */
export interface CredentialsView {
  request: Pick<QueueItem, "requestId" | "company"> & { status: RequestStatus };
  /**
   * Whether this person may supply credentials now: `open`; `over` where the request has them, or
   * has ended; `unclaimed`, `expired` where it must be claimed first; `held` by somebody else.
   */
  standing: "open" | "over" | "unclaimed" | "expired" | "held";
  holder: { name: string; isVisitor: boolean; hasLeft: boolean } | null;
  /** The project that the customer gave, not yet taken up; or the one that is attached. */
  backend: BackendView | null;
  /** Why the last run failed, if it stands as failed. */
  failure: { code: string; step: string | null; message: string } | null;
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
  const { company, assignee, claimExpiresAt, failure } = item;
  const status = item.status as RequestStatus;
  const claim = {
    status,
    assigneeId: assignee?.id ?? null,
    leaseExpiresAt: claimExpiresAt === null ? null : new Date(claimExpiresAt),
  };
  return {
    request: { requestId, company, status },
    standing: MEANING[standingOf(claim, visitor, await databaseNow(tx))],
    holder: assignee && {
      name: assignee.name,
      isVisitor: assignee.id === visitor.userId,
      hasLeft: await hasLeft(tx, assignee.id),
    },
    backend: backend?.status === "retired" ? null : backend,
    failure: failure && {
      code: String(failure.code),
      step: typeof failure.step === "string" ? failure.step : null,
      message: String(failure.message),
    },
    hasRun: (await runsOf(tx, requestId)).length > 0,
  };
}

/** What the page of the credentials makes of where the person stands. */
const MEANING: Record<Standing, CredentialsView["standing"]> = {
  unclaimed: "unclaimed",
  mine: "open",
  supervising: "open",
  held: "held",
  expired: "expired",
  machine: "over",
  ended: "over",
};
