import { z } from "zod";
import { TURNS_TEXT } from "#app/platform/plain-text.ts";

/** What Berth knows of a customer anyway, and need not ask twice. */
export interface CustomerFacts {
  company: string;
  /** IANA name. */
  timeZone: string;
}

const sentence = (max: number) => z.string().trim().min(1).max(max);
const asked = {
  name: z.string().regex(/^[a-z][a-z0-9_]{0,39}$/, {
    error: "a parameter's name is small letters, digits and underscores, beginning with a letter",
  }),
  title: sentence(80),
  /** One sentence below the field. */
  help: sentence(300).optional(),
  /** A fact that stands in the field beforehand. */
  prefill: z
    .enum(["company", "time_zone"], { error: "what can be prefilled is company or time_zone" })
    .optional(),
};
const textDefault = { default: z.string({ error: "a default of this type is a text" }).optional() };
const bounds = { min: z.number().optional(), max: z.number().optional() };

const kinds = [
  z.strictObject({
    type: z.literal("text"),
    ...asked,
    ...textDefault,
    /** Characters. */
    min: z.int().min(0).max(2_000).default(1),
    max: z.int().min(1).max(2_000).default(200),
    /** A regular expression for the whole text. */
    pattern: z.string().max(200).optional(),
  }),
  z.strictObject({
    type: z.literal("integer"),
    ...asked,
    ...bounds,
    default: z.int({ error: "a default of this type is a whole number" }).optional(),
  }),
  z.strictObject({
    type: z.literal("decimal"),
    ...asked,
    ...bounds,
    default: z.number({ error: "a default of this type is a number" }).optional(),
  }),
  z.strictObject({
    type: z.literal("boolean"),
    ...asked,
    default: z.boolean({ error: "a default of this type is true or false" }).optional(),
  }),
  z.strictObject({
    type: z.literal("choice"),
    ...asked,
    ...textDefault,
    options: z
      .array(z.strictObject({ value: sentence(80), title: sentence(80) }))
      .min(2, { error: "a choice has two options at least" })
      .max(100),
  }),
  z.strictObject({ type: z.literal("currency"), ...asked, ...textDefault }),
  z.strictObject({ type: z.literal("time_zone"), ...asked, ...textDefault }),
  z.strictObject({ type: z.literal("locale"), ...asked, ...textDefault }),
] as const;

/** A question that a template asks the customer, as its manifest writes it. */
export const parameterSchema = z
  .discriminatedUnion("type", kinds, {
    error: `a parameter's type is one of ${kinds.map((kind) => kind.shape.type.value).join(", ")}`,
  })
  .superRefine((parameter, context) => {
    const given = parameter.default;
    if (given === undefined) return;
    const judged = judgeAnswer(parameter, String(given));
    if ("problem" in judged) {
      context.addIssue({
        code: "custom",
        path: ["default"],
        message: `the parameter itself refuses it: ${judged.problem}`,
      });
    }
  });
export type Parameter = z.infer<typeof parameterSchema>;

/** Answers to the questions of templates: template → parameter → its value as text. */
export type Answers = Record<string, Record<string, string>>;

/** One answer that cannot be taken, and why. */
export interface AnswerProblem {
  template: string;
  parameter: string;
  /** A sentence for the person who answered. */
  message: string;
}

interface Asking {
  name: string;
  parameters: readonly Parameter[];
}

const CURRENCIES = new Set(Intl.supportedValuesOf("currency"));

/**
 * Judges one answer. It comes back in the one form that databases get: trimmed, `true` or `false`,
 * numbers in plain decimals.
 */
export function judgeAnswer(
  parameter: Parameter,
  given: string,
): { value: string } | { problem: string } {
  const text = given.trim();
  if (/\p{Cc}|\p{Zl}|\p{Zp}/u.test(text) || !text.isWellFormed()) {
    return { problem: "Use plain text on one line." };
  }
  if (TURNS_TEXT.test(text)) {
    return { problem: "This holds invisible marks that turn text around. Type it instead." };
  }
  switch (parameter.type) {
    case "text":
      return judgeText(parameter, text);
    case "integer":
      if (!/^[+-]?\d{1,15}$/.test(text)) return { problem: "Use a whole number." };
      return withinBounds(parameter, Number(text));
    case "decimal":
      if (!/^[+-]?\d{1,12}(\.\d{1,9})?$/.test(text)) {
        return { problem: "Use a number with a point, such as 0.2." };
      }
      return withinBounds(parameter, Number(text));
    case "boolean":
      return text === "true" || text === "false"
        ? { value: text }
        : { problem: "Answer true or false." };
    case "choice":
      return parameter.options.some(({ value }) => value === text)
        ? { value: text }
        : { problem: "Choose one of the options." };
    case "currency":
      return CURRENCIES.has(text.toUpperCase())
        ? { value: text.toUpperCase() }
        : { problem: "Use a currency's three letters, such as EUR." };
    case "time_zone":
      return isZone(text) ? { value: text } : { problem: "Use a time zone such as Europe/Berlin." };
    case "locale":
      return isLocale(text)
        ? { value: text }
        : { problem: "Use a language, or one with its region, such as de or de-AT." };
  }
}

