import { Form } from "@remix-run/react";
import type { FormEvent, ReactNode } from "react";
import type { DashboardLinks } from "#app/domain/backends/index.server.ts";
import type { CredentialField, CredentialsAnswer } from "#app/web/credentials.server.ts";
import { ErrorSummary } from "../error-summary.tsx";
import { Field, SubmitButton } from "../form.tsx";
import { MaskedField, PASTED } from "../masked-field.tsx";
import { ProblemNotice } from "../notice.tsx";
import { Button } from "../ui.tsx";
import { useHasScripts } from "../use-has-scripts.ts";
import { CheckList } from "./credentials-check-list.tsx";
import { fieldProblems, LINE_COUNT, verdict } from "./credentials-lines.ts";
import { OutsideLink } from "./outside-link.tsx";
import { type TestState, useCredentialTest } from "./use-credential-test.ts";

/**
 * The four values, their test, and their submission. With scripts the lines arrive as they become
 * known, and submitting is open only while all of them hold for what stands in the fields; without,
 * each button sends the form, and the server tests in any case.
 */
export function CredentialsForm(props: {
  testUrl: string;
  links: DashboardLinks;
  /** What the last act of the page was answered with, if it was about pasted values. */
  answer: CredentialsAnswer | undefined;
  isSubmitting: boolean;
}) {
  const { testUrl, links, answer, isSubmitting } = props;
  const { state, isOpenFor, changed, test } = useCredentialTest(testUrl, answer);
  const hasScripts = useHasScripts();
  const isTesting = state.phase === "testing";
  const holds = state.phase === "tested" && state.answer.ok === true;
  const problems = isTesting ? [] : fieldProblems(state.lines, state.answer.fields ?? {});
  const of = (field: CredentialField) =>
    problems.filter((problem) => problem.field === field).map(({ text }) => text);

  const onSubmit = (event: FormEvent<HTMLFormElement>) => {
    const { submitter } = event.nativeEvent as SubmitEvent;
    const form = event.currentTarget;
    const wantsTest = (submitter as HTMLButtonElement | null)?.value !== "submit";
    if (!wantsTest && isOpenFor(form)) return;
    event.preventDefault();
    if (!isTesting) void test(form);
  };

  return (
    <div className="grid gap-x-12 lg:grid-cols-[minmax(0,36rem)_minmax(0,26rem)]">
      <Form method="post" noValidate onSubmit={onSubmit} onInput={changed} autoComplete="off">
        {state.answer.problem && !isTesting ? (
          <ProblemNotice problem={state.answer.problem} />
        ) : null}
        <ErrorSummary errors={problems.map(({ field, text }) => ({ id: field, text }))} />
        <ValueFields links={links} errorsOf={of} hasScripts={hasScripts} />
        <div className="flex flex-wrap items-center gap-3">
          <Button
            type="submit"
            name="intent"
            value="test"
            variant={holds ? "secondary" : "primary"}
            pending={isTesting}
          >
            {isTesting ? "Testing …" : "Test"}
          </Button>
          <SubmitButton
            name="intent"
            value="submit"
            variant={holds ? "primary" : "secondary"}
            pendingText="Testing and submitting …"
            pending={isSubmitting}
            disabled={hasScripts && !holds}
            aria-describedby="submit-when"
          >
            Submit
          </SubmitButton>
        </div>
        <p id="submit-when" className="mt-2 text-quiet">
          {whenSubmit(state.phase, holds)}
        </p>
        <noscript>
          <p className="mt-2 text-quiet">
            Without JavaScript the lines come with the next page, and what you pasted is not kept:
            paste all four values again. Submitting tests them first, too.
          </p>
        </noscript>
      </Form>
      <section aria-labelledby="lines" className="max-lg:mt-8">
        <div className="lg:sticky lg:top-6">
          <h2 id="lines" className="text-base font-semibold">
            Connection test
          </h2>
          <p role="status" className="mb-2 min-h-5 text-quiet tabular-nums">
            {state.phase === "changed"
              ? "You changed a value since. Test again."
              : verdict(state.lines, isTesting) || "Berth looks, and writes nothing."}
          </p>
          <CheckList lines={state.lines} isTesting={isTesting} />
        </div>
      </section>
    </div>
  );
}

function whenSubmit(phase: TestState["phase"], holds: boolean): string {
  if (holds) return "All lines hold. Submitting seals the credentials and starts the run.";
  if (phase === "changed") return "A value was changed: test again before you submit.";
  return `You can submit once all ${LINE_COUNT} lines hold.`;
}

/** Each value: what it is, where to find it, what it looks like. */
function ValueFields(props: {
  links: DashboardLinks;
  errorsOf: (field: CredentialField) => string[];
  hasScripts: boolean;
}) {
  const { links, errorsOf, hasScripts } = props;
  return (
    <>
      <Field
        name="url"
        label="Project URL"
        inputMode="url"
        className="font-mono"
        error={errorsOf("url")}
        {...PASTED}
        hint={
          <Hint what="The project’s address." looks="https://abcdefghijklmnopqrst.supabase.co">
            Supabase → <OutsideLink to={links.connect}>Connect</OutsideLink>
          </Hint>
        }
      />
      <Field
        name="anonKey"
        label="Anon or publishable key"
        className="font-mono"
        error={errorsOf("anonKey")}
        {...PASTED}
        hint={
          <Hint
            what="The key that goes to browsers. Policies decide what it opens."
            looks="sb_publishable_… or eyJ…"
          >
            Supabase → <OutsideLink to={links.apiKeys}>Settings → API keys</OutsideLink>
          </Hint>
        }
      />
      <MaskedField
        name="serviceRoleKey"
        label="Service-role or secret key"
        error={errorsOf("serviceRoleKey")}
        canShow={hasScripts}
        hint={
          <Hint
            what="Secret: it may do everything in the project. It is sealed and never shown again."
            looks="sb_secret_… or eyJ…"
          >
            Supabase → <OutsideLink to={links.apiKeys}>Settings → API keys</OutsideLink> → Reveal
          </Hint>
        }
      />
      <MaskedField
        name="databaseUrl"
        label="Database URL"
        error={errorsOf("databaseUrl")}
        canShow={hasScripts}
        hint={
          <Hint
            what="Secret: the session pooler’s connection string (port 5432) with the password in it."
            looks="postgresql://postgres.abcdefghijklmnopqrst:password@aws-0-eu-central-1.pooler.supabase.com:5432/postgres"
          >
            Supabase → <OutsideLink to={links.connect}>Connect → Session pooler</OutsideLink>. A
            lost password is set anew under{" "}
            <OutsideLink to={links.database}>Settings → Database</OutsideLink>
          </Hint>
        }
      />
    </>
  );
}

function Hint(props: { what: string; looks: string; children: ReactNode }) {
  return (
    <>
      <p>{props.what}</p>
      <p>Where: {props.children}.</p>
      <p>
        Looks like <span className="font-mono text-xs wrap-anywhere">{props.looks}</span>
      </p>
    </>
  );
}
