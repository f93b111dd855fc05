import {
  type ActionFunctionArgs,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
  redirect,
} from "@remix-run/node";
import { useLoaderData } from "@remix-run/react";
import { useState } from "react";
import { cancelOwnRequest } from "#app/domain/provisioning/index.server.ts";
import { askFirst, attempt, isConfirmed, readForm } from "#app/web/forms.server.ts";
import { inTx, requireCustomer } from "#app/web/session.server.ts";
import { ownOrNotFound, readTracking } from "#app/web/tracking.server.ts";
import { spendRequest } from "#app/web/visitors-actor.server.ts";
import { LapsedQuestion } from "../components/confirm.tsx";
import { Frame } from "../components/frame.tsx";
import type { Place } from "../components/live-connection.ts";
import { LiveState } from "../components/live-state.tsx";
import { ProblemNotice } from "../components/notice.tsx";
import { Stations } from "../components/stations.tsx";
import { Acts } from "../components/tracking/acts.tsx";
import { OwnerLink, ReadyBackend } from "../components/tracking/ready.tsx";
import { Timeline } from "../components/tracking/timeline.tsx";
import type { TrackingOnPage } from "../components/tracking/tracking-on-page.ts";
import { wordsOf } from "../components/tracking/tracking-words.ts";
import { Wish } from "../components/tracking/wish.tsx";
import { Panel } from "../components/ui.tsx";
import { useAnswer } from "../components/use-answer.ts";
import { useLive } from "../components/use-live.ts";

export const meta: MetaFunction<typeof loader> = ({ data: shown }) => [
  { title: `${shown ? `Backend for ${shown.tracking.company}` : "Not found"} · Berth` },
  { name: "robots", content: "noindex" },
];

export async function loader(args: LoaderFunctionArgs) {
  const { actor } = await requireCustomer(args);
  return { tracking: await readTracking(args, actor) };
}

export async function action(args: ActionFunctionArgs) {
  const { actor, visitor } = await requireCustomer(args);
  const form = await readForm(args.request);
  if (form.get("intent") !== "cancel") throw new Response(null, { status: 400 });
  if (!isConfirmed(form)) return askFirst(args.request, "cancel");
  const outcome = await attempt(args.context, async () => {
    await spendRequest(args.context, visitor);
    await ownOrNotFound(args, actor, (requestId) =>
      inTx(args, actor, (tx) => cancelOwnRequest({ tx, actor }, requestId)),
    );
  });
  if (!outcome.done) return data({ problem: outcome.problem }, outcome.status);
  return redirect(`/requests/${args.params.requestId}`, 303);
}

export { readAgainAfterRefusal as shouldRevalidate } from "../components/read-again.ts";

export default function TrackingPage() {
  const { tracking } = useLoaderData<typeof loader>();
  const problem = useAnswer<typeof action>()?.problem;
  const { place, live } = useLivePlace(tracking);
  const { status, progress, company } = tracking;
  const standing = wordsOf({ ...tracking, place });
  const isOver = status === "cancelled";
  const going = tracking.isPaused ? "paused" : status === "failed" ? "failed" : "on";
  return (
    <Frame>
      <div className="mx-auto max-w-180 pt-8 sm:pt-12">
        {problem ? (
          <ProblemNotice problem={problem} />
        ) : (
          <LapsedQuestion offered={status === "pending" ? ["cancel"] : []} />
        )}
        <div className="mb-2 flex items-baseline justify-between gap-x-4 text-quiet">
          <p className="min-w-0 wrap-anywhere">
            Backend for <bdi>{company}</bdi>
          </p>
          {isOver ? null : <LiveState state={live} />}
        </div>
        <div aria-live="polite">
          <h1 className="text-2xl/8 font-semibold tracking-tight text-balance sm:text-3xl/10">
            {standing.title}
          </h1>
          <p className="mt-2 text-lg/7">{standing.text}</p>
        </div>
        {isOver ? null : (
          <noscript>
            <p className="mt-3">
              This page does not change by itself without scripts. <a href="?">Reload it</a> to see
              how things stand.
            </p>
          </noscript>
        )}
        <div className="my-8">
          {isOver ? null : <Stations current={standing.station} going={going} />}
        </div>
        {progress ? <Progress {...progress} /> : null}
        {tracking.backend ? <Ready tracking={tracking} url={tracking.backend.url} /> : null}
        {status === "waiting_on_customer" ? (
          <Panel title="What we need from you">
            <Acts tracking={tracking} />
          </Panel>
        ) : null}
        {standing.next ? (
          <Panel title="What comes next">
            <div className="grid max-w-160 gap-2">
              <p>{standing.next}</p>
              {status === "pending" ? (
                <p className="text-quiet">
                  Your place can go back when something more urgent arrives. Our promise to you
                  stays.
                </p>
              ) : null}
            </div>
          </Panel>
        ) : null}
        <Panel
          title="What happened"
          action={<span className="text-sm text-quiet">{tracking.zone}</span>}
        >
          <Timeline items={tracking.timeline} />
        </Panel>
        {status === "waiting_on_customer" ? null : (
          <Panel title="What you can do">
            <Acts tracking={tracking} />
          </Panel>
        )}
        <Panel title="What you asked for">
          <Wish tracking={tracking} />
        </Panel>
      </div>
    </Frame>
  );
}

/** The place as the server last told it: with the page, or since then by the stream. */
function useLivePlace({ requestId, place: loaded }: TrackingOnPage) {
  const [place, setPlace] = useState<Place>(loaded);
  const [read, setRead] = useState<Place>(loaded);
  // While rendering: after it, the words of before would stand on the page for a moment.
  if (read.position !== loaded.position || read.waiting !== loaded.waiting) {
    setRead(loaded);
    setPlace(loaded);
  }
  const onPlace = (told: Place) => {
    // It has left the queue: how it stands instead is being read.
    if (told.position !== null) setPlace(told);
  };
  const live = useLive(`/live/requests/${requestId}`, { onPlace });
  return { place, live };
}

function Progress({ done, total }: { done: number; total: number }) {
  return (
    <div className="mb-8 flex items-center gap-4">
      <progress
        className="progress progress-primary grow"
        aria-label="Steps done"
        value={done}
        max={total}
      />
      <span className="whitespace-nowrap tabular-nums">
        {done} of {total} steps
      </span>
    </div>
  );
}

function Ready({ tracking, url }: { tracking: TrackingOnPage; url: string }) {
  return (
    <>
      <Panel title="Your backend">
        <ReadyBackend url={url} features={tracking.features} />
      </Panel>
      {tracking.ownerLink ? (
        <Panel title="Your link as the owner">
          <OwnerLink link={tracking.ownerLink} email={tracking.email} zone={tracking.zone} />
        </Panel>
      ) : null}
    </>
  );
}
