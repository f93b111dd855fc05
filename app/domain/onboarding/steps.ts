import {
  type AnswerProblem,
  type Answers,
  type Catalog,
  completeAnswers,
} from "../catalog/index.server.ts";
import { type DraftAnswers, STEPS, type Step } from "./answers.ts";
import { templatesOf } from "./offers.ts";

/**
 * The steps that this draft has, in their order. Settings are one of them where a chosen feature asks
 * something; before any is chosen, where one of the catalogue does.
 */
export function stepsOf(catalog: Catalog, { features }: DraftAnswers): Step[] {
  const asking = features ? templatesOf(catalog, features.chosen) : catalog.templates;
  const asks = asking.some(({ parameters }) => parameters.length > 0);
  return STEPS.filter((step) => step !== "settings" || asks);
}

/** Whether a step needs no answer any more. The review has none: it is submitted. */
export function isAnswered(catalog: Catalog, step: Step, answers: DraftAnswers): boolean {
  if (step === "review") return false;
  if (step !== "settings") return answers[step] !== undefined;
  return answers.features !== undefined && answersTo(catalog, answers).problems.length === 0;
}

/** The first step that has no answer; the review where all have one. */
export function firstOpenStep(catalog: Catalog, answers: DraftAnswers): Step {
  return stepsOf(catalog, answers).find((step) => !isAnswered(catalog, step, answers)) ?? "review";
}

/**
 * The answers of a draft to what its features ask, and what is open of them: a question that came
 * with a feature chosen since, or that a newer version asks otherwise. Nothing is answered by itself.
 */
export function answersTo(
  catalog: Catalog,
  { features, settings }: DraftAnswers,
): { answers: Answers; problems: AnswerProblem[] } {
  const asking = templatesOf(catalog, features?.chosen ?? []);
  const given = Object.fromEntries(
    asking.map(({ name, parameters }) => {
      const kept = new Map(Object.entries(settings?.[name] ?? {}));
      const each = parameters.map((asked) => [asked.name, kept.get(asked.name) ?? null] as const);
      return [name, Object.fromEntries(each)];
    }),
  );
  return completeAnswers(asking, given, { company: "", country: "", timeZone: "" });
}
