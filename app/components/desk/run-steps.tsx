import { ChevronRight } from "lucide-react";
import type { ReactNode } from "react";
import type { RunReport, StepReport } from "#app/domain/provisioning/index.server.ts";
import { Duration, formatDuration } from "../time.tsx";
import { DriftUncompared } from "./drift-uncompared.tsx";
import { expectedWords } from "./plan-words.ts";
import { outcomeWords, STEP_LOOKS, uncompared } from "./run-words.ts";
import { PlannedFacts } from "./step-effects.tsx";
import { StepFailure } from "./step-failure.tsx";
import { useRunClock } from "./use-run-clock.ts";

/** From when to when a run's time axis goes; the steps' bars are measured against it. */
interface Axis {
  start: number;
  length: number;
}

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
 * Every step on one time axis. A step that failed is open, and says first what to do.
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
        {run.steps.map((step) => (
          <StepItem
            key={step.position}
            step={step}
            now={now}
            axis={axis}
            ahead={!isOpen ? NOT_BEGUN : step.position === next ? "Next" : "Waiting"}
            acts={acts}
            known={known}
          />
        ))}
      </ol>
    </section>
  );
}

/**
 * Whether it opens, icon, name, what it did, bar, duration; on a narrow screen the bar has a line of
 * its own.
 */
const ROW =
  "grid grid-cols-[0.875rem_1rem_minmax(0,1fr)_auto] items-center gap-x-2 lg:grid-cols-[0.875rem_1rem_minmax(0,17rem)_minmax(0,15rem)_minmax(6rem,1fr)_4.5rem]";

function StepItem(props: {
  step: StepReport;
  now: number;
  axis: Axis;
  /** The words for a step that has not begun. */
  ahead: string;
  acts: (step: StepReport) => ReactNode;
  known: readonly string[];
}) {
  const { step, now, axis, ahead, acts, known } = props;
  const notices = linesOf(step.outcome?.notices);
  const failed = linesOf(step.outcome?.failedAttempts);
  const obstacle = uncompared(step);
  const opens =
    step.error !== null ||
    step.effects !== null ||
    notices.length + failed.length > 0 ||
    obstacle !== null;
  const row = <StepRow step={step} now={now} axis={axis} ahead={ahead} opens={opens} />;
  const anchor = { id: `step-${step.position + 1}`, "data-step": step.status };
  if (!opens) {
    return (
      <li {...anchor} className="border-b border-base-300 py-1.5 lg:min-h-9">
        {row}
      </li>
    );
  }
  return (
    <li {...anchor} className="scroll-mt-4 border-b border-base-300">
      <details open={step.error !== null} className="group">
        <summary className="list-none py-1.5 hover:bg-base-200 lg:min-h-9">{row}</summary>
        <div className="grid gap-4 pt-1 pb-5 lg:pl-12">
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
}) {
  const { step, now, axis, ahead, opens } = props;
  const { word, icon: Icon, ink, fill } = STEP_LOOKS[step.status];
  const { begin, end } = lengthOf(step, now);
  const isRunning = step.status === "running";
  const ms = isRunning ? Math.max(0, end - begin) : step.durationMs;
  const did = isRunning
    ? "Running"
    : outcomeWords(step) || (step.status === "pending" ? undoneWords(step, ahead) : word);
  const again =
    step.attempts > 1 && step.status !== "pending" ? `, begun ${step.attempts} times` : "";
  const isAhead = isRunning || (step.status === "pending" && ahead !== NOT_BEGUN);
  const expected = isAhead ? expectedWords(step.expectedMs) : "";
  return (
    <div className={ROW}>
      {opens ? (
        <ChevronRight
          size={14}
          aria-hidden="true"
          className="text-quiet transition-transform duration-150 group-open:rotate-90"
        />
      ) : (
        <span />
      )}
      <Icon
        size={16}
        aria-hidden="true"
        className={`${ink} ${isRunning ? "motion-safe:animate-spin" : ""}`}
      />
      <span className={`min-w-0 wrap-anywhere ${step.status === "pending" ? "text-quiet" : ""}`}>
        {step.name}
        {/* Where the words beside say something else, the state is still told. */}
        <span className="sr-only">{step.status === "pending" ? ". " : `, ${word}. `}</span>
      </span>
      <span
        className={`min-w-0 text-quiet max-lg:col-span-2 max-lg:col-start-3 max-lg:row-start-2 max-lg:text-xs ${
          step.error ? `font-medium ${ink}` : ""
        }`}
      >
        {did}
        {again}
        {expected ? `, ${expected}` : ""}
      </span>
      <svg
        viewBox="0 0 1000 8"
        preserveAspectRatio="none"
        aria-hidden="true"
        className="h-2 w-full max-lg:col-span-2 max-lg:col-start-3 max-lg:row-start-3 max-lg:mt-1"
      >
        <rect width="1000" height="8" className="fill-base-200" />
        {ms === null || !fill ? null : (
          <rect {...barOf(axis, begin, ms)} height="8" className={fill} />
        )}
      </svg>
      <span className="text-right text-quiet max-lg:col-start-4 max-lg:row-start-1">
        {ms === null ? null : <Duration ms={ms} />}
      </span>
    </div>
  );
}

/** Of a step that a run which has ended did not reach. */
const NOT_BEGUN = "Not begun";

/** A step that was begun, and was stopped together with its run. */
function undoneWords({ attempts, kind }: StepReport, ahead: string): string {
  if (attempts === 0) return ahead;
  return kind === "sql" || kind === "seed" ? "Rolled back" : "Stopped, to be done again";
}

/** Narrowest bar, in thousandths of the axis: a step of a millisecond is still to be seen. */
const NARROWEST = 6;

function barOf({ start, length }: Axis, begin: number, ms: number): { x: number; width: number } {
  const width = Math.min(1_000, Math.max(NARROWEST, Math.round((ms / length) * 1_000)));
  const x = Math.round(((begin - start) / length) * 1_000);
  return { x: Math.min(1_000 - width, Math.max(0, x)), width };
}
