import type { Checked } from "./check.ts";
import type { Finding } from "./findings.ts";
import type { Timings } from "./timings.ts";

/** Files and databases that are listed; the others are quicker. */
const LISTED = 10;

/** The outcome as text: times first, what is wrong at the end, where people look. */
export function textOf({ names, findings, steps, files, databases }: Checked): string {
  const lines = [
    ...table("step", steps, Number.POSITIVE_INFINITY),
    ...table("file, slowest first", files, LISTED),
    ...table("database, slowest first", databases, LISTED),
    ...findings.flatMap(({ message, seen }) => ["", message, ...places(seen)]),
    "",
    summaryOf(names, findings),
  ];
  return `${lines.join("\n")}\n`;
}

function table(title: string, timings: Timings, most: number): string[] {
  const all = timings.slowest();
  if (all.length === 0) return [];
  const rows = all.slice(0, most).map(({ step, mean, times }) => {
    const often = times > 1 ? `  mean of ${times}` : "";
    return `${step.padEnd(68)} ${seconds(mean).padStart(8)}${often}`;
  });
  const more = all.length > rows.length ? [`and ${all.length - rows.length} more`] : [];
  return ["", `${title}`, ...rows, ...more];
}

const seconds = (ms: number) =>
  ms < 1_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1_000).toFixed(1)} s`;

/** Where a database showed it: one line says it, a long list is cut. */
function places(seen: readonly string[]): string[] {
  if (seen.length === 0) return [];
  const more = seen.length > 2 ? ` and ${seen.length - 2} more` : "";
  return [`  in ${seen.slice(0, 2).join("; ")}${more}`];
}

function summaryOf(names: readonly string[], findings: readonly Finding[]): string {
  const what = names.length > 0 ? names.join(", ") : "the templates";
  if (findings.length === 0) return `green: ${what}`;
  return `red: ${findings.length} ${findings.length === 1 ? "finding" : "findings"} in ${what}`;
}

/** The outcome for machines. */
export function jsonOf({ names, findings, steps, files, databases }: Checked): string {
  const times = { steps: steps.slowest(), files: files.slowest(), databases: databases.slowest() };
  return `${JSON.stringify({ ok: findings.length === 0, names, findings, times }, null, 2)}\n`;
}
