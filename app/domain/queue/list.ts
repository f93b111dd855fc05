import { and, eq, notInArray, sql } from "drizzle-orm";
import { z } from "zod";
import { iso } from "#app/platform/instants.ts";
import { user } from "#db/auth.ts";
import { PRIORITIES } from "#db/catalog.ts";
import { customers } from "#db/customers.ts";
import type { Tx } from "#db/index.ts";
import { provisioningQueue, REQUEST_STATUSES } from "#db/queue.ts";
import { RequestNotFoundError } from "./errors.ts";
import { positionsOf } from "./positions.ts";
import { ENDED, type RequestStatus } from "./states.ts";

const cursor = z
  .string()
  .max(200)
  .transform((text, context): { dueAt: string; id: string } => {
    const [dueAt = "", id = ""] = Buffer.from(text, "base64url").toString("utf8").split("|");
    // PostgreSQL knows no year 0.
    const isInstant = z.iso.datetime().safeParse(dueAt).success && !dueAt.startsWith("0000");
    const valid = (dueAt === "infinity" || isInstant) && z.uuid().safeParse(id).success;
    if (!valid)
      context.addIssue({ code: "custom", message: "This cursor did not come from here." });
    return { dueAt, id };
  });

/** What the queue can be searched by; each page ends with the cursor of the next. */
export const queueFilter = z.strictObject({
  status: z.enum(REQUEST_STATUSES).optional(),
  priority: z.enum(PRIORITIES).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: cursor.optional(),
});
export type QueueFilter = z.infer<typeof queueFilter>;

/** A request as the desk sees it. Times are ISO 8601 in UTC. */
export interface QueueItem {
  requestId: string;
  customerId: string;
  company: string;
  plan: string;
  billingCycle: string;
  region: string;
  features: string[];
  /** Answers to what the features ask: feature → parameter → value as text. */
  parameters: Record<string, Record<string, string>>;
  priority: string;
  status: RequestStatus;
  /** Grows with each change. */
  version: number;
  position: number | null;
  dueAt: string | null;
  createdAt: string;
  updatedAt: string;
  endedAt: string | null;
  assignee: { id: string; name: string } | null;
  claimExpiresAt: string | null;
  failure: Record<string, unknown> | null;
}

/** Paused requests have no due time: they come last, as the queue's index has it. */
const dueOrLast = sql`coalesce(${provisioningQueue.dueAt}, 'infinity'::timestamptz)`;

const selection = {
  request: provisioningQueue,
  company: customers.company,
  assignee: { id: user.id, name: user.name },
};

const joined = (tx: Tx) =>
  tx
    .select(selection)
    .from(provisioningQueue)
    .innerJoin(customers, eq(customers.id, provisioningQueue.customerId))
    .leftJoin(user, eq(user.id, provisioningQueue.assigneeId));

type Joined = Awaited<ReturnType<typeof joined>>[number];

function toItem({ request, company, assignee }: Joined, position: number | null): QueueItem {
  return {
    requestId: request.id,
    customerId: request.customerId,
    company,
    plan: request.planId,
    billingCycle: request.billingCycle,
    region: request.region,
    features: request.features,
    parameters: request.parameters,
    priority: request.priority,
    status: request.status,
    version: request.version,
    position,
    dueAt: iso(request.dueAt),
    createdAt: request.createdAt.toISOString(),
    updatedAt: request.updatedAt.toISOString(),
    endedAt: iso(request.endedAt),
    assignee,
    claimExpiresAt: iso(request.leaseExpiresAt),
    failure: request.failure as Record<string, unknown> | null,
  };
}

/** A page of the queue in its order: by (due_at, id). Ended requests come only by their status. */
export async function listQueue(
  tx: Tx,
  filter: QueueFilter,
): Promise<{ requests: QueueItem[]; nextCursor: string | null }> {
  const after = filter.cursor;
  const rows = await joined(tx)
    .where(
      and(
        filter.status === undefined
          ? notInArray(provisioningQueue.status, [...ENDED])
          : eq(provisioningQueue.status, filter.status),
        filter.priority === undefined ? undefined : eq(provisioningQueue.priority, filter.priority),
        after === undefined
          ? undefined
          : sql`(${dueOrLast}, ${provisioningQueue.id}) > (${after.dueAt}::timestamptz, ${after.id}::uuid)`,
      ),
    )
    .orderBy(dueOrLast, provisioningQueue.id)
    .limit(filter.limit + 1);
  const page = rows.slice(0, filter.limit);
  const positions = await positionsOf(
    tx,
    page.map((row) => row.request.id),
  );
  const last = page.at(-1)?.request;
  return {
    requests: page.map((row) => toItem(row, positions.get(row.request.id) ?? null)),
    nextCursor:
      rows.length > filter.limit && last
        ? Buffer.from(`${iso(last.dueAt) ?? "infinity"}|${last.id}`).toString("base64url")
        : null,
  };
}

/** @throws RequestNotFoundError */
export async function getQueueItem(tx: Tx, requestId: string): Promise<QueueItem> {
  const [row] = await joined(tx).where(eq(provisioningQueue.id, requestId));
  if (!row) throw new RequestNotFoundError();
  const positions = await positionsOf(tx, [requestId]);
  return toItem(row, positions.get(requestId) ?? null);
}

/** Whether there is such a request, for whoever asks: a customer finds its own alone. */
export async function findRequest(tx: Tx, requestId: string): Promise<{ id: string } | null> {
  const [row] = await tx
    .select({ id: provisioningQueue.id })
    .from(provisioningQueue)
    .where(eq(provisioningQueue.id, requestId));
  return row ?? null;
}
