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
import { adminUsers } from "./identity.ts";
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
export const STEP_KINDS = [
  "preflight",
  "sql",
  "storage",
  "auth-config",
  "seed",
  "owner",
  "health",
] as const;

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
  /** Where the database is not what its ledger implies: each difference in words, and their hash. */
  difference?: string[];
  digest?: string;
}

/** A lock of PostgreSQL's that a file takes on a relation which other sessions may be using. */
export interface StepLock {
  /** `schema.name` */
  relation: string;
  /** As PostgreSQL writes it: "ACCESS EXCLUSIVE". */
  mode: string;
  /** The line of the statement that takes it. */
  line: number;
}

/** A table that a file writes anew as a whole, under its strongest lock. */
export interface StepRewrite {
  relation: string;
  line: number;
  /** What makes PostgreSQL rewrite it, in words. */
  why: string;
}

/** What a file does of which its text does not tell the locks. */
export interface StepUnseen {
  line: number;
  /** In words: "a DO block". */
  what: string;
}

/** What a file will do to a database, as it was planned. */
export interface StepEffects {
  statements: number;
  transactional: boolean;
  /** Of each statement, in milliseconds. */
  timeoutMs: number;
  /** On what exists already, the strongest first; one for each relation. */
  locks: StepLock[];
  rewrites: StepRewrite[];
  /** Absent where the plan is older than this. */
  unseen?: StepUnseen[];
}

/** Whether a file was already in the ledger when the run was planned. */
export const PLANNED = ["apply", "applied", "differs"] as const;

/** What a run's plan was made from; compared again when the run starts. */
export interface PlanBasis {
  /** SHA-256 over the steps and the basis: what a person agreed to. */
  digest: string;
  /** ISO 8601 in UTC. */
  surveyedAt: string;
  serverVersion: string;
  /** No version applied yet, and nothing of the customer's. */
  isFresh: boolean;
  /** The ledger's key → the checksum applied; null where only Supabase's own ledger lists it. */
  applied: Record<string, string | null>;
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
    /** Null until the worker has made it, where nobody looked at the database before the run. */
    basis: jsonb("basis").$type<PlanBasis>(),
    /** Asked for by a person; the worker that has the run ends it. */
    cancelRequestedAt: instant("cancel_requested_at"),
    cancelRequestedBy: text("cancel_requested_by"),
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
    planned: text("planned", { enum: PLANNED }),
    effects: jsonb("effects").$type<StepEffects>(),
    /** The median of earlier runs of the same step, when this run was planned. */
    expectedMs: integer("expected_ms"),
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
      sql`${t.kind} in ('preflight', 'sql', 'storage', 'auth-config', 'seed', 'owner', 'health')`,
    ),
    check("provisioning_steps_planned_known", sql`${t.planned} in ('apply', 'applied', 'differs')`),
    // How long a step takes is learnt from its newest runs.
    index("provisioning_steps_done_idx")
      .on(t.kind, t.checksum, t.endedAt)
      .where(sql`status = 'done'`),
  ],
);

/**
 * A supervisor's word that a database may differ from its ledger in exactly this. Never changed:
 * another difference has another digest, and asks again.
 */
export const driftAcceptances = pgTable(
  "drift_acceptances",
  {
    id: id(),
    backendId: uuid("backend_id")
      .notNull()
      .references(() => customerBackends.id),
    digest: text("digest").notNull(),
    difference: text("difference").array().notNull(),
    reason: text("reason").notNull(),
    acceptedBy: text("accepted_by")
      .notNull()
      .references(() => adminUsers.userId),
    acceptedAt: setAtInsert("accepted_at"),
  },
  (t) => [uniqueIndex("drift_acceptances_backend_digest_key").on(t.backendId, t.digest)],
);
