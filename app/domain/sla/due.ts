/** A stretch of a request's clock. The open one has no end. */
export interface ClockSegment {
  kind: "running" | "paused" | "stopped";
  startedAt: Date;
  endedAt: Date | null;
}

const HOUR_MS = 3_600_000;

/**
 * When a request is due: the promise is used up by running segments alone. Around the clock, every
 * day of the week. Pure, and computed anew from all segments each time, so that no error adds up.
 * @returns null while the clock does not run.
 */
export function dueAt(segments: readonly ClockSegment[], targetHours: number): Date | null {
  let left = targetHours * HOUR_MS;
  for (const { kind, startedAt, endedAt } of segments) {
    if (kind !== "running") continue;
    if (endedAt === null) return new Date(startedAt.getTime() + left);
    left -= endedAt.getTime() - startedAt.getTime();
  }
  return null;
}

/**
 * When a request is likely to be done: as long after its start as the middle one of the recent ones
 * took, never before now, and never beyond the promise unless that is past already.
 */
export function estimateCompletion(facts: {
  now: Date;
  createdAt: Date;
  due: Date;
  recentDurationsMs: readonly number[];
}): Date {
  const sorted = [...facts.recentDurationsMs].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) return facts.due;
  const likely = facts.createdAt.getTime() + middle;
  const bounded = Math.min(likely, facts.due.getTime());
  return new Date(Math.max(bounded, facts.now.getTime()));
}
