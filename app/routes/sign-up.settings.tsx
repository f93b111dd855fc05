import {
  type ActionFunctionArgs,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
} from "@remix-run/node";
import { Form, useLoaderData } from "@remix-run/react";
import { useEffect, useState } from "react";
import {
  AnswersNotPossibleError,
  behindOf,
  readSettings,
  type SettingField,
  type SettingsOfFeature,
  saveSettings,
  settingField,
  viewSettings,
} from "#app/domain/onboarding/index.server.ts";
import { TURNS_TEXT } from "#app/platform/plain-text.ts";
import { type FieldErrors, type PageProblem, readForm } from "#app/web/forms.server.ts";
import { inTx } from "#app/web/session.server.ts";
import { afterStep, attemptStep, openStep } from "#app/web/wizard.server.ts";
import { SubmitButton } from "../components/form.tsx";
import { SettingFields } from "../components/sign-up/setting-fields.tsx";
import { StepButtons, StepPage } from "../components/sign-up/step.tsx";
import { stepTitle } from "../components/sign-up/steps.ts";
import { useAnswer } from "../components/use-answer.ts";

export const meta: MetaFunction = ({ matches }) => [
  { title: stepTitle(matches, "settings", "Settings") },
];

export async function loader(args: LoaderFunctionArgs) {
  const { draft } = await openStep(args, "settings");
  return { features: viewSettings(args.context.runtime.services.catalog, draft.answers) };
}

/** More than the longest answer that a question takes. */
const LONGEST_ECHO = 4_000;

export async function action(args: ActionFunctionArgs) {
  const { actor, draft } = await openStep(args, "settings");
  const { catalog } = args.context.runtime.services;
  const form = await readForm(args.request);
  const outcome = await attemptStep(args.context, () =>
    inTx(args, actor, (tx) => saveSettings({ tx, actor, catalog }, readSettings(form))),
  );
  if (outcome.done) return afterStep(args, "settings");
  const { error, status, problem } = outcome;
  const asked = viewSettings(catalog, draft.answers).flatMap(({ fields }) => fields);
  const { shown, added, gone } = behindOf(form, asked);
  // What the page did not show has no echo: it comes with what stands there beforehand.
  const answered = asked.filter(({ name }) => shown.has(name));
  const values = echoOf(form, answered);
  if (!(error instanceof AnswersNotPossibleError)) {
    return data({ errors: null, problem, values }, status);
  }
  const errors = errorsOf(error, answered);
  if (added > 0 || gone > 0) return data({ errors, problem: behind(added, gone), values }, status);
  // Where no field carries a message, the page does.
  const isTold = Object.keys(errors).length > 0;
  return data({ errors, problem: isTold ? null : problem, values }, status);
}

/** What was written in these fields. */
function echoOf(form: FormData, fields: SettingField[]): Record<string, string> {
  return Object.fromEntries(
    fields.map(({ name, kind }) => {
      const text = plainEcho(String(form.get(name) ?? ""));
      return [name, kind === "boolean" && text === "" ? "false" : text];
    }),
  );
}

/** What is wrong with these fields, by their names. */
function errorsOf({ problems }: AnswersNotPossibleError, fields: SettingField[]): FieldErrors {
  const names = new Set(fields.map(({ name }) => name));
  return Object.fromEntries(
    problems.flatMap(({ template, parameter, message }) => {
      const name = settingField(template, parameter);
      return names.has(name) ? [[name, [message]]] : [];
    }),
  );
}

/** What was written, without the marks that turn text around. */
const plainEcho = (text: string) => text.slice(0, LONGEST_ECHO).replace(TURNS_TEXT_ALL, "");
const TURNS_TEXT_ALL = new RegExp(TURNS_TEXT, "g");

function behind(added: number, gone: number): PageProblem {
  const questions = (count: number) => `${count} ${count === 1 ? "question is" : "questions are"}`;
  const parts = [
    ...(added > 0 ? [`${questions(added)} new`] : []),
    ...(gone > 0 ? [`${questions(gone)} no longer asked`] : []),
  ];
  return {
    code: "answers_not_possible",
    text: `Your features were changed in another window: ${parts.join(", ")}.`,
    fix: "Look through the questions below, and continue.",
  };
}

// The questions may have become others since the page was read.
export { readAgainAfterRefusal as shouldRevalidate } from "../components/read-again.ts";

/** In this question the company says what it counts in. */
const CURRENCY = "base.currency";
const fieldOf = (features: SettingsOfFeature[], name: string) =>
  features.flatMap(({ fields }) => fields).find((field) => field.name === name);

/** Far from its field a sentence such as "Fill this in." says nothing. */
function inSummary(features: SettingsOfFeature[], errors: FieldErrors): FieldErrors {
  const fields = features.flatMap((feature) => feature.fields);
  return Object.fromEntries(
    fields.flatMap(({ name, title }) =>
      (errors[name] ?? []).map((text) => [name, [`${title}: ${text}`]]),
    ),
  );
}

export default function Settings() {
  const { features } = useLoaderData<typeof loader>();
  const answer = useAnswer<typeof action>();
  const errors: FieldErrors = answer?.errors ?? {};
  const values = answer?.values ?? {};
  const written = values[CURRENCY] ?? fieldOf(features, CURRENCY)?.value ?? "";
  // Without scripts the list could be changed and the word beside the amounts would not.
  const [currency, setCurrency] = useState("");
  useEffect(() => setCurrency(written), [written]);
  return (
    <StepPage
      title="Settings"
      lead={
        <p>A few facts for the features you chose. What we could guess stands there already.</p>
      }
      errors={inSummary(features, errors)}
      problem={answer?.problem}
    >
      <Form
        method="post"
        noValidate
        onChange={({ target }) => {
          if (target instanceof HTMLSelectElement && target.name === CURRENCY) {
            setCurrency(target.value);
          }
        }}
      >
        {features.map(({ template, title, fields }) => (
          <fieldset key={template} className="mb-8">
            <legend className="mb-4 w-full border-b border-base-300 pb-2 text-base font-semibold">
              {title}
            </legend>
            <SettingFields fields={fields} values={values} errors={errors} currency={currency} />
          </fieldset>
        ))}
        <StepButtons back="/sign-up/features">
          <SubmitButton pendingText="Saving …">Continue</SubmitButton>
        </StepButtons>
      </Form>
    </StepPage>
  );
}
