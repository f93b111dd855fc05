import {
  type ActionFunctionArgs,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
} from "@remix-run/node";
import { Form, useLoaderData } from "@remix-run/react";
import {
  leaveToBerth,
  ownProject,
  useOwnProject,
  viewBackendChoice,
} from "#app/domain/onboarding/index.server.ts";
import { CredentialsRefusedError } from "#app/domain/provisioning/index.server.ts";
import { EACH_PERSON_TEST, spend } from "#app/web/api/limits.ts";
import { connectionErrors } from "#app/web/connection-errors.server.ts";
import { MISSING_CREDENTIALS } from "#app/web/credentials.server.ts";
import {
  echo,
  type FieldErrors,
  type PageProblem,
  parseForm,
  readForm,
} from "#app/web/forms.server.ts";
import { inTx } from "#app/web/session.server.ts";
import { visitorsActor } from "#app/web/visitors-actor.server.ts";
import { afterStep, attemptStep, openStep } from "#app/web/wizard.server.ts";
import { SubmitButton } from "../components/form.tsx";
import { Notice } from "../components/notice.tsx";
import { RadioCards } from "../components/radio-cards.tsx";
import { OwnProjectFields } from "../components/sign-up/own-project.tsx";
import { SealedProject } from "../components/sign-up/sealed-project.tsx";
import { StepButtons, StepPage } from "../components/sign-up/step.tsx";
import { stepTitle, useStepBefore } from "../components/sign-up/steps.ts";
import { useAnswer } from "../components/use-answer.ts";

export const meta: MetaFunction = ({ matches }) => [
  { title: stepTitle(matches, "backend", "Your backend") },
];

/** An address as it was pasted, if it is no more than that: a secret may have gone into its field. */
function plainOrigin(text: string): string {
  return /^https?:\/\/[a-z0-9.:-]+\/?$/i.test(text.trim()) ? text : "";
}

export async function loader(args: LoaderFunctionArgs) {
  const { actor, draft } = await openStep(args, "backend");
  const { vault } = args.context.runtime.services;
  const { searchParams } = new URL(args.request.url);
  const choice = await inTx(args, actor, (tx) => viewBackendChoice({ tx, vault }, draft));
  return {
    choice,
    // The person wants to give another project than the one that is kept.
    another: searchParams.has("another"),
    inUse: searchParams.has("in-use") && choice?.kind === "own",
    change: searchParams.has("change"),
  };
}

export async function action(args: ActionFunctionArgs) {
  const { actor, visitor, draft } = await openStep(args, "backend");
  const { context, request } = args;
  const { services } = context.runtime;
  const form = await readForm(request);
  const kind = String(form.get("kind") ?? "");
  const values = { kind, url: plainOrigin(echo(form, ["url"]).url) };
  const refuse = (
    status: number,
    why: { errors?: FieldErrors; untested?: number; problem?: PageProblem },
  ) => data({ errors: null, untested: 0, problem: null, ...why, values }, status);

  if (kind === "keep" && draft.answers.backend?.kind === "own") return afterStep(args, "backend");
  if (kind === "create") {
    const outcome = await attemptStep(context, () =>
      inTx(args, actor, (tx) => leaveToBerth({ tx, actor, catalog: services.catalog })),
    );
    if (!outcome.done) return refuse(outcome.status, { problem: outcome.problem });
    return afterStep(args, "backend");
  }
  if (kind !== "own") {
    return refuse(422, { errors: { kind: ["Choose who makes the Supabase project."] } });
  }
  const parsed = parseForm(form, ownProject, MISSING_CREDENTIALS);
  if (parsed.errors) return refuse(422, { errors: parsed.errors });
  const outcome = await attemptStep(context, async () => {
    await spend(services.db, visitorsActor(context), EACH_PERSON_TEST, visitor.userId);
    await useOwnProject({ ...services, actor }, parsed.value);
  });
  if (outcome.done) return afterStep(args, "backend");
  const { error, status, problem } = outcome;
  if (!(error instanceof CredentialsRefusedError)) return refuse(status, { problem });
  return refuse(422, connectionErrors(error.report));
}

export default function Backend() {
  const { choice, another, inUse, change } = useLoaderData<typeof loader>();
  const answer = useAnswer<typeof action>();
  const errors: FieldErrors = answer?.errors ?? {};
  const shown = { errors, problem: answer?.problem };
  const search = change ? "?change" : "";
  const before = useStepBefore("backend");
  const title = "Your Supabase project";
  if (choice?.kind === "own" && !another) {
    return (
      <StepPage title={title} {...shown}>
        {inUse ? (
          <Notice tone="error" title="This project has gone to another backend meanwhile">
            <p>One project serves one backend. Give another project, or let Berth create one.</p>
          </Notice>
        ) : null}
        <SealedProject
          project={choice}
          another={`/sign-up/backend?another${change ? "&change" : ""}`}
        />
        <Form method="post">
          <StepButtons back={before}>
            <SubmitButton variant="secondary" name="kind" value="create" pendingText="Removing …">
              Let Berth create it instead
            </SubmitButton>
            <SubmitButton name="kind" value="keep" pendingText="Continuing …">
              Continue
            </SubmitButton>
          </StepButtons>
        </Form>
      </StepPage>
    );
  }
  const kind = answer?.values.kind ?? (another ? "own" : (choice?.kind ?? ""));
  return (
    <StepPage
      title={title}
      lead={<p>Your backend is a Supabase project: a database, sign-in and storage of its own.</p>}
      {...shown}
    >
      <Form method="post" noValidate className="group">
        <RadioCards
          legend="Who makes the project?"
          name="kind"
          value={kind}
          error={errors.kind}
          options={[
            {
              value: "create",
              title: "Create it for me",
              description: "We make a project in the region that you chose.",
            },
            {
              value: "own",
              title: "I have my own Supabase project",
              description: "You give its URL and keys. They are tested now, and sealed at once.",
            },
          ]}
        />
        <div className="hidden group-has-[[value=own]:checked]:block">
          {answer?.untested ? (
            <Notice tone="info" title={`${answer.untested} more checks wait for these`}>
              <p>
                They are made once what is named below is mended. Nothing is kept until all of it
                holds.
              </p>
            </Notice>
          ) : null}
          <OwnProjectFields url={answer?.values.url} errors={errors} />
        </div>
        <StepButtons back={another ? `/sign-up/backend${search}` : before}>
          <SubmitButton pendingText="One moment …">Continue</SubmitButton>
        </StepButtons>
      </Form>
    </StepPage>
  );
}
