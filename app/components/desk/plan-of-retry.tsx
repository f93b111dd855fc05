import { ListChecks, RotateCw } from "lucide-react";
import { useEffect, useRef } from "react";
import type { Refusal, RetryLook } from "#app/web/desk-acts.server.ts";
import { SubmitButton } from "../form.tsx";
import { ProblemNotice } from "../notice.tsx";
import { ActForm } from "./act-form.tsx";
import { CheckList } from "./credentials-check-list.tsx";
import { verdict } from "./credentials-lines.ts";
import { PlanSummary, PlanTable } from "./plan-view.tsx";
import type { ShownPlan } from "./plan-words.ts";
import { WhatChanged } from "./refused-act.tsx";
import type { RequestOnPage } from "./request-on-page.ts";

/** What the page's last act found that a retry would do. */
export interface Looked {
  look: RetryLook | null;
  /** Why that act was refused, where this is to be read with what it found. */
  refusal: Refusal | null;
  /** The digest that the act carried: of the plan that was shown before it. */
  seenDigest: string | null;
}

/** Whether the page offers to retry, so that what a retry would do stands beside that. */
export const isRetryOpen = ({ status, standing }: Pick<RequestOnPage, "status" | "standing">) =>
  status === "failed" && standing !== "held";

/**
 * Retries, or shows what that would do. Once a plan was shown, exactly this one is what a retry
 * starts, also where the act after it was refused without a plan to show.
 */
export function RetryForm(props: {
  request: Pick<RequestOnPage, "seen" | "backend">;
  looked: Looked;
  word: "Retry" | "Resume";
}) {
  const { request, looked, word } = props;
  const shown = looked.look?.plan?.basis?.digest;
  const digest = shown ?? looked.seenDigest;
  return (
    <ActForm seen={request.seen} className="contents">
      {digest ? <input type="hidden" name="planDigest" value={digest} /> : null}
      <SubmitButton name="intent" value="retry" icon={RotateCw} pendingText="Starting …">
        {word} from where it stopped
      </SubmitButton>
      {request.backend ? (
        <SubmitButton
          name="intent"
          value="look"
          variant="secondary"
          icon={ListChecks}
          pendingText="Testing and planning …"
        >
          Show the plan
        </SubmitButton>
      ) : null}
      {digest && !shown ? (
        <p className="order-last basis-full text-quiet">
          A {word.toLowerCase()} still starts only the plan that you looked at.
        </p>
      ) : null}
    </ActForm>
  );
}

/**
 * What a look at a retry found: its plan, or the test that its credentials did not pass. Has the
 * focus on arrival, or what says why it is shown.
 */
export function PlanOfRetry({ look, refusal }: Pick<Looked, "look" | "refusal">) {
  const heading = useRef<HTMLHeadingElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another look is why this runs
  useEffect(() => {
    if (!refusal) heading.current?.focus();
  }, [look]);
  if (!look) return null;
  const { plan, lines } = look;
  return (
    <section aria-labelledby="plan-heading" className="mt-5 border-t border-base-300 pt-4">
      {refusal ? (
        <>
          <ProblemNotice problem={refusal.problem} />
          <div className="mb-4 empty:hidden">
            <WhatChanged changes={refusal.changes} />
          </div>
        </>
      ) : null}
      <h2 id="plan-heading" ref={heading} tabIndex={-1} className="mb-1 w-fit font-semibold">
        {plan ? "The plan" : "Connection test"}
      </h2>
      {plan ? <Plan plan={plan} /> : null}
      {lines ? (
        <>
          <p className="mb-2 text-quiet">{verdict(lines, false)}</p>
          <CheckList lines={lines} isTesting={false} />
        </>
      ) : null}
    </section>
  );
}

function Plan({ plan }: { plan: ShownPlan }) {
  const isAllApplied = plan.steps.every(({ file, planned }) => !file || planned === "applied");
  return (
    <>
      <PlanSummary plan={plan} />
      {isAllApplied ? (
        <p className="mt-2 font-medium">
          Nothing is left to apply. The run does only the steps that are no files.
        </p>
      ) : null}
      <p className="mt-2 mb-4 max-w-prose text-quiet">
        A retry now tests once more, and does these steps. If they would be others by then, nothing
        is done and you see the new plan.
      </p>
      <PlanTable plan={plan} />
    </>
  );
}
