import {
  type ActionFunctionArgs,
  type AppLoadContext,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
  redirect,
} from "@remix-run/node";
import { Form, Link, useLoaderData } from "@remix-run/react";
import { z } from "zod";
import {
  bringsSession,
  readVisitor,
  SignInRefusedError,
  signIn,
  type Visitor,
} from "#app/domain/identity/index.server.ts";
import { emailAddress } from "#app/domain/onboarding/index.server.ts";
import { RateLimitedError } from "#app/web/api/errors.ts";
import { EACH_ACCOUNT_SIGN_IN, EACH_ADDRESS_SIGN_IN, spend } from "#app/web/api/limits.ts";
import {
  attempt,
  echo,
  type FieldErrors,
  type PageProblem,
  parseForm,
  readForm,
} from "#app/web/forms.server.ts";
import { getVisitor, safePath } from "#app/web/session.server.ts";
import { signInHeaders, visitorsActor } from "#app/web/visitors-actor.server.ts";
import { ErrorSummary } from "../components/error-summary.tsx";
import { Field, SubmitButton } from "../components/form.tsx";
import { Frame } from "../components/frame.tsx";
import { Message } from "../components/message.tsx";
import { Notice, ProblemNotice } from "../components/notice.tsx";
import { formatDuration } from "../components/time.tsx";
import { useAnswer } from "../components/use-answer.ts";

export const meta: MetaFunction = () => [
  { title: "Sign in · Berth" },
  { name: "robots", content: "noindex" },
];

const fields = z.object({
  email: emailAddress,
  password: z.string(),
});
const MISSING = { email: "Write your e-mail address.", password: "Enter your password." };

/** Where a visitor goes on: where they wanted to, if that is for them, or where their work is. */
function onward({ url }: Request, { role }: Pick<Visitor, "role">): string {
  const home = role === null ? "/requests" : "/desk";
  const back = safePath(new URL(url).searchParams.get("back"), home);
  return role === null && /^\/desk(?![^/?])/.test(back) ? home : back;
}

export async function loader(args: LoaderFunctionArgs) {
  const visitor = await getVisitor(args);
  if (visitor) throw redirect(onward(args.request, visitor));
  // A page that needs an account sent them here; the wizard's own link leads on, it does not turn away.
  const back = new URL(args.request.url).searchParams.get("back");
  return {
    sentAway: back !== null && back !== "/sign-up",
    wasSignedIn: bringsSession(args.request.headers),
  };
}

export async function action(args: ActionFunctionArgs) {
  const { request, context } = args;
  const form = await readForm(request);
  const parsed = parseForm(form, fields, MISSING);
  const { email } = echo(form, ["email"]);
  if (parsed.errors) return data({ email, errors: parsed.errors, problem: null }, 422);
  const given = parsed.value;
  const { auth, services } = context.runtime;
  const tried = await attempt(context, async () => {
    await spendAttempt(context, given.email);
    const cookies = await signIn(auth, given, signInHeaders(request, context));
    const visitor = await readVisitor({ auth, db: services.db }, sentBack(cookies));
    if (!visitor) throw new SignInRefusedError();
    return { cookies, to: onward(request, visitor) };
  });
  if (!tried.done) {
    const { error, status, problem } = tried;
    return data({ email, errors: null, problem: inWords(error, problem) }, status);
  }
  return redirect(tried.result.to, { status: 303, headers: tried.result.cookies });
}

/** Who guesses passwords is slowed down at each account, and at each address. */
async function spendAttempt(context: AppLoadContext, email: string): Promise<void> {
  const { db } = context.runtime.services;
  const actor = visitorsActor(context);
  await spend(db, actor, EACH_ADDRESS_SIGN_IN, context.clientAddress);
  await spend(db, actor, EACH_ACCOUNT_SIGN_IN, email);
}

/** The headers with which a browser comes back that was given these cookies. */
function sentBack(cookies: Headers): Headers {
  const pairs = cookies.getSetCookie().map((cookie) => cookie.split(";", 1)[0]);
  return new Headers({ cookie: pairs.join("; ") });
}

function inWords(error: unknown, problem: PageProblem): PageProblem {
  if (!(error instanceof RateLimitedError)) return problem;
  return {
    code: problem.code,
    text: "Too many attempts to sign in, from here or to this account",
    fix: `Wait. You can try again in ${formatDuration(error.retryAfterSeconds * 1_000)}.`,
  };
}

export default function SignIn() {
  const { sentAway, wasSignedIn } = useLoaderData<typeof loader>();
  const answer = useAnswer<typeof action>();
  const errors: FieldErrors = answer?.errors ?? {};
  return (
    <Frame>
      <Message title="Sign in">
        <Form method="post" noValidate className="w-full max-w-100">
          {sentAway && !answer ? (
            <Notice
              tone="info"
              title={
                wasSignedIn
                  ? "You were signed out, or your session ended"
                  : "Sign in to see this page"
              }
            >
              {wasSignedIn ? <p>Sign in to go on.</p> : null}
            </Notice>
          ) : null}
          <ErrorSummary fields={errors} />
          {answer?.problem ? <ProblemNotice problem={answer.problem} /> : null}
          <Field
            label="E-mail address"
            name="email"
            type="email"
            autoComplete="username"
            required
            defaultValue={answer?.email}
            error={errors.email}
          />
          <Field
            label="Password"
            name="password"
            type="password"
            autoComplete="current-password"
            required
            error={errors.password}
          />
          <SubmitButton pendingText="Signing in …">Sign in</SubmitButton>
        </Form>
        <p>
          <Link to="/forgot-password">I forgot my password, or never had one</Link>
        </p>
        <p>
          New here? <Link to="/sign-up">Get your backend</Link>
        </p>
      </Message>
    </Frame>
  );
}
