import semver from "semver";
import { z } from "zod";

/** The plans, from the smallest to the largest. */
export const planNames = ["starter", "growth", "business", "enterprise"] as const;
export type PlanName = (typeof planNames)[number];

/** The template that every backend gets and every other template stands on. */
export const baseTemplate = "base";

const slug = (what: string) => {
  const error = `${what} is 2 to 40 small letters, digits and hyphens, beginning with a letter`;
  return z.string({ error }).regex(/^[a-z][a-z0-9-]{1,39}$/, { error });
};

const sentence = (what: string, max: number) =>
  z
    .string({ error: `${what} is a text` })
    .trim()
    .min(1, { error: `${what} is not empty` })
    .max(max, { error: `${what} has at most ${max} characters` });

const rangeForm = { error: "a range is written like ^1.0.0 or >=1.2.0 <2.0.0" };

// YAML reads an unquoted 1.0 as a number, so the type needs the sentence as much as the form.
const versionForm = { error: "a version is three numbers, like 1.0.0 (semver.org)" };

const requirement = z.strictObject({
  name: slug("a template's name"),
  range: z
    .string(rangeForm)
    .trim()
    .refine((range) => range !== "" && semver.validRange(range) !== null, rangeForm),
});

/** What stands in a `template.yaml`. Unknown keys are refused. */
export const manifestSchema = z.strictObject({
  name: slug("a template's name"),
  title: sentence("a title", 80),
  description: sentence("a description", 500),
  category: slug("a category"),
  version: z
    .string(versionForm)
    .refine((version) => semver.valid(version) === version, versionForm),
  requires: z
    .array(requirement, { error: "it is a list of templates, each with name and range" })
    .default([]),
  plans: z
    .array(z.enum(planNames, { error: `a plan is one of ${planNames.join(", ")}` }), {
      error: `it is a list of ${planNames.join(", ")}`,
    })
    .min(1, { error: "at least one plan includes a template" })
    .refine((plans) => new Set(plans).size === plans.length, {
      error: "each plan stands in the list once",
    }),
  /** The lowest major version of PostgreSQL that can run the template. */
  postgres: z
    .int({ error: "a major version of PostgreSQL is a whole number" })
    .min(15, { error: "Berth needs PostgreSQL 15 or newer" })
    .max(99, { error: "a major version of PostgreSQL is a number like 15" })
    .default(15),
});

export type Manifest = z.infer<typeof manifestSchema>;
