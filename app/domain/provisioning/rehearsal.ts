import { randomUUID } from "node:crypto";
import { and, eq } from "drizzle-orm";
import { connectToCustomer } from "#app/integrations/postgres/connect.ts";
import { parseDatabaseUrl } from "#app/integrations/postgres/dsn.ts";
import {
  type Rehearsal,
  type RehearsalStep,
  type RehearsedStep,
  rehearse,
} from "#app/integrations/postgres/rehearse.ts";
import { surveyDatabase } from "#app/integrations/postgres/survey.ts";
import { asActor, type Tx } from "#db/index.ts";
import type { StepError } from "#db/provisioning.ts";
import { requestEvents } from "#db/queue.ts";
import { recordAudit } from "../audit/index.server.ts";
import { backendSecret, type Credentials, liveBackendOf } from "../backends/index.server.ts";
import { HELD, requireHeld } from "../queue/index.server.ts";
import { type CredentialsDeps, checkCredentials } from "./credentials.ts";
import { CredentialsMissingError, CredentialsRefusedError } from "./errors.ts";
import { planRun, type RunPlan } from "./plan.ts";
import { describeFailure } from "./report.ts";
import { sqlStepOf } from "./steps.ts";

/** How a rehearsal went, in plain data and free of secrets. */
export interface RehearsalView extends Omit<Rehearsal, "steps"> {
  steps: (Omit<RehearsedStep, "error"> & { error?: StepError })[];
}

/**
 * Rehearses the run of a request that the person acting holds, up to its last file: on the project
 * that was pasted, else on the one that the request has, or was offered. The credentials are tested
 * first. Nothing is kept, here or there, but the audit record.
 *
 * @throws what `requireHeld` throws (WrongStateError, too, while a run is under way),
 * CredentialsMissingError, CredentialsRefusedError, and what `rehearse` throws.
 */
export async function rehearseRequest(
  deps: CredentialsDeps,
  requestId: string,
  given: Credentials | null,
  signal: AbortSignal,
): Promise<RehearsalView> {
  const { db, actor } = deps;
  const { backend, ...subject } = await asActor(db, actor, async (tx) => {
    const { features } = await requireHeld({ tx, actor }, requestId, "rehearse", HELD);
    const backend = await liveBackendOf(tx, requestId);
    const keepsOthers = await hasAcceptance(tx, requestId);
    return { requestId, features, backend, keepsOthers };
  });
  const work = (credentials: Credentials) => rehearseWith(deps, subject, credentials, signal);
  if (given !== null) return work(given);
  if (!backend) throw new CredentialsMissingError();
  return deps.vault.use(
    { db, actor, requestId },
    backendSecret(backend),
    "rehearsal",
    ({ anonKey = "", serviceRoleKey = "", databaseUrl = "" }) =>
      work({ url: backend.url, anonKey, serviceRoleKey, databaseUrl }),
  );
}

interface Subject {
  requestId: string;
  features: readonly string[];
  /** Files that the ledger has otherwise stay as they are: a supervisor said so. */
  keepsOthers: boolean;
}

/** By the request's timeline, since callers of the API do not see who accepted what, and why. */
async function hasAcceptance(tx: Tx, requestId: string): Promise<boolean> {
  const accepted = await tx
    .select({ id: requestEvents.id })
    .from(requestEvents)
    .where(and(eq(requestEvents.requestId, requestId), eq(requestEvents.kind, "drift_accepted")))
    .limit(1);
  return accepted.length > 0;
}

async function rehearseWith(
  deps: CredentialsDeps,
  { requestId, features, keepsOthers }: Subject,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<RehearsalView> {
  const { catalog, db, actor } = deps;
  // Also keeps it out of another customer's project.
  const report = await checkCredentials(deps, credentials, requestId);
  if (!report.ok) throw new CredentialsRefusedError(report);
  const rehearsal = await rehearse({
    connect: connectTo(deps, credentials.databaseUrl, signal),
    id: randomUUID(),
    signal,
    plan: async (client) =>
      filesOf(catalog, planRun(catalog, features, await surveyDatabase(client)), keepsOthers),
  });
  const view = {
    ...rehearsal,
    steps: rehearsal.steps.map(({ error, ...step }) => ({
      ...step,
      ...(error ? { error: describeFailure(error) } : {}),
    })),
  };
  await asActor(db, actor, (tx) =>
    recordAudit(tx, actor, {
      action: "run.rehearse",
      subjectKind: "request",
      subjectId: requestId,
      requestId,
      data: { ok: view.ok, where: view.where, steps: view.steps.length },
    }),
  );
  return view;
}

function connectTo(
  { guard, databaseCa }: CredentialsDeps,
  databaseUrl: string,
  signal: AbortSignal,
) {
  const target = parseDatabaseUrl(databaseUrl);
  return (applicationName: string, database = target.database) =>
    connectToCustomer(
      { ...target, database },
      {
        guard,
        ca: databaseCa,
        applicationName,
        connectTimeoutMs: 10_000,
        statementTimeoutMs: 60_000,
        queryTimeoutMs: 0,
        signal,
      },
    );
}

/** The plan's files, each with what the ledger says of it. */
function filesOf(
  catalog: CredentialsDeps["catalog"],
  { steps, basis }: RunPlan,
  keepsOthers: boolean,
): RehearsalStep[] {
  return steps
    .filter(({ kind }) => kind === "sql" || kind === "seed")
    .map((planned): RehearsalStep => {
      const step = sqlStepOf(catalog, planned);
      const standing = planned.planned ?? "apply";
      const key = step.kind === "seed" ? `seed:${step.template}` : step.version;
      return {
        name: planned.name,
        step,
        planned: keepsOthers && standing === "differs" ? "kept" : standing,
        appliedChecksum: basis?.applied[key] ?? null,
      };
    });
}
