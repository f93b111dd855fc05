import type { AppLoadContext } from "@remix-run/node";
import { type CheckLine, checkLine } from "#app/domain/backends/index.server.ts";
import { credentialsInput } from "#app/domain/onboarding/index.server.ts";
import {
  CredentialsRefusedError,
  submitCredentials,
  testCredentials,
} from "#app/domain/provisioning/index.server.ts";
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
interface Act {
  context: AppLoadContext;
  actor: Actor;
  requestId: string;
}

const deps = ({ context, actor }: Act) => ({ ...context.runtime.services, actor });

/** Limits are kept by the API's role; they hold for a person, whatever the network address. */
function spendTest({ context, actor }: Act): Promise<void> {
  return spend(context.runtime.services.db, visitorsActor(context), EACH_PERSON_TEST, actor.id);
}

/** Tests what was pasted. `onLine` is told of each line as soon as it is known. */
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
  return { status: 200, answer: { ok, lines: checks.map(checkLine) } };
}

/** Submits what was pasted, or takes up what the customer gave; null where it is done. */
export async function submitPasted(
  act: Act,
  given: Given | null,
): Promise<{ status: number; answer: CredentialsAnswer } | null> {
  const tried = await attempt(act.context, async () => {
    await spendTest(act);
    await submitCredentials(deps(act), act.requestId, given);
  });
  if (tried.done) return null;
  const { error, problem, status } = tried;
  const lines =
    error instanceof CredentialsRefusedError ? error.report.checks.map(checkLine) : undefined;
  return { status, answer: { problem, ...(lines ? { lines, ok: false } : {}) } };
}
