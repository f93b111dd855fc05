import type { StepReport } from "#app/domain/provisioning/index.server.ts";
import { count, expectedSum } from "./plan-words.ts";
import { outcomeWords, STEP_LOOKS } from "./run-words.ts";

type Status = StepReport["status"];

/**
 * How a group of steps stands: by the step that asks most for a person's eye.
 * @param goesOn whether its run does: between two of its steps a group is still running
 */
export function statusOf(steps: readonly Pick<StepReport, "status">[], goesOn: boolean): Status {
  const any = (status: Status) => steps.some((step) => step.status === status);
  for (const status of ["failed", "needs_person", "running"] as const) {
    if (any(status)) return status;
  }
  if (!any("pending")) return "done";
  return goesOn && any("done") ? "running" : "pending";
}

/** Whether a group is to be open: something in it is under way, or did not go well. */
export const isUrgent = (status: Status, steps: readonly Pick<StepReport, "error">[]): boolean =>
  (status !== "done" && status !== "pending") || steps.some(({ error }) => error !== null);

/**
 * What the steps of a group did together, in a few words.
 * @param ahead the words for what has not begun
 */
export function groupOutcome(status: Status, steps: readonly StepReport[], ahead: string): string {
  const done = steps.filter((step) => step.status === "done");
  if (status !== "done") {
    if (done.length === 0 && status === "pending") {
      const isToCome = ahead === "Next" || ahead === "Waiting";
      return [ahead, isToCome ? expectedSum(steps) : ""].filter(Boolean).join(", ");
    }
    const place = `${done.length} of ${steps.length} done`;
    return status === "pending" ? place : `${STEP_LOOKS[status].word}, ${place}`;
  }
  const applied = done.flatMap(({ outcome }) =>
    outcome?.outcome === "applied" && typeof outcome.statements === "number"
      ? [outcome.statements]
      : [],
  );
  const others = new Map<string, number>();
  for (const step of done) {
    if (typeof step.outcome?.statements === "number" && step.outcome.outcome === "applied")
      continue;
    const words = outcomeWords(step) || "Done";
    others.set(words, (others.get(words) ?? 0) + 1);
  }
  const notices = done.flatMap(({ outcome }) =>
    outcome?.outcome === "applied" && Array.isArray(outcome.notices) ? outcome.notices : [],
  );
  return [
    ...(applied.length > 0
      ? [
          `${count(
            applied.reduce((sum, one) => sum + one, 0),
            "statement",
          )} applied`,
        ]
      : []),
    ...[...others].map(([words, number]) =>
      number === steps.length
        ? words
        : `${number} × ${words.charAt(0).toLowerCase()}${words.slice(1)}`,
    ),
    ...(notices.length > 0 ? [count(notices.length, "notice")] : []),
  ].join(", ");
}
