import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/node";
import { useLoaderData } from "@remix-run/react";
import { CircleAlert, Clock, Hammer, TimerReset } from "lucide-react";
import { type Dashboard, readDashboard } from "#app/domain/reports/index.server.ts";
import { inTx, requireDesk } from "#app/web/session.server.ts";
import { AttainmentChart } from "../components/charts/attainment-chart.tsx";
import { FlowChart } from "../components/charts/flow-chart.tsx";
import { DueList } from "../components/dashboard/due-list.tsx";
import { DurationsPanel } from "../components/dashboard/durations.tsx";
import { Headline, type Trend } from "../components/dashboard/headline.tsx";
import { completed, queueLink, received, withStatus } from "../components/dashboard/links.ts";
import { Loads } from "../components/dashboard/loads.tsx";
import { Outcomes } from "../components/dashboard/outcomes.tsx";
import { StatusCounts } from "../components/dashboard/status-counts.tsx";
import { LiveState } from "../components/live-state.tsx";
import { ButtonLink, EmptyState, PageHeader } from "../components/ui.tsx";
import { useLive } from "../components/use-live.ts";

export const meta: MetaFunction = () => [{ title: "Dashboard · Berth" }];

export async function loader(args: LoaderFunctionArgs) {
  const { actor } = await requireDesk(args);
  return inTx(args, actor, (tx) => readDashboard({ tx, actor }), { snapshot: true });
}

/** What matters now, and how the last weeks went. Every number opens the list of what it counts. */
/** All figures together cost a second at a million requests. */
const FIGURES_EVERY_MS = 5_000;

export default function DashboardPage() {
  const figures = useLoaderData<typeof loader>();
  const live = useLive("/live/queue", { everyMs: FIGURES_EVERY_MS });
  const isEmpty = figures.everReceived === false;
  return (
    <div className="max-w-[90rem]">
      <PageHeader title="Dashboard" actions={<LiveState state={live} />}>
        Every number opens the list behind it. Days and weeks (Monday to Sunday) are cut in UTC.
      </PageHeader>
      {isEmpty ? (
        <EmptyState
          title="No request has come in yet"
          action={<ButtonLink to="/desk/queue">Go to the queue</ButtonLink>}
        >
          As soon as a customer signs up, or a shop sends one through the API, you see here what
          waits, what is due, and how long things take.
        </EmptyState>
      ) : (
        <Figures figures={figures} />
      )}
    </div>
  );
}

function Figures({ figures }: { figures: Dashboard }) {
  const { due, late, soon, statuses, weeks, days, loads, attainmentTarget } = figures;
  return (
    <>
      <Headlines figures={figures} />
      <div className="grid gap-x-10 xl:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
        <div className="min-w-0">
          <DueList
            title="Late"
            state="late"
            count={due.late}
            requests={late}
            nothing="Nothing is late: every open promise can still be kept."
          />
          <DueList
            title="Due soon"
            state="soon"
            count={due.soon}
            requests={soon}
            nothing="Nothing is due soon. A request comes here when a quarter of its promise is left."
          />
        </div>
        <StatusCounts statuses={statuses} />
      </div>
      <div className="grid gap-x-10 xl:grid-cols-2">
        <AttainmentChart weeks={weeks} target={attainmentTarget} />
        <FlowChart days={days} />
        <DurationsPanel figures={figures} />
        <Outcomes figures={figures} />
      </div>
      <Loads loads={loads} />
    </>
  );
}

function Headlines({ figures }: { figures: Dashboard }) {
  const { statuses, due, week, weekBefore, windows } = figures;
  const { last7, previous7 } = windows;
  // Taken up, and neither ready nor cancelled.
  const inFlight = statuses.map(({ status }) => status).filter((status) => status !== "pending");
  const countOf = (wanted: readonly string[]) =>
    statuses.reduce((sum, { status, count }) => sum + (wanted.includes(status) ? count : 0), 0);
  const trend = (
    word: string,
    of: "arrived" | "completed" | "kept" | "broken",
    link: (window: typeof last7) => string,
  ): Trend => ({
    word,
    value: week[of],
    to: link(last7),
    before: weekBefore[of],
    toBefore: link(previous7),
  });
  return (
    <ul className="mb-6 grid grid-cols-2 gap-x-4 gap-y-6 lg:grid-cols-4">
      <Headline
        label="Waiting"
        icon={Clock}
        value={countOf(["pending"])}
        to={withStatus("pending")}
        trend={trend("arrived", "arrived", received)}
      />
      <Headline
        label="Due soon"
        icon={TimerReset}
        value={due.soon}
        to={queueLink({ due: "soon" })}
        ink="text-warning"
        trend={trend("completed in time", "kept", (window) => completed(window, "kept"))}
      />
      <Headline
        label="Late"
        icon={CircleAlert}
        value={due.late}
        to={queueLink({ due: "late" })}
        ink="text-error"
        trend={trend("completed too late", "broken", (window) => completed(window, "broken"))}
      />
      <Headline
        label="In flight"
        icon={Hammer}
        value={countOf(inFlight)}
        to={withStatus(...inFlight)}
        trend={trend("completed", "completed", completed)}
      />
    </ul>
  );
}
