import {
  type ActionFunctionArgs,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
  redirect,
} from "@remix-run/node";
import { useLoaderData, useNavigation } from "@remix-run/react";
import { dashboardLinks } from "#app/domain/backends/index.server.ts";
import { type CredentialsView, viewCredentials } from "#app/domain/provisioning/index.server.ts";
import { claimRequest } from "#app/domain/queue/index.server.ts";
import {
  type CredentialsAnswer,
  planOffered,
  readCredentials,
  submitPasted,
  testPasted,
} from "#app/web/credentials.server.ts";
import { attempt, readForm } from "#app/web/forms.server.ts";
import { type RehearsalAnswer, rehearsePasted } from "#app/web/rehearsal.server.ts";
import { orNotFound, requestIdOf } from "#app/web/request-id.server.ts";
import { inTx, requireDesk } from "#app/web/session.server.ts";
import { CredentialsForm } from "../components/desk/credentials-form.tsx";
import { CredentialsClosed, OfferedProject } from "../components/desk/credentials-standing.tsx";
import { OutsideLink } from "../components/desk/outside-link.tsx";
import { Notice, ProblemNotice } from "../components/notice.tsx";
import { StatusBadge } from "../components/status.tsx";
import { ButtonLink, PageHeader } from "../components/ui.tsx";
import { useAnswer } from "../components/use-answer.ts";
import { useLive } from "../components/use-live.ts";

export const meta: MetaFunction<typeof loader> = ({ data: shown }) => [
  { title: `Credentials${shown ? ` of ${shown.view.request.company}` : ""} · Berth` },
];

export async function loader(args: LoaderFunctionArgs) {
  const { visitor, actor } = await requireDesk(args);
  const requestId = requestIdOf(args.params);
  const { services, dashboardUrl } = args.context.runtime;
  const view = await orNotFound(
    inTx(args, actor, (tx) => viewCredentials({ tx, vault: services.vault }, requestId, visitor)),
  );
  return { view, links: dashboardLinks(dashboardUrl, view.backend?.projectRef) };
}

const INTENTS = [
  "claim",
  // Of what was pasted, and of what the customer gave: each is tested and planned, then started.
  "test",
  "submit",
  "rehearse",
  "plan-offered",
  "take-up",
  "rehearse-offered",
] as const;
type Intent = (typeof INTENTS)[number];

const ABOUT_OFFERED: Intent[] = ["plan-offered", "take-up", "rehearse-offered"];

/** What an act is answered with; without scripts, how a rehearsal went, too. */
type Told = CredentialsAnswer & { rehearsed?: RehearsalAnswer };
type Given = Parameters<typeof testPasted>[1];

export async function action(args: ActionFunctionArgs) {
  const { actor } = await requireDesk(args);
  const requestId = requestIdOf(args.params);
  const form = await readForm(args.request);
  const intent = INTENTS.find((one) => one === form.get("intent"));
  if (!intent) throw new Response(null, { status: 400 });
  const { context } = args;
  const act = { context, actor, requestId };
  const tell = (answer: Told, status: number) => data({ intent, answer }, status);
  const startOrTell = async (given: Given | null) => {
    const refused = await submitPasted(act, given, String(form.get("planDigest") ?? ""));
    if (refused) return tell(refused.answer, refused.status);
    return redirect(`/desk/requests/${requestId}/run`, 303);
  };
  const rehearsed = async ({ answer, status }: Awaited<ReturnType<typeof planOffered>>) => {
    if (!answer.plan) return tell(answer, status);
    const rehearsal = await rehearsePasted(act, form, args.request.signal);
    return tell({ ...answer, rehearsed: rehearsal.answer }, rehearsal.status);
  };

  if (intent === "claim") {
    const tried = await attempt(context, () =>
      inTx(args, actor, (tx) => claimRequest({ tx, actor }, requestId)),
    );
    if (!tried.done) return tell({ problem: tried.problem }, tried.status);
    return redirect(`/desk/requests/${requestId}/credentials`, 303);
  }
  if (ABOUT_OFFERED.includes(intent)) {
    if (intent === "take-up") return startOrTell(null);
    const planned = await planOffered(act);
    return intent === "plan-offered" ? tell(planned.answer, planned.status) : rehearsed(planned);
  }
  const { given, fields } = readCredentials(form);
  if (!given) return tell({ fields }, 422);
  if (intent === "submit") return startOrTell(given);
  const tested = await testPasted(act, given);
  return intent === "test" ? tell(tested.answer, tested.status) : rehearsed(tested);
}

