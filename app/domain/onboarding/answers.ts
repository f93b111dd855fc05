import { z } from "zod";
import { requireGoodPassword } from "../identity/index.server.ts";
import { credentialsInput, emailAddress, line, newCustomerInput } from "./schema.ts";

const { shape } = newCustomerInput;

/** The wizard's steps, in their order; each is a page of its own. */
export const STEPS = ["business", "plan", "features", "settings", "backend", "review"] as const;
export type Step = (typeof STEPS)[number];
/** The steps that ask something. */
export type AnsweredStep = Exclude<Step, "review">;

/**
 * What the first step asks about the company, in the order of its page. Fields that a form has
 * besides these are ignored.
 */
export const businessAnswer = z.object({
  company: shape.company,
  industry: shape.industry,
  country: shape.country,
  timezone: shape.timezone.unwrap(),
  region: shape.region,
  contactName: shape.contactName,
  phone: shape.phone,
});
export type BusinessAnswer = z.infer<typeof businessAnswer>;

/** What it asks of somebody who is not signed in. The password never reaches the draft. */
export const accountAnswer = z.object({
  email: emailAddress,
  password: z.string().superRefine((password, context) => {
    try {
      requireGoodPassword(password);
    } catch (error) {
      context.addIssue((error as Error).message);
    }
  }),
});

export const planAnswer = z.object({ plan: shape.plan, billingCycle: shape.billingCycle });
export type PlanAnswer = z.infer<typeof planAnswer>;

/** `dropped`: titles of what was chosen before, and is not in a plan that was chosen since. */
const featuresAnswer = z.object({
  chosen: z.array(line(100)).max(50),
  dropped: z.array(z.string()).default([]),
});

/**
 * Template → parameter → answer. Those of features that are not chosen any more are kept: who
 * chooses one again has answered.
 */
const settingsAnswer = z.record(z.string(), z.record(z.string(), z.string()));

const backendAnswer = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("create") }),
  z.object({ kind: z.literal("own"), url: z.string(), ref: z.string() }),
]);

/** Which draft a person looked through, in which version; as a form sends it. */
export const seenDraft = z.object({
  draftId: z.uuid(),
  version: z.coerce
    .number()
    .int()
    .positive()
    .max(2 ** 31 - 1),
});

/** A customer's own project, as a form sends it. */
export const ownProject = z.object(credentialsInput.shape);

/**
 * What a draft holds. A step whose answer does not fit, since an earlier release wrote it, is open
 * again.
 */
export const draftAnswers = z.object({
  business: businessAnswer.optional().catch(undefined),
  plan: planAnswer.optional().catch(undefined),
  features: featuresAnswer.optional().catch(undefined),
  settings: settingsAnswer.optional().catch(undefined),
  backend: backendAnswer.optional().catch(undefined),
});
export type DraftAnswers = z.infer<typeof draftAnswers>;
