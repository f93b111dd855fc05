/** One row of a bench: what one side took, or did in a second, for one case. */
export interface Row {
  case: string;
  side: string;
  unit: string;
  median: number;
  n: number;
}

/** How two sides compare, and what is aimed at. */
export interface Ratio {
  name: string;
  value: number;
  goal: string;
  ok: boolean;
}

export interface Report {
  bench: string;
  rows: Row[];
  ratios: Ratio[];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The report as a table for people. */
export function asTable({ bench, rows, ratios }: Report): string {
  return [
    `bench ${bench}`,
    ...rows.map(
      (row) =>
        `  ${row.case.padEnd(28)} ${row.side.padEnd(24)} ${row.median.toFixed(1).padStart(9)} ${row.unit.padEnd(6)} n=${row.n}`,
    ),
    ...ratios.map(
      ({ name, value, goal, ok }) =>
        `  ${name.padEnd(53)} ${value.toFixed(2).padStart(9)}     goal ${goal} ${ok ? "reached" : "MISSED"}`,
    ),
    "",
  ].join("\n");
}