export { readAgainAfterRefusal as shouldRevalidate } from "../components/read-again.ts";

export default function CredentialsPage() {
  const { view, links } = useLoaderData<typeof loader>();
  const told = useAnswer<typeof action>();
  const { formData } = useNavigation();
  const { requestId, company, status } = view.request;
  useLive(`/live/requests/${requestId}`);
  const isOffered = view.backend?.status === "offered";
  const isAboutOffered = told !== undefined && ABOUT_OFFERED.includes(told.intent);
  const pasted = told && told.intent !== "claim" && !isAboutOffered ? told.answer : undefined;
  const offered = isAboutOffered ? told.answer : undefined;
  const isOpen = view.standing === "open";
  const isTold = isAboutOffered && status === "waiting_on_customer";
  const page = `/desk/requests/${requestId}`;
  const pending = formData?.get("intent");
  const form = (
    <CredentialsForm
      page={page}
      links={links}
      answer={pasted}
      isSubmitting={pending === "submit"}
    />
  );
  return (
    <>
      <PageHeader
        title="Credentials"
        back={{ to: page, label: company }}
        actions={<StatusBadge status={status} failureCode={view.failure?.code} />}
      >
        {isOpen && !isOffered ? (
          <>
            Paste four values of the Supabase project for <bdi>{company}</bdi>. No project yet?{" "}
            <OutsideLink to={links.newProject}>Create one at Supabase</OutsideLink>
          </>
        ) : null}
      </PageHeader>
      {told?.answer.problem && (!isOpen || !pasted) ? (
        <ProblemNotice
          problem={{ ...told.answer.problem, ...(isTold ? { fix: CUSTOMER_MENDS } : {}) }}
          plan={isOpen && offered?.plan ? "#plan-offered" : undefined}
        />
      ) : null}
      {isOpen ? (
        <>
          <Before view={view} isTold={isTold} />
          {view.backend && isOffered ? (
            <OfferedProject
              backend={view.backend}
              answer={offered}
              rehearsalUrl={`${page}/rehearsal`}
              isTesting={pending === "plan-offered"}
              isStarting={pending === "take-up"}
              isPastedOpen={pasted !== undefined}
            >
              {form}
            </OfferedProject>
          ) : (
            form
          )}
        </>
      ) : (
        <CredentialsClosed view={view} />
      )}
    </>
  );
}

/** What there is to do after a test of the customer's own project that did not hold. */
const CUSTOMER_MENDS =
  "This request waits on the customer. It was told by mail what to mend in its project; the clock stands still. Test again once it is mended, or paste the credentials of another project.";

/** What has to be known before anything is pasted. */
function Before(props: {
  view: CredentialsView;
  /** The answer to a test says already that the customer has to mend its project. */
  isTold: boolean;
}) {
  const { request, holder, failure } = props.view;
  const run = `/desk/requests/${request.requestId}/run`;
  return (
    <>
      {holder && !holder.isVisitor ? (
        <Notice tone="info" title={`${holder.name} has claimed this request.`}>
          <p>
            {holder.hasLeft
              ? "They are no longer on the staff. As a supervisor you may act on it in their place."
              : `As a supervisor you may act on it all the same. Tell ${holder.name} if you do.`}
          </p>
        </Notice>
      ) : null}
      {request.status === "waiting_on_customer" && !props.isTold ? (
        <Notice tone="warning" title="This request waits on the customer.">
          <p>
            The customer was told what to mend in its project; the clock stands still. Test again
            once it is mended, or paste the credentials of another project.
          </p>
        </Notice>
      ) : null}
      {failure ? (
        <Notice
          tone="warning"
          title={
            failure.code === "run_cancelled"
              ? "The last run was cancelled."
              : `The last run failed${failure.step ? ` at “${failure.step}”` : ""}.`
          }
        >
          <p>{failure.message}</p>
          <p>
            Other credentials start a new run. In the same project, what is done already is found
            done; another project is built from the beginning.
          </p>
          <div className="mt-1">
            <ButtonLink to={run} size="sm">
              Look at the run, or {failure.code === "run_cancelled" ? "resume" : "retry"} it
            </ButtonLink>
          </div>
        </Notice>
      ) : null}
    </>
  );
}
