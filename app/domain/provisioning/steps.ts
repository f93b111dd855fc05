import type pg from "pg";
import { strongLocksOf } from "#app/integrations/postgres/effects-file.ts";
import type { SqlStep } from "#app/integrations/postgres/ledger.ts";
import { preflight } from "#app/integrations/postgres/preflight.ts";
import { StepsLostError } from "#app/integrations/postgres/run-errors.ts";
import type { CheckRow, RunSession } from "#app/integrations/postgres/run-session.ts";
import { surveyDatabase } from "#app/integrations/postgres/survey.ts";
import { OwnerAddressTakenError } from "#app/integrations/supabase/errors.ts";
import type { ManagementClient } from "#app/integrations/supabase/management.ts";
import type { Project } from "#app/integrations/supabase/project.ts";
import type { Logger } from "#app/platform/log.ts";
import type { AnswerProblem, Catalog } from "../catalog/index.server.ts";
import { requireAnswers } from "./answers.ts";
import { configureAuth } from "./auth-settings.ts";
import { guardDrift } from "./drift.ts";
import { CheckFailedError, NeedsPersonError } from "./errors.ts";
import { type PlannedStep, planRun, type RunPlan } from "./plan.ts";
import { type AgreedPlan, requireUnchanged } from "./plan-changes.ts";
import { provideBucket } from "./project-buckets.ts";

/** What the steps of one run work on. Connections are opened at first use. */
export interface Site {
  runId: string;
  projectRef: string;
  catalog: Catalog;
  /** The templates of this run, by name. */
  templates: readonly string[];
  /** Answers of the customer that these templates do not take. */
  answerProblems: readonly AnswerProblem[];
  /** The plan that the run was started with. */
  agreed: AgreedPlan;
  /** Files that the ledger has with another checksum; a supervisor has accepted that they stay. */
  differing: ReadonlySet<string>;
  /** @throws LeaseLostError where another worker has the run, or it has ended */
  requireLease(): Promise<void>;
  /** Told of the plan that the run's start made, where nobody had planned before. */
  planned(plan: RunPlan): Promise<void>;
  /** A session of its own; in another database of the same server, where one is named. */
  connect(applicationName: string, database?: string): Promise<pg.Client>;
  /** The run is to end, or another worker has it. */
  signal: AbortSignal;
  log?: Logger;
  /** Who accepted that the database differs from its ledger in exactly this. */
  acceptedDrift(digest: string): Promise<{ by: string; reason: string } | null>;
  owner: { email: string; name: string };
  session(): Promise<RunSession>;
  /** Through the service key, and through the anon key. */
  admin: Project;
  visitor: Project;
  /** Absent where Berth has no access token. */
  management: ManagementClient | null;
  /** Told of the owner's account, before the step counts as done. */
  ownerFound(userId: string): Promise<void>;
}

/** What a step tells of itself when it is done: a few plain facts. */
export type StepFacts = Record<string, unknown>;

/** Does one step, or finds it done. Every handler may be repeated at any time. */
export function runStep(site: Site, step: PlannedStep): Promise<StepFacts> {
  return HANDLERS[step.kind](site, step);
}

const HANDLERS: Record<PlannedStep["kind"], (site: Site, step: PlannedStep) => Promise<StepFacts>> =
  {
    preflight: runPreflight,
    sql: applyFile,
    seed: applyFile,
    storage: provideBucket,
    "auth-config": configureAuth,
    owner: ensureOwner,
    health: checkHealth,
  };

/** Up to its last line this only reads. The plan is compared under the run's lock. */
async function runPreflight(site: Site): Promise<StepFacts> {
  requireAnswers(site.catalog, site.answerProblems);
  const minimumPostgres = Math.max(
    ...site.templates.map((name) => site.catalog.get(name).minimumPostgres),
  );
  const session = await site.session();
  const lines = await preflight(session, { minimumPostgres });
  const failed = lines.filter((line) => !line.ok);
  if (failed.length > 0) throw new CheckFailedError("preflight_failed", failed);
  const survey = await session.read("the survey", surveyDatabase);
  const plan = planRun(site.catalog, site.templates, survey);
  requireUnchanged(site.agreed, plan, survey, site.runId);
  if (!site.agreed.basis) await site.planned(plan);
  const { catalog, connect, signal, log, acceptedDrift: isAccepted } = site;
  const drift = await guardDrift({ session, survey, catalog, connect, signal, log, isAccepted });
  // A worker that stood still meanwhile writes nothing into the project of a run that has ended.
  await site.requireLease();
  await session.prepare();
  return { checks: lines.length, ...drift };
}

