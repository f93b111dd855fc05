import { Link } from "@remix-run/react";
import { formatPrice } from "../price.ts";
import { FoldedSettings } from "../settings-of-features.tsx";
import { DueBar, PriorityBadge } from "../status.tsx";
import { Duration, ExactTime, formatDistance, RelativeTime, useNow } from "../time.tsx";
import { Facts, Mono, Panel } from "../ui.tsx";
import type { RequestOnPage } from "./request-on-page.ts";
import { CorrectSettings } from "./settings-correction.tsx";

/** The right third: who, what was bought, the clock, people. `children`: stand beside the priority. */
export function RequestFacts(props: { request: RequestOnPage; children?: React.ReactNode }) {
  const { request } = props;
  const { customer, countryName, plan, features, settings, region, regionName } = request;
  const { assignee, claimExpiresAt } = request;
  return (
    <div className="[&>section:first-child]:border-t-0 [&>section:first-child]:pt-0">
      <Panel title="Who">
        <Facts
          aligned
          items={[
            ["Contact", customer.contactName],
            [
              "E-mail",
              <a key="mail" href={`mailto:${customer.email}`} className="link link-primary">
                {customer.email}
              </a>,
            ],
            ...(customer.phone
              ? [
                  [
                    "Phone",
                    <a
                      key="tel"
                      href={`tel:${customer.phone.replace(/[^+\d]/g, "")}`}
                      className="link link-primary"
                    >
                      {customer.phone}
                    </a>,
                  ] as [string, React.ReactNode],
                ]
              : []),
            ["Country", countryName],
            ["Their time", <LocalTime key="zone" zone={customer.timezone} />],
            ...(customer.industry ? [["Industry", customer.industry] as [string, string]] : []),
          ]}
        />
      </Panel>
      <Panel title="What was bought">
        <Facts
          aligned
          items={[
            [
              "Plan",
              `${plan.name}, ${formatPrice(plan.price, plan.currency)} a ${plan.cycle === "yearly" ? "year" : "month"}`,
            ],
            [
              "Region",
              <span key="region">
                {regionName}{" "}
                <span className="whitespace-nowrap">
                  <Mono>{region}</Mono>
                </span>
              </span>,
            ],
            [
              "Features",
              <ul key="features">
                {features.map(({ name, title, version }) => (
                  <li key={name}>
                    {title} <span className="text-quiet tabular-nums">{version}</span>
                  </li>
                ))}
              </ul>,
            ],
          ]}
        />
        <FoldedSettings title="What the features asked" settings={settings} />
        <CorrectSettings request={request} />
      </Panel>
      <Panel title="The clock">
        <Clock request={request}>{props.children}</Clock>
      </Panel>
      <Panel title="People">
        <Facts
          aligned
          items={[
            [
              "Assignee",
              assignee ? (assignee.isVisitor ? `${assignee.name} (you)` : assignee.name) : "Nobody",
            ],
            ...(claimExpiresAt
              ? [
                  ["Claim ends", <RelativeTime key="claim" at={claimExpiresAt} isAhead />] as [
                    string,
                    React.ReactNode,
                  ],
                ]
              : []),
          ]}
        />
        {claimExpiresAt ? (
          <p className="mt-2 text-quiet">Every act on the request extends the claim.</p>
        ) : null}
        <p className="mt-2">
          <Link to={`/desk/audit?request=${request.requestId}`} className="link link-primary">
            Everything in the audit record
          </Link>
        </p>
      </Panel>
    </div>
  );
}

/** What their clock shows: nobody wants to be rung at night. */
function LocalTime({ zone }: { zone: string }) {
  const now = useNow();
  if (now === null) return <>{zone}</>;
  const clock = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(now);
  return (
    <span className="tabular-nums">
      {clock} <span className="text-quiet">{zone.replaceAll("_", " ")}</span>
    </span>
  );
}

function Clock(props: { request: RequestOnPage; children?: React.ReactNode }) {
  const { clock, status, priority } = props.request;
  const { createdAt, dueAt, dueState, endedAt, promisedHours, pauses } = clock;
  const now = useNow();
  const due: [string, React.ReactNode] =
    endedAt === null
      ? ["Due", <DueBar key="due" dueAt={dueAt} createdAt={createdAt} state={dueState} />]
      : [status === "completed" ? "Ready" : "Ended", <RelativeTime key="end" at={endedAt} />];
  const kept: [string, React.ReactNode][] =
    status === "completed" && endedAt !== null && dueAt !== null
      ? [["Promise", keptWords(endedAt, dueAt)]]
      : [];
  const paused: [string, React.ReactNode][] = pauses.map((pause, index) => [
    pauses.length > 1 ? `Paused (${index + 1})` : "Paused",
    <span key={pause.startedAt}>
      <Duration
        ms={
          (pause.endedAt ? Date.parse(pause.endedAt) : (now ?? Date.parse(pause.startedAt))) -
          Date.parse(pause.startedAt)
        }
      />
      <span className="text-quiet">
        {" "}
        from <ExactTime at={pause.startedAt} />
      </span>
    </span>,
  ]);
  return (
    <Facts
      aligned
      items={[
        due,
        ...kept,
        ...(endedAt === null && dueAt !== null
          ? [["Exactly", <ExactTime key="exact" at={dueAt} />] as [string, React.ReactNode]]
          : []),
        ["Received", <RelativeTime key="received" at={createdAt} />],
        ["Promised", `within ${promisedHours} h`],
        [
          "Priority",
          <div key="priority">
            <PriorityBadge priority={priority} />
            {props.children}
          </div>,
        ],
        ...paused,
      ]}
    />
  );
}

const keptWords = (endedAt: string, dueAt: string) => {
  const left = Date.parse(dueAt) - Date.parse(endedAt);
  return left >= 0 ? `Kept, ${formatDistance(left)} to spare` : `Broken by ${formatDistance(left)}`;
};
