import type { ActionFunctionArgs } from "@remix-run/node";
import { actOnRequest, type DeskAct } from "#app/domain/provisioning/index.server.ts";
import {
  changesSince,
  HeldByOtherError,
  type RequestChange,
  RequestNotFoundError,
} from "#app/domain/queue/index.server.ts";
import type { Actor } from "#db/index.ts";
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

/**
 * Does one act that a page of a request sends, or says why not and what happened meanwhile.
 * @returns null where it was done. @throws a 404 response where there is no such request
 */
export async function actOrRefuse(
  args: ActionFunctionArgs,
  { visitor, actor }: { visitor: StaffVisitor; actor: Actor },
  requestId: string,
  act: DeskAct,
): Promise<{ refusal: Refusal; status: number } | null> {
  const { catalog } = args.context.runtime.services;
  const answer = await attempt(args.context, () =>
    inTx(args, actor, (tx) => actOnRequest({ tx, actor, catalog }, requestId, act)),
  );
  if (answer.done) return null;
  const { problem, status, error } = answer;
  if (error instanceof RequestNotFoundError) throw new Response(null, { status: 404 });
  const changes = await inTx(args, actor, (tx) => changesSince(tx, requestId, act.eventId));
  const isHeld = error instanceof HeldByOtherError;
  const since = isHeld ? (error.since?.toISOString() ?? null) : null;
  // A supervisor need not look for another one.
  const mayGoOn = isHeld && visitor.role === "supervisor";
  const told = mayGoOn ? { code: problem.code, text: problem.text } : problem;
  return { refusal: { problem: told, since, changes }, status };
}
