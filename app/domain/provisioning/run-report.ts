import { and, desc, eq, lt } from "drizzle-orm";
import { iso } from "#app/platform/instants.ts";
import { redactText } from "#app/platform/redact.ts";
import { user } from "#db/auth.ts";
import type { Tx } from "#db/index.ts";
import {
  provisioningRuns,
  provisioningSteps,
  type StepEffects,
  type StepError,
} from "#db/provisioning.ts";
import type { Catalog } from "../catalog/index.server.ts";
import { databaseNow } from "../queue/index.server.ts";
import { expectedRemaining } from "./expected.ts";
import type { Run } from "./lease.ts";
import { type Step, stepsOf } from "./runs.ts";
import { aboutOf } from "./step-about.ts";

/** Lines of a file around the one that failed. */
export interface Excerpt {
  /** The number, in the file, of the first line shown. */
  from: number;
  lines: string[];
  /** The number of the line that failed. */
  line: number;
}

/** A step as the run's page shows it. Times are ISO 8601 in UTC; durations milliseconds. */
export interface StepReport {
  position: number;
  name: string;
  kind: Step["kind"];
  status: Step["status"];
  file: string | null;
  /** What a bucket or Auth is set to, in words, by the templates as they are now. */
  about: string | null;
  attempts: number;
  startedAt: string | null;
  endedAt: string | null;
  durationMs: number | null;
  /** What it took in earlier runs; null where it never ran before. */
  expectedMs: number | null;
  /** Whether its file was in the ledger when the run was planned; null where nobody looked. */
  planned: Step["planned"];
  /** What its file does to what exists already. */
  effects: StepEffects | null;
  outcome: Record<string, unknown> | null;
  error: StepError | null;
  /** Where the failed statement stands; null where the file has changed since, or there is none. */
  excerpt: Excerpt | null;
}

export interface RunReport {
  runId: string;
  requestId: string;
  /** Counted from 1, oldest first; a retry makes a new run. */
  number: number;
  status: Run["status"];
  templates: Record<string, string>;
  /** How often a worker took it over from one that was lost. */
  takeovers: number;
  /** Whether a worker has it in hand now. */
  inHand: boolean;
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  /** Who wants it to end, and since when. */
  cancelRequested: { at: string; by: string } | null;
  /** Whether its end can be asked for, by whoever may act on the request. */
  canCancel: boolean;
  /** Milliseconds until it is done; null where a step never ran before, or the run has ended. */
  expectedRemainingMs: number | null;
  /** What the plan was made from; null where nobody looked at the database before. */
  basis: RunBasis | null;
  /** The failure of the run itself, where no step of it is to blame; or who cancelled it. */
  error: StepError | null;
  steps: StepReport[];
  /** Steps that this run has not reached, and that earlier runs did in the same project. */
  doneBefore: number;
  /** Berth's own time, for what is still running. */
  now: string;
}

/** The database as it was when the run was planned. */
export interface RunBasis {
  surveyedAt: string;
  serverVersion: string;
  /** No version applied, and nothing of the customer's. */
  isFresh: boolean;
  /** How many versions its ledger had. */
  applied: number;
}

/** One of a request's runs, for choosing among them. */
export interface RunName {
  runId: string;
  number: number;
  status: Run["status"];
  createdAt: string;
}

/** Lines shown before and after the one that failed. */
const AROUND = 6;

/** The runs of a request, newest first. */
export async function runsOf(tx: Tx, requestId: string): Promise<RunName[]> {
  const runs = await tx
    .select({
      runId: provisioningRuns.id,
      status: provisioningRuns.status,
      createdAt: provisioningRuns.createdAt,
    })
    .from(provisioningRuns)
    .where(eq(provisioningRuns.requestId, requestId))
    .orderBy(desc(provisioningRuns.id));
  return runs.map((run, index) => ({
    ...run,
    number: runs.length - index,
    createdAt: run.createdAt.toISOString(),
  }));
}

/**
 * A run of this request with its steps: the one with this id, else the newest. Null where there is
 * none. What the database said is redacted.
 */
