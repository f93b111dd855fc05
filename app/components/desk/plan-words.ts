import type { PLANNED, PlanBasis, StepEffects } from "#db/provisioning.ts";
import { formatDuration } from "../time.tsx";

/** A step of a plan, as the pages show it. */
export interface PlanStep {
  name: string;
  kind?: string;
  about?: string | null | undefined;
  file?: string | null | undefined;
  ledgerVersion?: string | null | undefined;
  planned?: (typeof PLANNED)[number] | null | undefined;
  effects?: StepEffects | null | undefined;
  expectedMs?: number | null | undefined;
}

/** What a run will do, step by step; `strangers` are versions in the ledger that no template has. */
export interface ShownPlan {
  steps: readonly PlanStep[];
  strangers: readonly string[];
  basis: PlanBasis | null;
}

/** How long each statement may take unless its file says otherwise, in milliseconds. */
const USUAL_LIMIT_MS = 300_000;

/** "1 file", "9 files". */
export const count = (number: number, one: string, more = `${one}s`) =>
  `${number} ${number === 1 ? one : more}`;

/** What a plan comes to: "11 steps, 9 files, 290 statements on a fresh PostgreSQL 17.6; …". */
export function planSentence({ steps, basis }: ShownPlan): string {
  const files = steps.filter(({ file }) => file);
  const applied = files.filter(({ planned }) => planned === "applied").length;
  const differing = files.filter(({ planned }) => planned === "differs").length;
  const statements = files
    .filter(({ planned }) => planned !== "applied")
    .reduce((sum, { effects }) => sum + (effects?.statements ?? 0), 0);
  const sizes = [
    count(steps.length, "step"),
    count(files.length, "file"),
    `${count(statements, "statement")}${applied > 0 ? " still to apply" : ""}`,
  ].join(", ");
  const where = basis
    ? ` on ${basis.isFresh ? "a fresh " : ""}PostgreSQL ${basis.serverVersion.split(" ")[0]}`
    : "";
  const standing =
    applied > 0
      ? `${applied} of ${count(files.length, "file")} ${applied === 1 ? "is" : "are"} applied already.`
      : "nothing is applied yet.";
  const differs =
    differing > 0
      ? ` ${count(differing, "file")} ${differing === 1 ? "differs" : "differ"} from what was applied: the run stops there unless a supervisor has accepted the difference.`
      : "";
  return `${sizes}${where}; ${standing}${differs}`;
}

/** What versions mean that the database has and no template knows. */
export const strangerWords = (strangers: readonly string[]): string =>
  strangers.length === 1
    ? "The database’s ledger lists a version that no template of Berth knows. The run stops at it until a supervisor accepts it:"
    : `The database’s ledger lists ${strangers.length} versions that no template of Berth knows. The run stops at them until a supervisor accepts them:`;

/** "usually 0.4 s", where earlier runs have taught it. */
export const expectedWords = (ms: number | null | undefined): string =>
  ms === null || ms === undefined ? "" : `usually ${formatDuration(ms)}`;

/**
 * The time limit of each statement where it is not the usual one.
 * @param isAlways also where it is
 */
export const limitWords = (
  { timeoutMs }: Pick<StepEffects, "timeoutMs">,
  isAlways = false,
): string =>
  timeoutMs === USUAL_LIMIT_MS && !isAlways
    ? ""
    : `at most ${formatDuration(timeoutMs)} per statement`;

/** The limit that all files of a group share; null where they do not. */
export function commonLimit(steps: readonly PlanStep[]): number | null {
  const limits = new Set(steps.flatMap(({ effects }) => (effects ? [effects.timeoutMs] : [])));
  const [limit] = limits;
  return limits.size === 1 && limit !== undefined ? limit : null;
}

/** Whether a person must see it before a run: it locks or rewrites what exists, or differs. */
export const mustBeSeen = ({ planned, effects }: PlanStep): boolean =>
  planned === "differs" ||
  ((planned ?? "apply") === "apply" &&
    effects !== null &&
    effects !== undefined &&
    effects.locks.length + effects.rewrites.length > 0);

/** The folder of a file, once for all files in it. */
export const pathWords = (file: string | null | undefined): string =>
  file?.slice(0, file.lastIndexOf("/") + 1) ?? "";

/** What the files of a group come to: statements, standing, locks, times. */
export function groupFacts(steps: readonly PlanStep[]): string[] {
  const files = steps.filter(({ effects }) => effects);
  const toDo = files.filter(({ planned }) => (planned ?? "apply") === "apply");
  const sum = (of: (effects: StepEffects) => number) =>
    toDo.reduce((total, { effects }) => total + (effects ? of(effects) : 0), 0);
  const standing = (planned: PlanStep["planned"], word: string) => {
    const number = files.filter((step) => step.planned === planned).length;
    return number > 0 && number < files.length ? `${number} of ${files.length} ${word}` : "";
  };
  const locking = toDo.filter(({ effects }) => effects && effects.locks.length > 0).length;
  const rewrites = sum((effects) => effects.rewrites.length);
  const unseen = toDo.filter(({ effects }) => effects?.unseen?.length).length;
  const limit = commonLimit(files);
  return [
    toDo.length > 0
      ? count(
          sum((effects) => effects.statements),
          "statement",
        )
      : "",
    standing("applied", "applied already"),
    standing("differs", "differ from what was applied"),
    locking > 0
      ? `${steps.length > 1 ? `${count(locking, "file")} ${locking === 1 ? "locks" : "lock"}` : "locks"} what exists`
      : "",
    rewrites > 0 ? count(rewrites, "rewrite") : "",
    unseen > 0 && steps.length > 1 ? `locks of ${count(unseen, "file")} not known` : "",
    toDo.length > 0 && locking + unseen === 0 ? "no locks on what exists" : "",
    expectedSum(toDo.length > 0 ? toDo : steps),
    toDo.length > 0 && limit !== null ? limitWords({ timeoutMs: limit }) : "",
  ].filter(Boolean);
}

/** What all steps together usually take; empty where one of them is unknown. */
export function expectedSum(steps: readonly Pick<PlanStep, "expectedMs">[]): string {
  let sum = 0;
  for (const { expectedMs } of steps) {
    if (expectedMs === null || expectedMs === undefined) return "";
    sum += expectedMs;
  }
  return expectedWords(sum);
}
