/** What is to be said to whom. Rows hold ids and plain facts: links are made when a mail is sent. */
import { sql } from "drizzle-orm";
import { check, index, integer, jsonb, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { id, instant, setAtInsert } from "./columns.ts";
import { provisioningQueue } from "./queue.ts";

export const OUTBOX_STATUSES = ["waiting", "sent", "dead"] as const;
export const MAIL_KINDS = [
  "received",
  "claimed",
  "credentials_problem",
  "ready",
  "failed",
  "cancelled",
  "invitation",
  "password",
] as const;

export const outbox = pgTable(
  "outbox",
  {
    id: id(),
    kind: text("kind", { enum: MAIL_KINDS }).notNull(),
    /** Absent where the mail is about an account, not a request. */
    requestId: uuid("request_id").references(() => provisioningQueue.id),
    /** One address. */
    recipient: text("recipient").notNull(),
    data: jsonb("data").$type<Record<string, string>>().notNull().default({}),
    status: text("status", { enum: OUTBOX_STATUSES }).notNull().default("waiting"),
    attempts: integer("attempts").notNull().default(0),
    nextAttemptAt: setAtInsert("next_attempt_at"),
    lastError: text("last_error"),
    createdAt: setAtInsert("created_at"),
    sentAt: instant("sent_at"),
  },
  (t) => [
    check("outbox_status_known", sql`${t.status} in ('waiting', 'sent', 'dead')`),
    check(
      "outbox_kind_known",
      sql`${t.kind} in ('received', 'claimed', 'credentials_problem', 'ready', 'failed', 'cancelled', 'invitation', 'password')`,
    ),
    index("outbox_waiting_idx").on(t.nextAttemptAt).where(sql`status = 'waiting'`),
    index("outbox_request_id_idx").on(t.requestId),
    index("outbox_status_idx").on(t.status, t.id),
    index("outbox_kind_idx").on(t.kind, t.id),
    index("outbox_recipient_idx").on(t.recipient.op("text_pattern_ops"), t.id),
  ],
);

export const LINK_PURPOSES = ["set-password", "owner"] as const;

/**
 * A link of one use. No token is stored: it is a keyed hash of the row's id, made again when the
 * mail is sent or sent again.
 */
export const oneTimeLinks = pgTable(
  "one_time_links",
  {
    id: id(),
    purpose: text("purpose", { enum: LINK_PURPOSES }).notNull(),
    /** The account (set-password) or the backend (owner) that it opens. */
    subjectId: text("subject_id").notNull(),
    /** Absent where it is about an account alone. */
    requestId: uuid("request_id").references(() => provisioningQueue.id),
    createdAt: setAtInsert("created_at"),
    expiresAt: instant("expires_at").notNull(),
    /** Until then somebody is opening it; a claim that is left behind ends by itself. */
    claimedUntil: instant("claimed_until"),
    usedAt: instant("used_at"),
  },
  (t) => [
    check("one_time_links_purpose_known", sql`${t.purpose} in ('set-password', 'owner')`),
    index("one_time_links_request_id_idx").on(t.requestId),
    index("one_time_links_subject_idx").on(t.subjectId, t.purpose),
  ],
);
