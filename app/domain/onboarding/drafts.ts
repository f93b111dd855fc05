import { and, desc, eq, isNull, sql } from "drizzle-orm";
import type { Actor, Tx } from "#db/index.ts";
import { onboardingDrafts } from "#db/onboarding.ts";
import { type Catalog, ChoiceNotPossibleError, resolveChoice } from "../catalog/index.server.ts";
import {
  type AnsweredStep,
  type BusinessAnswer,
  type DraftAnswers,
  draftAnswers,
  type PlanAnswer,
  STEPS,
  type Step,
} from "./answers.ts";
import { StepNotOpenError } from "./errors.ts";
import { planOf } from "./offers.ts";
import { firstOpenStep } from "./steps.ts";

/** A sign-up that is not submitted yet. An account has at most one. */
export interface Draft {
  id: string;
  version: number;
  answers: DraftAnswers;
  /** Under which id the credentials of the customer's own project are sealed. */
  backendId: string | null;
}

/** As the customer whose draft it is. */
export interface DraftContext {
  tx: Tx;
  actor: Actor;
  catalog: Catalog;
}

export type DraftRow = typeof onboardingDrafts.$inferSelect;

export const toDraft = ({ id, version, answers, backendId }: DraftRow): Draft => ({
  id,
  version,
  answers: draftAnswers.parse(answers),
  backendId,
});

const openDraftOf = (userId: string) =>
  and(eq(onboardingDrafts.userId, userId), isNull(onboardingDrafts.requestId));

/** The open draft of an account. */
export async function findDraft(tx: Tx, userId: string): Promise<Draft | null> {
  const [row] = await tx.select().from(onboardingDrafts).where(openDraftOf(userId));
  return row ? toDraft(row) : null;
}

/** What became of the account's last draft; null where none was submitted. */
export async function lastSubmitted(tx: Tx, userId: string): Promise<string | null> {
  const [row] = await tx
    .select({ requestId: onboardingDrafts.requestId })
    .from(onboardingDrafts)
    .where(and(eq(onboardingDrafts.userId, userId), sql`request_id is not null`))
    .orderBy(desc(onboardingDrafts.updatedAt))
    .limit(1);
  return row?.requestId ?? null;
}

/**
 * Reads the open draft for a change of this step, and keeps others from changing it until the
 * transaction ends.
 * @throws StepNotOpenError where an earlier step has no answer
 */
export async function lockDraft({ tx, actor, catalog }: DraftContext, step: Step): Promise<Draft> {
  const [row] = await tx.select().from(onboardingDrafts).where(openDraftOf(actor.id)).for("update");
  if (!row) throw new StepNotOpenError("business");
  const draft = toDraft(row);
  requireOpen(catalog, draft.answers, step);
  return draft;
}

/** @throws StepNotOpenError where an earlier step has no answer */
export function requireOpen(catalog: Catalog, answers: DraftAnswers, step: Step): void {
  const first = firstOpenStep(catalog, answers);
  if (STEPS.indexOf(first) < STEPS.indexOf(step)) throw new StepNotOpenError(first);
}

/** Writes answers of a draft that is locked. */
export async function writeAnswers(
  tx: Tx,
  draft: Draft,
  answers: Pick<DraftAnswers, AnsweredStep>,
  backendId: string | null = draft.backendId,
): Promise<void> {
  await tx
    .update(onboardingDrafts)
    .set({
      answers: { ...draft.answers, ...answers },
      backendId,
      version: sql`${onboardingDrafts.version} + 1`,
      updatedAt: sql`berth_now()`,
    })
    .where(eq(onboardingDrafts.id, draft.id));
}

/** Keeps the first step's answer. With it a draft begins. */
export async function saveBusiness(context: DraftContext, business: BusinessAnswer): Promise<void> {
  const { tx, actor } = context;
  await tx.insert(onboardingDrafts).values({ userId: actor.id }).onConflictDoNothing();
  await writeAnswers(tx, await lockDraft(context, "business"), { business });
}

/**
 * Keeps the plan. Features that it does not include are taken off, and their titles kept to be told;
 * what came with them stays where the plan has it.
 * @throws StepNotOpenError; ChoiceNotPossibleError where there is no such plan
 */
export async function savePlan(
  context: DraftContext,
  answer: PlanAnswer,
): Promise<{ dropped: string[] }> {
  const { tx, catalog } = context;
  const draft = await lockDraft(context, "plan");
  await resolveChoice(tx, catalog, { plan: answer.plan, features: [] });
  const plan = await planOf(tx, answer.plan);
  const before = draft.answers.features;
  if (!before) {
    await writeAnswers(tx, draft, { plan: answer });
    return { dropped: [] };
  }
  const fits = (name: string) =>
    !catalog.templates.some((one) => one.name === name) ||
    catalog.order([name]).every(({ name: one }) => one === "base" || plan.templates.includes(one));
  const lacking = before.chosen.filter((name) => !fits(name));
  const needed = catalog.order(lacking).map(({ name }) => name);
  const stays = needed.filter((name) => name !== "base" && fits(name));
  const chosen = [...new Set([...before.chosen.filter(fits), ...stays])];
  const dropped = lacking.map((name) => catalog.get(name).title);
  await writeAnswers(tx, draft, { plan: answer, features: { chosen, dropped } });
  return { dropped };
}

/**
 * Keeps the features that a person chose. What they need is added when they are read.
 * @throws StepNotOpenError; ChoiceNotPossibleError for what the plan does not include or nobody offers
 */
export async function saveFeatures(context: DraftContext, names: readonly string[]): Promise<void> {
  const { tx, catalog } = context;
  const draft = await lockDraft(context, "features");
  const chosen = [...new Set(names)].filter((name) => name !== "base");
  await resolveChoice(tx, catalog, { plan: draft.answers.plan?.plan ?? "", features: chosen });
  await writeAnswers(tx, draft, { features: { chosen, dropped: [] } });
}

/** Why this choice cannot be had any more, in sentences; empty where it can. */
export async function problemsOf(
  { tx, catalog }: { tx: Tx; catalog: Catalog },
  { plan, features }: DraftAnswers,
): Promise<ChoiceNotPossibleError["problems"]> {
  try {
    const choice = { plan: plan?.plan ?? "", features: features?.chosen ?? [] };
    await resolveChoice(tx, catalog, choice);
    return [];
  } catch (error) {
    if (error instanceof ChoiceNotPossibleError) return error.problems;
    throw error;
  }
}
