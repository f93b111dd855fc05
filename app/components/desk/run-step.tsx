import type { ReactNode } from "react";
import type { StepReport } from "#app/domain/provisioning/index.server.ts";
import { DriftUncompared } from "./drift-uncompared.tsx";
import { expectedWords } from "./plan-words.ts";
import { fileWords, stepTitle } from "./run-groups.ts";
import { type Axis, Row } from "./run-row.tsx";
import { outcomeWords, STEP_LOOKS, uncompared } from "./run-words.ts";
import { PlannedFacts } from "./step-effects.tsx";
import { StepFailure } from "./step-failure.tsx";

/** What all rows are shown with. */
export interface Shown {
  now: number;
  axis: Axis;
  acts: (step: StepReport) => ReactNode;
  known: readonly string[];
}

/** Of a step that a run which has ended did not reach. */
export const NOT_BEGUN = "Not begun";

/** From when to when a step took, in milliseconds since 1970; of one that runs, until now. */
export function lengthOf(step: StepReport, now: number): { begin: number; end: number } {
  const begin = step.startedAt ? Date.parse(step.startedAt) : Number.NEGATIVE_INFINITY;
  return { begin, end: step.status === "running" ? now : begin + (step.durationMs ?? 0) };
}

/** One step of a run. Where there is more to say of it, it opens; one that failed is open. */
export function StepItem(
  props: Shown & {
    step: StepReport;
    /** The words for a step that has not begun. */
    ahead: string;
    isNested?: boolean;
  },
) {
  const { step, now, axis, ahead, acts, known, isNested = false } = props;
  const notices = linesOf(step.outcome?.notices);
  const failed = linesOf(step.outcome?.failedAttempts);
  const obstacle = uncompared(step);
  const opens =
    step.error !== null ||
    step.effects !== null ||
    notices.length + failed.length > 0 ||
    obstacle !== null;
  const row = <StepRow {...{ step, now, axis, ahead, opens, isNested }} />;
  const edge = isNested ? "not-last:border-b border-base-300" : "border-b border-base-300";
  const anchor = { id: `step-${step.position + 1}`, "data-step": step.status };
  if (!opens) {
    return (
      <li {...anchor} className={`scroll-mt-4 ${edge} py-1.5 lg:min-h-9`}>
        {row}
      </li>
    );
  }
  return (
    <li {...anchor} className={`scroll-mt-4 ${edge}`}>
      <details open={step.error !== null} className="group">
        <summary className="list-none py-1.5 hover:bg-base-200 lg:min-h-9">{row}</summary>
        <div className={`grid gap-4 pt-1 pb-5 ${isNested ? "pl-3 lg:pl-18" : "lg:pl-12"}`}>
          {step.error ? (
            <StepFailure
              error={step.error}
              excerpt={step.excerpt}
              acts={acts(step)}
              known={known}
            />
          ) : null}
          {obstacle === null ? null : <DriftUncompared {...obstacle} />}
          <Lines label="Failed attempts" lines={failed} />
          <Lines label="Notices" lines={notices} />
          {step.effects ? (
            <PlannedFacts
              step={step}
              effects={step.effects}
              isFileTold={step.error?.file !== undefined}
            />
          ) : null}
        </div>
      </details>
    </li>
  );
}

const linesOf = (fact: unknown) => (Array.isArray(fact) ? fact.map(String) : []);

/** What a database said, or what was tried in it: nothing is shown where there is nothing. */
function Lines({ label, lines }: { label: string; lines: string[] }) {
  if (lines.length === 0) return null;
  return (
    <div>
      <p className="text-xs text-quiet">{label}</p>
      <ul aria-label={label} className="list-disc pl-5 font-mono text-xs/5 wrap-anywhere">
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </div>
  );
}

function StepRow(props: {
  step: StepReport;
  now: number;
  axis: Axis;
  ahead: string;
  opens: boolean;
  isNested: boolean;
}) {
  const { step, now, axis, ahead, opens, isNested } = props;
  const { begin, end } = lengthOf(step, now);
  const isRunning = step.status === "running";
  const did = isRunning
    ? "Running"
    : outcomeWords(step) ||
      (step.status === "pending" ? undoneWords(step, ahead) : STEP_LOOKS[step.status].word);
  const again =
    step.attempts > 1 && step.status !== "pending" ? `, begun ${step.attempts} times` : "";
  const isAhead = isRunning || (step.status === "pending" && ahead !== NOT_BEGUN);
  // In a group it is said once, of all of it.
  const expected = isAhead && (isRunning || !isNested) ? expectedWords(step.expectedMs) : "";
  return (
    <Row
      status={step.status}
      isLoud={step.error !== null}
      isNested={isNested}
      chevron={opens ? "group-open:rotate-90" : null}
      did={`${did}${again}${expected ? `, ${expected}` : ""}`}
      axis={axis}
      begin={begin}
      ms={isRunning ? Math.max(0, end - begin) : step.durationMs}
    >
      {isNested ? fileWords(step) : stepTitle(step)}
    </Row>
  );
}

/** A step that was begun, and was stopped together with its run. */
function undoneWords({ attempts, kind }: StepReport, ahead: string): string {
  if (attempts === 0) return ahead;
  return kind === "sql" || kind === "seed" ? "Rolled back" : "Stopped, to be done again";
}
