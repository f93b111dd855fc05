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
    ...(run.error ? ["", "The run itself failed.", ...describeError(run.error)] : []),
    "",
    ...run.steps.flatMap(describeStep),
  ];
  return `${lines.map((line) => plain(redactText(line))).join("\n")}\n`;
}

function describeStep(step: StepReport): string[] {
  const took = step.durationMs === null ? "" : `, ${step.durationMs} ms`;
  const tried = step.attempts > 1 ? `, begun ${step.attempts} times` : "";
  const facts = Object.entries(step.outcome ?? {}).map(
    ([name, value]) => `  ${name}: ${Array.isArray(value) ? value.join(" | ") : String(value)}`,
  );
  return [
    `${step.startedAt ?? "-"}  ${step.position + 1}. ${step.name}: ${step.status}${took}${tried}`,
    ...(step.file ? [`  file: ${step.file}`] : []),
    ...facts,
    ...(step.error ? describeError(step.error) : []),
  ];
}

function describeError(error: StepError): string[] {
  return Object.entries(error).map(([name, value]) => `  ${name}: ${String(value)}`);
}

/** One line, in which a terminal finds nothing to obey. */
const plain = (line: string) => line.replace(/\p{Cc}|\p{Zl}|\p{Zp}/gu, " ");
