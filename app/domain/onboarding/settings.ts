import {
  type Catalog,
  type CustomerFacts,
  completeAnswers,
  type Parameter,
  presetOf,
} from "../catalog/index.server.ts";
import type { DraftAnswers } from "./answers.ts";
import { listCurrencies, listLanguages } from "./currencies-and-languages.ts";
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
  timeZone: business?.timezone ?? "",
});

/** Everything that the chosen features ask, in the order in which they are installed. */
export function viewSettings(catalog: Catalog, answers: DraftAnswers): SettingsOfFeature[] {
  const facts = factsOf(answers);
  return templatesOf(catalog, answers.features?.chosen ?? [])
    .filter(({ parameters }) => parameters.length > 0)
    .map(({ name: template, title, parameters }) => {
      const kept = new Map(Object.entries(answers.settings?.[template] ?? {}));
      return {
        template,
        title,
        fields: parameters.map((asked) => {
          const value = kept.get(asked.name) ?? presetOf(asked, facts) ?? "";
          return toField(asked, settingField(template, asked.name), value);
        }),
      };
    });
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
    longest: null,
    autoComplete: null,
  };
  const select = (options: readonly Choice[]) => {
    // An answer that is right and not in the list must not turn into its first option.
    const isListed = value === "" || options.some((option) => option.value === value);
    const own = isListed ? [] : [{ value, label: value }];
    return { ...plain, kind: "select" as const, options: [...own, ...options] };
  };
  switch (asked.type) {
    case "text": {
      const autoComplete = asked.prefill === "company" ? "organization" : null;
      return { ...plain, kind: "text", longest: asked.max, autoComplete };
    }
    case "integer":
    case "decimal":
      return { ...plain, kind: asked.type, min: asked.min ?? null, max: asked.max ?? null };
    case "boolean":
      return { ...plain, kind: "boolean" };
    case "choice": {
      const options = asked.options.map((option) => ({ value: option.value, label: option.title }));
      return options.length > MOST_RADIOS ? select(options) : { ...plain, kind: "radios", options };
    }
    case "currency":
      return select(listCurrencies());
    case "time_zone":
      return select(listTimeZones());
    case "locale":
      return select(listLanguages());
  }
}

/** What a form gave to a template's question; null where it did not ask for it. */
type Given = Record<string, Record<string, unknown>>;

/**
 * The answers that a form carries: what has a point in its name. A box that is not ticked sends
 * nothing, so that each that the page had is named in `asked`.
 */
export function readSettings(form: FormData): Given {
  const unticked = form.getAll("asked").map((name) => [String(name), ["false"]] as const);
  const sent = [...new Set(form.keys())].map((name) => [name, form.getAll(name)] as const);
  const given: Given = {};
  for (const [name, values] of [...unticked, ...sent]) {
    const [template = "", parameter] = name.split(".", 2);
    if (parameter === undefined) continue;
    const own = Object.hasOwn(given, template) ? given[template] : {};
    // Whoever sends a field twice means neither.
    given[template] = { ...own, [parameter]: values.length === 1 ? values[0] : values };
  }
  return given;
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
