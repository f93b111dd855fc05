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
  readCredentials,
  submitPasted,
  testPasted,
} from "#app/web/credentials.server.ts";
import { attempt, readForm } from "#app/web/forms.server.ts";
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

type Intent = "test" | "submit" | "take-up" | "claim";

export async function action(args: ActionFunctionArgs) {
  const { actor } = await requireDesk(args);
  const requestId = requestIdOf(args.params);
  const form = await readForm(args.request);
  const intent = form.get("intent") as Intent;
  const { context } = args;
  const act = { context, actor, requestId };
  const tell = (answer: CredentialsAnswer, status: number) => data({ intent, answer }, status);

  if (intent === "claim") {
    const tried = await attempt(context, () =>
      inTx(args, actor, (tx) => claimRequest({ tx, actor }, requestId)),
    );
    if (!tried.done) return tell({ problem: tried.problem }, tried.status);
    return redirect(`/desk/requests/${requestId}/credentials`, 303);
  }
  if (intent === "take-up") {
    const refused = await submitPasted(act, null);
    if (refused) return tell(refused.answer, refused.status);
    return redirect(`/desk/requests/${requestId}/run`, 303);
  }
  if (intent !== "test" && intent !== "submit") throw new Response(null, { status: 400 });
  const { given, fields } = readCredentials(form);
  if (!given) return tell({ fields }, 422);
  if (intent === "test") {
    const { answer, status } = await testPasted(act, given);
    return tell(answer, status);
  }
  const refused = await submitPasted(act, given);
  if (refused) return tell(refused.answer, refused.status);
  return redirect(`/desk/requests/${requestId}/run`, 303);
}

export { readAgainAfterRefusal as shouldRevalidate } from "../components/read-again.ts";

export default function CredentialsPage() {
  const { view, links } = useLoaderData<typeof loader>();
  const told = useAnswer<typeof action>();
  const { formData } = useNavigation();
  const { requestId, company, status } = view.request;
  useLive(`/live/requests/${requestId}`);
  const isOffered = view.backend?.status === "offered";
  const pasted = told?.intent === "test" || told?.intent === "submit" ? told.answer : undefined;
  const isOpen = view.standing === "open";
  const isTold = told?.intent === "take-up" && status === "waiting_on_customer";
  const form = (
    <CredentialsForm
      testUrl={`/desk/requests/${requestId}/credentials/check`}
      links={links}
      answer={pasted}
      isSubmitting={formData?.get("intent") === "submit"}
    />
  );
  return (
    <>
      <PageHeader
        title="Credentials"
        back={{ to: `/desk/requests/${requestId}`, label: company }}
        actions={<StatusBadge status={status} />}
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
        />
      ) : null}
      {isOpen ? (
        <>
          <Before view={view} isTold={isTold} />
          {view.backend && isOffered ? (
            <OfferedProject
              backend={view.backend}
              lines={told?.intent === "take-up" ? (told.answer.lines ?? []) : []}
              isTesting={formData?.get("intent") === "take-up"}
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
          title={`The last run failed${failure.step ? ` at “${failure.step}”` : ""}.`}
        >
          <p>{failure.message}</p>
          <p>
            Other credentials start a new run. In the same project, what is done already is found
            done; another project is built from the beginning.
          </p>
          <div className="mt-1">
            <ButtonLink to={run} size="sm">
              Look at the run, or retry it
            </ButtonLink>
          </div>
        </Notice>
      ) : null}
    </>
  );
}