/** The catalogue's file behind a planned step. @throws CheckFailedError where it has changed */
export function sqlStepOf(catalog: Catalog, step: PlannedStep): SqlStep {
  const template = catalog.get(step.template ?? "");
  const file = [...template.migrations, ...(template.seed ? [template.seed] : [])].find(
    (candidate) => candidate.path === step.file,
  );
  if (!file) {
    throw new CheckFailedError("file_missing", [
      {
        name: step.file ?? "A file",
        found: `${template.name} ${template.version} does not have it`,
        needed: "the file that was planned",
        fix: "Retry: the run is planned anew from the templates as they are now.",
      },
    ]);
  }
  if (file.checksum !== step.checksum) {
    throw new CheckFailedError("plan_outdated", [
      {
        name: file.path,
        found: "another checksum than was planned",
        needed: "the file that was planned",
        fix: "Retry: the run is planned anew from the templates as they are now.",
      },
    ]);
  }
  return {
    kind: step.kind === "seed" ? "seed" : "migration",
    version: file.version,
    name: file.name,
    file: file.path,
    sql: file.sql,
    checksum: file.checksum,
    template: template.name,
    templateVersion: template.version,
    transactional: file.transactional,
    ...(file.timeoutMs === null ? {} : { timeoutMs: file.timeoutMs }),
    strongLocks: strongLocksOf(file.effects),
    statements: file.statements,
  };
}

async function applyFile(site: Site, step: PlannedStep): Promise<StepFacts> {
  if (site.differing.has(step.file ?? "")) return { outcome: "kept_other", statements: 0 };
  // A worker that took the run over may have other templates.
  requireAnswers(site.catalog, site.answerProblems);
  const session = await site.session();
  const { outcome, statements, notices } = await session.apply(sqlStepOf(site.catalog, step));
  return { outcome, statements, ...(notices.length > 0 ? { notices } : {}) };
}

async function ensureOwner(site: Site): Promise<StepFacts> {
  const { userId, created } = await site.admin.ensureOwner(site.owner).catch((error) => {
    // Whether that user is the customer, nobody but a person can say.
    if (!(error instanceof OwnerAddressTakenError)) throw error;
    const page = `https://supabase.com/dashboard/project/${site.projectRef}/auth/users`;
    throw NeedsPersonError.of(error, page);
  });
  await site.ownerFound(userId);
  return { outcome: created ? "created" : "already_there" };
}

/** What earlier workers of this run applied may have been lost in a failover since. */
async function requireWholeLedger(site: Site, session: RunSession): Promise<void> {
  const survey = await session.read("the survey", surveyDatabase);
  const lost = planRun(site.catalog, site.templates, survey).steps.filter(
    ({ file, planned }) => file && planned !== "applied" && !site.differing.has(file),
  );
  if (lost.length > 0) throw new StepsLostError(lost.map(({ file = "" }) => file));
}

async function checkHealth(site: Site): Promise<StepFacts> {
  const session = await site.session();
  await requireWholeLedger(site, session);
  const rows: CheckRow[] = [];
  for (const name of site.templates) {
    const { checks } = site.catalog.get(name);
    if (checks) rows.push(...(await session.check(checks.sql, checks.timeoutMs)));
  }
  const services = await site.admin.health();
  const failed = [
    ...rows
      .filter((row) => !row.ok)
      .map((row) => ({ name: row.check_name, found: row.detail ?? "it does not hold" })),
    ...services
      .filter((service) => !service.ok)
      .map(({ service }) => ({ name: service, found: "the service does not answer well" })),
  ];
  if (failed.length > 0) {
    throw new CheckFailedError(
      "health_failed",
      failed.map((one) => ({
        ...one,
        needed: "every check to hold",
        fix: "Find out who changed the database or the project since it was built, then retry.",
      })),
      // A service that fails to answer may do so again in a moment; what is wrong in the database stays.
      rows.every((row) => row.ok),
    );
  }
  return { checks: rows.length + services.length };
}
