import { Form } from "@remix-run/react";
import { type FormEvent, type ReactNode, useRef } from "react";
import type { DashboardLinks } from "#app/domain/backends/index.server.ts";
import type { CredentialField, CredentialsAnswer } from "#app/web/credentials.server.ts";
import type { RehearsalAnswer } from "#app/web/rehearsal.server.ts";
import { ErrorSummary } from "../error-summary.tsx";
import { Field } from "../form.tsx";
import { MaskedField, PASTED } from "../masked-field.tsx";
import { ProblemNotice } from "../notice.tsx";
import { Button } from "../ui.tsx";
import { useHasScripts } from "../use-has-scripts.ts";
import { CheckList } from "./credentials-check-list.tsx";
import { fieldProblems, LINE_COUNT, verdict } from "./credentials-lines.ts";
import { OutsideLink } from "./outside-link.tsx";
import { PlanSection } from "./plan-section.tsx";
import { planOf, type TestState, useCredentialTest, valuesOf } from "./use-credential-test.ts";

/**
 * The four values, their test, and the plan of what a run would do with them. With scripts the lines
 * arrive as they become known, and the run can be started only while a plan is shown for what stands
 * in the fields; without, each button sends the form, and the server tests and plans in any case.
 */
export function CredentialsForm(props: {
  /** The page's own address; the test and the rehearsal are below it. */
  page: string;
  links: DashboardLinks;
  /** What the last act of the page was answered with, if it was about pasted values. */
  answer: (CredentialsAnswer & { rehearsed?: RehearsalAnswer }) | undefined;
  isSubmitting: boolean;
}) {
  const { page, links, answer, isSubmitting } = props;
  const { state, isOpenFor, changed, test } = useCredentialTest(
    `${page}/credentials/check`,
    answer,
  );
  const form = useRef<HTMLFormElement>(null);
  const hasScripts = useHasScripts();
  const isTesting = state.phase === "testing";
  const plan = planOf(state);
  const problems = isTesting ? [] : fieldProblems(state.lines, state.answer.fields ?? {});
  const of = (field: CredentialField) =>
    problems.filter((problem) => problem.field === field).map(({ text }) => text);

  const onSubmit = (event: FormEvent<HTMLFormElement>) => {
    const { submitter } = event.nativeEvent as SubmitEvent;
    const wantsTest = (submitter as HTMLButtonElement | null)?.value !== "submit";
    if (!wantsTest && isOpenFor(event.currentTarget)) return;
    event.preventDefault();
    if (!isTesting) void test(event.currentTarget);
  };

  return (
    <>
      <div className="grid gap-x-12 lg:grid-cols-[minmax(0,36rem)_minmax(0,26rem)]">
        <Form
          id="pasted"
          ref={form}
          method="post"
          noValidate
          onSubmit={onSubmit}
          onInput={changed}
          autoComplete="off"
        >
          {state.answer.problem && !isTesting ? (
            <ProblemNotice problem={state.answer.problem} plan={plan && "#plan-pasted"} />
          ) : null}
          <ErrorSummary errors={problems.map(({ field, text }) => ({ id: field, text }))} />
          <ValueFields links={links} errorsOf={of} hasScripts={hasScripts} />
          <div className="flex flex-wrap items-center gap-3">
            <Button
              type="submit"
              name="intent"
              value="test"
              variant={plan ? "secondary" : "primary"}
              pending={isTesting}
            >
              {isTesting ? "Testing …" : "Test"}
            </Button>
            {plan ? null : (
              <noscript>
                <Button type="submit" name="intent" value="submit">
                  Submit
                </Button>
              </noscript>
            )}
          </div>
          <p className="mt-2 text-quiet">{whenToStart(state.phase, plan !== undefined)}</p>
          <noscript>
            <p className="mt-2 text-quiet">
              Without JavaScript the lines and the plan come with the next page, and what you pasted
              is not kept: paste all four values again before you start the run.
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
      {plan ? (
        <PlanSection
          key={plan.basis?.digest}
          plan={plan}
          form="pasted"
          rehearsalUrl={`${page}/rehearsal`}
          valuesOf={() => (form.current ? valuesOf(form.current) : "")}
          told={answer?.rehearsed}
          isStarting={isSubmitting}
          hasProblem={state.answer.problem !== undefined}
        />
      ) : null}
    </>
  );
}

function whenToStart(phase: TestState["phase"], hasPlan: boolean): string {
  if (hasPlan) return "All lines hold. What the run will do is below.";
  if (phase === "changed") return "A value was changed: test again before you start the run.";
  return `Once all ${LINE_COUNT} lines hold, you see what the run will do, and can start it.`;
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
