import { ChevronRight } from "lucide-react";
import type { ReactNode } from "react";
import type { StepReport } from "#app/domain/provisioning/index.server.ts";
import { Duration } from "../time.tsx";
import { STEP_LOOKS } from "./run-words.ts";

/** From when to when a run's time axis goes; the steps' bars are measured against it. */
export interface Axis {
  start: number;
  length: number;
}

/**
 * Whether it opens, icon, name, what it did, bar, duration; on a narrow screen the bar has a line of
 * its own.
 */
const LINE = "grid grid-cols-[0.875rem_1rem_minmax(0,1fr)_auto] items-center gap-x-2";
export const ROW = `${LINE} lg:grid-cols-[0.875rem_1rem_minmax(0,17rem)_minmax(0,15rem)_minmax(6rem,1fr)_4.5rem]`;

/** The same within a group: set in, with the axis where it was. */
const NESTED_ROW = `${LINE} pl-3 lg:pl-6 lg:grid-cols-[0.875rem_1rem_minmax(0,15.5rem)_minmax(0,15rem)_minmax(6rem,1fr)_4.5rem]`;

/** One line of a run's list of steps. */
export function Row(props: {
  status: StepReport["status"];
  /** What it did is in the colour of its state. */
  isLoud: boolean;
  isNested?: boolean;
  /** What turns the mark of whatever opens; null where nothing does. */
  chevron: string | null;
  did: string;
  axis: Axis;
  begin: number;
  ms: number | null;
  /** Its name. */
  children: ReactNode;
}) {
  const { status, isLoud, isNested = false, chevron, did, axis, begin, ms, children } = props;
  const { word, icon: Icon, ink, fill } = STEP_LOOKS[status];
  return (
    <div className={isNested ? NESTED_ROW : ROW}>
      {chevron === null ? (
        <span />
      ) : (
        <ChevronRight
          size={14}
          aria-hidden="true"
          className={`text-quiet transition-transform duration-150 ${chevron}`}
        />
      )}
      <Icon
        size={16}
        aria-hidden="true"
        className={`${ink} ${status === "running" ? "motion-safe:animate-spin" : ""}`}
      />
      <span className={`min-w-0 wrap-break-word ${status === "pending" ? "text-quiet" : ""}`}>
        {children}
        {/* Where the words beside say something else, the state is still told. */}
        <span className="sr-only">{status === "pending" ? ". " : `, ${word}. `}</span>
      </span>
      <span
        className={`min-w-0 text-quiet max-lg:col-span-2 max-lg:col-start-3 max-lg:row-start-2 max-lg:text-xs ${
          isLoud ? `font-medium ${ink}` : ""
        }`}
      >
        {did}
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

/** Narrowest bar, in thousandths of the axis: a step of a millisecond is still to be seen. */
const NARROWEST = 6;

function barOf({ start, length }: Axis, begin: number, ms: number): { x: number; width: number } {
  const width = Math.min(1_000, Math.max(NARROWEST, Math.round((ms / length) * 1_000)));
  const x = Math.round(((begin - start) / length) * 1_000);
  return { x: Math.min(1_000 - width, Math.max(0, x)), width };
}
