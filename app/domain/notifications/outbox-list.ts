import { and, count, desc, eq, lte, sql } from "drizzle-orm";
import { z } from "zod";
import { customers } from "#db/customers.ts";
import type { Tx } from "#db/index.ts";
import { MAIL_KINDS, OUTBOX_STATUSES, outbox } from "#db/notifications.ts";
import { provisioningQueue } from "#db/queue.ts";

/** What the outbox can be searched by; `cursor` is the first mail of the page. */
export const outboxFilter = z.object({
  status: z.enum(OUTBOX_STATUSES).optional(),
  kind: z.enum(MAIL_KINDS).optional(),
  /** The beginning of an address. */
  to: z
    .string()
    .trim()
    .toLowerCase()
    .max(254)
    .regex(/^[^\p{Cc}]+$/u)
    .optional(),
  cursor: z.uuid().optional(),
});
export type OutboxFilter = z.infer<typeof outboxFilter>;

/** A mail, as the desk shows it. Times are ISO 8601 in UTC. */
export interface OutboxItem {
  id: string;
  kind: (typeof MAIL_KINDS)[number];
  recipient: string;
  request: { id: string; company: string } | null;
  status: (typeof OUTBOX_STATUSES)[number];
  attempts: number;
  lastError: string | null;
  createdAt: string;
  /** Of a waiting mail. */
  nextAttemptAt: string | null;
  sentAt: string | null;
  /** Whether it was sent again by hand. */
  isCopy: boolean;
}

const PAGE = 50;
/** More dead mails than this are "many"; they are not counted one by one. */
const MOST_COUNTED = 1_000;

const likeStart = (text: string) => `${text.replace(/[\\%_]/g, "\\$&")}%`;

/** Mails, newest first, and how many are dead. */
export async function listOutbox(
  tx: Tx,
  filter: OutboxFilter,
): Promise<{ mails: OutboxItem[]; nextCursor: string | null; dead: number }> {
  const rows = await tx
    .select({ mail: outbox, company: customers.company })
    .from(outbox)
    .leftJoin(provisioningQueue, eq(provisioningQueue.id, outbox.requestId))
    .leftJoin(customers, eq(customers.id, provisioningQueue.customerId))
    .where(
      and(
        filter.status === undefined ? undefined : eq(outbox.status, filter.status),
        filter.kind === undefined ? undefined : eq(outbox.kind, filter.kind),
        filter.to === undefined ? undefined : sql`${outbox.recipient} like ${likeStart(filter.to)}`,
        filter.cursor === undefined ? undefined : lte(outbox.id, filter.cursor),
      ),
    )
    .orderBy(desc(outbox.id))
    .limit(PAGE + 1);
  const page = rows.slice(0, PAGE);
  return {
    mails: page.map(toItem),
    nextCursor: rows[PAGE]?.mail.id ?? null,
    dead: await countDead(tx),
  };
}

function toItem({
  mail,
  company,
}: {
  mail: typeof outbox.$inferSelect;
  company: string | null;
}): OutboxItem {
  const { id, kind, recipient, requestId, status, attempts, lastError } = mail;
  return {
    id,
    kind,
    recipient,
    request: requestId === null ? null : { id: requestId, company: company ?? requestId },
    status,
    attempts,
    lastError,
    createdAt: mail.createdAt.toISOString(),
    nextAttemptAt: status === "waiting" ? mail.nextAttemptAt.toISOString() : null,
    sentAt: mail.sentAt?.toISOString() ?? null,
    isCopy: mail.data.copyOf !== undefined,
  };
}

async function countDead(tx: Tx): Promise<number> {
  const some = tx
    .select({ id: outbox.id })
    .from(outbox)
    .where(eq(outbox.status, "dead"))
    .limit(MOST_COUNTED)
    .as("some");
  const [dead] = await tx.select({ count: count() }).from(some);
  return dead?.count ?? 0;
}
