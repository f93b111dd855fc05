import { Link } from "@remix-run/react";
import { Hand, KeyRound, Play, Radio } from "lucide-react";
import type { ReactNode } from "react";
import { SubmitButton } from "../form.tsx";
import { RelativeTime } from "../time.tsx";
import { ButtonLink, Facts } from "../ui.tsx";
import { ActForm } from "./act-form.tsx";
import { type ChecklistStep, checklistOf } from "./checklist.ts";
import { CreateProject } from "./create-project.tsx";
import { whomToAsk } from "./holder-words.ts";
import { OutsideLink } from "./outside-link.tsx";
import { isRetryOpen, type Looked, PlanOfRetry, RetryForm } from "./plan-of-retry.tsx";
import { RequestChecklist, type StepContent } from "./request-checklist.tsx";
import { DoneFacts } from "./request-done.tsx";
import type { RequestOnPage } from "./request-on-page.ts";
import { RefusedAnswers } from "./settings-correction.tsx";
import { whoOf } from "./timeline-words.ts";

/** The checklist of the work with the next act open. */
export function RequestWork({ request, looked }: { request: RequestOnPage; looked: Looked }) {
  const { status, standing, backend } = request;
  const isOffered = backend?.status === "offered";
  const happened = request.timeline.map(({ kind }) => kind);
  const isRunCancelled = wasCancelled(request);
  const steps = checklistOf({ status, standing, isOffered, happened, isRunCancelled });
  const next = steps.find(({ state }) => state === "next" || state === "blocked");
  const contents: Partial<Record<ChecklistStep["name"], StepContent>> = {
    claim: { aside: <Happened request={request} kinds={["claimed"]} /> },
    create: isOffered
      ? { aside: "The customer has a project of its own" }
      : {
          body:
            next && next.name !== "watch" && next.name !== "done" ? (
              <Values request={request} />
            ) : null,
        },
    submit: { aside: <Happened request={request} kinds={["credentials_submitted"]} /> },
    watch: { aside: <Happened request={request} kinds={["completed"]} /> },
    done: { body: status === "completed" ? <DoneFacts request={request} /> : null },
  };
  if (next)
    contents[next.name] = { body: <NextAct request={request} step={next} looked={looked} /> };
  return <RequestChecklist steps={steps} contents={contents} />;
}

/** A person ended the run, so that it waits to be resumed, and nothing is broken. */
const wasCancelled = ({ status, failure }: Pick<RequestOnPage, "status" | "failure">) =>
  status === "failed" && failure?.code === "run_cancelled";

/** When one of these last happened, and by whom. */
function Happened({ request, kinds }: { request: RequestOnPage; kinds: string[] }) {
  const event = request.timeline.find(({ kind }) => kinds.includes(kind));
  if (!event) return null;
  return (
    <>
      {whoOf(event)}, <RelativeTime at={event.at} />
    </>
  );
}

function Values({ request }: { request: RequestOnPage }) {
  const { requestId, customer, region, regionName, newProjectUrl } = request;
  return (
    <CreateProject
      requestId={requestId}
      company={customer.company}
      region={region}
      regionName={regionName}
      newProjectUrl={newProjectUrl}
    />
  );
}

/** What the step that is next says and offers. Of all there is on the page, one button is primary: here. */
function NextAct(props: { request: RequestOnPage; step: ChecklistStep; looked: Looked }) {
  const { request, step, looked } = props;
  const { standing, status, assignee, claimExpiresAt, requestId, backend } = request;
  const holder = assignee?.name ?? "Somebody else";
  if (step.state === "blocked") {
    return (
      <>
        {status === "failed" ? <Failure request={request} /> : null}
        <p>
          {holder} has this request
          {claimExpiresAt ? (
            <>
              {" "}
              until <RelativeTime at={claimExpiresAt} isAhead />, or longer if they act on it
            </>
          ) : null}
          . {whomToAsk(assignee, status)}
        </p>
      </>
    );
  }
  const forOther =
    standing === "supervising" ? (
      <ForOther holder={holder} hasLeft={assignee?.hasLeft === true} />
    ) : null;
  if (step.name === "claim") return <Claim request={request} />;
  if (step.name === "watch")
    return isRetryOpen(request) ? (
      <Failed request={request} forOther={forOther} looked={looked} />
    ) : (
      <Watch request={request} />
    );
  if (status === "waiting_on_customer") return <Waiting request={request} forOther={forOther} />;
  const credentials = `/desk/requests/${requestId}/credentials`;
  if (step.name === "test") {
    return (
      <Act
        text={forOther}
        button={
          <ButtonLink to={credentials} variant="primary" icon={KeyRound}>
            Go to the test
          </ButtonLink>
        }
      >
        <p>
          The customer gave a project of its own
          {backend ? (
            <>
              , <b className="font-mono">{backend.projectRef}</b>
            </>
          ) : null}
          . Its credentials are sealed; nothing has to be typed. If a line does not hold, the
          customer is told what to mend and the clock stops.
        </p>
      </Act>
    );
  }
  return (
    <Act
      text={forOther}
      button={
        <ButtonLink to={credentials} variant="primary" icon={KeyRound}>
          Paste the credentials
        </ButtonLink>
      }
    >
      <Values request={request} />
      <p className="mt-3">When the project is there, go on.</p>
    </Act>
  );
}

