import {
  type ActionFunctionArgs,
  type AppLoadContext,
  type LoaderFunctionArgs,
  redirect,
} from "@remix-run/node";
import { bringsSession, type Visitor } from "#app/domain/identity/index.server.ts";
import {
  type Draft,
  findDraft,
  firstOpenStep,
  lastSubmitted,
  type Step,
  StepNotOpenError,
  stepsOf,
} from "#app/domain/onboarding/index.server.ts";
import type { Actor } from "#db/index.ts";
import { type Attempt, attempt } from "./forms.server.ts";
import { actorOf, getVisitor, inTx, toSignIn } from "./session.server.ts";

type Args = LoaderFunctionArgs | ActionFunctionArgs;

/** Who is at the wizard, and what stands in the draft. */
export interface AtStep {
  visitor: Visitor;
  actor: Actor;
  draft: Draft;
}

/** The open draft of whoever is signed in. */
export async function currentDraft(
  args: Args,
): Promise<(Omit<AtStep, "draft"> & { draft: Draft | null }) | null> {
  const visitor = await getVisitor(args);
  if (!visitor) return null;
  const actor = actorOf(args, visitor, "customer");
  return { visitor, actor, draft: await inTx(args, actor, (tx) => findDraft(tx, visitor.userId)) };
}

/**
 * The page of a step, for who has answered those before.
 * @throws a redirect to the first step without an answer, to the request that was made of it all, or
 *   to the sign-in page where the session has ended
 */
export async function openStep(args: Args, step: Step): Promise<AtStep> {
  const found = await currentDraft(args);
  if (!found) {
    const { request } = args;
    throw bringsSession(request.headers) ? toSignIn(request) : redirect("/sign-up/business");
  }
  const { visitor, actor, draft } = found;
  if (draft) {
    const { catalog } = args.context.runtime.services;
    const steps = stepsOf(catalog, draft.answers);
    // Where nothing is asked there is no such page.
    if (!steps.includes(step)) throw redirect("/sign-up");
    const first = firstOpenStep(catalog, draft.answers);
    if (steps.indexOf(first) < steps.indexOf(step)) throw redirect(`/sign-up/${first}`);
    return { visitor, actor, draft };
  }
  // Whoever goes back after submitting finds what came of it.
  const requestId = await inTx(args, actor, (tx) => lastSubmitted(tx, visitor.userId));
  throw redirect(requestId ? `/requests/${requestId}` : "/sign-up/business");
}

/**
 * Does what a step's form asks for.
 * @throws a redirect where an earlier step has no answer
 */
export async function attemptStep<T>(
  context: AppLoadContext,
  work: () => Promise<T>,
): Promise<Attempt<T>> {
  const outcome = await attempt(context, work);
  if (!outcome.done && outcome.error instanceof StepNotOpenError) {
    throw redirect(`/sign-up/${outcome.error.step}`, 303);
  }
  return outcome;
}

/**
 * Where a step leads: on, or back to the review for who came from there to change something; on the
 * way there is what the change has opened.
 */
export async function afterStep(args: ActionFunctionArgs, step: Step): Promise<Response> {
  const { catalog } = args.context.runtime.services;
  const answers = (await currentDraft(args))?.draft?.answers ?? {};
  const first = firstOpenStep(catalog, answers);
  if (new URL(args.request.url).searchParams.has("change")) {
    return redirect(first === "review" ? "/sign-up/review" : `/sign-up/${first}?change`, 303);
  }
  const steps = stepsOf(catalog, answers);
  return redirect(`/sign-up/${steps[steps.indexOf(step) + 1] ?? first}`, 303);
}
