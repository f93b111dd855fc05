import { and, asc, eq } from "drizzle-orm";
import { plans, planTargets } from "#db/catalog.ts";
import type { Tx } from "#db/index.ts";
import { type Catalog, clashesOf, inactiveNames, type Template } from "../catalog/index.server.ts";

/** A plan as it is offered. Prices in the currency's smallest unit. */
export interface PlanOffer {
  id: string;
  name: string;
  description: string;
  monthlyPrice: number;
  yearlyPrice: number;
  currency: string;
  /** The promise for an ordinary request, in hours. */
  readyWithinHours: number;
  /** Titles of the features that it includes and that are offered. */
  includes: string[];
}

/** A feature as it is offered with a plan. */
export interface FeatureOffer {
  name: string;
  title: string;
  description: string;
  /** What it needs besides, in the order of installation; without `base`. */
  needs: { name: string; title: string }[];
  /** Titles of what it makes use of where that is chosen, too. */
  worksWith: string[];
  /** What cannot be chosen beside it, and why, in a sentence. */
  clashes: { name: string; title: string; reason: string }[];
  /** Null where the plan includes it; else the first plan that does, null where none does. */
  missing: { partOf: string | null } | null;
}

/** The plans on offer, the smallest first. */
export async function listPlans(tx: Tx, catalog: Catalog): Promise<PlanOffer[]> {
  const rows = await tx
    .select({ plan: plans, hours: planTargets.hours })
    .from(plans)
    .innerJoin(
      planTargets,
      and(eq(planTargets.planId, plans.id), eq(planTargets.priority, "normal")),
    )
    .where(eq(plans.active, true))
    .orderBy(asc(plans.position));
  const offered = await offeredTemplates(tx, catalog);
  return rows.map(({ plan, hours }) => ({
    id: plan.id,
    name: plan.name,
    description: plan.description,
    monthlyPrice: plan.monthlyPrice,
    yearlyPrice: plan.yearlyPrice,
    currency: plan.currency,
    readyWithinHours: hours,
    includes: offered.filter(({ name }) => plan.templates.includes(name)).map(({ title }) => title),
  }));
}

/** A plan, also one that is no longer on offer. */
export async function planOf(tx: Tx, planId: string): Promise<typeof plans.$inferSelect> {
  const [plan] = await tx.select().from(plans).where(eq(plans.id, planId));
  if (!plan) throw new Error(`A draft names the plan ${planId}, which is not there.`);
  return plan;
}

/** The features on offer, as this plan has them; those that it includes come first. */
export async function listFeatures(
  tx: Tx,
  catalog: Catalog,
  planId: string,
): Promise<FeatureOffer[]> {
  const plan = await planOf(tx, planId);
  const others = await tx
    .select({ name: plans.name, templates: plans.templates })
    .from(plans)
    .where(eq(plans.active, true))
    .orderBy(asc(plans.position));
  const offered = await offeredTemplates(tx, catalog);
  const offers = offered.map((template) => ({
    name: template.name,
    title: template.title,
    description: template.description,
    needs: needsOf(catalog, template.name).map(({ name, title }) => ({ name, title })),
    worksWith: offered
      .filter(({ name }) => template.optional.some((one) => one.name === name))
      .map(({ title }) => title),
    clashes: offered.flatMap(({ name, title }) => {
      const [clash] = clashesOf(catalog.order([template.name, name]));
      return clash ? [{ name, title, reason: clash.reason }] : [];
    }),
    missing: plan.templates.includes(template.name)
      ? null
      : { partOf: others.find(({ templates }) => templates.includes(template.name))?.name ?? null },
  }));
  return [
    ...offers.filter(({ missing }) => missing === null),
    ...offers.filter(({ missing }) => missing !== null),
  ];
}

/** What a template needs besides `base`, in the order of installation. */
function needsOf(catalog: Catalog, name: string): Template[] {
  return catalog.order([name]).filter((one) => one.name !== name && one.name !== "base");
}

/** Neither switched off, nor in need of one that is; in the order of installation. */
async function offeredTemplates(tx: Tx, catalog: Catalog): Promise<Template[]> {
  const off = await inactiveNames(tx);
  const all = catalog.order(catalog.templates.map(({ name }) => name));
  return all.filter(
    ({ name }) => name !== "base" && catalog.order([name]).every((needed) => !off.has(needed.name)),
  );
}

const knownOf = (catalog: Catalog, chosen: readonly string[]) =>
  chosen.filter((name) => catalog.templates.some((one) => one.name === name));

/** The templates of a choice with what they need, `base` first; what is unknown is left out. */
export const templatesOf = (catalog: Catalog, chosen: readonly string[]): Template[] =>
  catalog.order(knownOf(catalog, chosen));

/** What a choice comes to, in the order of installation, and why each is there. */
export interface ChosenFeature {
  name: string;
  title: string;
  /** Titles of the chosen features that need it, where nobody chose it by itself. */
  neededBy: string[];
}

/** The features of a choice with what they need, `base` first; what is unknown is left out. */
export function resolveFeatures(catalog: Catalog, chosen: readonly string[]): ChosenFeature[] {
  const known = knownOf(catalog, chosen);
  return catalog.order(known).map(({ name, title }) => ({
    name,
    title,
    neededBy:
      name === "base" || known.includes(name)
        ? []
        : known
            .filter((one) => needsOf(catalog, one).some((needed) => needed.name === name))
            .map((one) => catalog.get(one).title),
  }));
}

/**
 * What is ticked before a person chooses: all that the plan includes, but of what cannot stand
 * together the first.
 */
export function tickedAtFirst(features: readonly FeatureOffer[]): string[] {
  const ticked: string[] = [];
  for (const { name, missing, clashes } of features) {
    if (missing === null && clashes.every((clash) => !ticked.includes(clash.name))) {
      ticked.push(name);
    }
  }
  return ticked;
}
