import type { DatabaseSurvey } from "#app/integrations/postgres/survey.ts";
import type { PlanBasis } from "#db/provisioning.ts";
import { PlanChangedError } from "./errors.ts";
import type { PlannedStep, RunPlan } from "./plan.ts";

/** The plan that a run was started with. */
export interface AgreedPlan {
  /** Null where nobody had looked at the database by then. */
  basis: PlanBasis | null;
  files: readonly { file: string; checksum: string }[];
}

/** The files of a plan, or of the steps that keep it. */
export const filesOf = (
  steps: readonly { file?: string | null | undefined; checksum?: string | null | undefined }[],
): AgreedPlan["files"] =>
  steps.flatMap(({ file, checksum }) => (file && checksum ? [{ file, checksum }] : []));

/**
 * Compares the plan that was agreed to with the same plan made now. What this run has applied itself
 * is no difference.
 * @throws PlanChangedError that names each difference
 */
export function requireUnchanged(
  agreed: AgreedPlan,
  now: Pick<RunPlan, "steps">,
  survey: DatabaseSurvey,
  runId: string,
): void {
  const changes = [
    ...fileChanges(agreed.files, now.steps),
    ...(agreed.basis ? databaseChanges(agreed.basis, survey, runId) : []),
  ];
  if (changes.length > 0) throw new PlanChangedError(changes);
}

function fileChanges(agreed: AgreedPlan["files"], steps: readonly PlannedStep[]): string[] {
  const before = new Map(agreed.map(({ file, checksum }) => [file, checksum]));
  const after = new Map(filesOf(steps).map(({ file, checksum }) => [file, checksum]));
  return [
    ...[...before].flatMap(([file, checksum]) => {
      if (!after.has(file)) return [`${file} is no longer in its template`];
      return after.get(file) === checksum ? [] : [`${file} is not the file that was planned`];
    }),
    ...[...after.keys()].filter((file) => !before.has(file)).map((file) => `${file} is new`),
  ];
}

function databaseChanges(basis: PlanBasis, survey: DatabaseSurvey, runId: string): string[] {
  const before = new Map(Object.entries(basis.applied));
  const changes = survey.ledger.flatMap(({ version, checksum, runId: by }) => {
    if (by === runId) return [];
    if (!before.has(version)) return [`version ${version} has been applied since`];
    if (before.get(version) === checksum) return [];
    return [`version ${version} is there with another checksum than then`];
  });
  const there = new Set(survey.ledger.map(({ version }) => version));
  const gone = [...before.keys()]
    .filter((version) => !there.has(version))
    .map((version) => `version ${version} is no longer in the ledger`);
  const major = Number.parseInt(basis.serverVersion, 10);
  const server =
    major === survey.serverMajor
      ? []
      : [`the server is PostgreSQL ${survey.serverMajor}, and was ${major}`];
  return [...changes, ...gone, ...server];
}
