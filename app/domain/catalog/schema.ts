import semver from "semver";
import { z } from "zod";
import { parseTimeLimit, timeLimitForm } from "./limits.ts";
import { freeNameForm, isFreeName, parameterSchema } from "./parameters.ts";

/** The plans, from the smallest to the largest. */
export const planNames = ["starter", "growth", "business", "enterprise"] as const;
export type PlanName = (typeof planNames)[number];

/** The template that every backend gets and every other template stands on. */
export const baseTemplate = "base";

const slug = (what: string) => {
  const error = `${what} is 2 to 40 small letters, digits and hyphens, beginning with a letter`;
  return z
    .string({ error })
    .regex(/^[a-z][a-z0-9-]{1,39}$/, { error })
    .refine(isFreeName, freeNameForm);
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

const conflict = z.strictObject({
  ...requirement.shape,
  range: requirement.shape.range.default("*"),
  /** Why the two cannot stand together, for the person who chose both. */
  reason: sentence("a reason", 300),
});

/** A bucket of Supabase's Storage. */
const bucket = z.strictObject({
  bucket: z.string().regex(/^[a-z0-9][a-z0-9-]{2,62}$/, {
    error: "a bucket's name is 3 to 63 small letters, digits and hyphens",
  }),
  public: z.boolean({ error: "public is true or false" }).default(false),
  /** Bytes. */
  file_size_limit: z
    .int({ error: "a limit of size is a whole number of bytes" })
    .min(1)
    .max(50 * 1024 ** 3, { error: "Supabase stores no file above 50 GiB" })
    .optional(),
  allowed_mime_types: z
    .array(
      z.string().regex(/^[a-z]+\/([a-z0-9.+-]+|\*)$/, {
        error: "a kind of file is written like image/png or image/*",
      }),
    )
    .min(1, { error: "a list of kinds is not empty; leave it out to allow every kind" })
    .optional(),
});
export type Bucket = z.infer<typeof bucket>;

const switchOf = z.boolean({ error: "it is true or false" }).optional();

/** Settings of Supabase's Auth, by the names of its Management API; what a template needs of them. */
const authSettings = z.strictObject({
  disable_signup: switchOf,
  external_email_enabled: switchOf,
  external_phone_enabled: switchOf,
  external_anonymous_users_enabled: switchOf,
  mailer_autoconfirm: switchOf,
});
export type AuthSettings = z.infer<typeof authSettings>;

const timeLimit = z
  .string({ error: `a limit of time is ${timeLimitForm}` })
  .refine((text) => parseTimeLimit(text) !== null, {
    error: `a limit of time is ${timeLimitForm}`,
  })
  .transform((text) => parseTimeLimit(text) as number)
  .optional();

const listOf = <T extends z.ZodType>(item: T, what: string) =>
  z.array(item, { error: `it is a list of ${what}` }).default([]);

/** What stands in a `template.yaml`. Unknown keys are refused. */
export const manifestSchema = z.strictObject({
  name: slug("a template's name"),
  title: sentence("a title", 80),
  description: sentence("a description", 500),
  category: slug("a category"),
  version: z
    .string(versionForm)
    .refine((version) => semver.valid(version) === version, versionForm),
  requires: listOf(requirement, "templates, each with name and range"),
  /** Templates that it makes use of where they are there; see `when` in its files. */
  optional: listOf(requirement, "templates, each with name and range"),
  /** Templates beside which it must not stand. */
  conflicts: listOf(conflict, "templates, each with name and reason"),
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
  storage: listOf(bucket, "buckets"),
  auth: authSettings.default({}),
  parameters: listOf(parameterSchema, "parameters").refine(
    (all) => new Set(all.map(({ name }) => name)).size === all.length,
    { error: "each parameter stands in the list once" },
  ),
  /** Longest time for each statement of a step, by kind of step; a file's own directive wins. */
  timeouts: z
    .strictObject({
      schema: timeLimit,
      policies: timeLimit,
      seed: timeLimit,
      checks: timeLimit,
    })
    .default({}),
  /** The function that Berth's worker calls when something of this template is due. */
  due: z
    .string()
    .regex(/^private\.[a-z][a-z0-9_]{0,62}$/, {
      error: "it is a function of the schema private, written like private.run_due",
    })
    .optional(),
});

export type Manifest = z.infer<typeof manifestSchema>;
