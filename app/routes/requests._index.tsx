import { type LoaderFunctionArgs, type MetaFunction, redirect } from "@remix-run/node";
import { Link, useLoaderData } from "@remix-run/react";
import { firstOpenStep, stepsOf } from "#app/domain/onboarding/index.server.ts";
import { listOwnRequests, ownRequestsFilter } from "#app/domain/provisioning/index.server.ts";
import { readFilter } from "#app/web/filters.server.ts";
import { inTx, requireCustomer } from "#app/web/session.server.ts";
import { currentDraft } from "#app/web/wizard.server.ts";
import { Frame } from "../components/frame.tsx";
import { Notice } from "../components/notice.tsx";
import { Pager } from "../components/table.tsx";
import { RelativeTime } from "../components/time.tsx";
import { OwnStatus } from "../components/tracking/own-status.tsx";
import { ButtonLink, EmptyState, PageHeader } from "../components/ui.tsx";

export const meta: MetaFunction = () => [
  { title: "My requests · Berth" },
  { name: "robots", content: "noindex" },
];

export async function loader(args: LoaderFunctionArgs) {
  const { actor, visitor } = await requireCustomer(args);
  const { filter } = readFilter(args.request, ownRequestsFilter);
  const page = await inTx(args, actor, (tx) => listOwnRequests(tx, filter));
  const answers = (await currentDraft(args))?.draft?.answers;
  const { catalog } = args.context.runtime.services;
  const steps = stepsOf(catalog, answers ?? {});
  const draft = answers?.business && {
    company: answers.business.company,
    step: steps.indexOf(firstOpenStep(catalog, answers)) + 1,
    steps: steps.length,
  };
  const { deactivated } = visitor;
  if (filter.cursor && page.requests.length === 0) throw redirect("/requests");
  const [only] = page.requests;
  const isOnly = page.requests.length === 1 && filter.cursor === undefined;
  if (only && isOnly && !draft && !deactivated) throw redirect(`/requests/${only.requestId}`);
  return { ...page, draft, deactivated };
}

const NO_FILTERS = new URLSearchParams();

export default function MyRequests() {
  const { requests, nextCursor, draft, deactivated } = useLoaderData<typeof loader>();
  return (
    <Frame>
      <div className="mx-auto max-w-180 pt-8 sm:pt-12">
        <PageHeader
          title="My requests"
          actions={
            requests.length > 0 && !draft ? (
              <ButtonLink to="/sign-up">Request another backend</ButtonLink>
            ) : null
          }
        />
        {deactivated ? (
          <Notice tone="warning" title="Your staff account is deactivated">
            <p>Ask a supervisor.</p>
          </Notice>
        ) : null}
        {draft ? (
          <Notice tone="info" title="You have begun to sign up">
            <p>
              <Link to="/sign-up">
                Go on with <bdi>{draft.company}</bdi>, step {draft.step} of {draft.steps}
              </Link>
            </p>
          </Notice>
        ) : null}
        {requests.length === 0 && !deactivated && !draft ? (
          <EmptyState
            title="You have not asked for a backend yet"
            action={
              <ButtonLink to="/sign-up" variant="primary">
                Get your backend
              </ButtonLink>
            }
          >
            A few short steps, about five minutes. Afterwards you follow here how it is built.
          </EmptyState>
        ) : requests.length === 0 ? null : (
          <>
            <ul className="border-t border-base-300">
              {requests.map(({ requestId, company, plan, status, isPaused, createdAt }) => (
                <li key={requestId} className="relative border-b border-base-300 py-4">
                  <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1">
                    <Link
                      to={`/requests/${requestId}`}
                      className="font-semibold wrap-anywhere hover:underline after:absolute after:inset-0"
                    >
                      <bdi>{company}</bdi>
                    </Link>
                    <OwnStatus status={status} isPaused={isPaused} />
                  </div>
                  <p className="text-quiet">
                    {plan}, received{" "}
                    <span className="relative">
                      <RelativeTime at={createdAt} />
                    </span>
                  </p>
                </li>
              ))}
            </ul>
            <Pager nextCursor={nextCursor} params={NO_FILTERS} />
          </>
        )}
      </div>
    </Frame>
  );
}
