import { and, eq } from "drizzle-orm";
import type { Actor, Tx } from "#db/index.ts";
import { onboardingDrafts } from "#db/onboarding.ts";
import { adoptBackend } from "../backends/index.server.ts";
import { type Catalog, resolveChoice } from "../catalog/index.server.ts";
import { requireOpen, toDraft } from "./drafts.ts";
import { DraftChangedError, StepNotOpenError } from "./errors.ts";
import { answersTo, firstOpenStep } from "./steps.ts";
import { takeIn } from "./submit.ts";

/**
 * Makes a request of a draft, in one transaction and once: whoever submits it again is led to the
 * request that is there.
 * @param seen the draft and the version of it that the person looked through
 * @param email the account's address
 * @returns the request's id
 * @throws StepNotOpenError, DraftChangedError, ChoiceNotPossibleError, ProjectInUseError
 */
export async function submitDraft(
  { tx, actor, catalog }: { tx: Tx; actor: Actor; catalog: Catalog },
  seen: { draftId: string; version: number },
  email: string,
): Promise<string> {
  // The second of two waits here, and then finds what the first one made.
  const [row] = await tx
    .select()
    .from(onboardingDrafts)
    .where(and(eq(onboardingDrafts.id, seen.draftId), eq(onboardingDrafts.userId, actor.id)))
    .for("update");
  if (!row) throw new StepNotOpenError("business");
  if (row.requestId !== null) return row.requestId;
  const { answers, backendId, version } = toDraft(row);
  requireOpen(catalog, answers, "review");
  const { business, plan, features, backend } = answers;
  if (!business || !plan || !features || !backend) {
    throw new StepNotOpenError(firstOpenStep(catalog, answers));
  }
  if (version !== seen.version) throw new DraftChangedError();
  const choice = await resolveChoice(tx, catalog, { plan: plan.plan, features: features.chosen });
  const { request } = await takeIn(
    { tx, actor },
    { userId: actor.id, email },
    {
      ...business,
      ...choice,
      parameters: answersTo(catalog, answers).answers,
      billingCycle: plan.billingCycle,
      // Whatever a form says: what comes first is for the desk to decide.
      priority: "normal",
    },
  );
  if (backend.kind === "own" && backendId !== null) {
    const { ref, url } = backend;
    await adoptBackend({ tx, actor }, request, { id: backendId, ref, url });
  }
  await tx
    .update(onboardingDrafts)
    .set({ requestId: request.id })
    .where(eq(onboardingDrafts.id, row.id));
  return request.id;
}
