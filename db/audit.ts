/**
 * Who did what, on what, when, from where. Ids only. Rows are inserted without contention and
 * never change: UPDATE, DELETE and TRUNCATE are refused by privilege and by trigger.
 */
import { sql } from "drizzle-orm";
import { bigint, customType, index, jsonb, pgTable, text } from "drizzle-orm/pg-core";
import { setAtInsert } from "./columns.ts";

const xid8 = customType<{ data: string }>({ dataType: () => "xid8" });

export const auditLog = pgTable(
  "audit_log",
  {
    id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    at: setAtInsert("at"),
    actorKind: text("actor_kind").notNull(),
    actorId: text("actor_id").notNull(),
    action: text("action").notNull(),
    subjectKind: text("subject_kind").notNull(),
    subjectId: text("subject_id").notNull(),
    /** The request that this act belongs to, if any. */
    requestId: text("request_id"),
    /** The address that the act came from; empty for machinery. */
    origin: text("origin").notNull().default(""),
    correlationId: text("correlation_id").notNull().default(""),
    data: jsonb("data").$type<Record<string, unknown>>().notNull().default({}),
    /** The transaction that wrote it: the sealer waits until no older one is open. */
    xid: xid8("xid").notNull().default(sql`pg_current_xact_id()`),
  },
  (t) => [
    index("audit_log_at_idx").on(t.at),
    index("audit_log_request_id_idx").on(t.requestId, t.id),
    index("audit_log_subject_idx").on(t.subjectKind, t.subjectId, t.id),
    index("audit_log_actor_idx").on(t.actorId, t.id),
    index("audit_log_action_idx").on(t.action, t.id),
  ],
);
