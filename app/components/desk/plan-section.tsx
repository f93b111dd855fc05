import { FlaskConical, Play } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef } from "react";
import type { RehearsalAnswer } from "#app/web/rehearsal.server.ts";
import { SubmitButton } from "../form.tsx";
import { ProblemNotice } from "../notice.tsx";
import { Button } from "../ui.tsx";
import { PlanSummary, PlanTable } from "./plan-view.tsx";
import type { ShownPlan } from "./plan-words.ts";
import { RehearsalResult } from "./rehearsal-view.tsx";
import { rehearsalSentence } from "./rehearsal-words.ts";
import { useRehearsal } from "./use-rehearsal.ts";

/** What the form around a plan is asked for: to start the run, and to rehearse it. `first`: what starting does before. */
const INTENTS = {
  pasted: { start: "submit", rehearse: "rehearse", first: "seals the credentials" },
  offered: { start: "take-up", rehearse: "rehearse-offered", first: "takes up the project" },
};

/**
 * The plan under the test that it came from, with the button that starts exactly this plan and the
 * one that rehearses it. Has the focus on arrival: the button that was pressed is above it, out of
 * sight of what to do next.
 * @param props.form the id of the form that is sent with it, and what it holds
 * @param props.valuesOf what that form sends of a person's values
 * @param props.told how a rehearsal went that was asked for without scripts
 */
export function PlanSection(props: {
  plan: ShownPlan;
  form: keyof typeof INTENTS;
  rehearsalUrl: string;
  valuesOf: () => string;
  told: RehearsalAnswer | undefined;
  isStarting: boolean;
  /** Something else on the page says why this plan is shown. */
  hasProblem: boolean;
}) {
  const { plan, form, rehearsalUrl, valuesOf, told, isStarting, hasProblem } = props;
  const { state, rehearse } = useRehearsal(rehearsalUrl);
  const heading = useRef<HTMLHeadingElement>(null);
  const id = useId();
  const digest = plan.basis?.digest;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another plan is why this runs
  useEffect(() => {
    // Why it is another one stands further up, and takes the focus itself.
    if (!hasProblem) heading.current?.focus();
  }, [digest]);
  const isRehearsing = state.phase === "running";
  const answer = state.phase === "idle" ? told : state.phase === "over" ? state.answer : undefined;
  const hasFailed = answer?.rehearsal?.ok === false;
  return (
    <section
      id={`plan-${form}`}
      aria-labelledby={`${id}-plan`}
      className="mt-6 scroll-mt-4 border-t border-base-300 pt-5"
    >
      <h2
        id={`${id}-plan`}
        ref={heading}
        tabIndex={-1}
        className="mb-1 w-fit text-base font-semibold"
      >
        The plan
      </h2>
      <PlanSummary plan={plan} />
      <input type="hidden" name="planDigest" value={digest} form={form} />
      <div className="mt-4 flex flex-wrap items-center gap-3">
        <SubmitButton
          form={form}
          name="intent"
          value={INTENTS[form].start}
          icon={Play}
          variant={hasFailed ? "secondary" : "primary"}
          pendingText="Testing and starting …"
          pending={isStarting}
          aria-describedby={`${id}-means`}
        >
          Start the run
        </SubmitButton>
        <Button
          type="submit"
          form={form}
          name="intent"
          value={INTENTS[form].rehearse}
          variant={hasFailed ? "primary" : "quiet"}
          icon={FlaskConical}
          pending={isRehearsing}
          onClick={(event) => {
            event.preventDefault();
            void rehearse(valuesOf());
          }}
        >
          {isRehearsing ? "Rehearsing …" : "Rehearse"}
        </Button>
      </div>
      <p id={`${id}-means`} className="mt-2 max-w-prose text-quiet">
        Starting tests once more, {INTENTS[form].first} and does these steps. If they would be
        others by then, nothing is done and you see the new plan. Rehearsing does them in a
        transaction that is always rolled back.
      </p>
      <p role="status" className="sr-only">
        {answer?.rehearsal ? rehearsalSentence(answer.rehearsal) : ""}
      </p>
      {answer ? <Rehearsed answer={answer} /> : null}
      <div className="mt-5">
        <PlanTable plan={plan} />
      </div>
    </section>
  );
}

function Rehearsed({ answer }: { answer: RehearsalAnswer }): ReactNode {
  return (
    <section aria-label="The rehearsal" className="mt-5">
      <h3 className="mb-1 font-semibold">The rehearsal</h3>
      {answer.problem ? <ProblemNotice problem={answer.problem} /> : null}
      {answer.rehearsal ? <RehearsalResult rehearsal={answer.rehearsal} /> : null}
    </section>
  );
}
