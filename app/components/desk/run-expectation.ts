import type { RunReport } from "#app/domain/provisioning/index.server.ts";
import { formatDuration } from "../time.tsx";

type Expected = Pick<RunReport, "now" | "expectedRemainingMs"> & {
  steps: Pick<RunReport["steps"][number], "status" | "startedAt" | "expectedMs">[];
};

/** By how much more than expected a step must take before it is said, in milliseconds. */
const GRACE_MS = 3_000;

/** Whether the step in progress takes clearly longer than it did in earlier runs. */
export function takesLonger({ steps }: Pick<Expected, "steps">, at: number): boolean {
  const running = steps.find(({ status }) => status === "running");
  if (!running?.startedAt || running.expectedMs === null) return false;
  const elapsed = at - Date.parse(running.startedAt);
  return elapsed > 2 * running.expectedMs + GRACE_MS;
}

/**
 * "about 12 s", by what the steps took in earlier runs; null where nobody knows. Between two answers
 * of the server only the step in progress grows shorter: those after it have not begun.
 * @param at milliseconds since the epoch by the server's clock, at or after `run.now`
 */
export function leftWords(
  { now, expectedRemainingMs, steps }: Expected,
  at: number,
): string | null {
  if (expectedRemainingMs === null) return null;
  const given = Date.parse(now);
  const running = steps.find(({ status }) => status === "running");
  const begun = running?.startedAt ? Date.parse(running.startedAt) : given;
  const ofRunning = Math.max(0, (running?.expectedMs ?? 0) - (given - begun));
  const left = expectedRemainingMs - Math.min(at - given, ofRunning);
  const seconds = Math.max(1, Math.ceil(left / 1_000));
  return `about ${seconds < 60 ? `${seconds} s` : formatDuration(seconds * 1_000)}`;
}
