import { type CheckLine, checkLine } from "#app/domain/backends/index.server.ts";
import {
  CredentialsRefusedError,
  type RehearsalView,
  rehearseRequest,
} from "#app/domain/provisioning/index.server.ts";
import {
  type Act,
  type CredentialErrors,
  readCredentials,
  spendTest,
} from "./credentials.server.ts";
import { attempt, type PageProblem } from "./forms.server.ts";

/** What a page says of a rehearsal. Nothing that was pasted is ever in it. */
export interface RehearsalAnswer {
  rehearsal?: RehearsalView;
  /** Why there is none. */
  problem?: PageProblem;
  /** What is wrong with a pasted value, before any of them is tried. */
  fields?: CredentialErrors;
  /** The connection test's lines, where one does not hold. */
  lines?: CheckLine[];
}

/**
 * Rehearses with what was pasted, or where the form holds none of the four values, on the project
 * that the request has. Counts as a connection test. `signal` ends it.
 */
export async function rehearsePasted(
  act: Act,
  form: FormData,
  signal: AbortSignal,
): Promise<{ status: number; answer: RehearsalAnswer }> {
  const { context, actor, requestId } = act;
  const isPasted = ["url", "anonKey", "serviceRoleKey", "databaseUrl"].some((name) =>
    form.has(name),
  );
  const { given, fields } = isPasted ? readCredentials(form) : { given: null, fields: null };
  if (fields) return { status: 422, answer: { fields } };
  const tried = await attempt(context, async () => {
    await spendTest(act);
    const deps = { ...context.runtime.services, actor };
    return rehearseRequest(deps, requestId, given, signal);
  });
  if (tried.done) return { status: 200, answer: { rehearsal: tried.result } };
  const { error, problem, status } = tried;
  const lines =
    error instanceof CredentialsRefusedError ? error.report.checks.map(checkLine) : undefined;
  return { status, answer: { problem, ...(lines ? { lines } : {}) } };
}
