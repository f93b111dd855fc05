import { asc, eq } from "drizzle-orm";
import semver from "semver";
import { BerthError } from "#app/platform/errors.ts";
import { featureTemplates, plans, planTargets } from "#db/catalog.ts";
import type { Tx } from "#db/index.ts";
import type { Catalog } from "./catalog.ts";
import { PLANS, targetsOf } from "./plans.ts";
import type { Template } from "./read.ts";
import { inactiveNames } from "./switch.ts";

/** One thing that is wrong with a choice of plan and features, and the field that holds it. */
export interface ChoiceProblem {
  field: "plan" | "features";
  message: string;
}

/** The plan or the features chosen cannot be had. */
export class ChoiceNotPossibleError extends BerthError {
  readonly problems: readonly ChoiceProblem[];
  constructor(problems: readonly ChoiceProblem[]) {
    super("choice_not_possible", problems.map((problem) => problem.message).join(" "));
    this.problems = problems;
  }
}

/**
 * Writes down the plans and templates that this release of Berth ships, with a row for each released
 * version of a template. Repeatable; a supervisor's switch stays as it is, for new versions too.
 */
export async function syncCatalog(tx: Tx, catalog: Catalog): Promise<void> {
  for (const [position, plan] of PLANS.entries()) {
    const included = catalog.templates.filter(
      ({ name, plans: inPlans }) => name !== "base" && inPlans.includes(plan.id),
    );
    const { targetHours: _, ...row } = plan;
    const values = { ...row, position, templates: included.map((template) => template.name) };
    const { id: __, ...changed } = values;
    await tx.insert(plans).values(values).onConflictDoUpdate({ target: plans.id, set: changed });
    for (const target of targetsOf(plan)) {
      await tx
        .insert(planTargets)
        .values({ planId: plan.id, ...target })
        .onConflictDoUpdate({
          target: [planTargets.planId, planTargets.priority],
          set: { hours: target.hours },
        });
    }
  }
  const switchedOff = await inactiveNames(tx);
  for (const current of catalog.templates) {
    const { releases, isReleased } = catalog.history(current.name);
    for (const template of isReleased ? releases : [...releases, current]) {
      const { name, version, title, description, category, requires, checksum } = template;
      const facts = { title, description, category, requires, checksum };
      await tx
        .insert(featureTemplates)
        .values({ name, version, ...facts, active: !switchedOff.has(name) })
        .onConflictDoUpdate({
          target: [featureTemplates.name, featureTemplates.version],
          set: facts,
        });
    }
  }
}

/**
 * The templates that a choice comes to: with what they need, `base` first, in the order in which
 * they are applied.
 * @throws ChoiceNotPossibleError for an unknown plan, and for features that are unknown, switched
 * off, not part of the plan, or cannot stand together.
 */
export async function resolveChoice(
  tx: Tx,
  catalog: Catalog,
  choice: { plan: string; features: readonly string[] },
): Promise<{ planId: string; features: string[] }> {
  const [plan] = await tx.select().from(plans).where(eq(plans.id, choice.plan));
  if (!plan?.active) {
    const offered = await tx
      .select({ id: plans.id })
      .from(plans)
      .where(eq(plans.active, true))
      .orderBy(asc(plans.position));
    const names = offered.map(({ id }) => id).join(", ");
    throw new ChoiceNotPossibleError([
      { field: "plan", message: `There is no such plan. Choose one of: ${names}.` },
    ]);
  }
  const switchedOff = await inactiveNames(tx);
  const problems: ChoiceProblem[] = [];
  const known = new Set(catalog.templates.map((template) => template.name));
  const wanted = [...new Set(choice.features)];
  for (const name of wanted) {
    if (!known.has(name)) {
      problems.push({ field: "features", message: `There is no feature called "${name}".` });
    }
  }
  const features = catalog
    .order(wanted.filter((name) => known.has(name)))
    .map((template) => template.name);
  for (const name of features) {
    const { title } = catalog.get(name);
    if (switchedOff.has(name)) {
      problems.push({ field: "features", message: `${title} is not offered at present.` });
    } else if (name !== "base" && !plan.templates.includes(name)) {
      problems.push({
        field: "features",
        message: `The plan ${plan.name} does not include ${title}.`,
      });
    }
  }
  for (const { title, reason, other } of clashesOf(features.map((name) => catalog.get(name)))) {
    const message = `${title} and ${other} cannot be chosen together. ${reason}`;
    problems.push({ field: "features", message });
  }
  if (problems.length > 0) throw new ChoiceNotPossibleError(problems);
  return { planId: plan.id, features };
}

/** Which of these templates must not stand beside each other. */
export function clashesOf(chosen: readonly Template[]) {
  return chosen.flatMap(({ title, conflicts }) =>
    conflicts.flatMap(({ name, range, reason }) => {
      const other = chosen.find((one) => one.name === name);
      if (!other || !semver.satisfies(other.version, range)) return [];
      return [{ title, other: other.title, reason }];
    }),
  );
}
