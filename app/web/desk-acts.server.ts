import type { ActionFunctionArgs } from "@remix-run/node";
import { checkLine } from "#app/domain/backends/index.server.ts";
import {
  actOnRequest,
  CredentialsRefusedError,
  type DeskAct,
  PlanChangedError,
  planRequest,
  retryRequest,
} from "#app/domain/provisioning/index.server.ts";
import {
  changesSince,
  HeldByOtherError,
  type RequestChange,
  RequestNotFoundError,
  requireUnmoved,
} from "#app/domain/queue/index.server.ts";
import type { BerthError } from "#app/platform/errors.ts";
import type { Actor } from "#db/index.ts";
import { type CredentialsAnswer, spendTest } from "./credentials.server.ts";
import { attempt, type PageProblem } from "./forms.server.ts";
import { inTx, type StaffVisitor } from "./session.server.ts";

/** Why an act on a request was not done. */
interface Refusal {
  problem: PageProblem;
  /** Since when somebody else has it, if that is why. ISO 8601 in UTC. */
  since: string | null;
  /** What happened to the request after what the page showed. */
  changes: RequestChange[];
}

interface Person {
  visitor: StaffVisitor;
  actor: Actor;
}

/**
 * Does one act that a page of a request sends, or says why not and what happened meanwhile.
 * @returns null where it was done. @throws a 404 response where there is no such request
 */
export async function actOrRefuse(
  args: ActionFunctionArgs,
  person: Person,
  requestId: string,
  act: DeskAct,
): Promise<{ refusal: Refusal; status: number } | null> {
  const { actor } = person;
  const { catalog } = args.context.runtime.services;
  const tried = await orRefuse(args, person, requestId, act, () =>
    inTx(args, actor, (tx) => actOnRequest({ tx, actor, catalog }, requestId, act)),
  );
  return tried.done ? null : { refusal: tried.refusal, status: tried.status };
}

/** A look at what a retry would do: its plan, or the lines of the test that did not hold. */
export type RetryLook = Pick<CredentialsAnswer, "plan" | "lines">;

/** How a page is answered that looked, or retried what it had looked at. */
interface Looked {
  look: RetryLook | null;
  refusal: Refusal | null;
  status: number;
}

/**
 * What a retry would do, with the credentials that the request has; nothing is kept. For whoever may
 * retry; counts as a connection test. @throws a 404 response where there is no such request
 */
export async function lookAtRetry(
  args: ActionFunctionArgs,
  person: Person,
  requestId: string,
  act: DeskAct,
): Promise<Looked> {
  const { context } = args;
  const { actor } = person;
  const tried = await orRefuse(args, person, requestId, act, async () => {
    await spendTest({ context, actor, requestId });
    return planRequest({ ...context.runtime.services, actor }, requestId, null);
  });
  if (tried.done) return { look: { plan: tried.result }, refusal: null, status: 200 };
  const { error, refusal, status } = tried;
  const isTested = error instanceof CredentialsRefusedError;
  return { look: isTested ? { lines: error.report.checks.map(checkLine) } : null, refusal, status };
}

/**
 * Retries, if it would still be the plan with this digest; else nothing is started, and the answer
 * has the plan as it is now.
 * @returns null where it was done. @throws a 404 response where there is no such request
 */
export async function retryAsSeen(
  args: ActionFunctionArgs,
  person: Person,
  requestId: string,
  act: DeskAct,
  digest: string,
): Promise<Looked | null> {
  const looked = await lookAtRetry(args, person, requestId, act);
  const now = looked.look?.plan;
  if (!now) return looked;
  const { actor } = person;
  const { catalog } = args.context.runtime.services;
  const tried = await orRefuse(args, person, requestId, act, () =>
    inTx(args, actor, async (tx) => {
      await requireUnmoved({ tx }, requestId, act);
      await retryRequest({ tx, actor }, catalog, requestId, { digest, now });
    }),
  );
  if (tried.done) return null;
  const { error, refusal, status } = tried;
  return { look: error instanceof PlanChangedError ? looked.look : null, refusal, status };
}

/** Tries an act; where it is refused, says what else happened since the page showed the request. */
async function orRefuse<T>(
  args: ActionFunctionArgs,
  { visitor, actor }: Person,
  requestId: string,
  { eventId }: Pick<DeskAct, "eventId">,
  work: () => Promise<T>,
): Promise<
  { done: true; result: T } | { done: false; refusal: Refusal; status: number; error: BerthError }
> {
  const answer = await attempt(args.context, work);
  if (answer.done) return answer;
  const { problem, status, error } = answer;
  if (error instanceof RequestNotFoundError) throw new Response(null, { status: 404 });
  const changes = await inTx(args, actor, (tx) => changesSince(tx, requestId, eventId));
  const isHeld = error instanceof HeldByOtherError;
  const since = isHeld ? (error.since?.toISOString() ?? null) : null;
  // A supervisor need not look for another one.
  const mayGoOn = isHeld && visitor.role === "supervisor";
  const told = mayGoOn ? { code: problem.code, text: problem.text } : problem;
  return { done: false, refusal: { problem: told, since, changes }, status, error };
}
