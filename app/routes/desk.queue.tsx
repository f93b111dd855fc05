import {
  type ActionFunctionArgs,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
  redirect,
} from "@remix-run/node";
import { useLoaderData, useSearchParams } from "@remix-run/react";
import { z } from "zod";
import { listRegions, regionName } from "#app/domain/onboarding/index.server.ts";
import {
  assigneeName,
  claimRequest,
  countDesk,
  deskChoices,
  HeldByOtherError,
  listDesk,
  readDeskFilter,
} from "#app/domain/queue/index.server.ts";
import { attempt, readForm } from "#app/web/forms.server.ts";
import { inTx, requireDesk } from "#app/web/session.server.ts";
import { IgnoredFilters } from "../components/desk/filter-bar.tsx";
import { chipsOf, type QueueChoices } from "../components/desk/queue-address.ts";
import { QueueCounts, QueueFilters } from "../components/desk/queue-filters.tsx";
import { QueueView } from "../components/desk/queue-view.tsx";
import { RefusedAct } from "../components/desk/refused-act.tsx";
import { LiveState } from "../components/live-state.tsx";
import { priorityWord, statusWord } from "../components/status.tsx";
import { PageHeader } from "../components/ui.tsx";
import { useAnswer } from "../components/use-answer.ts";
import { useLive } from "../components/use-live.ts";

export const meta: MetaFunction = () => [{ title: "Queue · Berth" }];

export async function loader(args: LoaderFunctionArgs) {
  const { visitor, actor } = await requireDesk(args);
  const params = new URL(args.request.url).searchParams;
  const { filter, ignored } = readDeskFilter(params, visitor.userId);
  const { page, counts, offered, left } = await inTx(args, actor, async (tx) => {
    const page = await listDesk(tx, filter);
    const counts = await countDesk(tx);
    const offered = await deskChoices(tx);
    const { assignee } = filter;
    const isOffered = offered.staff.some(({ id }) => id === assignee);
    const name = assignee && !isOffered ? await assigneeName(tx, assignee) : null;
    return { page, counts, offered, left: assignee && name ? [{ id: assignee, name }] : [] };
  });
  const choices: QueueChoices = {
    status: [
      ...offered.statuses.map((value) => ({ value, label: statusWord(value) })),
      { value: "all", label: "Everything" },
    ],
    priority: offered.priorities.map((value) => ({ value, label: priorityWord(value) })),
    plan: offered.plans.map(({ id, name }) => ({ value: id, label: name })),
    region: listRegions().map(({ value }) => ({ value, label: regionName(value) })),
    assignee: [
      { value: "me", label: "You" },
      { value: "none", label: "Nobody" },
      ...[...offered.staff, ...left].map(({ id, name }) => ({ value: id, label: name })),
    ],
  };
  const rows = page.rows.map((row) => ({ ...row, regionName: regionName(row.region) }));
  return { me: visitor.userId, page: { ...page, rows }, counts, choices, ignored };
}

const claimForm = z.object({ intent: z.literal("claim"), requestId: z.uuid() });

/** Claims a request from its row; whoever wins goes on to its page. */
export async function action(args: ActionFunctionArgs) {
  const { actor } = await requireDesk(args);
  const form = claimForm.safeParse(Object.fromEntries(await readForm(args.request)));
  if (!form.success) throw new Response(null, { status: 400 });
  const { requestId } = form.data;
  const answer = await attempt(args.context, () =>
    inTx(args, actor, (tx) => claimRequest({ tx, actor }, requestId)),
  );
  if (answer.done) return redirect(`/desk/requests/${requestId}`, 303);
  const { problem, status, error } = answer;
  const since = error instanceof HeldByOtherError ? (error.since?.toISOString() ?? null) : null;
  return data({ problem, since }, status);
}

export { readAgainAfterRefusal as shouldRevalidate } from "../components/read-again.ts";

export default function Queue() {
  const { me, page, counts, choices, ignored } = useLoaderData<typeof loader>();
  const refused = useAnswer<typeof action>();
  const [params] = useSearchParams();
  const live = useLive("/live/queue");
  return (
    <>
      <PageHeader title="Queue" actions={<QueueCounts counts={counts} />} />
      {refused ? <RefusedAct problem={refused.problem} since={refused.since} /> : null}
      <IgnoredFilters ignored={ignored} />
      <QueueFilters params={params} choices={choices} />
      <QueueView
        page={page}
        params={params}
        isFiltered={chipsOf(params, choices).length > 0}
        me={me}
        live={<LiveState state={live} />}
      />
    </>
  );
}
