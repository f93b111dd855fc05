import { randomUUID } from "node:crypto";
import { and, eq, sql } from "drizzle-orm";
import { ledgerKeyOf } from "#app/integrations/postgres/ledger.ts";
import { RehearsalBusyError } from "#app/integrations/postgres/rehearsal-errors.ts";
import {
  type Rehearsal,
  type RehearsalStep,
  type RehearsedStep,
  rehearse,
} from "#app/integrations/postgres/rehearse.ts";
import { surveyDatabase } from "#app/integrations/postgres/survey.ts";
import { BerthError } from "#app/platform/errors.ts";
import { asActor, type Tx } from "#db/index.ts";
import { provisioningRuns, type StepError } from "#db/provisioning.ts";
import { requestEvents } from "#db/queue.ts";
import { recordAudit } from "../audit/index.server.ts";
import { backendSecret, type Credentials, liveBackendOf } from "../backends/index.server.ts";
import { HELD, requireHeld } from "../queue/index.server.ts";
import { answersFor, givenOf, requireAnswers } from "./answers.ts";
import { type CredentialsDeps, checkCredentials } from "./credentials.ts";
import { connectorTo } from "./customer-database.ts";
import { CredentialsMissingError, CredentialsRefusedError } from "./errors.ts";
import { planRun, type RunPlan } from "./plan.ts";
import { describeFailure } from "./report.ts";
import { sqlStepOf } from "./steps.ts";

/** How a rehearsal went, in plain data and free of secrets. */
export interface RehearsalView extends Omit<Rehearsal, "steps"> {
  steps: (Omit<RehearsedStep, "error"> & { error?: StepError })[];
  /** What a run does besides, and may fail at; in words. */
  notPart: string[];
}

const NOT_PART = [
  "the checks of the server before a run",
  "the drift guard, which compares the database with its ledger",
  "the storage buckets, the sign-in settings, the owner's account and the health check",
];

/** Rehearsals that this process has under way, by request. */
const underWay = new Set<string>();
const MOST_AT_ONCE = 4;

/**
 * Rehearses the run of a request that the person acting holds, up to its last file: on the project
 * that was pasted, else on the one that the request has, or was offered. The credentials are tested
 * first. Nothing is kept, here or there, but the audit records: one that it begins, one how it ended.
 *
 * @throws what `requireHeld` throws (WrongStateError, too, while a run is under way),
 * CredentialsMissingError, CredentialsRefusedError, RehearsalBusyError, CheckFailedError for an answer
 * that a template refuses, and what `rehearse` throws.
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
    const accepted = backend !== null && (await hasAcceptance(tx, requestId, backend.id));
    const answered = await givenOf(tx, requestId);
    const acceptedRef = accepted ? backend.projectRef : null;
    return { requestId, features, answered, backend, acceptedRef };
  });
  const work = (credentials: Credentials) => rehearseWith(deps, subject, credentials, signal);
  const begin = (through: () => Promise<RehearsalView>) =>
    oneOfFew(requestId, () => onRecord(deps, requestId, through));
  if (given !== null) return begin(() => work(given));
  if (!backend) throw new CredentialsMissingError();
  return begin(() =>
    deps.vault.use(
      { db, actor, requestId },
      backendSecret(backend),
      "rehearsal",
      ({ anonKey = "", serviceRoleKey = "", databaseUrl = "" }) =>
        work({ url: backend.url, anonKey, serviceRoleKey, databaseUrl }),
    ),
  );
}

/** @throws RehearsalBusyError */
async function oneOfFew<T>(requestId: string, work: () => Promise<T>): Promise<T> {
  if (underWay.has(requestId)) {
    throw new RehearsalBusyError("a rehearsal of this request is under way");
  }
  if (underWay.size >= MOST_AT_ONCE) {
    throw new RehearsalBusyError(`${underWay.size} rehearsals of other requests are under way`);
  }
  underWay.add(requestId);
  try {
    return await work();
  } finally {
    underWay.delete(requestId);
  }
}

/** Writes down that a rehearsal begins, before it reaches out, and how it ended, whichever way. */
async function onRecord(
  { db, actor }: CredentialsDeps,
  requestId: string,
  work: () => Promise<RehearsalView>,
): Promise<RehearsalView> {
  const record = (action: string, data: Record<string, unknown>) =>
    asActor(db, actor, (tx) =>
      recordAudit(tx, actor, {
        action,
        subjectKind: "request",
        subjectId: requestId,
        requestId,
        data,
      }),
    );
  await record("run.rehearse_start", {});
  let end: Record<string, unknown> = {};
  try {
    const view = await work();
    end = { ok: view.ok, where: view.where, steps: view.steps.length };
    return view;
  } catch (error) {
    end = { ok: false, code: error instanceof BerthError ? error.code : "internal" };
    throw error;
  } finally {
    await record("run.rehearse", end);
  }
}

interface Subject {
  requestId: string;
  features: readonly string[];
  answered: Awaited<ReturnType<typeof givenOf>>;
  /** The project whose files that the ledger has otherwise stay as they are: a supervisor said so. */
  acceptedRef: string | null;
}

/** By the request's timeline, since callers of the API do not see who accepted what, and why. */
async function hasAcceptance(tx: Tx, requestId: string, backendId: string): Promise<boolean> {
  const accepted = await tx
    .select({ id: requestEvents.id })
    .from(requestEvents)
    .innerJoin(
      provisioningRuns,
      sql`${provisioningRuns.id}::text = ${requestEvents.data} ->> 'runId'`,
    )
    .where(
      and(
        eq(requestEvents.requestId, requestId),
        eq(requestEvents.kind, "drift_accepted"),
        eq(provisioningRuns.requestId, requestId),
        eq(provisioningRuns.backendId, backendId),
      ),
    )
    .limit(1);
  return accepted.length > 0;
}

async function rehearseWith(
  deps: CredentialsDeps,
  { requestId, features, answered, acceptedRef }: Subject,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<RehearsalView> {
  const { catalog } = deps;
  const names = catalog.order([...features]).map(({ name }) => name);
  const answers = answersFor(catalog, names, answered);
  requireAnswers(catalog, answers.problems);
  // Also keeps it out of another customer's project.
  const report = await checkCredentials(deps, credentials, requestId);
  if (!report.ok) throw new CredentialsRefusedError(report);
  const keepsOthers = acceptedRef !== null && report.ref === acceptedRef;
  const rehearsal = await rehearse({
    connect: connectorTo(deps, credentials.databaseUrl, {
      statementTimeoutMs: 60_000,
      queryTimeoutMs: 0,
      signal,
    }),
    id: randomUUID(),
    signal,
    settings: answers.settings,
    plan: async (client) =>
      filesOf(catalog, planRun(catalog, features, await surveyDatabase(client)), keepsOthers),
  });
  return {
    ...rehearsal,
    notPart: NOT_PART,
    steps: rehearsal.steps.map(({ error, ...step }) => ({
      ...step,
      ...(error ? { error: describeFailure(error) } : {}),
    })),
  };
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
      return {
        name: planned.name,
        step,
        planned: keepsOthers && standing === "differs" ? "kept" : standing,
        appliedChecksum: basis?.applied[ledgerKeyOf(step)] ?? null,
      };
    });
}
