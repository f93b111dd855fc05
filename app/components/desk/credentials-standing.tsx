import { Form } from "@remix-run/react";
import type { ReactNode } from "react";
import type { BackendView } from "#app/domain/backends/index.server.ts";
import type { CredentialsView } from "#app/domain/provisioning/index.server.ts";
import type { CredentialsAnswer } from "#app/web/credentials.server.ts";
import type { RehearsalAnswer } from "#app/web/rehearsal.server.ts";
import { CredentialTraces } from "../credentials-traces.tsx";
import { SubmitButton } from "../form.tsx";
import { ButtonLink, EmptyState, Panel } from "../ui.tsx";
import { CheckList } from "./credentials-check-list.tsx";
import { verdict } from "./credentials-lines.ts";
import { whomToAsk } from "./holder-words.ts";
import { PlanSection } from "./plan-section.tsx";

/** Why this person cannot supply credentials now, and what would open the way. */
export function CredentialsClosed({ view }: { view: CredentialsView }) {
  const { request, standing, holder, backend, hasRun } = view;
  const page = `/desk/requests/${request.requestId}`;
  const name = holder?.name ?? "Somebody else";
  if (standing === "unclaimed" || standing === "expired") {
    return (
      <EmptyState
        title={standing === "unclaimed" ? "Nobody has claimed this request" : "The claim has ended"}
        action={
          <Form method="post">
            <SubmitButton name="intent" value="claim" pendingText="Claiming …">
              Claim this request
            </SubmitButton>
          </Form>
        }
      >
        {standing === "unclaimed"
          ? "Credentials are supplied by whoever has the request in hand."
          : `${holder?.isVisitor ? "You" : name} did not act on it for some hours. Whoever claims it next may supply credentials.`}
      </EmptyState>
    );
  }
  if (standing === "held") {
    return (
      <EmptyState
        title={`${name} has this request`}
        action={<ButtonLink to="/desk/queue">Back to the queue</ButtonLink>}
      >
        {whomToAsk(holder, request.status)}
      </EmptyState>
    );
  }
  if (!backend) {
    return (
      <EmptyState
        title="This request has no credentials"
        action={<ButtonLink to={page}>Back to the request</ButtonLink>}
      >
        {request.status === "cancelled"
          ? "It was cancelled, and what had been sealed for it was destroyed."
          : "It is closed, and none are kept."}
      </EmptyState>
    );
  }
  return (
    <Panel
      title="The credentials are in, and sealed"
      action={
        hasRun ? (
          <ButtonLink to={`${page}/run`} variant="primary" size="sm">
            {request.status === "completed" ? "Look at the run" : "Watch the run"}
          </ButtonLink>
        ) : null
      }
    >
      <CredentialTraces backend={backend} />
      <p className="mt-4 max-w-prose text-quiet">
        Nobody can read them here again. To tell whether a key is the one that was given, compare
        its last four characters.
        {request.status === "completed"
          ? ""
          : " Other credentials can be given after a run that failed."}
      </p>
    </Panel>
  );
}

/** A project that the customer gave: it is tested, planned and taken up without pasting anything. */
export function OfferedProject(props: {
  backend: BackendView;
  answer: (CredentialsAnswer & { rehearsed?: RehearsalAnswer }) | undefined;
  isTesting: boolean;
  isStarting: boolean;
  isPastedOpen: boolean;
  rehearsalUrl: string;
  /** The form for other credentials. */
  children: ReactNode;
}) {
  const { backend, answer, isTesting, isStarting, isPastedOpen, rehearsalUrl, children } = props;
  const lines = isTesting ? [] : (answer?.lines ?? []);
  const plan = isTesting ? undefined : answer?.plan;
  return (
    <>
      <Panel title="The customer’s own project">
        <CredentialTraces backend={backend} />
        <Form method="post" id="offered" className="mt-4" preventScrollReset>
          <SubmitButton
            name="intent"
            value="plan-offered"
            variant={plan ? "secondary" : "primary"}
            pendingText="Testing …"
            pending={isTesting}
          >
            Test and plan
          </SubmitButton>
        </Form>
        <p className="mt-2 max-w-prose text-quiet">
          Nothing needs to be pasted. If every line holds, you see what the run will do, and can
          start it; if not, the customer is told what to mend.
        </p>
        {lines.length > 0 ? (
          <section aria-labelledby="own-lines" className="mt-5 max-w-xl">
            <h3 id="own-lines" className="font-semibold">
              Connection test
            </h3>
            <p className="mb-2 text-quiet">{verdict(lines, false)}</p>
            <CheckList lines={lines} isTesting={false} />
          </section>
        ) : null}
        {plan ? (
          <PlanSection
            key={plan.basis?.digest}
            plan={plan}
            form="offered"
            rehearsalUrl={rehearsalUrl}
            valuesOf={() => ""}
            told={answer?.rehearsed}
            isStarting={isStarting}
            hasProblem={answer?.problem !== undefined}
          />
        ) : null}
      </Panel>
      <details open={isPastedOpen} className="border-t border-base-300 py-5">
        <summary className="cursor-pointer font-semibold">
          Use the credentials of another project
        </summary>
        <div className="mt-5">{children}</div>
      </details>
    </>
  );
}
