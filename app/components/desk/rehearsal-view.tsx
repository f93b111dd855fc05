import { ChevronRight, CircleCheck, CircleMinus, CircleX, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import type { RehearsalView } from "#app/domain/provisioning/index.server.ts";
import { Duration } from "../time.tsx";
import { count } from "./plan-words.ts";
import { rehearsalPlace, rehearsalSentence, tally, worstOf } from "./rehearsal-words.ts";
import { Fold } from "./run-fold.tsx";
import { fileWords, groupSteps, type StepGroup } from "./run-groups.ts";
import { StepFailure } from "./step-failure.tsx";

type Step = RehearsalView["steps"][number];

const LOOKS: Record<Step["outcome"], { word: string; icon: LucideIcon; ink: string }> = {
  rehearsed: { word: "Rehearsed", icon: CircleCheck, ink: "text-success" },
  applied: { word: "Applied already", icon: CircleCheck, ink: "text-quiet" },
  failed: { word: "Failed", icon: CircleX, ink: "text-error" },
  not_rehearsed: { word: "Not rehearsable", icon: CircleMinus, ink: "text-quiet" },
  not_reached: { word: "Not reached", icon: CircleMinus, ink: "text-quiet" },
};

/** How a rehearsal went: a verdict, where it was, and every step, those of a feature as one row. */
export function RehearsalResult({ rehearsal }: { rehearsal: RehearsalView }) {
  const { steps, missing, notPart } = rehearsal;
  return (
    <>
      <p className="font-medium">{rehearsalSentence(rehearsal)}</p>
      <p className="max-w-prose text-quiet">{rehearsalPlace(rehearsal)}</p>
      <p className="max-w-prose text-quiet">Not part of it: {notPart.join("; ")}.</p>
      {missing.length > 0 ? (
        <div className="mt-2 text-warning">
          <p className="font-medium">The copy lacked:</p>
          <ul className="list-disc pl-5">
            {missing.map((what) => (
              <li key={what} className="wrap-anywhere">
                {what}
              </li>
            ))}
          </ul>
        </div>
      ) : null}
      <ol aria-label="What was rehearsed" className="mt-3 max-w-4xl border-t border-base-300">
        {groupSteps(steps).map((group) => {
          const [first, ...others] = group.steps;
          return others.length === 0 ? (
            <RehearsedStep key={first.name} step={first} name={first.name} />
          ) : (
            <RehearsedGroup key={first.name} group={group} />
          );
        })}
      </ol>
    </>
  );
}

/** The files of one feature: open where one of them failed. */
function RehearsedGroup({ group: { title, steps } }: { group: StepGroup<Step> }) {
  const failed = steps.some(({ outcome }) => outcome === "failed");
  const outcome = worstOf(steps);
  const took = steps.reduce((sum, step) => sum + step.durationMs, 0);
  return (
    <li data-rehearsed-group={outcome} className="border-b border-base-300">
      <Fold
        isUrgent={failed}
        className="group/fold"
        summary={
          <summary className="list-none py-1.5 hover:bg-base-200">
            <Line
              opens
              outcome={outcome}
              words={tally(steps)}
              ms={steps.some((step) => step.outcome === "rehearsed") ? took : null}
            >
              {title}
              <span className="text-quiet"> · {count(steps.length, "file")}</span>
            </Line>
          </summary>
        }
      >
        <ol aria-label={`Files of ${title}`} className="ml-6 border-t border-base-300">
          {steps.map((step) => (
            <RehearsedStep key={step.name} step={step} name={fileWords(step)} />
          ))}
        </ol>
      </Fold>
    </li>
  );
}

function RehearsedStep({ step, name }: { step: Step; name: string }) {
  const { outcome, durationMs, reason, error } = step;
  return (
    <li data-rehearsed={outcome} className="border-b border-base-300 py-1.5 last:border-b-0">
      <Line
        outcome={outcome}
        words={LOOKS[outcome].word}
        ms={outcome === "rehearsed" ? durationMs : null}
      >
        {name}
      </Line>
      {reason ? <p className="ml-12 text-quiet wrap-anywhere">{reason}</p> : null}
      {error ? (
        <div className="mt-2 mb-3 ml-12 max-sm:ml-0">
          <StepFailure error={error} excerpt={null} acts={null} />
        </div>
      ) : null}
    </li>
  );
}

function Line(props: {
  /** It is what opens its group. */
  opens?: boolean;
  outcome: Step["outcome"];
  words: string;
  ms: number | null;
  children: ReactNode;
}) {
  const { opens = false, outcome, words, ms, children } = props;
  const { icon: Icon, ink } = LOOKS[outcome];
  return (
    <div className="grid grid-cols-[0.875rem_1rem_minmax(0,1fr)_auto] items-start gap-x-2">
      {opens ? (
        <ChevronRight
          size={14}
          aria-hidden="true"
          className="mt-1 text-quiet transition-transform duration-150 group-open/fold:rotate-90"
        />
      ) : (
        <span />
      )}
      <Icon size={16} aria-hidden="true" className={`mt-0.5 ${ink}`} />
      <span className="min-w-0 wrap-break-word">{children}</span>
      <span className={`text-right text-xs/5 font-medium ${ink}`}>
        {words}
        {ms === null ? null : (
          <span className="font-normal text-quiet">
            , <Duration ms={ms} />
          </span>
        )}
      </span>
    </div>
  );
}
