/** Counts faults by place and kind, and prints them as a table. */
import type { Judged } from "./gauntlet.ts";

interface Count {
  struck: number;
  right: number;
  wrong: number;
  found: number;
}

export interface Tally {
  /** Puts these places first, in this order. */
  begin(places: readonly string[]): void;
  add(blow: string, run: Judged): void;
  /** Of one kind, or of all. */
  total(blow?: string): Count;
  /** The lines of the table. */
  lines(): string[];
  /** What is wrong with runs that were struck by this. */
  defects(blow: string): string[];
}

const COLUMNS = ["struck", "right", "wrong", "found"] as const;

/** An empty tally. */
export function createTally(): Tally {
  const counts = new Map<string, Map<string, Count>>();
  const wrong: { blow: string; defect: string }[] = [];

  const countOf = (place: string, blow: string): Count => {
    const row = counts.get(place) ?? new Map<string, Count>();
    counts.set(place, row);
    const count = row.get(blow) ?? { struck: 0, right: 0, wrong: 0, found: 0 };
    row.set(blow, count);
    return count;
  };
  const blows = () => [...new Set([...counts.values()].flatMap((row) => [...row.keys()]))];
  const total = (blow?: string): Count => {
    const sum = { struck: 0, right: 0, wrong: 0, found: 0 };
    for (const row of counts.values()) {
      for (const [name, count] of row) {
        if (blow !== undefined && name !== blow) continue;
        for (const column of COLUMNS) sum[column] += count[column];
      }
    }
    return sum;
  };

  return {
    begin(places) {
      for (const place of places) counts.set(place, new Map());
    },
    add(kind, { strikes, defects }) {
      for (const { place, blow, isFound } of strikes.filter(({ isStruck }) => isStruck)) {
        const count = countOf(place, blow);
        count.struck += 1;
        count[defects.length === 0 ? "right" : "wrong"] += 1;
        count.found += isFound ? 1 : 0;
      }
      for (const defect of defects) wrong.push({ blow: kind, defect });
    },
    total,
    lines() {
      const names = blows();
      const row = (place: string, cells: string[]) =>
        place.padEnd(48) + cells.map((cell) => cell.padStart(16)).join("");
      const cell = (count?: Count) =>
        count ? `${count.struck} ${count.right} ${count.wrong} (${count.found})` : "";
      return [
        row("struck, right, wrong (found done already) at:", names),
        ...[...counts].map(([place, at]) =>
          row(
            place,
            names.map((name) => cell(at.get(name))),
          ),
        ),
        row(
          "in all",
          names.map((name) => cell(total(name))),
        ),
      ];
    },
    defects: (blow) => wrong.filter((one) => one.blow === blow).map(({ defect }) => defect),
  };
}
