import { z } from "zod";
import { TURNS_TEXT } from "#app/platform/plain-text.ts";
import { presentZone } from "#app/platform/time-zones.ts";
import { PRIORITIES } from "#db/catalog.ts";

/** Regions of Supabase's projects, by its own codes (Management API, `region_selection.code`). */
export const REGIONS = [
  "us-east-1",
  "us-east-2",
  "us-west-1",
  "us-west-2",
  "ca-central-1",
  "sa-east-1",
  "eu-west-1",
  "eu-west-2",
  "eu-west-3",
  "eu-central-1",
  "eu-central-2",
  "eu-north-1",
  "ap-south-1",
  "ap-southeast-1",
  "ap-southeast-2",
  "ap-northeast-1",
  "ap-northeast-2",
] as const;

/** Programs put a pair of marks that turn text around names that are copied. */
const AROUND = /^[\s\u202a-\u202e\u2066-\u2069]+|[\s\u202a-\u202e\u2066-\u2069]+$/g;
/** Some letters are invisible, and signs alone could be neither read aloud nor looked for. */
const VISIBLE = /(?!\p{Default_Ignorable_Code_Point})[\p{L}\p{N}]/u;

/** One line of text: trimmed, bounded, with a letter or digit to see, and no control characters. */
export const line = (longest: number) =>
  z
    .string()
    .max(longest * 2)
    // What stands around it is taken off first; the API's description tells what is kept.
    .meta({ maxLength: longest })
    .transform((text) => text.replace(AROUND, ""))
    .pipe(
      z
        .string()
        .min(1, { error: "Fill this in.", abort: true })
        .max(longest, `Use at most ${longest} characters.`)
        .refine((text) => !/\p{Cc}|\p{Zl}|\p{Zp}/u.test(text) && text.isWellFormed(), {
          error: "Use plain text on one line.",
          abort: true,
        })
        .refine((text) => !TURNS_TEXT.test(text), {
          error: "This holds invisible marks that turn text around. Type it instead of pasting it.",
          abort: true,
        })
        .refine((text) => VISIBLE.test(text), "Use at least one letter or digit."),
    );

const isTimeZone = (name: string) => {
  // An offset, such as +01:00, is no zone: it knows no summer.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
};

/** What Unicode calls a region and ISO 3166-1 does not list; XK is left in, since Kosovo uses it. */
const NO_COUNTRIES = "AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ".split(" ");
const REGION_NAMES = new Intl.DisplayNames("en", { type: "region", fallback: "none" });

export const isCountry = (code: string) =>
  /^[A-Z]{2}$/.test(code) &&
  REGION_NAMES.of(code) !== undefined &&
  // A code that was withdrawn, such as SU, turns into the one that took its place.
  new Intl.Locale(`und-${code}`).region === code &&
  !NO_COUNTRIES.includes(code);

/** One address, in lower case. */
export const emailAddress = z
  .string()
  .trim()
  .max(254, "Use at most 254 characters.")
  .pipe(z.email("Write one e-mail address, such as name@example.com."))
  .transform((text) => text.toLowerCase());

/** A customer's own Supabase project. Bounded here; judged by the connection test. */
export const credentialsInput = z.strictObject({
  url: line(2_000),
  anonKey: line(8_000),
  serviceRoleKey: line(8_000),
  databaseUrl: line(4_000),
});

/**
 * Answers to what features ask, of bounded size; which questions there are is for the catalogue to
 * say.
 */
const parametersInput = (() => {
  const most = (longest: number) => (record: object) => Object.keys(record).length <= longest;
  const error = "Answer with a text, a number, true or false.";
  const value = z.union(
    [z.string().max(4_000, "Use at most 4,000 characters."), z.number(), z.boolean()],
    { error },
  );
  const ofTemplate = z
    .record(z.string(), value, { error: "Give the answers to a feature as an object." })
    .refine(most(100), "This is more than any feature asks.");
  return z
    .record(z.string(), ofTemplate, { error: "Give the answers as an object by feature." })
    .refine(most(50), "This is more than there are features.");
})();

/** A customer and what it wants, as the wizard and the API send it. */
export const newCustomerInput = z.strictObject({
  company: line(200),
  contactName: line(200),
  email: emailAddress,
  phone: z
    .string()
    .trim()
    .max(32, "Use at most 32 characters.")
    .pipe(
      z
        .string()
        .regex(/^\+?[0-9][0-9 ()./-]{4,30}$/, "Write a telephone number, such as +49 30 1234567."),
    )
    .optional(),
  country: z.string().refine(isCountry, "Use a two-letter country code, such as DE."),
  timezone: z
    .string()
    .max(64)
    .pipe(z.string().refine(isTimeZone, "Use a time zone such as Europe/Berlin."))
    .transform(presentZone)
    .default("UTC"),
  industry: line(100).optional(),
  region: z.enum(REGIONS),
  plan: line(50).transform((name) => name.toLowerCase()),
  billingCycle: z.enum(["monthly", "yearly"]),
  features: z.array(line(100)).max(50),
  parameters: parametersInput
    .optional()
    .describe(
      "Answers to what the features ask: feature → parameter → text, number, true or false. /docs/api lists the questions of each feature, and what stands there where an answer is left out.",
    ),
  priority: z.enum(PRIORITIES).default("normal"),
  backend: credentialsInput.optional(),
});
export type NewCustomer = z.infer<typeof newCustomerInput>;
