/** What the fault suites print: figures with their aims. Only `npm run faults` judges figures. */
import { appendFileSync } from "node:fs";

/** How often each kind of fault strikes at each place; `--rounds` of `npm run faults`. */
export function faultRounds(): number {
  const rounds = Number(process.env.BERTH_FAULT_ROUNDS ?? 20);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new Error("BERTH_FAULT_ROUNDS must be a whole number above zero.");
  }
  return rounds;
}

/** Prints a line now, and once more at the end of `npm run faults` where it is a result. */
export function report(line: string, isResult = false): void {
  process.stdout.write(`${line}\n`);
  const file = process.env.BERTH_FAULT_REPORT;
  if (isResult && file) appendFileSync(file, `${line}\n`);
}

/** Prints a figure beside its aim, in milliseconds; `npm run faults` fails where it is missed. */
export function reportFigure(name: string, milliseconds: number, aim: number, tries: number): void {
  const verdict = milliseconds <= aim ? "ok" : "NOT ok";
  report(
    `${name}: ${Math.round(milliseconds)} ms of at most ${aim}, n = ${tries}: ${verdict}`,
    true,
  );
}

/** A percentile of some figures; the greatest for 1. */
export function percentile(figures: readonly number[], share: number): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** How long take-overs took, on a machine that other runs kept busy: no verdict. */
export function printTakeOvers(milliseconds: readonly number[]): void {
  if (milliseconds.length === 0) return;
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) =>
    Math.round(percentile(milliseconds, share)),
  );
  report(
    `take-over: p50 ${p50} ms, p99 ${p99} ms, longest ${max} ms, n = ${milliseconds.length}`,
    true,
  );
}
