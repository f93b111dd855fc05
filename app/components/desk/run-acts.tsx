import { RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import type {
  CredentialsView,
  RunReport,
  WhatStays,
} from "#app/domain/provisioning/index.server.ts";
import type { Seen } from "#app/domain/queue/index.server.ts";
import { ConfirmButton } from "../confirm.tsx";
import { SubmitButton } from "../form.tsx";
import { ButtonLink } from "../ui.tsx";
import { ActForm } from "./act-form.tsx";
import { StayList } from "./stay-list.tsx";

/** What the run's page asks about first, where this person may do it. */
export function weightyRunActs(props: {
  run: RunReport;
  view: CredentialsView;
  isNewest: boolean;
  isSupervisor: boolean;
}): ("cancel-run" | "cancel")[] {
  const { run, view, isNewest, isSupervisor } = props;
  const { holder, request, standing } = view;
  if (!isNewest) return [];
  const isTheirs = holder === null || holder.isVisitor || isSupervisor;
  if (run.canCancel && isTheirs) return ["cancel-run"];
  const isHeld = standing === "held";
  return run.status === "cancelled" && request.status === "failed" && !isHeld ? ["cancel"] : [];
}

/** Ends a run that goes on, after a question. */
export function CancelRun({ seen }: { seen: Seen }) {
  return (
    <ActForm seen={seen}>
      <ConfirmButton
        label="Cancel the run"
        title="Cancel the run?"
        confirmLabel="Cancel the run"
        keepLabel="Let it go on"
        variant="danger"
        size="sm"
        name="intent"
        value="cancel-run"
      >
        <p>
          What is done stays in the project. A step of SQL that is in progress is rolled back; of
          one that works through Supabase’s API, or without a transaction, Berth finds out whether
          it took effect. Afterwards the run can be resumed from there, or the request closed.
        </p>
      </ConfirmButton>
    </ActForm>
  );
}

/** Ends a request whose run was cancelled, after a question that lists what stays. */
function CloseRequest(props: { seen: Seen; stays: WhatStays[] | null; view: CredentialsView }) {
  const { seen, stays, view } = props;
  return (
    <ActForm seen={seen}>
      <ConfirmButton
        label="Close the request"
        title={`Close the request of ${view.request.company}?`}
        confirmLabel="Close the request"
        keepLabel="Keep it"
        variant="danger"
        name="intent"
        value="cancel"
      >
        <p>
          This cannot be undone. Berth lets go of the project
          {view.backend ? ` ${view.backend.projectRef}` : ""} and destroys its sealed credentials;
          the customer is told by mail.
        </p>
        <p className="mt-2 mb-1">What was built stays in the project:</p>
        <StayList stays={stays} />
      </ConfirmButton>
    </ActForm>
  );
}

/**
 * What can be done about a run that did not end well: retry or resume it, supply other credentials,
 * close the request; for who may not, the reason.
 * @param props.isQuiet another act comes before a retry
 */
export function RunActs(props: {
  seen: Seen;
  view: CredentialsView;
  run: RunReport;
  stays: WhatStays[] | null;
  isQuiet?: boolean;
  children?: ReactNode;
}) {
  const { seen, view, run, stays, isQuiet = false, children } = props;
  const { standing, holder, request } = view;
  if (request.status !== "failed") return null;
  const isCancelled = run.status === "cancelled";
  const word = isCancelled ? "Resume" : "Retry";
  const isHeld = standing === "held";
  return (
    <>
      {children}
      <ActForm seen={seen}>
        <SubmitButton
          name="intent"
          value="retry"
          variant={isQuiet ? "secondary" : "primary"}
          icon={RotateCw}
          pendingText="Starting …"
          disabled={isHeld}
          aria-describedby={isHeld ? "who-retries" : undefined}
        >
          {word}
        </SubmitButton>
      </ActForm>
      {isHeld ? (
        <p id="who-retries" className="text-quiet">
          {holder?.hasLeft
            ? `${holder.name} has this request and is no longer on the staff: only a supervisor may run it again.`
            : `${holder?.name} has this request: only ${holder?.name} or a supervisor may run it again.`}
        </p>
      ) : (
        <ButtonLink to={`/desk/requests/${request.requestId}/credentials`} variant="quiet">
          Supply other credentials
        </ButtonLink>
      )}
      {isCancelled && !isHeld ? <CloseRequest seen={seen} stays={stays} view={view} /> : null}
    </>
  );
}
