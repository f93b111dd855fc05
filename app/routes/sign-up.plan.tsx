import {
  type ActionFunctionArgs,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
  redirect,
} from "@remix-run/node";
import { Form, useLoaderData } from "@remix-run/react";
import { ChoiceNotPossibleError } from "#app/domain/catalog/index.server.ts";
import { listPlans, planAnswer, savePlan } from "#app/domain/onboarding/index.server.ts";
import {
  echo,
  type FieldErrors,
  type PageProblem,
  parseForm,
  readForm,
} from "#app/web/forms.server.ts";
import { inTx } from "#app/web/session.server.ts";
import { afterStep, attemptStep, openStep } from "#app/web/wizard.server.ts";
import { SubmitButton } from "../components/form.tsx";
import { formatPrice } from "../components/price.ts";
import { RadioCards } from "../components/radio-cards.tsx";
import { BillingCycle } from "../components/sign-up/billing-cycle.tsx";
import { StepButtons, StepPage } from "../components/sign-up/step.tsx";
import { stepTitle } from "../components/sign-up/steps.ts";
import { useAnswer } from "../components/use-answer.ts";

export const meta: MetaFunction = ({ matches }) => [
  { title: stepTitle(matches, "plan", "Choose a plan") },
];

export async function loader(args: LoaderFunctionArgs) {
  const { actor, draft } = await openStep(args, "plan");
  const { catalog } = args.context.runtime.services;
  const plans = await inTx(args, actor, (tx) => listPlans(tx, catalog));
  return {
    values: draft.answers.plan ?? { plan: "", billingCycle: "monthly" },
    plans: plans.map(({ monthlyPrice, yearlyPrice, currency, ...plan }) => ({
      ...plan,
      monthly: formatPrice(monthlyPrice, currency),
      yearly: formatPrice(yearlyPrice, currency),
    })),
  };
}

export async function action(args: ActionFunctionArgs) {
  const { actor } = await openStep(args, "plan");
  const { catalog } = args.context.runtime.services;
  const form = await readForm(args.request);
  const values = echo(form, ["plan", "billingCycle"]);
  const refuse = (status: number, why: { errors?: FieldErrors; problem?: PageProblem }) =>
    data({ errors: null, problem: null, ...why, values }, status);
  const parsed = parseForm(form, planAnswer, {
    plan: "Choose a plan.",
    billingCycle: "Choose how you pay: monthly or yearly.",
  });
  if (parsed.errors) return refuse(422, { errors: parsed.errors });
  const outcome = await attemptStep(args.context, () =>
    inTx(args, actor, (tx) => savePlan({ tx, actor, catalog }, parsed.value)),
  );
  if (!outcome.done) {
    const { error, status, problem } = outcome;
    if (!(error instanceof ChoiceNotPossibleError)) return refuse(status, { problem });
    return refuse(status, { errors: { plan: [error.message] } });
  }
  // Even who came to change the plan alone is to see what it took away.
  if (outcome.result.dropped.length > 0) return redirect("/sign-up/features?change", 303);
  return afterStep(args, "plan");
}

export default function Plan() {
  const page = useLoaderData<typeof loader>();
  const answer = useAnswer<typeof action>();
  const values: Record<string, string> = answer?.values ?? page.values;
  const errors: FieldErrors = answer?.errors ?? {};
  return (
    <StepPage
      title="Choose a plan"
      lead={<p>It decides which features you can have, and how soon your backend is ready.</p>}
      errors={answer?.errors}
      problem={answer?.problem}
    >
      <Form method="post" noValidate className="group">
        <BillingCycle value={values.billingCycle} error={errors.billingCycle} />
        <RadioCards
          legend="Plan"
          name="plan"
          value={values.plan}
          error={errors.plan}
          options={page.plans.map((plan) => ({
            value: plan.id,
            title: plan.name,
            description: plan.description,
            aside: <Price monthly={plan.monthly} yearly={plan.yearly} />,
            note: (
              <>
                Ready within {plan.readyWithinHours} h. Includes {plan.includes.join(", ")}.
              </>
            ),
          }))}
        />
        <StepButtons back="/sign-up/business">
          <SubmitButton pendingText="Saving …">Continue</SubmitButton>
        </StepButtons>
      </Form>
    </StepPage>
  );
}

/** The price for the way of paying that is chosen; the style sheet tells which, scripts or not. */
function Price({ monthly, yearly }: { monthly: string; yearly: string }) {
  return (
    <>
      <span className="group-has-[[value=yearly]:checked]:hidden">{monthly} / month</span>
      <span className="hidden group-has-[[value=yearly]:checked]:inline">{yearly} / year</span>
    </>
  );
}
