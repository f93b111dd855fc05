import {
  type ActionFunctionArgs,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
  redirect,
} from "@remix-run/node";
import { useLoaderData } from "@remix-run/react";
import {
  type CredentialsView,
  deskAct,
  readAcceptance,
  readAcceptedLines,
  readRun,
  staysOf,
  viewCredentials,
} from "#app/domain/provisioning/index.server.ts";
import { readSeen } from "#app/domain/queue/index.server.ts";
import { actOrRefuse } from "#app/web/desk-acts.server.ts";
import { askFirst, echo, isConfirmed, readForm } from "#app/web/forms.server.ts";
import { orNotFound, requestIdOf } from "#app/web/request-id.server.ts";
import { inTx, requireDesk } from "#app/web/session.server.ts";
import type { StepError } from "#db/provisioning.ts";
import { LapsedQuestion } from "../components/confirm.tsx";
import { CancelledRun } from "../components/desk/cancelled-run.tsx";
import { DriftAcceptance } from "../components/desk/drift-acceptance.tsx";
import { RefusedAct } from "../components/desk/refused-act.tsx";
import { CancelRun, RunActs, weightyRunActs } from "../components/desk/run-acts.tsx";
import { RunSteps } from "../components/desk/run-steps.tsx";
import { RunSummary } from "../components/desk/run-summary.tsx";
import { withAcceptance } from "../components/desk/run-words.ts";
import { StepFailure } from "../components/desk/step-failure.tsx";
import { LiveState } from "../components/live-state.tsx";
import { Notice } from "../components/notice.tsx";
import { ButtonLink, EmptyState, PageHeader } from "../components/ui.tsx";
import { useAnswer } from "../components/use-answer.ts";
import { useHeadingAfterAct } from "../components/use-heading-after-act.ts";
import { useLive } from "../components/use-live.ts";

export const meta: MetaFunction<typeof loader> = ({ data: shown }) => [
  { title: `Run${shown ? ` for ${shown.view.request.company}` : ""} · Berth` },
];

export async function loader(args: LoaderFunctionArgs) {
  const { visitor, actor } = await requireDesk(args);
  const requestId = requestIdOf(args.params);
  const { vault, catalog } = args.context.runtime.services;
  const isSupervisor = visitor.role === "supervisor";
  const chosen = new URL(args.request.url).searchParams.get("run") ?? undefined;
  return orNotFound(
    inTx(args, actor, async (tx) => {
      const seen = await readSeen(tx, requestId);
      const view = await viewCredentials({ tx, vault }, requestId, visitor);
      const asked = await readRun({ tx, catalog }, requestId, chosen);
      const isUnknown = asked.run === null && asked.runs.length > 0;
      const shown = isUnknown ? await readRun({ tx, catalog }, requestId) : asked;
      const stays = await staysOf(tx, { id: requestId, status: view.request.status });
      const accepted = await readAcceptance(tx, requestId);
      const known = await readAcceptedLines(tx, requestId);
      return { seen, view, ...shown, stays, accepted, known, isUnknown, isSupervisor };
    }),
  );
}

/** What the page does; the first two are asked about first. */
const WEIGHTY = ["cancel-run", "cancel"];
const ACTS = new Set([...WEIGHTY, "retry", "accept-drift"]);

export async function action(args: ActionFunctionArgs) {
  const person = await requireDesk(args);
  const requestId = requestIdOf(args.params);
  const form = await readForm(args.request);
  const act = deskAct.safeParse(Object.fromEntries(form));
  if (!act.success) {
    const reason = act.error.issues.find(({ path }) => path[0] === "reason");
    if (!reason) throw new Response(null, { status: 400 });
    const refused = { text: reason.message, reason: echo(form, ["reason"]).reason };
    return data({ refused, refusal: null }, 422);
  }
  const { intent } = act.data;
  if (!ACTS.has(intent)) throw new Response(null, { status: 400 });
  if (WEIGHTY.includes(intent) && !isConfirmed(form)) return askFirst(args.request, intent);
  const answer = await actOrRefuse(args, person, requestId, act.data);
  if (!answer) return redirect(`/desk/requests/${requestId}/run`, 303);
  return data({ refused: null, refusal: answer.refusal }, answer.status);
}

export { readAgainAfterRefusal as shouldRevalidate } from "../components/read-again.ts";

export default function RunPage() {
  const loaded = useLoaderData<typeof loader>();
  const { seen, view, runs, stays, accepted, known, isUnknown, isSupervisor } = loaded;
  const { refusal, refused = null } = useAnswer<typeof action>() ?? {};
  const { requestId, company } = view.request;
  const live = useLive(`/live/requests/${requestId}`);
  const heading = useHeadingAfterAct();
  const page = `/desk/requests/${requestId}`;
  const isNewest = loaded.run?.runId === runs[0]?.runId;
  const run =
    loaded.run && accepted && isNewest ? withAcceptance(loaded.run, accepted.digest) : loaded.run;
  const weighty = run ? weightyRunActs({ run, view, isNewest, isSupervisor }) : [];
  const blamed = run?.steps.find((step) => step.error !== null)?.position;
  const actsFor = (error: StepError | null) => {
    if (!run || !isNewest) return null;
    const drift = error?.digest ? { seen, digest: error.digest, accepted } : null;
    return (
      <RunActs {...{ seen, view, run, stays }} isQuiet={drift !== null && !accepted}>
        {drift ? (
          <DriftAcceptance {...drift} isSupervisor={isSupervisor} refused={refused} />
        ) : null}
      </RunActs>
    );
  };
  return (
    <>
      <PageHeader
        heading={heading}
        title={run && runs.length > 1 ? `Run ${run.number} of ${runs.length}` : "Run"}
        back={{ to: page, label: company }}
        actions={<LiveState state={live} />}
      />
      {refusal ? <RefusedAct {...refusal} /> : <LapsedQuestion offered={weighty} />}
      {isUnknown ? (
        <Notice tone="info" title="This request has no such run. This is its newest." />
      ) : null}
      {run ? (
        <>
          <RunSummary run={run} runs={runs} page={page} blamed={blamed}>
            {weighty.includes("cancel-run") ? <CancelRun seen={seen} /> : null}
          </RunSummary>
          {run.status === "queued" || run.status === "running" ? (
            <noscript>
              <p className="mb-4">
                This page stands still: <a href="?">reload it</a>.
              </p>
            </noscript>
          ) : null}
          {run.status === "cancelled" ? (
            <CancelledRun
              run={run}
              stays={isNewest ? stays : null}
              isClosed={view.request.status === "cancelled"}
              acts={actsFor(null)}
            />
          ) : run.error ? (
            <div className="mb-6">
              <StepFailure error={run.error} excerpt={null} acts={actsFor(run.error)} />
            </div>
          ) : null}
          <RunSteps
            key={run.runId}
            run={run}
            known={isNewest ? known : []}
            acts={(step) => (step.position === blamed ? actsFor(step.error) : null)}
          />
        </>
      ) : (
        <NoRun view={view} />
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
          ? "First somebody claims the request. Then the credentials of a Supabase project are tested, and whoever has read the plan starts the run."
          : "Once the credentials hold, you see the plan of the run, and start it there."}
    </EmptyState>
  );
}
