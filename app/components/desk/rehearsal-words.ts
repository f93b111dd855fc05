import type { RehearsalView } from "#app/domain/provisioning/index.server.ts";
import { formatDuration } from "../time.tsx";
import { count } from "./plan-words.ts";

type Step = RehearsalView["steps"][number];
type Outcome = Step["outcome"];

/** What the files came to: how many went through, or that one did not. */
export function rehearsalSentence({ ok, steps, durationMs }: RehearsalView): string {
  const of = (outcome: Outcome) => steps.filter((step) => step.outcome === outcome).length;
  const took = `, in ${formatDuration(durationMs)}`;
  const failed = steps.find(({ outcome }) => outcome === "failed");
  if (failed) return `The run would fail at “${failed.name}”. Mend it, then rehearse again.`;
  const through = of("rehearsed");
  if (!ok) return `${count(through, "file")} went through; the rehearsal did not reach the rest.`;
  if (through === 0) return "There was nothing to rehearse.";
  const left = of("not_rehearsed");
  const rest = left > 0 ? ` ${count(left, "file")} cannot be rehearsed.` : "";
  return `${count(through, "file")} went through to the end${took}.${rest}`;
}

/** Where it was, and that it left nothing behind. */
export const rehearsalPlace = ({ where }: RehearsalView): string =>
  where === "backend"
    ? "It ran on the project itself, in one transaction that was rolled back: nothing was kept."
    : "The project holds rows, so it ran on a scratch copy of its catalog, without them. The copy is gone: nothing was kept.";

/** The outcome in a group that asks most for a person's eye. */
export function worstOf(steps: readonly Pick<Step, "outcome">[]): Outcome {
  const order = ["failed", "not_reached", "rehearsed", "not_rehearsed", "applied"] as const;
  const found = order.find((outcome) => steps.some((step) => step.outcome === outcome));
  return found ?? "not_reached";
}

const TALLIES: [Outcome, string][] = [
  ["failed", "failed"],
  ["rehearsed", "rehearsed"],
  ["applied", "applied already"],
  ["not_rehearsed", "not rehearsable"],
  ["not_reached", "not reached"],
];

/** "Rehearsed", "3 rehearsed, 1 not rehearsable": what became of the steps of a group. */
export function tally(steps: readonly Pick<Step, "outcome">[]): string {
  const found = TALLIES.flatMap(([outcome, word]) => {
    const number = steps.filter((step) => step.outcome === outcome).length;
    return number === 0 ? [] : [number === steps.length ? word : `${number} ${word}`];
  });
  const words = found.join(", ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
