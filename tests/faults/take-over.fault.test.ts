import { afterAll, beforeAll, expect, test } from "vitest";
import { type FaultLab, openFaultLab } from "../support/fault-lab.ts";
import { percentile, printTakeOvers, report, reportFigure } from "../support/fault-report.ts";
import { judgedRun } from "../support/gauntlet.ts";
import { takeOverPlays } from "../support/take-over.ts";

const KILLS = 50;
/** One has the run, the others wait to take over. */
const WORKERS = 4;
const AIM_MS = 8_000;

let lab: FaultLab;

beforeAll(async () => {
  lab = await openFaultLab({ workers: WORKERS });
});
afterAll(() => lab?.stop());

test(`${KILLS} workers are killed in the middle of a step, one after another`, async () => {
  const begun = Date.now();
  let struck = 0;
  const wrong: string[] = [];
  for (const play of await takeOverPlays(lab, KILLS)) {
    const { strikes, defects } = await judgedRun(lab, play);
    struck += strikes.filter(({ isStruck }) => isStruck).length;
    wrong.push(...defects);
    const minutes = ((Date.now() - begun) / 60_000).toFixed(1);
    report(`${minutes} min: ${struck} of ${KILLS} killed, ${wrong.length} wrong`);
  }
  printTakeOvers(lab.takeOverMs);
  reportFigure("take-over, p99", percentile(lab.takeOverMs, 0.99), AIM_MS, lab.takeOverMs.length);
  expect(wrong).toEqual([]);
  expect([struck, lab.takeOverMs.length]).toEqual([KILLS, KILLS]);
});

test("leave no secret in any log", async () => {
  const { logs, found } = await lab.secretsInLogs();
  expect(logs).toBeGreaterThan(KILLS);
  expect(found).toEqual([]);
});
