import type { OutboundGuard } from "#app/platform/outbound/guard.ts";
import { type Actor, asActor, type Db } from "#db/index.ts";
import { recordAudit } from "../audit/index.server.ts";
import {
  attachBackend,
  type Backend,
  backendSecret,
  type Check,
  type ConnectionTest,
  type Credentials,
  customerLine,
  inSentence,
  isProjectInUse,
  liveBackendOf,
  testConnection,
} from "../backends/index.server.ts";
import type { Catalog } from "../catalog/index.server.ts";
import {
  type Context,
  HELD,
  mailCustomer,
  moveRequest,
  type RequestRow,
  requireHeld,
} from "../queue/index.server.ts";
import type { Vault } from "../vault/index.server.ts";
import {
  CredentialsMissingError,
  CredentialsRefusedError,
  PlanChangedError,
  PlanNotSeenError,
} from "./errors.ts";
import type { RunPlan } from "./plan.ts";
import { planOn } from "./planning.ts";
import { startRun } from "./runs.ts";

export interface CredentialsDeps {
  db: Db;
  actor: Actor;
  vault: Vault;
  catalog: Catalog;
  guard: OutboundGuard;
  /** PEM of the authority that signs customers' databases. */
  databaseCa?: string | undefined;
}

/**
 * Tests credentials line by line. Nothing is kept, and nothing is written but the audit record.
 * `requestId`: the request that may have the project already; `onCheck` is told of each line as soon
 * as it is known.
 */
export async function checkCredentials(
  deps: Omit<CredentialsDeps, "catalog" | "vault">,
  credentials: Credentials,
  requestId?: string,
  onCheck?: (check: Check) => void,
): Promise<ConnectionTest> {
  const { db, actor, guard, databaseCa } = deps;
  const report = await testConnection(credentials, {
    guard,
    ca: databaseCa,
    isInUse: (ref) => asActor(db, actor, (tx) => isProjectInUse(tx, ref, requestId)),
    onCheck,
  });
  await asActor(db, actor, (tx) =>
    recordAudit(tx, actor, {
      action: "credentials.test",
      subjectKind: requestId === undefined ? "project" : "request",
      subjectId: requestId ?? report.ref ?? "unknown",
      requestId,
      data: {
        ok: report.ok,
        projectRef: report.ref,
        failed: report.checks.filter((check) => !check.ok).map((check) => check.name),
      },
    }),
  );
  return report;
}

/**
 * Tests credentials for a request that the person acting holds; its claim is extended.
 * @throws what {@link requireHeld} throws
 */
export async function testCredentials(
  deps: Omit<CredentialsDeps, "catalog" | "vault">,
  requestId: string,
  credentials: Credentials,
  onCheck?: (check: Check) => void,
): Promise<ConnectionTest> {
  const { db, actor } = deps;
  await asActor(db, actor, (tx) =>
    requireHeld({ tx, actor }, requestId, "test credentials for", HELD),
  );
  return checkCredentials(deps, credentials, requestId, onCheck);
}

/**
 * What a run of this request would do with credentials that were tested before.
 * @throws PlanUnavailableError, and what {@link requireHeld} throws
 */
export async function planCredentials(
  deps: Omit<CredentialsDeps, "vault">,
  requestId: string,
  credentials: Pick<Credentials, "databaseUrl">,
): Promise<RunPlan> {
  const { db, actor } = deps;
  const { features } = await asActor(db, actor, (tx) =>
    requireHeld({ tx, actor }, requestId, "plan the run of", HELD),
  );
  return planOn(deps, features, credentials.databaseUrl);
}

/**
 * Tests credentials and tells what a run of this request would do with them; nothing is kept. Without
 * `given`, those that the request has, or that the customer offered.
 * @throws CredentialsRefusedError with the lines; CredentialsMissingError, PlanUnavailableError, and
 * what {@link requireHeld} throws.
 */
export async function planRequest(
  deps: CredentialsDeps,
  requestId: string,
  given: Credentials | null,
): Promise<RunPlan> {
  const { request, credentials } = await holdCredentials(deps, requestId, "plan the run of", given);
  const report = await checkCredentials(deps, credentials, requestId);
  if (!report.ok) throw new CredentialsRefusedError(report);
  return planOn(deps, request.features, credentials.databaseUrl);
}

/** What the person acting has agreed to. */
export interface Agreement {
  /** The digest of the plan that was looked at. */
  planDigest?: string | undefined;
  /** Whether a run may start only as it was looked at; else also without a look. */
  mustBeSeen?: boolean;
}

