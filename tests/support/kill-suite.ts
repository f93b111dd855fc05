/** Kills workers, case by case: a sample in `npm test`, every case in `npm run faults`. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defectsOf } from "./fault-evidence.ts";
import { type FaultLab, openFaultLab } from "./fault-lab.ts";
import type { KillCase } from "./kill-cases.ts";

/** One for each case that runs at the same time (Vitest's `maxConcurrency`), and some to take over. */
const WORKERS = 7;

/** Defines the tests of these cases, side by side in one Berth. */
export function describeKills(cases: readonly KillCase[]): void {
  let lab: FaultLab;
  const outcomes = { right: 0, wrong: 0, found: 0 };

  beforeAll(async () => {
    lab = await openFaultLab({ workers: WORKERS });
  });
  afterAll(async () => {
    if (!lab) return;
    const times = lab.takeOverMs.toSorted((a, b) => a - b);
    const at = (share: number) =>
      ((times[Math.ceil(share * times.length) - 1] ?? Number.NaN) / 1000).toFixed(1);
    process.stdout.write(
      `kill -9 of the worker: ${outcomes.right + outcomes.wrong} of ${cases.length} cases, ` +
        `${outcomes.right} right, ${outcomes.wrong} wrong; ` +
        `in ${outcomes.found} the effect was there and was found; ` +
        `take-over p50 ${at(0.5)} s, p99 ${at(0.99)} s (n = ${times.length})\n`,
    );
    await lab.stop();
  });

  describe.concurrent("another worker carries on when one is killed", () => {
    it.each(cases.map((one) => [one.name, one] as const))("%s", async (_name, one) => {
      const run = await lab.newRun();
      let defects = ["the case did not come to its end"];
      try {
        await one.strike(run, lab);
        await run.settled();
        const found = await run.evidence();
        defects = defectsOf(found, lab.clean);
        if (found.foundDone.length > 0) outcomes.found += 1;
        if (found.run.takeovers < 1) defects.push("nobody took over");
      } finally {
        outcomes[defects.length === 0 ? "right" : "wrong"] += 1;
        await run.close();
      }
      expect(defects).toEqual([]);
    });
  });

  it("leaves no secret in any log", async () => {
    const { logs, found } = await lab.secretsInLogs();
    expect(logs).toBeGreaterThan(WORKERS + cases.length);
    expect(found).toEqual([]);
  });
}
