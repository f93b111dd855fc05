import type { ReactNode } from "react";
import type { RunReport, StepReport } from "#app/domain/provisioning/index.server.ts";
import { formatDuration } from "../time.tsx";
import { count } from "./plan-words.ts";
import { Fold } from "./run-fold.tsx";
import { groupOutcome, isUrgent, statusOf } from "./run-group-words.ts";
import { groupSteps, type StepGroup } from "./run-groups.ts";
import { type Axis, ROW, Row } from "./run-row.tsx";
import { lengthOf, NOT_BEGUN, type Shown, StepItem } from "./run-step.tsx";
import { useRunClock } from "./use-run-clock.ts";

function axisOf(run: RunReport, now: number): Axis {
  const start = Date.parse(run.startedAt ?? run.createdAt);
  const end = run.endedAt ? Date.parse(run.endedAt) : now;
  const ends = run.steps.map((step) => lengthOf(step, now).end);
  return { start, length: Math.max(1, ...ends.map((at) => at - start), end - start) };
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
