/** Customers' Supabase projects. The credentials themselves are in `sealed_secrets`. */
import { sql } from "drizzle-orm";
import {
  check,
  index,
  integer,
  jsonb,
  pgTable,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { id, instant, setAtInsert } from "./columns.ts";
import { customers } from "./customers.ts";
import { provisioningQueue } from "./queue.ts";

/** offered: given by the customer, not yet taken up; building; ready; retired: no longer ours. */
export const BACKEND_STATUSES = ["offered", "building", "ready", "retired"] as const;

export const customerBackends = pgTable(
  "customer_backends",
  {
    id: id(),
    customerId: uuid("customer_id")
      .notNull()
      .references(() => customers.id),
    requestId: uuid("request_id")
      .notNull()
      .references(() => provisioningQueue.id),
    projectRef: text("project_ref").notNull(),
    url: text("url").notNull(),
    status: text("status", { enum: BACKEND_STATUSES }).notNull(),
    /** Which generation of the sealed credentials is in force. */
    generation: integer("generation").notNull().default(1),
    /** Template name → version, as the last run that succeeded installed them. */
    installed: jsonb("installed").$type<Record<string, string>>().notNull().default({}),
    /** The owner's account in the project's own `auth.users`. */
    ownerUserId: text("owner_user_id"),
    /** When the templates' own work in the database is due next; null where there is none. */
    dueAt: instant("due_at"),
    /** How often in a row that work could not be done. */
    dueFailures: integer("due_failures").notNull().default(0),
    createdAt: setAtInsert("created_at"),
    readyAt: instant("ready_at"),
    retiredAt: instant("retired_at"),
  },
  (t) => [
    check(
      "customer_backends_status_known",
      sql`${t.status} in ('offered', 'building', 'ready', 'retired')`,
    ),
    // Nothing else keeps a run out of somebody else's database.
    uniqueIndex("customer_backends_live_project_key")
      .on(t.projectRef)
      .where(sql`status <> 'retired'`),
    uniqueIndex("customer_backends_live_request_key")
      .on(t.requestId)
      .where(sql`status <> 'retired'`),
    index("customer_backends_request_id_idx").on(t.requestId),
    index("customer_backends_customer_id_idx").on(t.customerId),
    index("customer_backends_due_at_idx").on(t.dueAt).where(sql`status = 'ready'`),
  ],
);
