import type { PLANNED, PlanBasis, StepEffects } from "#db/provisioning.ts";
import { formatDuration } from "../time.tsx";

/** A step of a plan, as the pages show it. */
export interface PlanStep {
  name: string;
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

/** The time limit of each statement where it is not the usual one. */
export const limitWords = (effects: StepEffects): string =>
  effects.timeoutMs === USUAL_LIMIT_MS
    ? ""
    : `at most ${formatDuration(effects.timeoutMs)} per statement`;