/**
 * Tests the credentials of a request that the person acting holds, and if every line holds and the
 * plan is the one agreed to, seals them and enqueues the run, in one transaction. Without `given`,
 * those that the customer offered.
 * @throws CredentialsRefusedError with the lines; PlanNotSeenError, PlanChangedError with the plan;
 * CredentialsMissingError, ProjectInUseError, PlanUnavailableError, and what {@link requireHeld} throws.
 */
export async function submitCredentials(
  deps: CredentialsDeps,
  requestId: string,
  given: Credentials | null,
  agreement: Agreement = {},
): Promise<void> {
  const { db, actor } = deps;
  const act = "supply credentials for";
  const { request: held, credentials } = await holdCredentials(deps, requestId, act, given);
  const report = await checkCredentials(deps, credentials, requestId);
  if (!report.ok || report.ref === null) {
    if (given === null) await askCustomer(deps, requestId, report);
    throw new CredentialsRefusedError(report);
  }
  const plan = await planOn(deps, held.features, credentials.databaseUrl);
  requireAgreed(plan, agreement, report);
  const project = { ref: report.ref, status: "building" as const };
  const tested = { ...credentials, url: report.facts.origin ?? credentials.url };
  await asActor(db, actor, async (tx) => {
    let request = await requireHeld({ tx, actor }, requestId, act, HELD);
    request = await resume({ tx, actor }, request);
    const context = { tx, actor, vault: deps.vault };
    const backend = await attachBackend(context, request, tested, project);
    const received = await moveRequest({ tx, actor }, request, "credentials_received", {
      event: "credentials_submitted",
      data: { backendId: backend.id, generation: backend.generation },
      set: { failure: null },
    });
    await startRun({ tx, actor }, deps.catalog, received, backend, plan);
  });
}

/** The request, held by the person acting, and the credentials to act with. */
async function holdCredentials(
  deps: CredentialsDeps,
  requestId: string,
  act: string,
  given: Credentials | null,
): Promise<{ request: RequestRow; credentials: Credentials }> {
  const { db, actor } = deps;
  const { request, backend } = await asActor(db, actor, async (tx) => ({
    request: await requireHeld({ tx, actor }, requestId, act, HELD),
    backend: given === null ? await liveBackendOf(tx, requestId) : null,
  }));
  return { request, credentials: given ?? (await openOffered(deps, requestId, backend)) };
}

function requireAgreed(
  plan: RunPlan,
  { planDigest, mustBeSeen }: Agreement,
  report: ConnectionTest,
): void {
  if (planDigest === plan.basis?.digest) return;
  if (planDigest !== undefined) {
    throw new PlanChangedError(["another plan than the one that was looked at"], { plan, report });
  }
  if (mustBeSeen) throw new PlanNotSeenError(plan, report);
}

/** Back in hand: from waiting on the customer, or from a failed run. */
async function resume(context: Context, request: RequestRow): Promise<RequestRow> {
  if (request.status === "in_progress") return request;
  return moveRequest(context, request, "in_progress", { event: "resumed" });
}

async function openOffered(
  { db, actor, vault }: CredentialsDeps,
  requestId: string,
  backend: Backend | null,
): Promise<Credentials> {
  if (!backend) throw new CredentialsMissingError();
  return vault.use(
    { db, actor, requestId },
    backendSecret(backend),
    "connection-test",
    async ({ anonKey = "", serviceRoleKey = "", databaseUrl = "" }) => ({
      url: backend.url,
      anonKey,
      serviceRoleKey,
      databaseUrl,
    }),
  );
}

/**
 * The customer's own project does not hold: its clock stops, and it is told what to mend. Not where
 * the trouble may pass by itself, nor a second time for the same state.
 */
async function askCustomer(
  { db, actor }: CredentialsDeps,
  requestId: string,
  report: ConnectionTest,
): Promise<void> {
  // A line without a fix was not judged; another one is to blame.
  const causes = report.checks.filter((check) => !check.ok && check.fix);
  if (causes.length === 0 || causes.some((check) => check.retryable)) return;
  const problem = causes
    .map(customerLine)
    .map(({ found, fix }) => [inSentence(found), fix].filter(Boolean).join(" "))
    .join(" ");
  await asActor(db, actor, async (tx) => {
    const request = await requireHeld({ tx, actor }, requestId, "test", HELD);
    if (request.status !== "in_progress") return;
    await moveRequest({ tx, actor }, request, "waiting_on_customer", {
      event: "credentials_problem",
      data: { failed: causes.map((check) => check.name) },
    });
    await mailCustomer({ tx, actor }, request, "credentials_problem", { problem });
  });
}