function Act({
  text,
  button,
  children,
}: {
  text?: ReactNode;
  button: ReactNode;
  children: ReactNode;
}) {
  return (
    <>
      {text}
      {children}
      <div className="mt-4 flex flex-wrap items-center gap-2">{button}</div>
    </>
  );
}

function ForOther({ holder, hasLeft }: { holder: string; hasLeft: boolean }) {
  return (
    <p className="mb-2 text-quiet">
      {holder} has this request{hasLeft ? ", and is no longer on the staff" : ""}. As a supervisor
      you can go on in their place.
    </p>
  );
}

function Claim({ request }: { request: RequestOnPage }) {
  const isOver = request.standing === "expired";
  return (
    <Act
      button={
        <ActForm seen={request.seen}>
          <SubmitButton name="intent" value="claim" icon={Hand} pendingText="Claiming …">
            Claim the request
          </SubmitButton>
        </ActForm>
      }
    >
      <p>
        {isOver ? `The claim of ${request.assignee?.name ?? "its holder"} has ended. ` : null}
        It becomes yours for four hours, and each act on it extends that. The customer is told that
        somebody is at work.
      </p>
    </Act>
  );
}

function Waiting({ request, forOther }: { request: RequestOnPage; forOther: ReactNode }) {
  return (
    <Act
      text={forOther}
      button={
        <>
          <ActForm seen={request.seen}>
            <SubmitButton name="intent" value="resume" icon={Play} pendingText="Taking it up …">
              Take it up again
            </SubmitButton>
          </ActForm>
          <ButtonLink to={`/desk/requests/${request.requestId}/credentials`}>
            Use other credentials
          </ButtonLink>
        </>
      }
    >
      <p>
        The customer was told by mail what to mend in its project, and the clock is paused. Take the
        request up again when they have answered; the clock then runs on.
      </p>
    </Act>
  );
}

function Watch({ request: { requestId, run } }: { request: RequestOnPage }) {
  return (
    <Act
      button={
        <ButtonLink to={`/desk/requests/${requestId}/run`} variant="primary" icon={Radio}>
          Watch the run
        </ButtonLink>
      }
    >
      <p>
        Berth is building the backend
        {run?.step ? (
          <>
            : <b>{run.step}</b>
          </>
        ) : null}
        . Nobody has to do anything now.
      </p>
      {run ? (
        <p className="mt-2 flex items-center gap-3 tabular-nums">
          <progress
            className="progress w-48 text-primary"
            value={run.done}
            max={run.total}
            aria-label="Steps done"
          />
          {run.done} of {run.total} steps
        </p>
      ) : null}
    </Act>
  );
}

function Failed(props: { request: RequestOnPage; forOther: ReactNode; looked: Looked }) {
  const { request, forOther, looked } = props;
  const word = wasCancelled(request) ? "Resume" : "Retry";
  return (
    <>
      <Act
        text={forOther}
        button={
          <>
            <RetryForm request={request} looked={looked} word={word} />
            <ButtonLink to={`/desk/requests/${request.requestId}/credentials`} variant="quiet">
              Use other credentials
            </ButtonLink>
          </>
        }
      >
        <Failure request={request} />
        <RefusedAnswers request={request} />
      </Act>
      <PlanOfRetry {...looked} />
    </>
  );
}

/** Why the run stopped, and where to look. */
function Failure({ request }: { request: RequestOnPage }) {
  const { failure, requestId } = request;
  const facts = Object.entries({
    Found: failure?.found,
    Needed: failure?.needed,
    "What to do": failure?.fix,
  });
  return (
    <>
      <p className={`font-semibold wrap-anywhere ${wasCancelled(request) ? "" : "text-error"}`}>
        {failure?.step && !wasCancelled(request) ? `${failure.step}: ` : ""}
        {failure?.message ?? "The run failed."}
      </p>
      <div className="mt-2">
        <Facts items={facts.filter((fact): fact is [string, string] => Boolean(fact[1]))} />
      </div>
      <p className="my-2 flex flex-wrap gap-x-4">
        <Link to={`/desk/requests/${requestId}/run`} className="link link-primary">
          See the run
        </Link>
        {failure?.link ? <OutsideLink to={failure.link}>Where to mend it</OutsideLink> : null}
      </p>
    </>
  );
}
