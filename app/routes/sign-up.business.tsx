import {
  type ActionFunctionArgs,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
  redirect,
} from "@remix-run/node";
import { Form, Link, useLoaderData } from "@remix-run/react";
import { useEffect, useState } from "react";
import {
  MAX_PASSWORD_LENGTH,
  MIN_PASSWORD_LENGTH,
  signUp,
  type Visitor,
} from "#app/domain/identity/index.server.ts";
import {
  accountAnswer,
  businessAnswer,
  findDraft,
  INDUSTRIES,
  listCountries,
  listRegions,
  listTimeZones,
  saveBusiness,
} from "#app/domain/onboarding/index.server.ts";
import { presentZone } from "#app/platform/time-zones.ts";
import { EACH_ACCOUNT_SIGN_IN, EACH_ADDRESS_SIGN_UP, spend } from "#app/web/api/limits.ts";
import {
  echo,
  type FieldErrors,
  type PageProblem,
  parseForm,
  readForm,
} from "#app/web/forms.server.ts";
import { actorOf, getVisitor, inTx } from "#app/web/session.server.ts";
import { signInHeaders, visitorsActor } from "#app/web/visitors-actor.server.ts";
import { afterStep, attemptStep, currentDraft } from "#app/web/wizard.server.ts";
import { Field, SelectField, SubmitButton } from "../components/form.tsx";
import { Notice } from "../components/notice.tsx";
import { StepButtons, StepPage } from "../components/sign-up/step.tsx";
import { stepTitle } from "../components/sign-up/steps.ts";
import { useAnswer } from "../components/use-answer.ts";

export const meta: MetaFunction = ({ matches }) => [
  { title: stepTitle(matches, "business", "Your business") },
];

/** What is said where a field was left empty. */
const MISSING = {
  company: "Write the name of your company.",
  contactName: "Write your name.",
  country: "Choose your country.",
  region: "Choose where your data is to be kept.",
  timezone: "Choose your time zone.",
};
const MISSING_ACCOUNT = {
  email: "Write your e-mail address.",
  password: "Choose a password.",
};
const FIELDS = ["company", "contactName", "phone", "country", "region", "timezone", "industry"];
const TAKEN = "This address cannot be used with this password.";

export async function loader(args: LoaderFunctionArgs) {
  const found = await currentDraft(args);
  const kept = found?.draft?.answers.business;
  const values: Record<string, string> = { contactName: found?.visitor.name ?? "", ...kept };
  return {
    values,
    account: found ? { name: found.visitor.name, email: found.visitor.email } : null,
    countries: [...listCountries()],
    regions: listRegions(),
    timeZones: [...listTimeZones()],
    industries: [...INDUSTRIES],
    password: { shortest: MIN_PASSWORD_LENGTH, longest: MAX_PASSWORD_LENGTH },
  };
}

export async function action(args: ActionFunctionArgs) {
  const form = await readForm(args.request);
  const visitor = await getVisitor(args);
  return visitor ? saveMine(args, form, visitor) : beginAsStranger(args, form);
}

/** What was refused, and what was written: all but the password. */
function refuse(
  form: FormData,
  status: number,
  why: { errors?: FieldErrors; problem?: PageProblem; taken?: boolean },
) {
  const values = echo(form, [...FIELDS, "email"]);
  return data({ errors: null, problem: null, taken: false, ...why, values }, status);
}

async function saveMine(
  args: ActionFunctionArgs,
  form: FormData,
  visitor: Pick<Visitor, "userId">,
) {
  const parsed = parseForm(form, businessAnswer, MISSING);
  if (parsed.errors) return refuse(form, 422, { errors: parsed.errors });
  const actor = actorOf(args, visitor, "customer");
  const { catalog } = args.context.runtime.services;
  const outcome = await attemptStep(args.context, () =>
    inTx(args, actor, (tx) => saveBusiness({ tx, actor, catalog }, parsed.value)),
  );
  if (!outcome.done) return refuse(form, outcome.status, { problem: outcome.problem });
  return afterStep(args, "business");
}

