/** Plays faults, side by side in one Berth: a sample in `npm test`, all in `npm run faults`. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defectsOf, type Evidence } from "./fault-evidence.ts";
import { type FaultLab, openFaultLab } from "./fault-lab.ts";
import { printTakeOvers, report } from "./fault-report.ts";
import type { FaultedRun } from "./faulted-run.ts";

export interface FaultCase {
  name: string;
  /** Whether `npm test` plays it too. */
  sample?: boolean;
  /**
   * Begins the run, lets the fault strike, and waits until the request is settled. Says what is
   * wrong beyond what the run has left, which is compared with a clean run's afterwards.
   */
  play(run: FaultedRun, lab: FaultLab): Promise<string[]>;
  /** What the run must leave, where it is not what a run without any fault leaves. */
  wanted?(lab: FaultLab): Promise<Evidence>;
}

/**
 * Defines one test for each case, and one that looks for their secrets in every log. `workers`:
 * one for each case that is played at the same time (Vitest's `maxConcurrency`), and some more to
 * take over. `links`: see {@link openFaultLab}.
 */
export function describeFaults(
  title: string,
  cases: readonly FaultCase[],
  options: { workers: number; links?: boolean },
): void {
  let lab: FaultLab;
  const outcomes = { right: 0, wrong: 0, found: 0 };

  beforeAll(async () => {
    lab = await openFaultLab(options);
  });
  afterAll(async () => {
    if (!lab) return;
    report(
      `${title}: ${outcomes.right + outcomes.wrong} of ${cases.length} cases, ` +
        `${outcomes.right} right, ${outcomes.wrong} wrong; ` +
        `in ${outcomes.found} the effect was there and was found`,
      true,
    );
    printTakeOvers(lab.takeOverMs);
    await lab.stop();
  });

  describe.concurrent(title, () => {
    it.each(cases.map((one) => [one.name, one] as const))("%s", async (_name, one) => {
      const run = await lab.newRun();
      let defects = ["the case did not come to its end"];
      try {
        const said = await one.play(run, lab);
        const found = await run.evidence();
        if (found.foundDone.length > 0) outcomes.found += 1;
        const wanted = (await one.wanted?.(lab)) ?? lab.clean;
        defects = [...said, ...defectsOf(found, wanted)];
      } finally {
        outcomes[defects.length === 0 ? "right" : "wrong"] += 1;
        await run.close();
      }
      expect(defects).toEqual([]);
    });
  });

  it("leaves no secret in any log", async () => {
    const { logs, found } = await lab.secretsInLogs();
    expect(logs).toBeGreaterThan(options.workers);
    expect(found).toEqual([]);
  });
}
