import type { AppLoadContext } from "@remix-run/node";
import {
  type CheckLine,
  type ConnectionTest,
  checkLine,
} from "#app/domain/backends/index.server.ts";
import { credentialsInput } from "#app/domain/onboarding/index.server.ts";
import {
  CredentialsRefusedError,
  PlanChangedError,
  PlanNotSeenError,
  planCredentials,
  type RunPlan,
  submitCredentials,
  testCredentials,
} from "#app/domain/provisioning/index.server.ts";
import type { BerthError } from "#app/platform/errors.ts";
import type { Actor } from "#db/index.ts";
import { EACH_PERSON_TEST, spend } from "./api/limits.ts";
import { attempt, type PageProblem } from "./forms.server.ts";
import { visitorsActor } from "./visitors-actor.server.ts";

type Given = ReturnType<typeof credentialsInput.parse>;
export type CredentialField = keyof Given;
export type CredentialErrors = Partial<Record<CredentialField, string>>;

/** What each field asks for when it was left empty. */
export const MISSING_CREDENTIALS: Record<CredentialField, string> = {
  url: "Paste the project's URL.",
  anonKey: "Paste the anon or publishable key.",
  serviceRoleKey: "Paste the service-role or secret key.",
  databaseUrl: "Paste the connection string of the database.",
};

/** What the page for credentials says of an act. Nothing that was pasted is ever in it. */
export interface CredentialsAnswer {
  /** The connection test's lines, all of them, in their order. */
  lines?: CheckLine[];
  ok?: boolean;
  /** What a run would do, where every line holds. */
  plan?: RunPlan;
  problem?: PageProblem;
  fields?: CredentialErrors;
}

/** A message of the streamed test: a line as it becomes known, or how the test ended. */
export type CheckMessage = CredentialsAnswer & { line?: CheckLine };

/** The pasted values, or what is wrong with each before any of them is tried. */
export function readCredentials(
  form: FormData,
): { given: Given; fields: null } | { given: null; fields: CredentialErrors } {
  const pasted = Object.fromEntries(
    Object.keys(credentialsInput.shape).map((name) => [name, form.get(name) ?? ""]),
  );
  const parsed = credentialsInput.safeParse(pasted);
  if (parsed.success) return { given: parsed.data, fields: null };
  const fields: CredentialErrors = {};
  for (const { path, code, message } of parsed.error.issues) {
    const field = path[0] as CredentialField;
    const isEmpty = String(pasted[field]).trim() === "";
    const long = code === "too_big" ? "This is far too long to be right." : message;
    fields[field] ??= isEmpty ? MISSING_CREDENTIALS[field] : long;
  }
  return { given: null, fields };
}

/** A test, or a submission, for which Berth reaches out to where the person says. */
export interface Act {
  context: AppLoadContext;
  actor: Actor;
  requestId: string;
}

const deps = ({ context, actor }: Act) => ({ ...context.runtime.services, actor });

/** Limits are kept by the API's role; they hold for a person, whatever the network address. */
export function spendTest({ context, actor }: Act): Promise<void> {
  return spend(context.runtime.services.db, visitorsActor(context), EACH_PERSON_TEST, actor.id);
}

/**
 * Tests what was pasted, and plans the run where every line holds. `onLine` is told of each line as
 * soon as it is known.
 */
export async function testPasted(
  act: Act,
  given: Given,
  onLine?: (line: CheckLine) => void,
): Promise<{ status: number; answer: CredentialsAnswer }> {
  const tried = await attempt(act.context, async () => {
    await spendTest(act);
    return testCredentials(deps(act), act.requestId, given, (check) => onLine?.(checkLine(check)));
  });
  if (!tried.done) return { status: tried.status, answer: { problem: tried.problem } };
  const { ok, checks } = tried.result;
  const answer = { ok, lines: checks.map(checkLine) };
  if (!ok) return { status: 200, answer };
  const planned = await attempt(act.context, () =>
    planCredentials(deps(act), act.requestId, given),
  );
  return planned.done
    ? { status: 200, answer: { ...answer, plan: planned.result } }
    : { status: planned.status, answer: { ...answer, problem: planned.problem } };
}

/**
 * Tests the project that the customer gave, and plans the run where every line holds; where one does
 * not, the customer is told what to mend. Nothing is started.
 */
export async function planOffered(
  act: Act,
): Promise<{ status: number; answer: CredentialsAnswer }> {
  const refused = await submitPasted(act, null, null);
  const { plan, lines } = refused?.answer ?? {};
  if (!refused) throw new Error("A run was started that nobody had seen.");
  return plan ? { status: 200, answer: { ok: true, lines, plan } } : refused;
}

/**
 * Submits what was pasted, or takes up what the customer gave; null where it is done. `planDigest`:
 * of the plan that the person has seen; without it, or when the plan has changed since, nothing is
 * started, and the answer has the plan to look at.
 */
export async function submitPasted(
  act: Act,
  given: Given | null,
  planDigest: string | null,
): Promise<{ status: number; answer: CredentialsAnswer } | null> {
  const agreement = { planDigest: planDigest || undefined, mustBeSeen: true };
  const tried = await attempt(act.context, async () => {
    await spendTest(act);
    await submitCredentials(deps(act), act.requestId, given, agreement);
  });
  if (tried.done) return null;
  const { error, problem, status } = tried;
  return { status, answer: { problem, ...lookedAt(error) } };
}

/** What a refusal has to show: the lines of the test, and the plan. */
function lookedAt(error: BerthError): Pick<CredentialsAnswer, "lines" | "ok" | "plan"> {
  const linesOf = ({ checks }: ConnectionTest) => checks.map(checkLine);
  if (error instanceof CredentialsRefusedError) return { lines: linesOf(error.report), ok: false };
  const now = error instanceof PlanNotSeenError ? error : null;
  const planned = error instanceof PlanChangedError ? error.now : now;
  return planned ? { lines: linesOf(planned.report), ok: true, plan: planned.plan } : {};
}
