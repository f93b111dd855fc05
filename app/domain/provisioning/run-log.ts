import { redactText } from "#app/platform/redact.ts";
import type { StepError } from "#db/provisioning.ts";
import type { RunReport, StepReport } from "./run-report.ts";

/**
 * A run as plain text, for a ticket or a colleague: every step with times in UTC and, where one
 * failed, all that is known of it. Free of secrets, and of control characters that a terminal obeys.
 */
export function runLog(run: RunReport): string {
  const templates = Object.entries(run.templates).map((pair) => pair.join(" "));
  const lines = [
    `Run ${run.runId} of request ${run.requestId}`,
    `Status: ${run.status}`,
    `Templates: ${templates.join(", ")}`,
    `Created: ${run.createdAt}`,
    `Started: ${run.startedAt ?? "not yet"}`,
    `Ended: ${run.endedAt ?? "not yet"}`,
    `Take-overs by another worker: ${run.takeovers}`,
    ...describePlan(run),
    ...(run.cancelRequested
      ? [`End asked for: ${run.cancelRequested.at}, by ${run.cancelRequested.by}`]
      : []),
    ...(run.error
      ? ["", run.status === "cancelled" ? "The run was cancelled." : "The run itself failed."]
      : []),
    ...(run.error ? describeError(run.error) : []),
    "",
    ...run.steps.flatMap(describeStep),
  ];
  return `${lines.map((line) => plain(redactText(line))).join("\n")}\n`;
}

/** What the plan was made from, and how long the run was expected to go on. */
function describePlan({ basis, expectedRemainingMs }: RunReport): string[] {
  const left = expectedRemainingMs === null ? [] : [`Expected to go on: ${expectedRemainingMs} ms`];
  if (!basis) return ["Planned: without a look at the database", ...left];
  const state = basis.isFresh ? "fresh" : `${basis.applied} versions in its ledger`;
  return [
    `Planned: from the database as of ${basis.surveyedAt}, PostgreSQL ${basis.serverVersion}, ${state}`,
    ...left,
  ];
}

/** What a step was planned to do to what exists already. */
function describeEffects({ planned, effects }: StepReport): string[] {
  const plan = planned ? [`  planned: ${PLANNED_WORDS[planned]}`] : [];
  if (!effects) return plan;
  const { statements, transactional, timeoutMs, locks, rewrites, unseen = [] } = effects;
  const kind = transactional ? "in one transaction" : "without a transaction";
  return [
    ...plan,
    `  plan: ${statements} statements ${kind}, each within ${timeoutMs} ms`,
    ...locks.map(({ relation, mode, line }) => `  lock: ${mode} on ${relation} (line ${line})`),
    ...rewrites.map(({ relation, line, why }) => `  rewrite: ${relation}, ${why} (line ${line})`),
    ...unseen.map(
      ({ line, what }) =>
        `  unknown: ${what}; its locks cannot be known from the text (line ${line})`,
    ),
  ];
}

const PLANNED_WORDS: Record<NonNullable<StepReport["planned"]>, string> = {
  apply: "to apply",
  applied: "applied already",
  differs: "differs from what was applied",
};

function describeStep(step: StepReport): string[] {
  const took = step.durationMs === null ? "" : `, ${step.durationMs} ms`;
  const expected = step.expectedMs === null ? "" : `, expected ${step.expectedMs} ms`;
  const tried = step.attempts > 1 ? `, begun ${step.attempts} times` : "";
  const { failedAttempts, ...outcome } = step.outcome ?? {};
  const failed = Array.isArray(failedAttempts) ? failedAttempts : [];
  return [
    `${step.startedAt ?? "-"}  ${step.position + 1}. ${step.name}: ${step.status}${took}${expected}${tried}`,
    ...(step.file ? [`  file: ${step.file}`] : []),
    ...describeEffects(step),
    ...failed.map((line) => `  failed attempt: ${String(line)}`),
    ...describeOutcome(outcome),
    ...(step.error ? describeError(step.error) : []),
  ];
}

function describeOutcome(outcome: Record<string, unknown>): string[] {
  const { driftUncompared: reason, driftPartial, ...rest } = outcome;
  // An earlier version of Berth wrote down words: they are told as they stand.
  if (typeof reason !== "string" || typeof driftPartial !== "boolean") return factLines(outcome);
  const { drift, ...others } = rest;
  const isAccepted = drift === "accepted";
  return [
    ...factLines(isAccepted ? rest : others),
    driftPartial
      ? `  drift guard: the catalog was compared without ${reason}`
      : `  drift guard: the catalog was not compared: ${reason}`,
    driftPartial
      ? "  it means: nobody knows whether what these versions made was changed by hand; all else was compared"
      : "  it means: nobody knows whether the database was changed by hand; only its versions and their checksums were compared",
    `  what to do: nothing for this run, which ${isAccepted ? "a supervisor let pass" : "goes on"}; to be sure, ask the customer what was changed by hand`,
  ];
}

const factLines = (facts: Record<string, unknown>) =>
  Object.entries(facts).map(
    ([name, value]) => `  ${name}: ${Array.isArray(value) ? value.join(" | ") : String(value)}`,
  );

function describeError(error: StepError): string[] {
  return Object.entries(error).flatMap(([name, value]) =>
    Array.isArray(value)
      ? value.map((one) => `  ${name}: ${String(one)}`)
      : [`  ${name}: ${String(value)}`],
  );
}

/** One line, in which a terminal finds nothing to obey. */
const plain = (line: string) => line.replace(/\p{Cc}|\p{Zl}|\p{Zp}/gu, " ");
