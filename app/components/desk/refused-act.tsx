import type { RequestChange } from "#app/domain/queue/index.server.ts";
import type { PageProblem } from "#app/web/forms.server.ts";
import { Notice, ProblemNotice } from "../notice.tsx";
import { RelativeTime } from "../time.tsx";
import { EventList } from "./request-timeline.tsx";

/**
 * Why an act on a request was not done. Where somebody else has it, who and since when; `changes`:
 * what else happened to it.
 */
export function RefusedAct(props: {
  problem: PageProblem;
  since: string | null;
  changes?: readonly RequestChange[];
}) {
  const { problem, since, changes = [] } = props;
  if (!since && changes.length === 0) return <ProblemNotice problem={problem} />;
  return (
    <Notice tone="error" title={problem.text}>
      {since ? (
        <p>
          They took it <RelativeTime at={since} />.
        </p>
      ) : null}
      <WhatChanged changes={changes} />
      {problem.fix ? <p>{problem.fix}</p> : null}
    </Notice>
  );
}

/** What else happened to the request meanwhile; nothing where nothing did. */
export function WhatChanged({ changes }: { changes: readonly RequestChange[] }) {
  if (changes.length === 0) return null;
  return (
    <section aria-label="What changed since you opened this page">
      <p className="text-quiet">What changed since you opened this page:</p>
      <EventList events={changes} />
    </section>
  );
}
