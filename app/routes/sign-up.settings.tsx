import {
  type ActionFunctionArgs,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
} from "@remix-run/node";
import { Form, useLoaderData } from "@remix-run/react";
import {
  AnswersNotPossibleError,
  readSettings,
  saveSettings,
  settingField,
  viewSettings,
} from "#app/domain/onboarding/index.server.ts";
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
  const values = Object.fromEntries(
    asked.map(({ name, kind }) => {
      const text = String(form.get(name) ?? "").slice(0, LONGEST_ECHO);
      return [name, kind === "boolean" && text === "" ? "false" : text];
    }),
  );
  if (!(error instanceof AnswersNotPossibleError)) {
    return data({ errors: null, problem, values }, status);
  }
  const found = new Map(
    error.problems.map(({ template, parameter, message }) => [
      settingField(template, parameter),
      message,
    ]),
  );
  const errors: FieldErrors = Object.fromEntries(
    asked.flatMap(({ name }) => {
      const message = found.get(name);
      return message === undefined ? [] : [[name, [message]]];
    }),
  );
  // What no feature asks has no field to stand at.
  const isStranger = [...found.keys()].some((name) => !(name in errors));
  return data({ errors, problem: isStranger ? NOT_ASKED : null, values }, status);
}

const NOT_ASKED: PageProblem = {
  code: "answers_not_possible",
  text: "This form answers something that your features do not ask.",
  fix: "They may have been changed in another window. Look through the questions below, and continue.",
};

export default function Settings() {
  const { features } = useLoaderData<typeof loader>();
  const answer = useAnswer<typeof action>();
  const errors: FieldErrors = answer?.errors ?? {};
  // Far from its field a sentence such as "Fill this in." says nothing.
  const inSummary = features
    .flatMap(({ fields }) => fields)
    .flatMap(({ name, title }) =>
      (errors[name] ?? []).map((text) => [name, [`${title}: ${text}`]]),
    );
  return (
    <StepPage
      title="Settings"
      lead={
        <p>A few facts for the features you chose. What we could guess stands there already.</p>
      }
      errors={Object.fromEntries(inSummary)}
      problem={answer?.problem}
    >
      <Form method="post" noValidate>
        {features.map(({ template, title, fields }) => (
          <fieldset key={template} className="mb-8">
            <legend className="mb-4 w-full border-b border-base-300 pb-2 text-base font-semibold">
              {title}
            </legend>
            <SettingFields fields={fields} values={answer?.values ?? {}} errors={errors} />
          </fieldset>
        ))}
        <StepButtons back="/sign-up/features">
          <SubmitButton pendingText="Saving …">Continue</SubmitButton>
        </StepButtons>
      </Form>
    </StepPage>
  );
}
