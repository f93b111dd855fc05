import { faultPlaces } from "../support/fault-places.ts";
import { retryCases } from "../support/fault-retry.ts";
import { describeFaults, type FaultCase } from "../support/fault-suite.ts";
import { gauntlet, lostCommits, type Play } from "../support/gauntlet.ts";
import { pairCases } from "../support/pair-cases.ts";
import { committingScripts } from "../support/run-scripts.ts";

/** Of one round, every `apart`th place from the `first` on; another `round` has other instants. */
const places =
  (blow: Parameters<typeof gauntlet>[0], round: number, apart: number, first: number): Play =>
  async (run, lab) => {
    const strikes = (await faultPlaces(lab))(round);
    const some = strikes.filter((_strike, at) => at % apart === first);
    return gauntlet(blow, some)(run, lab);
  };

const sample: [string, Play][] = [
  ["kill -9 of the worker, at four places", places("kill -9", 3, 9, 2)],
  ["kill -9 of the worker, at four others", places("kill -9", 2, 9, 7)],
  ["cut connections, at a dozen places", places("cut", 1, 3, 0)],
  ["cut connections, at a dozen others", places("cut", 2, 3, 1)],
  ["pg_terminate_backend, at a dozen places", places("terminated", 2, 3, 2)],
  ["restarts of the customer's server", places("restart", 0, 12, 4)],
  ["lost COMMITs", async (run, lab) => lostCommits(await committingScripts())(run, lab)],
];

const cases: FaultCase[] = sample.map(([name, play]) => ({
  name,
  async play(run, lab) {
    const { strikes, defects } = await play(run, lab);
    return strikes.some(({ isStruck }) => isStruck) ? defects : ["nothing was struck"];
  },
}));

describeFaults(
  "a sample of the faults",
  [
    ...cases,
    ...(await pairCases()).filter(({ sample }) => sample),
    ...(await retryCases(1)).filter(({ sample }) => sample),
  ],
  { workers: 9, links: true },
);
