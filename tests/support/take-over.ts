/** Kills of the holder of a run, one after another, on a machine that is at rest otherwise. */
import { newCustomer } from "./berth.ts";
import { atScript } from "./fault-instants.ts";
import type { FaultLab } from "./fault-lab.ts";
import type { PlannedStrike } from "./fault-places.ts";
import { gauntlet, type Play } from "./gauntlet.ts";
import { plannedRun } from "./run-scripts.ts";

/** A run that is taken over more than 20 times gives up. */
const KILLS_PER_RUN = 10;

/**
 * Runs whose holders are killed in the middle of steps, `kills` times in all. Each kill waits until
 * every worker is ready, the one in the place of the last one killed too.
 */
export async function takeOverPlays(lab: FaultLab, kills: number): Promise<Play[]> {
  const { scripts } = await plannedRun(newCustomer().features);
  const strikes = (run: number): PlannedStrike[] => {
    const first = run * KILLS_PER_RUN;
    const some = scripts.filter((_script, at) => at % 2 === run % 2);
    return some.slice(0, Math.min(KILLS_PER_RUN, kills - first)).map((script, at) => ({
      place: {
        name: `in ${script.name}`,
        async prepare(striking) {
          const instant = await atScript(striking, script);
          const come = () => lab.ready().then(instant.come);
          return { ...instant, come };
        },
      },
      nth: first + at,
    }));
  };
  const runs = Math.ceil(kills / KILLS_PER_RUN);
  return Array.from({ length: runs }, (_, run) => gauntlet("kill -9", strikes(run)));
}
