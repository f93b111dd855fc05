/** Runs and their steps. The truth is the ledger in the customer's database; this is a report. */
import { sql } from "drizzle-orm";
import {
  bigint,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { customerBackends } from "./backends.ts";
import { id, instant, setAtInsert } from "./columns.ts";
import { provisioningQueue } from "./queue.ts";

export const RUN_STATUSES = [
  "queued",
  "running",
  "succeeded",
  "failed",
  "needs_person",
  "cancelled",
] as const;
export const STEP_STATUSES = ["pending", "running", "done", "failed", "needs_person"] as const;
export const STEP_KINDS = ["preflight", "sql", "seed", "auth-config", "owner", "health"] as const;

/** Why a step did not end as done. Free of secrets: everything passes through redaction. */
export interface StepError {
  code: string;
  message: string;
  found?: string;
  needed?: string;
  fix?: string;
  link?: string;
  sqlstate?: string;
  detail?: string;
  hint?: string;
  file?: string;
  line?: number;
  statement?: string;
  retryable?: boolean;
}

export const provisioningRuns = pgTable(
  "provisioning_runs",
  {
    id: id(),
    requestId: uuid("request_id")
      .notNull()
      .references(() => provisioningQueue.id),
    backendId: uuid("backend_id")
      .notNull()
      .references(() => customerBackends.id),
    status: text("status", { enum: RUN_STATUSES }).notNull().default("queued"),
    /** Template name → version that this run installs. */
    templates: jsonb("templates").$type<Record<string, string>>().notNull(),
    /** The worker that holds the lease; the fencing token grows with every take-over. */
    leaseOwner: text("lease_owner"),
    leaseToken: bigint("lease_token", { mode: "number" }),
    leaseExpiresAt: instant("lease_expires_at"),
    takeovers: integer("takeovers").notNull().default(0),
    error: jsonb("error").$type<StepError>(),
    createdAt: setAtInsert("created_at"),
    startedAt: instant("started_at"),
    endedAt: instant("ended_at"),
  },
  (t) => [
    check(
      "provisioning_runs_status_known",
      sql`${t.status} in ('queued', 'running', 'succeeded', 'failed', 'needs_person', 'cancelled')`,
    ),
    uniqueIndex("provisioning_runs_one_per_backend_key")
      .on(t.backendId)
      .where(sql`status in ('queued', 'running')`),
    index("provisioning_runs_request_id_idx").on(t.requestId, t.id),
    index("provisioning_runs_ended_idx").on(t.endedAt),
    index("provisioning_runs_open_idx")
      .on(t.leaseExpiresAt)
      .where(sql`status in ('queued', 'running')`),
  ],
);

export const provisioningSteps = pgTable(
  "provisioning_steps",
  {
    id: id(),
    runId: uuid("run_id")
      .notNull()
      .references(() => provisioningRuns.id),
    position: integer("position").notNull(),
    name: text("name").notNull(),
    kind: text("kind", { enum: STEP_KINDS }).notNull(),
    status: text("status", { enum: STEP_STATUSES }).notNull().default("pending"),
    /** What this step applies: the catalogue's file, its version and checksum. SQL and seed steps only. */
    template: text("template"),
    file: text("file"),
    ledgerVersion: text("ledger_version"),
    checksum: text("checksum"),
    attempts: integer("attempts").notNull().default(0),
    startedAt: instant("started_at"),
    endedAt: instant("ended_at"),
    durationMs: integer("duration_ms"),
    /** What it did, in a few facts: outcome, statements, notices. */
    outcome: jsonb("outcome").$type<Record<string, unknown>>(),
    error: jsonb("error").$type<StepError>(),
  },
  (t) => [
    uniqueIndex("provisioning_steps_run_position_key").on(t.runId, t.position),
    check(
      "provisioning_steps_status_known",
      sql`${t.status} in ('pending', 'running', 'done', 'failed', 'needs_person')`,
    ),
    check(
      "provisioning_steps_kind_known",
      sql`${t.kind} in ('preflight', 'sql', 'seed', 'auth-config', 'owner', 'health')`,
    ),
  ],
);
