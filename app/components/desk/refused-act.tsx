import type { ReactNode } from "react";
import type { PageProblem } from "#app/web/forms.server.ts";
import { Notice, ProblemNotice } from "../notice.tsx";
import { RelativeTime } from "../time.tsx";

/**
 * Why an act on a request was not done. Where somebody else has it, who and since when; `children`:
 * what else happened to it.
 */
export function RefusedAct(props: {
  problem: PageProblem;
  since: string | null;
  children?: ReactNode;
}) {
  const { problem, since, children } = props;
  if (!since && !children) return <ProblemNotice problem={problem} />;
  return (
    <Notice tone="error" title={problem.text}>
      {since ? (
        <p>
          They took it <RelativeTime at={since} />.
        </p>
      ) : null}
      {children}
      {problem.fix ? <p>{problem.fix}</p> : null}
    </Notice>
  );
}
