import type { Tx } from "#db/index.ts";
import { backendSecret } from "../backends/index.server.ts";
import type { Catalog, ChoiceProblem } from "../catalog/index.server.ts";
import type { SecretTrace, Vault } from "../vault/index.server.ts";
import { type Draft, problemsOf } from "./drafts.ts";
import { StepNotOpenError } from "./errors.ts";
import { type ChosenFeature, planOf, resolveFeatures } from "./offers.ts";
import { countryName, regionName } from "./places.ts";
import { answersTo, firstOpenStep } from "./steps.ts";
import { type ToldAnswers, tellAnswers } from "./tell-answers.ts";

/** The project that a draft asks for. Of credentials there are traces alone. */
export type BackendChoice =
  | { kind: "create" }
  | { kind: "own"; url: string; projectRef: string; credentials: SecretTrace[] };

/** Everything that is about to be submitted, in words. */
export interface Review {
  draftId: string;
  version: number;
  business: {
    company: string;
    contactName: string;
    phone: string | null;
    country: string;
    region: string;
    timezone: string;
    industry: string | null;
  };
  plan: { name: string; price: number; currency: string; billingCycle: "monthly" | "yearly" };
  features: ChosenFeature[];
  /** Titles of what was taken off, since the plan chosen later does not include it. */
  dropped: string[];
  /** Of each feature that asks something. */
  settings: ToldAnswers[];
  backend: BackendChoice;
  /** What cannot be had any more. */
  problems: readonly ChoiceProblem[];
}

/** The backend step of a draft; null where it has no answer. */
export async function viewBackendChoice(
  { tx, vault }: { tx: Tx; vault: Vault },
  { answers, backendId }: Draft,
): Promise<BackendChoice | null> {
  const { backend } = answers;
  if (backend?.kind === "create") return backend;
  if (!backend || backendId === null) return null;
  const { url, ref } = backend;
  const credentials = await vault.traces(tx, backendSecret({ id: backendId, generation: 1 }));
  return { kind: "own", url, projectRef: ref, credentials };
}

/** @throws StepNotOpenError where a step has no answer */
export async function viewReview(
  { tx, vault, catalog }: { tx: Tx; vault: Vault; catalog: Catalog },
  draft: Draft,
): Promise<Review> {
  const { business, plan, features } = draft.answers;
  const backend = await viewBackendChoice({ tx, vault }, draft);
  if (!business || !plan || !features || !backend) {
    throw new StepNotOpenError(firstOpenStep(catalog, draft.answers));
  }
  const { answers } = answersTo(catalog, draft.answers);
  const offer = await planOf(tx, plan.plan);
  const yearly = plan.billingCycle === "yearly";
  return {
    draftId: draft.id,
    version: draft.version,
    business: {
      ...business,
      phone: business.phone ?? null,
      industry: business.industry ?? null,
      country: countryName(business.country),
      region: regionName(business.region),
    },
    plan: {
      name: offer.name,
      price: yearly ? offer.yearlyPrice : offer.monthlyPrice,
      currency: offer.currency,
      billingCycle: plan.billingCycle,
    },
    features: resolveFeatures(catalog, features.chosen),
    dropped: features.dropped,
    settings: tellAnswers(catalog, answers),
    backend,
    problems: await problemsOf({ tx, catalog }, draft.answers),
  };
}
