import type { ActionFunctionArgs } from "@remix-run/node";
import { checkLine } from "#app/domain/backends/index.server.ts";
import {
  actOnRequest,
  CredentialsRefusedError,
  type DeskAct,
  PlanChangedError,
  planRetry,
  type RetryPlan,
  retryRequest,
} from "#app/domain/provisioning/index.server.ts";
import {
  changesSince,
  HeldByOtherError,
  type RequestChange,
  RequestNotFoundError,
} from "#app/domain/queue/index.server.ts";
import type { BerthError } from "#app/platform/errors.ts";
import type { Actor } from "#db/index.ts";
import { type CredentialsAnswer, spendTest } from "./credentials.server.ts";
import { attempt, type PageProblem } from "./forms.server.ts";
import { inTx, type StaffVisitor } from "./session.server.ts";

/** Why an act on a request was not done. */
export interface Refusal {
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
 * retry what the page showed; counts as a connection test.
 * @throws a 404 response where there is no such request
 */
export async function lookAtRetry(
  args: ActionFunctionArgs,
  person: Person,
  requestId: string,
  act: DeskAct,
): Promise<Looked> {
  const tried = await tryPlan(args, person, requestId, act);
  return tried.done ? { look: lookOf(tried.result), refusal: null, status: 200 } : refused(tried);
}

/**
 * Retries, if it would still be the plan with this digest; else nothing is started, and the answer
 * has the plan as it is now, where there is one.
 * @returns null where it was done. @throws a 404 response where there is no such request
 */
export async function retryAsSeen(
  args: ActionFunctionArgs,
  person: Person,
  requestId: string,
  act: DeskAct,
  digest: string,
): Promise<Looked | null> {
  const planned = await tryPlan(args, person, requestId, act);
  if (!planned.done) return refused(planned);
  const { actor } = person;
  const { catalog } = args.context.runtime.services;
  const tried = await orRefuse(args, person, requestId, act, () =>
    inTx(args, actor, (tx) =>
      retryRequest({ tx, actor }, catalog, requestId, { digest, ...planned.result }),
    ),
  );
  if (tried.done) return null;
  const isOther = tried.error instanceof PlanChangedError;
  return isOther ? { ...refused(tried), look: lookOf(planned.result) } : refused(tried);
}

function tryPlan(args: ActionFunctionArgs, person: Person, requestId: string, act: DeskAct) {
  const { context } = args;
  const { actor } = person;
  return orRefuse(args, person, requestId, act, async () => {
    await spendTest({ context, actor, requestId });
    return planRetry({ ...context.runtime.services, actor }, requestId, act);
  });
}

const lookOf = ({ now }: RetryPlan): RetryLook => ({ plan: now });

/** A refusal, with the lines of the test where that is why. */
function refused({ error, refusal, status }: Refused): Looked {
  const isTested = error instanceof CredentialsRefusedError;
  return { look: isTested ? { lines: error.report.checks.map(checkLine) } : null, refusal, status };
}

interface Refused {
  done: false;
  refusal: Refusal;
  status: number;
  error: BerthError;
}

/**
 * Tries an act; where it is refused, says what else happened since the page showed the request.
 * @throws a 404 response where there is no such request
 */
export async function orRefuse<T>(
  args: ActionFunctionArgs,
  { visitor, actor }: Person,
  requestId: string,
  { eventId }: Pick<DeskAct, "eventId">,
  work: () => Promise<T>,
): Promise<{ done: true; result: T } | Refused> {
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
