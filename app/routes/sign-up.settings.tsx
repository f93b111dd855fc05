import {
  type ActionFunctionArgs,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
} from "@remix-run/node";
import { useLoaderData } from "@remix-run/react";
import {
  AnswersNotPossibleError,
  behindOf,
  readSettings,
  saveSettings,
  viewSettings,
} from "#app/domain/onboarding/index.server.ts";
import { type FieldErrors, type PageProblem, readForm } from "#app/web/forms.server.ts";
import { inTx } from "#app/web/session.server.ts";
import { echoOf, errorsOf } from "#app/web/setting-answers.server.ts";
import { afterStep, attemptStep, openStep } from "#app/web/wizard.server.ts";
import { SubmitButton } from "../components/form.tsx";
import { currencyOf, inSummary, SettingsForm } from "../components/sign-up/settings-form.tsx";
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

export default function Settings() {
  const { features } = useLoaderData<typeof loader>();
  const answer = useAnswer<typeof action>();
  const errors: FieldErrors = answer?.errors ?? {};
  const values = answer?.values ?? {};
  return (
    <StepPage
      title="Settings"
      lead={
        <p>A few facts for the features you chose. What we could guess stands there already.</p>
      }
      errors={inSummary(features, errors)}
      problem={answer?.problem}
    >
      <SettingsForm
        features={features}
        values={values}
        errors={errors}
        currency={currencyOf(features)}
      >
        <StepButtons back="/sign-up/features">
          <SubmitButton pendingText="Saving …">Continue</SubmitButton>
        </StepButtons>
      </SettingsForm>
    </StepPage>
  );
}
