/** What a list of steps is grouped by. */
interface Grouped {
  name: string;
  kind?: string;
  file?: string | null | undefined;
  about?: string | null | undefined;
}

/** Steps that one row stands for: files of one template and phase, or a single step. */
export interface StepGroup<Step> {
  /** "Inventory", "Inventory: policies"; of a single step, its name. */
  title: string;
  steps: [Step, ...Step[]];
}

/** The folder of a template's migrations; null for whatever is none of them. */
const folderOf = ({ file }: Grouped): string | null => {
  const end = file?.indexOf("/migrations/") ?? -1;
  return end < 0 || !file ? null : file.slice(0, end);
};

/**
 * The steps in their order, with consecutive migrations of one template as one group. What follows
 * the configuration of Auth are policies; where that is no step, as in a rehearsal, what comes back
 * to a template, or begins its files anew.
 */
export function groupSteps<Step extends Grouped>(steps: readonly Step[]): StepGroup<Step>[] {
  const groups: StepGroup<Step>[] = [];
  const seen = new Set<string>();
  let isLate = false;
  for (const step of steps) {
    const folder = folderOf(step);
    const last = groups.at(-1);
    if (step.kind === "auth-config") isLate = true;
    if (last && goesOn(last, step)) last.steps.push(step);
    else if (folder === null) groups.push({ title: stepTitle(step), steps: [step] });
    else {
      groups.push({ title: titleOf(step, isLate || seen.has(folder)), steps: [step] });
      seen.add(folder);
    }
  }
  return groups;
}

/** Whether a step is the next migration of the template whose group this is. */
function goesOn<Step extends Grouped>({ steps }: StepGroup<Step>, step: Step): boolean {
  const before = steps.at(-1);
  const folder = folderOf(step);
  if (!before || folder === null || folder !== folderOf(before)) return false;
  return (before.file ?? "") < (step.file ?? "");
}

function titleOf({ name }: Grouped, isLate: boolean): string {
  const [feature = name] = name.split(": ");
  return isLate ? `${feature}: policies` : feature;
}

/** A step by itself: buckets with what they are set to. */
export const stepTitle = ({ name, kind, about }: Grouped): string =>
  kind === "storage" && about ? `${name.replace(/^Storage: /, "Bucket ")}: ${about}` : name;

/** The name of a step's file in words, for where its template is known: "analytics 1.1 policies". */
export function fileWords({ name, file }: Grouped): string {
  const [, words] = /\/\d+_([^/]+)\.sql$/.exec(file ?? "") ?? [];
  if (words === undefined) return name;
  const spaced = words.replaceAll("_", " ").replace(/(?<=\d) (?=\d)/g, ".");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
