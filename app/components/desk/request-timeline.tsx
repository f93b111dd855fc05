import { Link } from "@remix-run/react";
import type { RequestChange } from "#app/domain/queue/index.server.ts";
import { RelativeTime } from "../time.tsx";
import { sayEvent } from "./timeline-words.ts";

/** What happened, in the order given: who, what, when; a note as it was written, the facts folded. */
export function EventList({ events }: { events: readonly RequestChange[] }) {
  const names = new Map(events.map(({ actor }) => [actor.id, actor.name ?? undefined]));
  return (
    <ol className="grid">
      {events.map((event) => {
        const { title, who, details, text } = sayEvent(event, (id) => names.get(id));
        return (
          <li key={event.id} className="border-b border-base-300 py-2 last:border-b-0">
            <div className="flex flex-wrap items-baseline justify-between gap-x-4">
              <p className="min-w-0 wrap-anywhere">
                <span className="font-medium">{title}</span>
                <span className="text-quiet"> by {who}</span>
              </p>
              <span className="text-quiet">
                <RelativeTime at={event.at} />
              </span>
            </div>
            {text === undefined ? null : (
              <p className="mt-1 max-w-160 border-l-2 border-base-300 pl-3 whitespace-pre-wrap wrap-anywhere">
                {text}
              </p>
            )}
            {details.length > 0 ? (
              <details>
                <summary className="inline-flex min-h-6 cursor-pointer items-center text-xs text-quiet underline underline-offset-2">
                  Details<span className="sr-only"> of “{title}”</span>
                </summary>
                <dl className="mt-1 grid gap-x-4 gap-y-0.5 sm:grid-cols-[max-content_minmax(0,1fr)]">
                  {details.map(([label, value]) => (
                    <div key={label} className="contents">
                      <dt className="text-quiet">{label}</dt>
                      <dd className="wrap-anywhere">{value}</dd>
                    </div>
                  ))}
                </dl>
              </details>
            ) : null}
          </li>
        );
      })}
    </ol>
  );
}

/** The timeline, newest first; what is older is in the audit record. */
export function RequestTimeline(props: {
  requestId: string;
  events: readonly RequestChange[];
  isCut: boolean;
}) {
  return (
    <>
      <EventList events={props.events} />
      {props.isCut ? (
        <p className="mt-2 text-quiet">
          Older entries are in the{" "}
          <Link to={`/desk/audit?request=${props.requestId}`} className="link link-primary">
            audit record
          </Link>
          .
        </p>
      ) : null}
    </>
  );
}
