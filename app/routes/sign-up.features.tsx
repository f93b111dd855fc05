import {
  type ActionFunctionArgs,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
} from "@remix-run/node";
import { Form, useLoaderData } from "@remix-run/react";
import {
  listFeatures,
  planOf,
  saveFeatures,
  tickedAtFirst,
} from "#app/domain/onboarding/index.server.ts";
import { type FieldErrors, type PageProblem, readForm } from "#app/web/forms.server.ts";
import { inTx } from "#app/web/session.server.ts";
import { afterStep, attemptStep, openStep } from "#app/web/wizard.server.ts";
import { SubmitButton } from "../components/form.tsx";
import { Notice } from "../components/notice.tsx";
import { FeatureChoice } from "../components/sign-up/feature-choice.tsx";
import { StepButtons, StepPage } from "../components/sign-up/step.tsx";
import { stepTitle } from "../components/sign-up/steps.ts";
import { useAnswer } from "../components/use-answer.ts";

export const meta: MetaFunction = ({ matches }) => [
  { title: stepTitle(matches, "features", "Choose features") },
];

export async function loader(args: LoaderFunctionArgs) {
  const { actor, draft } = await openStep(args, "features");
  const { catalog } = args.context.runtime.services;
  const planId = draft.answers.plan?.plan ?? "";
  const answered = draft.answers.features;
  const base = catalog.get("base");
  return inTx(args, actor, async (tx) => {
    const features = await listFeatures(tx, catalog, planId);
    const { chosen, dropped } = answered ?? { chosen: tickedAtFirst(features), dropped: [] };
    const offered = new Set(features.map(({ name }) => name));
    const kept = chosen.filter((name) => offered.has(name));
    return {
      plan: (await planOf(tx, planId)).name,
      base: { title: base.title, description: base.description },
      features,
      chosen: kept,
      isNew: answered === undefined,
      still: features.filter(({ name }) => kept.includes(name)).map(({ title }) => title),
      dropped,
      withdrawn: chosen
        .filter((name) => !offered.has(name))
        .map((name) => catalog.templates.find((one) => one.name === name)?.title ?? name),
    };
  });
}

export async function action(args: ActionFunctionArgs) {
  const { actor } = await openStep(args, "features");
  const { catalog } = args.context.runtime.services;
  const form = await readForm(args.request);
  const chosen = form.getAll("features").map(String);
  const outcome = await attemptStep(args.context, () =>
    inTx(args, actor, (tx) => saveFeatures({ tx, actor, catalog }, chosen)),
  );
  if (outcome.done) return afterStep(args, "features");
  const { status, problem } = outcome;
  const isChoice = problem.code === "choice_not_possible";
  const why: { errors: FieldErrors | null; problem: PageProblem | null } = isChoice
    ? { errors: { features: [problem.text] }, problem: null }
    : { errors: null, problem };
  return data({ ...why, chosen }, status);
}

export default function Features() {
  const { plan, base, features, dropped, still, withdrawn, ...page } =
    useLoaderData<typeof loader>();
  const answer = useAnswer<typeof action>();
  return (
    <StepPage
      title="Choose features"
      lead={
        <p>
          Each one installs its tables and rules in your backend.
          {page.isNew
            ? " Your plan includes those that are ticked: untick what you do not want."
            : ""}
        </p>
      }
      errors={answer?.errors}
      problem={answer?.problem}
    >
      {dropped.length > 0 ? (
        <Notice tone="warning" title={`${plan} does not include all that you had chosen`} live>
          <p>
            Taken off: {dropped.join(", ")}.{" "}
            {still.length > 0 ? `Still chosen: ${still.join(", ")}.` : "Nothing else was chosen."}
          </p>
        </Notice>
      ) : null}
      {withdrawn.length > 0 ? (
        <Notice tone="warning" title="Something is no longer offered" live>
          <p>{withdrawn.join(", ")} cannot be had at present. Continue without it.</p>
        </Notice>
      ) : null}
      <Form method="post" noValidate>
        <FeatureChoice
          plan={plan}
          base={base}
          features={features}
          chosen={answer?.chosen ?? page.chosen}
          error={answer?.errors?.features}
        />
        <StepButtons back="/sign-up/plan">
          <SubmitButton pendingText="Saving …">Continue</SubmitButton>
        </StepButtons>
      </Form>
    </StepPage>
  );
}