export async function readRun(
  { tx, catalog }: { tx: Tx; catalog: Catalog },
  requestId: string,
  runId?: string,
): Promise<{ run: RunReport | null; runs: RunName[] }> {
  const runs = await runsOf(tx, requestId);
  const chosen = runId === undefined ? runs[0] : runs.find((run) => run.runId === runId);
  if (!chosen) return { run: null, runs };
  const [row] = await tx
    .select({ run: provisioningRuns, asker: user.name })
    .from(provisioningRuns)
    .leftJoin(user, eq(user.id, provisioningRuns.cancelRequestedBy))
    .where(eq(provisioningRuns.id, chosen.runId));
  if (!row) throw new Error("A run vanished between two statements.");
  const { run, asker } = row;
  const steps = await stepsOf(tx, run.id);
  const now = await databaseNow(tx);
  const before = await doneBefore(tx, run);
  const isBlamed = run.status !== "cancelled" && steps.some((step) => step.error !== null);
  const isOpen = run.status === "queued" || run.status === "running";
  const report: RunReport = {
    runId: run.id,
    requestId,
    number: chosen.number,
    status: run.status,
    templates: inOrder(catalog, run.templates),
    takeovers: run.takeovers,
    inHand: run.status === "running" && run.leaseExpiresAt !== null && run.leaseExpiresAt > now,
    createdAt: run.createdAt.toISOString(),
    startedAt: iso(run.startedAt),
    endedAt: iso(run.endedAt),
    cancelRequested: run.cancelRequestedAt && {
      at: run.cancelRequestedAt.toISOString(),
      by: asker ?? "Somebody who is no longer here",
    },
    canCancel: isOpen && run.cancelRequestedAt === null,
    expectedRemainingMs: expectedRemaining(run, steps, now),
    basis: basisOf(run),
    error: isBlamed ? null : run.error,
    steps: steps.map((step) => reportStep(catalog, step, Object.keys(run.templates))),
    doneBefore: steps.filter(({ status, name }) => status === "pending" && before.has(name)).length,
    now: now.toISOString(),
  };
  return { run: report, runs };
}

function basisOf({ basis }: Run): RunBasis | null {
  if (!basis) return null;
  const { surveyedAt, serverVersion, isFresh, applied } = basis;
  return { surveyedAt, serverVersion, isFresh, applied: Object.keys(applied).length };
}

/** The names of the steps that earlier runs did with the same backend. */
async function doneBefore(tx: Tx, { id, backendId }: Run): Promise<Set<string>> {
  const steps = await tx
    .selectDistinct({ name: provisioningSteps.name })
    .from(provisioningSteps)
    .innerJoin(provisioningRuns, eq(provisioningRuns.id, provisioningSteps.runId))
    .where(
      and(
        eq(provisioningRuns.backendId, backendId),
        lt(provisioningRuns.id, id),
        eq(provisioningSteps.status, "done"),
      ),
    );
  return new Set(steps.map(({ name }) => name));
}

/** As they are installed: each after what it requires; those that are no more, last. */
function inOrder(catalog: Catalog, templates: Record<string, string>): Record<string, string> {
  const known = catalog.templates.map(({ name }) => name).filter((name) => name in templates);
  const ordered = Object.fromEntries(
    catalog.order(known).map(({ name }) => [name, templates[name] ?? ""]),
  );
  return { ...ordered, ...templates };
}

function reportStep(catalog: Catalog, step: Step, names: readonly string[]): StepReport {
  const { position, name, kind, status, file, attempts, durationMs, outcome, error } = step;
  const templates = catalog.templates.filter((template) => names.includes(template.name));
  return {
    position,
    name,
    kind,
    status,
    file,
    about: aboutOf(templates, step)?.about ?? null,
    attempts,
    startedAt: iso(step.startedAt),
    endedAt: iso(step.endedAt),
    durationMs,
    expectedMs: step.expectedMs,
    planned: step.planned,
    effects: step.effects,
    outcome: outcome && redactFacts(outcome),
    error,
    excerpt: excerptOf(catalog, step),
  };
}

/** Notices come from a customer's database. */
function redactFacts(outcome: Record<string, unknown>): Record<string, unknown> {
  const clean = (value: unknown): unknown => {
    if (typeof value === "string") return redactText(value).slice(0, 2_000);
    return Array.isArray(value) ? value.map(clean) : value;
  };
  return Object.fromEntries(Object.entries(outcome).map(([name, value]) => [name, clean(value)]));
}

/** The failed statement as it stands in the catalogue, if that is the file that was run. */
function excerptOf(catalog: Catalog, { template, file, checksum, error }: Step): Excerpt | null {
  const line = error?.line;
  const index = Number(error?.statement) - 1;
  const found = catalog.templates.find(({ name }) => name === template);
  if (line === undefined || !found) return null;
  const files = [...found.migrations, ...(found.seed ? [found.seed] : [])];
  const source = files.find((candidate) => candidate.path === file);
  if (!source || source.checksum !== checksum) return null;
  const lines = source.sql.split(/\r?\n/);
  const begin = Math.min(source.statements[index]?.line ?? line, line);
  const end = (source.statements[index + 1]?.line ?? lines.length + 1) - 1;
  const from = Math.max(begin, line - AROUND);
  const shown = lines.slice(from - 1, Math.min(end, line + AROUND));
  // Blank lines and comments before the next statement are not part of this one.
  while (shown.length > line - from + 1 && /^\s*(--.*)?$/.test(shown.at(-1) ?? "")) shown.pop();
  return { from, lines: shown, line };
}
