import { z } from "zod";
import { type CustomerFacts, FACTS, factOf } from "./parameters-facts.ts";
import { judgeAnswer } from "./parameters-judge.ts";

const sentence = (max: number) => z.string().trim().min(1).max(max);

/** Names become keys of objects, and an object has some of its own: `constructor`. */
export const isFreeName = (name: string) => !(name in {});
export const freeNameForm = { error: "every object of JavaScript has something of this name" };

const asked = {
  name: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,39}$/, {
      error: "a parameter's name is small letters, digits and underscores, beginning with a letter",
    })
    .refine(isFreeName, freeNameForm),
  title: sentence(80),
  /** One sentence below the field. */
  help: sentence(300).optional(),
  /** A fact that stands in the field beforehand; where nothing is known, the default does. */
  prefill: z
    .enum(FACTS, { error: "what can be prefilled is company, time_zone, currency or locale" })
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
    /** An amount of money, in the currency that the base asks for. */
    unit: z.literal("currency", { error: "a decimal's unit is currency" }).optional(),
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
    const refuse = (path: PropertyKey[], message: string) =>
      void context.addIssue({ code: "custom", path, message });
    if ("pattern" in parameter && !isPattern(parameter.pattern)) {
      return refuse(["pattern"], "it is no regular expression");
    }
    if ("max" in parameter && Number(parameter.min) > Number(parameter.max)) {
      return refuse(["min"], `no answer lies between it and max, which is ${parameter.max}`);
    }
    const choices = "options" in parameter ? parameter.options.map(({ value }) => value) : [];
    for (const [index, value] of choices.entries()) {
      const path = ["options", index, "value"];
      if (choices.indexOf(value) < index) refuse(path, "it stands in the list already");
      else requireTaken(parameter, value, (problem) => refuse(path, problem));
    }
    if (parameter.default === undefined) return;
    requireTaken(parameter, String(parameter.default), (problem) => refuse(["default"], problem));
  });
export type Parameter = z.infer<typeof parameterSchema>;

function isPattern(pattern = ""): boolean {
  try {
    return new RegExp(pattern, "u") !== null;
  } catch {
    return false;
  }
}

/** What the manifest itself answers must be taken as every answer is. */
function requireTaken(parameter: Parameter, given: string, refuse: (problem: string) => void) {
  const judged = judgeAnswer(parameter, given);
  if ("problem" in judged) refuse(`the parameter itself refuses it: ${judged.problem}`);
}

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

/**
 * What stands in a question's field before the customer answers: the fact, where Berth knows one that
 * the question takes, else the default; null where it must be answered.
 */
export function presetOf(parameter: Parameter, facts: CustomerFacts): string | null {
  return (
    knownOf(parameter, facts) ??
    (parameter.default === undefined ? null : String(parameter.default))
  );
}

/** What Berth knows of a customer that answers a question; null where it knows nothing. */
export function knownOf(parameter: Parameter, facts: CustomerFacts): string | null {
  if (parameter.prefill === undefined) return null;
  const fact = factOf(parameter.prefill, facts);
  if (fact === null) return null;
  const judged = judgeAnswer(parameter, fact);
  // Where a question may stay empty, an unknown fact would answer it with nothing.
  return "value" in judged && judged.value !== "" ? judged.value : null;
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
    const names = asking?.parameters.map(({ name }) => name) ?? [];
    for (const name of Object.keys(values)) {
      if (names.includes(name)) continue;
      problems.push({ template, parameter: name, message: notAsked(asking !== undefined, names) });
    }
  }
  return { answers, problems };
}

function notAsked(isChosen: boolean, names: readonly string[]): string {
  if (!isChosen) return "This feature is not among those chosen, so nothing of it is asked.";
  if (names.length === 0) return "This feature asks nothing.";
  return `This feature does not ask this. It asks: ${names.join(", ")}.`;
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