function judgeText(parameter: Parameter & { type: "text" }, text: string) {
  if (text === "" && parameter.min > 0) return { problem: "Fill this in." };
  const { length } = [...text];
  if (length < parameter.min) return { problem: `Use at least ${parameter.min} characters.` };
  if (length > parameter.max) return { problem: `Use at most ${parameter.max} characters.` };
  if (parameter.pattern && !new RegExp(`^(?:${parameter.pattern})$`, "u").test(text)) {
    return { problem: "This does not have the form that is asked for." };
  }
  return { value: text };
}

function withinBounds({ min, max }: { min?: number; max?: number }, number: number) {
  if (min !== undefined && number < min) return { problem: `Use ${min} or more.` };
  if (max !== undefined && number > max) return { problem: `Use ${max} or less.` };
  // Nine decimals at most came in, so this notation is exact, and never an exponent.
  return { value: number.toFixed(9).replace(/\.?0+$/, "") };
}

/** As the templates' own constraints have it: no offsets, no POSIX rules. */
function isZone(text: string): boolean {
  if (!/^[A-Za-z_]+(\/[A-Za-z0-9_+-]+)*$/.test(text)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

/** A BCP 47 tag of language, script and region. */
function isLocale(text: string): boolean {
  if (!/^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$/.test(text)) return false;
  return new Intl.DisplayNames("en", { type: "language", fallback: "none" }).of(text) !== undefined;
}

/** What stands in a question's field before the customer answers; null where it must be answered. */
export function presetOf(parameter: Parameter, facts: CustomerFacts): string | null {
  if (parameter.default !== undefined) return String(parameter.default);
  if (parameter.prefill === undefined) return null;
  const fact = parameter.prefill === "company" ? facts.company : facts.timeZone;
  const judged = judgeAnswer(parameter, fact);
  return "value" in judged ? judged.value : null;
}

/**
 * The answers to every question of these templates: what was given, else what stands there
 * beforehand. What is given to nobody's question is a problem too.
 */
export function completeAnswers(
  templates: readonly Asking[],
  given: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  facts: CustomerFacts,
): { answers: Answers; problems: AnswerProblem[] } {
  const answers: Answers = {};
  const problems: AnswerProblem[] = [];
  for (const { name: template, parameters } of templates) {
    for (const parameter of parameters) {
      const note = (message: string) =>
        problems.push({ template, parameter: parameter.name, message });
      const own = given[template]?.[parameter.name];
      const answer = own === undefined ? presetOf(parameter, facts) : own;
      if (answer === null) {
        note("Fill this in.");
        continue;
      }
      if (!["string", "number", "boolean"].includes(typeof answer)) {
        note("Answer with a text, a number, true or false.");
        continue;
      }
      const judged = judgeAnswer(parameter, String(answer));
      if ("problem" in judged) note(judged.problem);
      else answers[template] = { ...answers[template], [parameter.name]: judged.value };
    }
  }
  for (const [template, values] of Object.entries(given)) {
    const asking = templates.find(({ name }) => name === template);
    for (const name of Object.keys(values)) {
      if (asking?.parameters.some((parameter) => parameter.name === name)) continue;
      problems.push({ template, parameter: name, message: "Nobody asks for this." });
    }
  }
  return { answers, problems };
}

/** The name under which SQL reads an answer: `current_setting('berth.base.currency', true)`. */
export const settingName = (template: string, parameter: string) =>
  `berth.${template.replaceAll("-", "_")}.${parameter}`;

/** Answers as the settings of a session: name → value. Bound as values, never part of SQL's text. */
export function settingsOf(templates: readonly Asking[], answers: Answers): Record<string, string> {
  return Object.fromEntries(
    templates.flatMap(({ name: template, parameters }) =>
      parameters.flatMap(({ name }) => {
        const value = answers[template]?.[name];
        return value === undefined ? [] : [[settingName(template, name), value]];
      }),
    ),
  );
}
