import {
  type Catalog,
  type CustomerFacts,
  completeAnswers,
  knownOf,
  type Parameter,
  presetOf,
  type Template,
} from "../catalog/index.server.ts";
import type { DraftAnswers } from "./answers.ts";
import {
  currencyName,
  languageName,
  listCurrencies,
  listLanguages,
} from "./currencies-and-languages.ts";
import { type DraftContext, lockDraft, writeAnswers } from "./drafts.ts";
import { AnswersNotPossibleError } from "./errors.ts";
import { templatesOf } from "./offers.ts";
import { type Choice, listTimeZones } from "./places.ts";

/** A question as the page asks it. */
export interface SettingField {
  /** Of its field in the form, which is its id too. */
  name: string;
  title: string;
  help: string | null;
  kind: "text" | "integer" | "decimal" | "boolean" | "radios" | "select";
  /** What was answered, else what stands there beforehand; empty where the person must say. */
  value: string;
  /** Of radios and of a select. */
  options: Choice[];
  /** Of a number. */
  min: number | null;
  max: number | null;
  /** An amount of the company's money. */
  isMoney: boolean;
  /** The value is what Berth knows from the first step. */
  isKnown: boolean;
  /** Of a text, in characters. */
  longest: number | null;
  /** What the browser may fill in. */
  autoComplete: string | null;
}

/** What one feature asks. */
export interface SettingsOfFeature {
  template: string;
  title: string;
  fields: SettingField[];
}

/** The name of a question's field in the form. A template's name holds no point. */
export const settingField = (template: string, parameter: string) => `${template}.${parameter}`;

/** More options than these stand in a list. */
const MOST_RADIOS = 5;

const factsOf = ({ business }: DraftAnswers): CustomerFacts => ({
  company: business?.company ?? "",
  country: business?.country ?? "",
  timeZone: business?.timezone ?? "",
});

/** Everything that the chosen features ask, in the order in which they are installed. */
export function viewSettings(catalog: Catalog, answers: DraftAnswers): SettingsOfFeature[] {
  const facts = factsOf(answers);
  return templatesOf(catalog, answers.features?.chosen ?? [])
    .filter(({ parameters }) => parameters.length > 0)
    .map((template) => {
      const kept = new Map(Object.entries(answers.settings?.[template.name] ?? {}));
      return toFields(
        template,
        (asked) => kept.get(asked.name) ?? presetOf(asked, facts) ?? "",
        (asked, value) => value !== "" && value === knownOf(asked, facts),
      );
    });
}

/** What a feature asks, each question with the value that stands in its field. */
export function toFields(
  { name: template, title, parameters }: Pick<Template, "name" | "title" | "parameters">,
  valueIn: (asked: Parameter) => string,
  isKnown: (asked: Parameter, value: string) => boolean = () => false,
): SettingsOfFeature {
  const fields = parameters.map((asked) => {
    const value = valueIn(asked);
    const field = toField(asked, settingField(template, asked.name), value);
    return { ...field, isKnown: isKnown(asked, value) };
  });
  return { template, title, fields };
}

function toField(asked: Parameter, name: string, value: string): SettingField {
  const plain = {
    name,
    title: asked.title,
    help: asked.help ?? null,
    value,
    options: [],
    min: null,
    max: null,
    isMoney: false,
    isKnown: false,
    longest: null,
    autoComplete: null,
  };
  const select = (options: readonly Choice[], nameOf = (one: string) => one) => {
    // An answer that is right and not in the list must not turn into its first option.
    const isListed = value === "" || options.some((option) => option.value === value);
    const own = isListed ? [] : [{ value, label: nameOf(value) }];
    return { ...plain, kind: "select" as const, options: [...own, ...options] };
  };
  switch (asked.type) {
    case "text": {
      const autoComplete = asked.prefill === "company" ? "organization" : null;
      return { ...plain, kind: "text", longest: asked.max, autoComplete };
    }
    case "integer":
    case "decimal":
      return {
        ...plain,
        kind: asked.type,
        min: asked.min ?? null,
        max: asked.max ?? null,
        isMoney: "unit" in asked && asked.unit === "currency",
      };
    case "boolean":
      return { ...plain, kind: "boolean" };
    case "choice": {
      const options = asked.options.map((option) => ({ value: option.value, label: option.title }));
      return options.length > MOST_RADIOS ? select(options) : { ...plain, kind: "radios", options };
    }
    case "currency":
      return select(listCurrencies(), currencyName);
    case "time_zone":
      return select(listTimeZones());
    case "locale":
      return select(listLanguages(), languageName);
  }
}

/** What a form gave to a template's question; null where it did not ask for it. */
export type Given = Record<string, Record<string, unknown>>;

/**
 * The answers that a form carries: what has a point in its name. A box that is not ticked sends
 * nothing, so that each that the page had is named in `asked`.
 */
export function readSettings(form: FormData): Given {
  const unticked = form.getAll("asked").map((name) => [String(name), ["false"]] as const);
  const sent = [...new Set(form.keys())].map((name) => [name, form.getAll(name)] as const);
  const given: Given = {};
  for (const [name, values] of [...unticked, ...sent]) {
    const point = name.indexOf(".");
    if (point < 0) continue;
    // A second point belongs to a name that no question has.
    const [template, parameter] = [name.slice(0, point), name.slice(point + 1)];
    const own = Object.hasOwn(given, template) ? given[template] : {};
    // Whoever sends a field twice means neither.
    given[template] = { ...own, [parameter]: values.length === 1 ? values[0] : values };
  }
  return given;
}

/**
 * How a form differs from what is asked now: questions that its page did not show, and answers that
 * nobody asks for, since the features were changed in another window.
 */
export function behindOf(form: FormData, fields: readonly SettingField[]) {
  // A box that is not ticked and radios of which none is chosen send nothing: the page names them.
  const named = [...form.getAll("asked"), ...form.getAll("shown")].map(String);
  const shown = new Set([...form.keys(), ...named].filter((name) => name.includes(".")));
  const asked = new Set(fields.map(({ name }) => name));
  return {
    shown,
    added: fields.filter(({ name }) => !shown.has(name)).length,
    gone: [...shown].filter((name) => !asked.has(name)).length,
  };
}

/**
 * Keeps the answers to what the chosen features ask, beside those to features that are not chosen at
 * present. A question that is not answered is not answered by itself.
 * @throws StepNotOpenError, AnswersNotPossibleError
 */
export async function saveSettings(context: DraftContext, given: Given): Promise<void> {
  const { tx, catalog } = context;
  const draft = await lockDraft(context, "settings");
  const asking = templatesOf(catalog, draft.answers.features?.chosen ?? []);
  const unanswered = asking.map(({ name, parameters }) => {
    const own = Object.hasOwn(given, name) ? given[name] : {};
    return [name, { ...Object.fromEntries(parameters.map((one) => [one.name, null])), ...own }];
  });
  const all = { ...given, ...Object.fromEntries(unanswered) };
  const { answers, problems } = completeAnswers(asking, all, factsOf(draft.answers));
  if (problems.length > 0) throw new AnswersNotPossibleError(problems);
  await writeAnswers(tx, draft, { settings: { ...draft.answers.settings, ...answers } });
}
