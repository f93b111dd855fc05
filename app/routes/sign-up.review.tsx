import {
  type ActionFunctionArgs,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
  redirect,
} from "@remix-run/node";
import { Form, Link, useLoaderData } from "@remix-run/react";
import type { ReactNode } from "react";
import { ProjectInUseError } from "#app/domain/backends/index.server.ts";
import { seenDraft, submitDraft, viewReview } from "#app/domain/onboarding/index.server.ts";
import { type FieldErrors, type PageProblem, readForm } from "#app/web/forms.server.ts";
import { inTx, requireCustomer } from "#app/web/session.server.ts";
import { spendRequest } from "#app/web/visitors-actor.server.ts";
import { attemptStep, openStep } from "#app/web/wizard.server.ts";
import { CredentialTraces } from "../components/credentials-traces.tsx";
import { CheckField, SubmitButton } from "../components/form.tsx";
import { needWords } from "../components/list-words.ts";
import { Notice } from "../components/notice.tsx";
import { formatPrice } from "../components/price.ts";
import { SettingsOfFeatures } from "../components/settings-of-features.tsx";
import { StepButtons, StepPage } from "../components/sign-up/step.tsx";
import { stepTitle } from "../components/sign-up/steps.ts";
import { Facts, Panel } from "../components/ui.tsx";
import { useAnswer } from "../components/use-answer.ts";

export const meta: MetaFunction = ({ matches }) => [
  { title: stepTitle(matches, "review", "Check your answers") },
];

export async function loader(args: LoaderFunctionArgs) {
  const { actor, visitor, draft } = await openStep(args, "review");
  const { vault, catalog } = args.context.runtime.services;
  const review = await inTx(args, actor, (tx) => viewReview({ tx, vault, catalog }, draft));
  const { price, currency, ...plan } = review.plan;
  return {
    ...review,
    plan: { ...plan, price: formatPrice(price, currency) },
    account: { email: visitor.email },
  };
}

export async function action(args: ActionFunctionArgs) {
  const { actor, visitor } = await requireCustomer(args);
  const { catalog } = args.context.runtime.services;
  const form = await readForm(args.request);
  const refuse = (status: number, why: { errors?: FieldErrors; problem?: PageProblem }) =>
    data({ errors: null, problem: null, ...why }, status);
  const seen = seenDraft.safeParse(Object.fromEntries(form));
  if (!seen.success) return redirect("/sign-up", 303);
  if (form.get("accept") !== "on") {
    return refuse(422, { errors: { accept: ["Accept this, so that we can begin."] } });
  }
  const outcome = await attemptStep(args.context, async () => {
    await spendRequest(args.context, visitor);
    return inTx(args, actor, (tx) => submitDraft({ tx, actor, catalog }, seen.data, visitor.email));
  });
  if (outcome.done) return redirect(`/requests/${outcome.result}`, 303);
  const { error, status, problem } = outcome;
  if (error instanceof ProjectInUseError) return redirect("/sign-up/backend?change&in-use", 303);
  return refuse(status, { problem });
}

export { readAgainAfterRefusal as shouldRevalidate } from "../components/read-again.ts";

export default function Review() {
  const { business, plan, features, backend, ...page } = useLoaderData<typeof loader>();
  const answer = useAnswer<typeof action>();
  return (
    <StepPage title="Check your answers" errors={answer?.errors} problem={answer?.problem}>
      {page.problems.map(({ field, message }) => (
        <Notice key={message} tone="error" title={message}>
          <p>
            <Link to={`/sign-up/${field}?change`}>
              {field === "plan" ? "Choose another plan" : "Choose the features again"}
            </Link>
          </p>
        </Notice>
      ))}
      <Section title="Your business" step="business">
        <Facts
          aligned
          items={[
            ["Company", business.company],
            ["Industry", business.industry ?? <None />],
            ["Country", business.country],
            ["Time zone", business.timezone.replaceAll("_", " ")],
            ["Data kept in", business.region],
            ["Contact", business.contactName],
            ["Telephone", business.phone ?? <None />],
            ["E-mail", page.account.email],
          ]}
        />
      </Section>
      <Section title="Plan" step="plan">
        <Facts
          aligned
          items={[
            ["Plan", plan.name],
            ["Price", `${plan.price} / ${plan.billingCycle === "yearly" ? "year" : "month"}`],
          ]}
        />
      </Section>
      <Section title="Features" step="features">
        <ul className="grid gap-1">
          {features.map(({ name, title, neededBy }) => (
            <li key={name}>
              {title}
              {name === "base" ? (
                <span className="text-quiet"> (part of every backend)</span>
              ) : null}
              {neededBy.length > 0 ? (
                <span className="text-quiet"> (added: {needWords(neededBy)} it)</span>
              ) : null}
            </li>
          ))}
        </ul>
        {page.dropped.length > 0 ? (
          <p className="mt-2">
            Not in {plan.name}, and so taken off: {page.dropped.join(", ")}.
          </p>
        ) : null}
      </Section>
      {page.settings.length > 0 ? (
        <Section title="Settings" step="settings">
          <SettingsOfFeatures settings={page.settings} />
        </Section>
      ) : null}
      <Section title="Supabase project" step="backend">
        {backend.kind === "create" ? (
          <p>Berth creates it for you, in {business.region}.</p>
        ) : (
          <CredentialTraces backend={backend} />
        )}
      </Section>
      <Form method="post" noValidate className="border-t border-base-300 pt-5">
        <input type="hidden" name="draftId" value={page.draftId} />
        <input type="hidden" name="version" value={page.version} />
        <CheckField
          // What was changed elsewhere is agreed to anew.
          key={page.version}
          label="I agree to have Berth set up this backend"
          name="accept"
          required
          error={answer?.errors?.accept}
          hint="Berth installs the features above in that project, and keeps its credentials encrypted to do so."
        />
        <StepButtons back="/sign-up/backend">
          <SubmitButton pendingText="Submitting …">Submit the request</SubmitButton>
        </StepButtons>
      </Form>
    </StepPage>
  );
}

function Section(props: { title: string; step: string; children: ReactNode }) {
  const { title, step, children } = props;
  return (
    <Panel
      title={title}
      action={
        <Link to={`/sign-up/${step}?change`}>
          Change<span className="sr-only"> {title.toLowerCase()}</span>
        </Link>
      }
    >
      {children}
    </Panel>
  );
}

/** An answer that was left out. */
function None() {
  return <span className="text-quiet">Not given</span>;
}
