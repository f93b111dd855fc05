import {
  type ActionFunctionArgs,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
  redirect,
} from "@remix-run/node";
import { Form, Link, useLoaderData } from "@remix-run/react";
import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH } from "#app/domain/identity/index.server.ts";
import { readPasswordLink, redeemPasswordLink } from "#app/domain/onboarding/index.server.ts";
import { readForm } from "#app/web/forms.server.ts";
import { linkDeps, withLink } from "#app/web/links.server.ts";
import { ErrorSummary } from "../components/error-summary.tsx";
import { Field, SubmitButton } from "../components/form.tsx";
import { Frame } from "../components/frame.tsx";
import { Message } from "../components/message.tsx";
import { useAnswer } from "../components/use-answer.ts";

export const meta: MetaFunction = () => [
  { title: "Choose a password · Berth" },
  { name: "robots", content: "noindex" },
];

export async function loader(args: LoaderFunctionArgs) {
  const { deps, token } = linkDeps(args);
  const bounds = { shortest: MIN_PASSWORD_LENGTH, longest: MAX_PASSWORD_LENGTH };
  const answer = await withLink(args.context, () => readPasswordLink(deps, token));
  if (answer.problem) return data({ problem: answer.problem, ...bounds }, answer.status);
  return { problem: null, ...bounds };
}

export async function action(args: ActionFunctionArgs) {
  const { deps, token } = linkDeps(args);
  const password = (await readForm(args.request)).get("password");
  const answer = await withLink(args.context, () =>
    redeemPasswordLink(deps, token, typeof password === "string" ? password : ""),
  );
  if (answer.problem) return data({ problem: answer.problem }, answer.status);
  return redirect("/account/password/done", 303);
}

export default function ChoosePassword() {
  const { problem: refused, shortest, longest } = useLoaderData<typeof loader>();
  const answer = useAnswer<typeof action>();
  const problem = answer?.problem ?? refused;
  if (problem && !problem.again) {
    return (
      <Frame>
        <Message title={problem.title}>
          {problem.text ? <p role="alert">{problem.text}</p> : null}
          <p>
            <Link to="/forgot-password">Have a new link mailed to you</Link>
          </p>
        </Message>
      </Frame>
    );
  }
  return (
    <Frame>
      <Message title="Choose a password">
        <Form method="post" noValidate className="w-full max-w-100">
          <ErrorSummary errors={problem ? [{ id: "password", text: problem.text }] : []} />
          <Field
            label="Password"
            hint={`At least ${shortest} characters. A few words in a row are easy to remember.`}
            name="password"
            type="password"
            autoComplete="new-password"
            minLength={shortest}
            maxLength={longest}
            required
            error={problem?.text}
          />
          <SubmitButton pendingText="Setting it …">Set the password</SubmitButton>
        </Form>
      </Message>
    </Frame>
  );
}
