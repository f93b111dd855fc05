import {
  type ActionFunctionArgs,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
  redirect,
} from "@remix-run/node";
import { useLoaderData } from "@remix-run/react";
import { RotateCw } from "lucide-react";
import {
  type CredentialsView,
  deskAct,
  readRun,
  viewCredentials,
} from "#app/domain/provisioning/index.server.ts";
import { readSeen, type Seen } from "#app/domain/queue/index.server.ts";
import { actOrRefuse } from "#app/web/desk-acts.server.ts";
import { readForm } from "#app/web/forms.server.ts";
import { orNotFound, requestIdOf } from "#app/web/request-id.server.ts";
import { inTx, requireDesk } from "#app/web/session.server.ts";
import { ActForm } from "../components/desk/act-form.tsx";
import { RefusedAct } from "../components/desk/refused-act.tsx";
import { RunSteps } from "../components/desk/run-steps.tsx";
import { RunSummary } from "../components/desk/run-summary.tsx";
import { StepFailure } from "../components/desk/step-failure.tsx";
import { SubmitButton } from "../components/form.tsx";
import { LiveState } from "../components/live-state.tsx";
import { Notice } from "../components/notice.tsx";
import { ButtonLink, EmptyState, PageHeader } from "../components/ui.tsx";
import { useAnswer } from "../components/use-answer.ts";
import { useLive } from "../components/use-live.ts";

export const meta: MetaFunction<typeof loader> = ({ data: shown }) => [
  { title: `Run${shown ? ` for ${shown.view.request.company}` : ""} · Berth` },
];

export async function loader(args: LoaderFunctionArgs) {
  const { visitor, actor } = await requireDesk(args);
  const requestId = requestIdOf(args.params);
  const { vault, catalog } = args.context.runtime.services;
  const chosen = new URL(args.request.url).searchParams.get("run") ?? undefined;
  return orNotFound(
    inTx(args, actor, async (tx) => {
      const seen = await readSeen(tx, requestId);
      const view = await viewCredentials({ tx, vault }, requestId, visitor);
      const asked = await readRun({ tx, catalog }, requestId, chosen);
      if (asked.run || asked.runs.length === 0) return { seen, view, ...asked, isUnknown: false };
      return { seen, view, ...(await readRun({ tx, catalog }, requestId)), isUnknown: true };
    }),
  );
}

export async function action(args: ActionFunctionArgs) {
  const person = await requireDesk(args);
  const requestId = requestIdOf(args.params);
  const act = deskAct.safeParse(Object.fromEntries(await readForm(args.request)));
  if (!act.success || act.data.intent !== "retry") throw new Response(null, { status: 400 });
  const refused = await actOrRefuse(args, person, requestId, act.data);
  if (refused) return data(refused.refusal, refused.status);
  return redirect(`/desk/requests/${requestId}/run`, 303);
}

export { readAgainAfterRefusal as shouldRevalidate } from "../components/read-again.ts";

export default function RunPage() {
  const { seen, view, run, runs, isUnknown } = useLoaderData<typeof loader>();
  const told = useAnswer<typeof action>();
  const { requestId, company } = view.request;
  const live = useLive(`/live/requests/${requestId}`);
  const page = `/desk/requests/${requestId}`;
  const isNewest = run?.runId === runs[0]?.runId;
  const acts = isNewest ? (
    <Acts seen={seen} view={view} isPersonal={run?.status === "needs_person"} />
  ) : null;
  const blamed = run?.steps.find((step) => step.error !== null)?.position;
  return (
    <>
      <PageHeader
        title={run && runs.length > 1 ? `Run ${run.number} of ${runs.length}` : "Run"}
        back={{ to: page, label: company }}
        actions={<LiveState state={live} />}
      />
      {told ? <RefusedAct {...told} /> : null}
      {isUnknown ? (
        <Notice tone="info" title="This request has no such run. This is its newest." />
      ) : null}
      {run ? (
        <>
          <RunSummary run={run} runs={runs} page={page} blamed={blamed} />
          {run.error ? (
            <div className="mb-6">
              <StepFailure error={run.error} excerpt={null} acts={acts} />
            </div>
          ) : null}
          <RunSteps run={run} acts={(step) => (step.position === blamed ? acts : null)} />
        </>
      ) : (
        <NoRun view={view} />
      )}
    </>
  );
}

/** Retry, or other credentials; for who may not, the reason. */
function Acts(props: { seen: Seen; view: CredentialsView; isPersonal: boolean }) {
  const { seen, view, isPersonal } = props;
  const { standing, holder, request } = view;
  if (request.status !== "failed") return null;
  const word = isPersonal ? "Check again" : "Retry";
  const isHeld = standing === "held";
  return (
    <>
      <ActForm seen={seen}>
        <SubmitButton
          name="intent"
          value="retry"
          icon={RotateCw}
          pendingText={isPersonal ? "Checking …" : "Starting …"}
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
    </>
  );
}

function NoRun({ view: { request, standing } }: { view: CredentialsView }) {
  const page = `/desk/requests/${request.requestId}`;
  const isOpen = standing === "open";
  return (
    <EmptyState
      title="There is no run yet"
      action={
        <ButtonLink to={isOpen ? `${page}/credentials` : page} variant="primary">
          {isOpen ? "Supply credentials" : "Back to the request"}
        </ButtonLink>
      }
    >
      {standing === "over"
        ? "This request ended before anything was built."
        : standing === "unclaimed" || standing === "expired"
          ? "First somebody claims the request and supplies the credentials of a Supabase project. The run starts by itself once they are submitted."
          : "It starts by itself once credentials that hold are submitted."}
    </EmptyState>
  );
}
