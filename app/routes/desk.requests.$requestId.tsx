import {
  type ActionFunctionArgs,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
  redirect,
} from "@remix-run/node";
import { useLoaderData } from "@remix-run/react";
import { dashboardLinks } from "#app/domain/backends/index.server.ts";
import { countryName, regionName, tellAnswers } from "#app/domain/onboarding/index.server.ts";
import { deskAct, viewForDesk } from "#app/domain/provisioning/index.server.ts";
import { LONGEST_NOTE } from "#app/domain/queue/index.server.ts";
import { actOrRefuse, lookAtRetry, retryAsSeen } from "#app/web/desk-acts.server.ts";
import { askFirst, echo, isConfirmed, readForm } from "#app/web/forms.server.ts";
import { orNotFound, requestIdOf } from "#app/web/request-id.server.ts";
import { inTx, requireDesk } from "#app/web/session.server.ts";
import { canCorrect } from "#app/web/settings-correction.server.ts";
import { LapsedQuestion } from "../components/confirm.tsx";
import { ActAnswer } from "../components/desk/act-answer.tsx";
import { isRetryOpen } from "../components/desk/plan-of-retry.tsx";
import {
  NoteForm,
  PriorityForm,
  RequestActs,
  weightyActs,
} from "../components/desk/request-acts.tsx";
import { RequestMails } from "../components/desk/request-done.tsx";
import { RequestFacts } from "../components/desk/request-facts.tsx";
import { RequestTimeline } from "../components/desk/request-timeline.tsx";
import { RequestWork } from "../components/desk/request-work.tsx";
import { StayList } from "../components/desk/stay-list.tsx";
import { LiveState } from "../components/live-state.tsx";
import { StatusBadge } from "../components/status.tsx";
import { Mono, PageHeader, Panel } from "../components/ui.tsx";
import { useAnswer } from "../components/use-answer.ts";
import { useLive } from "../components/use-live.ts";

export const meta: MetaFunction<typeof loader> = ({ data: page }) => [
  { title: `${page?.request.customer.company ?? "Request"} · Berth` },
];

export async function loader(args: LoaderFunctionArgs) {
  const { visitor, actor } = await requireDesk(args);
  const requestId = requestIdOf(args.params);
  const { services, dashboardUrl } = args.context.runtime;
  const { parameters, ...request } = await orNotFound(
    inTx(args, actor, async (tx) => {
      const view = await viewForDesk({ ...services, tx }, requestId, visitor);
      return { ...view, canCorrect: await canCorrect({ ...services, tx }, view) };
    }),
  );
  const { newProject, project } = dashboardLinks(dashboardUrl, request.backend?.projectRef);
  return {
    request: {
      ...request,
      settings: tellAnswers(services.catalog, parameters),
      regionName: regionName(request.region),
      countryName: countryName(request.customer.country),
      newProjectUrl: newProject,
      projectUrl: request.backend ? project : null,
    },
    isSupervisor: visitor.role === "supervisor",
    longestNote: LONGEST_NOTE,
  };
}

/** What the page asks about first. */
const WEIGHTY = new Set(["release", "cancel"]);

/** Does one act, or tells what happened since the page was opened. */
export async function action(args: ActionFunctionArgs) {
  const person = await requireDesk(args);
  const requestId = requestIdOf(args.params);
  const form = await readForm(args.request);
  const wantsLook = form.get("intent") === "look";
  // A look carries what the retry would, and is sent by the same form.
  const act = { ...Object.fromEntries(form), ...(wantsLook ? { intent: "retry" } : {}) };
  const parsed = deskAct.safeParse(act);
  if (!parsed.success) {
    const note = parsed.error.issues.find(({ path }) => path[0] === "text");
    if (!note) throw new Response(null, { status: 400 });
    const nothing = { refusal: null, look: null, seenDigest: null };
    return data({ note: note.message, ...nothing }, 422);
  }
  const { intent } = parsed.data;
  if (WEIGHTY.has(intent) && !isConfirmed(form)) return askFirst(args.request, intent);
  const { planDigest: digest } = echo(form, ["planDigest"]);
  const answer = wantsLook
    ? await lookAtRetry(args, person, requestId, parsed.data)
    : intent === "retry" && digest
      ? await retryAsSeen(args, person, requestId, parsed.data, digest)
      : await actOrRefuse(args, person, requestId, parsed.data);
  if (!answer) return redirect(`/desk/requests/${requestId}`, 303);
  const { refusal, status } = answer;
  const look = "look" in answer ? answer.look : null;
  return data({ note: null, refusal, look, seenDigest: digest || null }, status);
}

export { readAgainAfterRefusal as shouldRevalidate } from "../components/read-again.ts";

export default function DeskRequestPage() {
  const { request, isSupervisor, longestNote } = useLoaderData<typeof loader>();
  const { note, refusal = null, look = null, seenDigest = null } = useAnswer<typeof action>() ?? {};
  const looked = { look, refusal, seenDigest };
  const { requestId, status, standing, customer, plan, seen, timeline } = request;
  const live = useLive(`/live/requests/${requestId}`);
  // A plan's table would hide its locks beside the facts, which stand below it then.
  const needsWidth = isRetryOpen(request) && look?.plan !== undefined;
  return (
    <>
      <PageHeader title={customer.company} back={{ to: "/desk/queue", label: "Queue" }}>
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <StatusBadge status={status} failureCode={request.failure?.code} />
          <span>{plan.name}</span>
          <Mono>{requestId}</Mono>
          <LiveState state={live} />
        </div>
      </PageHeader>
      <ActAnswer request={request} looked={looked}>
        <LapsedQuestion offered={weightyActs(request)} />
      </ActAnswer>
      <div
        className={`grid gap-x-10 gap-y-6 ${needsWidth ? "" : "xl:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]"}`}
      >
        <div className="min-w-0">
          <RequestWork request={request} looked={looked} />
          {status === "cancelled" && request.stays && request.stays.length > 0 ? (
            <Panel
              title={`What stays in the project ${request.stays.map((one) => one.projectRef).join(", ")}`}
            >
              <StayList stays={request.stays} />
            </Panel>
          ) : null}
          <div className="mt-3 flex flex-wrap justify-end gap-2 empty:hidden">
            <RequestActs request={request} />
          </div>
          <div className="mt-6">
            <Panel title="Timeline and notes">
              <NoteForm seen={seen} error={note ?? undefined} longest={longestNote} />
              <div className="mt-4">
                <RequestTimeline
                  requestId={requestId}
                  events={timeline}
                  isCut={request.timelineCut}
                />
              </div>
            </Panel>
          </div>
        </div>
        <aside aria-label="About the request" className="min-w-0">
          <RequestFacts request={request}>
            {isSupervisor && standing !== "ended" ? <PriorityForm request={request} /> : null}
          </RequestFacts>
          <Panel title="Mails">
            <RequestMails mails={request.mails} />
          </Panel>
        </aside>
      </div>
    </>
  );
}