/** Makes the account and opens a session; where the address has one, its password must be given. */
async function beginAsStranger(args: ActionFunctionArgs, form: FormData) {
  const { request, context } = args;
  const { services, auth } = context.runtime;
  const parsed = parseForm(form, businessAnswer.extend(accountAnswer.shape), {
    ...MISSING,
    ...MISSING_ACCOUNT,
  });
  if (parsed.errors) return refuse(form, 422, { errors: parsed.errors });
  const { email, password, ...business } = parsed.value;
  const outcome = await attemptStep(context, async () => {
    const web = visitorsActor(context);
    await spend(services.db, web, EACH_ADDRESS_SIGN_UP, context.clientAddress);
    await spend(services.db, web, EACH_ACCOUNT_SIGN_IN, email);
    return signUp(
      auth,
      { email, name: business.contactName, password },
      signInHeaders(request, context),
    );
  });
  if (!outcome.done) {
    if (outcome.problem.code !== "sign_in_refused") {
      return refuse(form, outcome.status, { problem: outcome.problem });
    }
    return refuse(form, 422, { errors: { email: [TAKEN] }, taken: true });
  }
  const { userId, isNew, cookies: headers } = outcome.result;
  const actor = actorOf(args, { userId }, "customer");
  const hasDraft = await inTx(args, actor, async (tx) => {
    if (!isNew && (await findDraft(tx, userId))) return true;
    await saveBusiness({ tx, actor, catalog: services.catalog }, business);
    return false;
  });
  // Who came back with its password goes on where it was: what it wrote then is not written over.
  return redirect(hasDraft ? "/sign-up" : "/sign-up/plan", { status: 303, headers });
}

/** The browser's time zone, where the page offers it. */
function useTimeZone(given: string, offered: { value: string }[]): [string, (to: string) => void] {
  const [zone, setZone] = useState(given);
  useEffect(() => {
    const own = presentZone(Intl.DateTimeFormat().resolvedOptions().timeZone);
    if (offered.some(({ value }) => value === own)) setZone((now) => now || own);
  }, [offered]);
  return [zone, setZone];
}

export default function Business() {
  const { account, ...page } = useLoaderData<typeof loader>();
  const answer = useAnswer<typeof action>();
  const values: Record<string, string> = answer?.values ?? page.values;
  const errors: FieldErrors = answer?.errors ?? {};
  const [zone, setZone] = useTimeZone(values.timezone ?? "", page.timeZones);
  const field = (name: string) => ({ name, error: errors[name], defaultValue: values[name] });
  return (
    <StepPage
      title="About your business"
      lead={
        account ? (
          <p className="wrap-anywhere">
            You are signed in as <bdi>{account.name}</bdi>, {account.email}. What you ask for here
            belongs to this account.
          </p>
        ) : (
          <p>
            Have you begun already? <Link to="/sign-in?back=/sign-up">Sign in and go on</Link>
          </p>
        )
      }
      errors={answer?.errors}
      problem={answer?.problem}
    >
      {answer?.taken ? (
        <Notice tone="info" title="If you have an account">
          <p>
            <Link to="/sign-in?back=/sign-up">Sign in</Link>, or{" "}
            <Link to="/forgot-password">have a link mailed to you</Link> to choose a new password.
          </p>
        </Notice>
      ) : null}
      <Form method="post" noValidate>
        <Field
          label="Company"
          autoComplete="organization"
          maxLength={200}
          required
          {...field("company")}
        />
        <Field
          label="Industry"
          optional
          list="industries"
          maxLength={100}
          hint="Choose one, or write your own."
          {...field("industry")}
        />
        <datalist id="industries">
          {page.industries.map((industry) => (
            <option key={industry} value={industry} />
          ))}
        </datalist>
        <SelectField
          label="Country"
          autoComplete="country"
          required
          options={[{ value: "", label: "Choose a country" }, ...page.countries]}
          {...field("country")}
        />
        <SelectField
          label="Time zone"
          required
          hint="The times that we tell you are in this zone."
          options={[{ value: "", label: "Choose a time zone" }, ...page.timeZones]}
          name="timezone"
          error={errors.timezone}
          value={zone}
          onChange={(event) => setZone(event.target.value)}
        />
        <SelectField
          label="Where your data is kept"
          required
          hint="Nearer is faster. It cannot be moved later."
          options={[{ value: "", label: "Choose a region" }, ...page.regions]}
          {...field("region")}
        />
        <Field
          label={account ? "Contact person" : "Your name"}
          autoComplete="name"
          maxLength={200}
          required
          {...field("contactName")}
        />
        <Field
          label="Telephone"
          optional
          type="tel"
          autoComplete="tel"
          maxLength={32}
          hint="Only for questions about your backend."
          {...field("phone")}
        />
        {account ? null : (
          <>
            <Field
              label="E-mail"
              type="email"
              autoComplete="email"
              maxLength={254}
              required
              hint="You sign in with it, and we write to it when your backend is ready."
              {...field("email")}
            />
            <Field
              label="Password"
              name="password"
              error={errors.password}
              type="password"
              autoComplete="new-password"
              minLength={page.password.shortest}
              maxLength={page.password.longest}
              required
              hint={`At least ${page.password.shortest} characters. A few words in a row are easy to remember.`}
            />
          </>
        )}
        <StepButtons>
          <SubmitButton pendingText="Saving …">Continue</SubmitButton>
        </StepButtons>
      </Form>
    </StepPage>
  );
}
