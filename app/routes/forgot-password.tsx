import { setTimeout as sleep } from "node:timers/promises";
import { type ActionFunctionArgs, data, type MetaFunction } from "@remix-run/node";
import { Form, Link } from "@remix-run/react";
import { z } from "zod";
import { emailAddress, mailPasswordLink } from "#app/domain/onboarding/index.server.ts";
import { RateLimitedError } from "#app/web/api/errors.ts";
import { EACH_ACCOUNT_MAIL, EACH_ADDRESS_SIGN_IN, spend } from "#app/web/api/limits.ts";
import { attempt, echo, type FieldErrors, parseForm, readForm } from "#app/web/forms.server.ts";
import { inTx } from "#app/web/session.server.ts";
import { visitorsActor } from "#app/web/visitors-actor.server.ts";
import { ErrorSummary } from "../components/error-summary.tsx";
import { Field, SubmitButton } from "../components/form.tsx";
import { Frame } from "../components/frame.tsx";
import { Message } from "../components/message.tsx";
import { ProblemNotice } from "../components/notice.tsx";
import { formatDuration } from "../components/time.tsx";
import { useAnswer } from "../components/use-answer.ts";

export const meta: MetaFunction = () => [
  { title: "Forgotten password · Berth" },
  { name: "robots", content: "noindex" },
];

const fields = z.object({ email: emailAddress });

/** Longer than writing a mail down takes: the time of the answer tells nothing about accounts. */
const ANSWER_MS = 300;

export async function action({ request, context }: ActionFunctionArgs) {
  const form = await readForm(request);
  const parsed = parseForm(form, fields, { email: "Write your e-mail address." });
  const answer = { ...echo(form, ["email"]), errors: null, problem: null, sentTo: null };
  if (parsed.errors) return data({ ...answer, errors: parsed.errors }, 422);
  const { email } = parsed.value;
  const actor = visitorsActor(context);
  const ask = attempt(context, async () => {
    const { db } = context.runtime.services;
    await spend(db, actor, EACH_ADDRESS_SIGN_IN, context.clientAddress);
    await spend(db, actor, EACH_ACCOUNT_MAIL, email);
    await inTx({ context }, actor, (tx) => mailPasswordLink({ tx, actor }, email));
  });
  const [asked] = await Promise.all([ask, sleep(ANSWER_MS)]);
  if (asked.done) return { ...answer, sentTo: email };
  const { error, status, problem } = asked;
  if (!(error instanceof RateLimitedError)) return data({ ...answer, problem }, status);
  const limited = {
    code: problem.code,
    text: "This was asked for too often",
    fix: `Look for the mails that were sent, also in your spam folder. You can ask again in ${formatDuration(error.retryAfterSeconds * 1_000)}.`,
  };
  return data({ ...answer, problem: limited }, status);
}

export default function ForgotPassword() {
  const answer = useAnswer<typeof action>();
  const errors: FieldErrors = answer?.errors ?? {};
  if (answer?.sentTo) {
    return (
      <Frame>
        <Message title="Check your e-mail">
          <p role="status">
            If <b>{answer.sentTo}</b> has an account, a mail with a link is on its way. The link
            works once, within 7 days.
          </p>
          <p>
            Nothing there after a few minutes? Look in your spam folder, or{" "}
            <Link to="/forgot-password" reloadDocument>
              try another address
            </Link>
            .
          </p>
        </Message>
      </Frame>
    );
  }
  return (
    <Frame>
      <Message title="Choose a new password">
        <p>We mail you a link that lets you choose one. Your old password works until then.</p>
        <Form method="post" noValidate className="w-full max-w-100">
          <ErrorSummary fields={errors} />
          {answer?.problem ? <ProblemNotice problem={answer.problem} /> : null}
          <Field
            label="E-mail address"
            hint="The one of your account."
            name="email"
            type="email"
            autoComplete="username"
            required
            defaultValue={answer?.email}
            error={errors.email}
          />
          <SubmitButton pendingText="Sending …">Mail me a link</SubmitButton>
        </Form>
        <p>
          <Link to="/sign-in">Back to signing in</Link>
        </p>
      </Message>
    </Frame>
  );
}
