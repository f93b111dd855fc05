/** The customers' queue: requests, their timeline and their clocks. */
import { sql } from "drizzle-orm";
import { bigint, check, index, integer, jsonb, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { PRIORITIES, plans } from "./catalog.ts";
import { id, instant, setAtInsert } from "./columns.ts";
import { customers } from "./customers.ts";
import { adminUsers } from "./identity.ts";

export const REQUEST_STATUSES = [
  "pending",
  "in_progress",
  "waiting_on_customer",
  "credentials_received",
  "migrating",
  "completed",
  "failed",
  "cancelled",
] as const;

/** Why a request stands as failed: what was found, what is needed, what to do. No secrets. */
export interface RequestFailure {
  code: string;
  message: string;
  step?: string;
  found?: string;
  needed?: string;
  fix?: string;
  link?: string;
}

export const provisioningQueue = pgTable(
  "provisioning_queue",
  {
    id: id(),
    customerId: uuid("customer_id")
      .notNull()
      .references(() => customers.id),
    planId: text("plan_id")
      .notNull()
      .references(() => plans.id),
    billingCycle: text("billing_cycle", { enum: ["monthly", "yearly"] }).notNull(),
    /** The region that the customer wants: a Supabase region code. */
    region: text("region").notNull(),
    /** Names of the templates wanted, dependencies and `base` included, in order. */
    features: text("features").array().notNull(),
    /** Answers to what those templates ask: template → parameter → value as text. */
    parameters: jsonb("parameters")
      .$type<Record<string, Record<string, string>>>()
      .notNull()
      .default({}),
    priority: text("priority", { enum: PRIORITIES }).notNull(),
    status: text("status", { enum: REQUEST_STATUSES }).notNull().default("pending"),
    /** Grows with each change: the other half of every compare-and-set. */
    version: integer("version").notNull().default(1),
    /** The promise as of now; absent while the clock is paused or stopped. A cache: see domain/sla. */
    dueAt: instant("due_at"),
    assigneeId: text("assignee_id").references(() => adminUsers.userId),
    /** The claim's fencing token; grows with every claim of this request. */
    leaseToken: bigint("lease_token", { mode: "number" }).notNull().default(0),
    leaseExpiresAt: instant("lease_expires_at"),
    failure: jsonb("failure").$type<RequestFailure>(),
    createdAt: setAtInsert("created_at"),
    updatedAt: setAtInsert("updated_at"),
    endedAt: instant("ended_at"),
  },
  (t) => [
    check(
      "provisioning_queue_status_known",
      sql`${t.status} in ('pending', 'in_progress', 'waiting_on_customer', 'credentials_received', 'migrating', 'completed', 'failed', 'cancelled')`,
    ),
    check(
      "provisioning_queue_priority_known",
      sql`${t.priority} in ('vip', 'high', 'normal', 'low')`,
    ),
    check(
      "provisioning_queue_billing_cycle_known",
      sql`${t.billingCycle} in ('monthly', 'yearly')`,
    ),
    index("provisioning_queue_order_idx").on(sql`coalesce(due_at, 'infinity'::timestamptz)`, t.id),
    index("provisioning_queue_waiting_idx").on(t.dueAt, t.id).where(sql`status = 'pending'`),
    index("provisioning_queue_status_idx").on(
      t.status,
      sql`coalesce(due_at, 'infinity'::timestamptz)`,
      t.id,
    ),
    index("provisioning_queue_priority_idx").on(
      t.priority,
      sql`coalesce(due_at, 'infinity'::timestamptz)`,
      t.id,
    ),
    index("provisioning_queue_customer_id_idx").on(t.customerId),
    index("provisioning_queue_assignee_id_idx").on(t.assigneeId),
    index("provisioning_queue_plan_id_idx").on(t.planId),
    index("provisioning_queue_lease_idx").on(t.leaseExpiresAt).where(sql`status = 'in_progress'`),
    index("provisioning_queue_ended_idx").on(t.endedAt),
    index("provisioning_queue_created_idx").on(t.createdAt),
  ],
);

/** The timeline. Durable, in order of `id`; each insert notifies `berth_events`. */
export const requestEvents = pgTable(
  "request_events",
  {
    id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    requestId: uuid("request_id")
      .notNull()
      .references(() => provisioningQueue.id),
    kind: text("kind").notNull(),
    at: setAtInsert("at"),
    actorKind: text("actor_kind").notNull(),
    actorId: text("actor_id").notNull(),
    /** Ids and plain facts; never a secret. */
    data: jsonb("data").$type<Record<string, unknown>>().notNull().default({}),
  },
  (t) => [
    index("request_events_request_id_idx").on(t.requestId, t.id),
    index("request_events_kind_idx").on(t.kind, t.at),
  ],
);

/** The request's clock: when it ran, was paused, or stopped. The open segment has no end. */
export const requestClockSegments = pgTable(
  "request_clock_segments",
  {
    id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    requestId: uuid("request_id")
      .notNull()
      .references(() => provisioningQueue.id),
    kind: text("kind", { enum: ["running", "paused", "stopped"] }).notNull(),
    startedAt: instant("started_at").notNull(),
    endedAt: instant("ended_at"),
  },
  (t) => [
    index("request_clock_segments_request_id_idx").on(t.requestId, t.startedAt),
    check("request_clock_segments_kind_known", sql`${t.kind} in ('running', 'paused', 'stopped')`),
  ],
);
