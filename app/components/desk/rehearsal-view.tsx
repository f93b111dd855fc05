import { CircleCheck, CircleMinus, CircleX, type LucideIcon } from "lucide-react";
import type { RehearsalView } from "#app/domain/provisioning/index.server.ts";
import { Duration } from "../time.tsx";
import { rehearsalPlace, rehearsalSentence } from "./rehearsal-words.ts";
import { StepFailure } from "./step-failure.tsx";

type Step = RehearsalView["steps"][number];

const LOOKS: Record<Step["outcome"], { word: string; icon: LucideIcon; ink: string }> = {
  rehearsed: { word: "Rehearsed", icon: CircleCheck, ink: "text-success" },
  applied: { word: "Applied already", icon: CircleCheck, ink: "text-quiet" },
  failed: { word: "Failed", icon: CircleX, ink: "text-error" },
  not_rehearsed: { word: "Not rehearsable", icon: CircleMinus, ink: "text-quiet" },
  not_reached: { word: "Not reached", icon: CircleMinus, ink: "text-quiet" },
};

/** How a rehearsal went: a verdict, where it was, and every step. */
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
        {steps.map((step) => (
          <RehearsedStep key={step.name} step={step} />
        ))}
      </ol>
    </>
  );
}

function RehearsedStep({ step }: { step: Step }) {
  const { name, outcome, durationMs, reason, error } = step;
  const { word, icon: Icon, ink } = LOOKS[outcome];
  return (
    <li data-rehearsed={outcome} className="border-b border-base-300 py-1.5">
      <div className="grid grid-cols-[1rem_minmax(0,1fr)_auto] items-start gap-x-2">
        <Icon size={16} aria-hidden="true" className={`mt-0.5 ${ink}`} />
        <span className="min-w-0 wrap-anywhere">{name}</span>
        <span className={`text-right text-xs/5 font-medium ${ink}`}>
          {word}
          {outcome === "rehearsed" ? (
            <span className="font-normal text-quiet">
              , <Duration ms={durationMs} />
            </span>
          ) : null}
        </span>
      </div>
      {reason ? <p className="ml-6 text-quiet wrap-anywhere">{reason}</p> : null}
      {error ? (
        <div className="mt-2 mb-3 ml-6 max-sm:ml-0">
          <StepFailure error={error} excerpt={null} acts={null} />
        </div>
      ) : null}
    </li>
  );
}
