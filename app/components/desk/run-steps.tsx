import type { ReactNode } from "react";
import type { RunReport, StepReport } from "#app/domain/provisioning/index.server.ts";
import { formatDuration } from "../time.tsx";
import { DriftUncompared } from "./drift-uncompared.tsx";
import { count, expectedWords } from "./plan-words.ts";
import { Fold } from "./run-fold.tsx";
import { groupOutcome, isUrgent, statusOf } from "./run-group-words.ts";
import { fileWords, groupSteps, type StepGroup, stepTitle } from "./run-groups.ts";
import { type Axis, ROW, Row } from "./run-row.tsx";
import { outcomeWords, STEP_LOOKS, uncompared } from "./run-words.ts";
import { PlannedFacts } from "./step-effects.tsx";
import { StepFailure } from "./step-failure.tsx";
import { useRunClock } from "./use-run-clock.ts";

function axisOf(run: RunReport, now: number): Axis {
  const start = Date.parse(run.startedAt ?? run.createdAt);
  const end = run.endedAt ? Date.parse(run.endedAt) : now;
  const ends = run.steps.map((step) => lengthOf(step, now).end);
  return { start, length: Math.max(1, ...ends.map((at) => at - start), end - start) };
}

function lengthOf(step: StepReport, now: number): { begin: number; end: number } {
  const begin = step.startedAt ? Date.parse(step.startedAt) : Number.NEGATIVE_INFINITY;
  return { begin, end: step.status === "running" ? now : begin + (step.durationMs ?? 0) };
}

/**
 * Every step on one time axis, the files of a feature as one row that opens. A step that failed is
 * open, and says first what to do.
 * @param props.acts what the person can do about a step that did not end well
 * @param props.known differences that were accepted earlier
 */
export function RunSteps(props: {
  run: RunReport;
  acts: (step: StepReport) => ReactNode;
  known: readonly string[];
}) {
  const { run, acts, known } = props;
  const now = useRunClock(run);
  const axis = axisOf(run, now);
  const next = run.steps.find((step) => step.status === "pending")?.position;
  const isOpen = run.status === "running" || run.status === "queued";
  const shared = { now, axis, acts, known };
  const aheadOf = (steps: readonly StepReport[]) =>
    !isOpen ? NOT_BEGUN : steps.some(({ position }) => position === next) ? "Next" : "Waiting";
  return (
    <section aria-label="Steps of the run">
      <div
        aria-hidden="true"
        className={`${ROW} border-b border-base-300 pb-1 text-xs text-quiet max-lg:hidden`}
      >
        <span className="col-start-3">Step</span>
        <span>What it did</span>
        <span className="flex justify-between tabular-nums">
          <span>0</span>
          <span>{formatDuration(axis.length)}</span>
        </span>
        <span className="text-right">Took</span>
      </div>
      <ol>
        {groupSteps(run.steps).map((group) => {
          const [first, ...others] = group.steps;
          return others.length === 0 ? (
            <StepItem key={first.position} step={first} ahead={aheadOf([first])} {...shared} />
          ) : (
            <GroupItem key={first.position} group={group} aheadOf={aheadOf} {...shared} />
          );
        })}
      </ol>
    </section>
  );
}

/** What all rows are shown with. */
interface Shown {
  now: number;
  axis: Axis;
  acts: (step: StepReport) => ReactNode;
  known: readonly string[];
}

/** The files of one feature and phase: their span on the axis, and themselves once it is opened. */
function GroupItem(
  props: Shown & {
    group: StepGroup<StepReport>;
    aheadOf: (steps: readonly StepReport[]) => string;
  },
) {
  const { group, aheadOf, ...shared } = props;
  const { title, steps } = group;
  const status = statusOf(steps, aheadOf(steps) !== NOT_BEGUN);
  const span = spanOf(steps, shared.now);
  return (
    <li data-group={status} className="border-b border-base-300">
      <Fold
        isUrgent={isUrgent(status, steps)}
        className="group/fold"
        summary={
          <summary className="list-none py-1.5 hover:bg-base-200 lg:min-h-9">
            <Row
              status={status}
              isLoud={status === "failed" || status === "needs_person"}
              chevron="group-open/fold:rotate-90"
              did={groupOutcome(status, steps, aheadOf(steps))}
              axis={shared.axis}
              begin={span?.begin ?? 0}
              ms={span && span.end - span.begin}
            >
              {title}
              <span className="text-quiet"> · {count(steps.length, "file")}</span>
            </Row>
          </summary>
        }
      >
        <ol aria-label={`Files of ${title}`} className="border-t border-base-300 bg-base-200/40">
          {steps.map((step) => (
            <StepItem
              key={step.position}
              isNested
              step={step}
              ahead={aheadOf([step])}
              {...shared}
            />
          ))}
        </ol>
      </Fold>
    </li>
  );
}

/** From the first that was begun to the end of the last; null where none was. */
function spanOf(steps: readonly StepReport[], now: number): { begin: number; end: number } | null {
  const begun = steps
    .filter(({ startedAt, status }) => startedAt !== null && status !== "pending")
    .map((step) => lengthOf(step, now));
  if (begun.length === 0) return null;
  const begin = Math.min(...begun.map((one) => one.begin));
  return { begin, end: Math.max(begin, ...begun.map((one) => one.end)) };
}

function StepItem(
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

/** Of a step that a run which has ended did not reach. */
const NOT_BEGUN = "Not begun";

/** A step that was begun, and was stopped together with its run. */
function undoneWords({ attempts, kind }: StepReport, ahead: string): string {
  if (attempts === 0) return ahead;
  return kind === "sql" || kind === "seed" ? "Rolled back" : "Stopped, to be done again";
}
