import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Blow } from "../support/fault-instants.ts";
import { type FaultLab, openFaultLab } from "../support/fault-lab.ts";
import { faultPlaces } from "../support/fault-places.ts";
import { faultRounds, printTakeOvers, report } from "../support/fault-report.ts";
import { createTally } from "../support/fault-tally.ts";
import { gauntlet, judgedRun, lostCommits, type Play } from "../support/gauntlet.ts";
import { committingScripts } from "../support/run-scripts.ts";

const ROUNDS = faultRounds();
/** A round's places are shared out: a run that is taken over more than 20 times gives up. */
const RUNS_PER_ROUND = 3;
/** Restarts of each run: one of each way to end a server. */
const RESTARTS = 3;
/** Side by side: killed runs wait most of their time. More would only wait for a processor. */
const LANES = { killed: 4, other: 2 };
/** Workers that wait to take over, while others start in the place of killed ones. */
const SPARE = 4;

/** How often a fault is tried that finds nothing to strike: after the first time, by itself. */
const TRIES = 3;

const BLOWS = ["kill -9", "cut", "terminated", "restart", "lost COMMIT"] as const;
type Kind = (typeof BLOWS)[number];

let lab: FaultLab;
const tally = createTally();
const begun = Date.now();

beforeAll(async () => {
  lab = await openFaultLab({ workers: LANES.killed + LANES.other + SPARE });
});
afterAll(() => lab?.stop());

/** Every run that is to be played, by what strikes it. */
async function plans(): Promise<Record<Kind, Play[]>> {
  const round = await faultPlaces(lab);
  const rounds = Array.from({ length: ROUNDS }, (_, n) => round(n));
  tally.begin(round(0).map(({ place }) => place.name));
  const shares = (blow: Blow) =>
    rounds.flatMap((strikes) =>
      Array.from({ length: RUNS_PER_ROUND }, (_, share) =>
        gauntlet(
          blow,
          strikes.filter((_strike, at) => at % RUNS_PER_ROUND === share),
        ),
      ),
    );
  const restarts = rounds.slice(0, Math.ceil(ROUNDS / 2)).map((strikes, n) => {
    const apart = Math.floor(strikes.length / RESTARTS);
    return gauntlet(
      "restart",
      strikes.filter((_strike, at) => at % apart === n % apart).slice(0, RESTARTS),
    );
  });
  const scripts = await committingScripts();
  return {
    "kill -9": shares("kill -9"),
    cut: shares("cut"),
    terminated: shares("terminated"),
    restart: restarts,
    "lost COMMIT": Array.from({ length: Math.ceil(ROUNDS * 0.3) }, () => lostCommits(scripts)),
  };
}

interface Planned {
  kind: Kind;
  play: Play;
  tries?: number;
}

/** Plays runs in some lanes, each the next that waits; says now and then how far it is. */
async function playAll(waiting: Planned[], lanes: number): Promise<void> {
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { kind, play, tries = 1 } = next;
      const judged = await judgedRun(lab, play);
      const missed = judged.strikes.filter(({ isStruck }) => !isStruck);
      if (tries < TRIES) {
        const again = new Set(missed.map(({ alone = play }) => alone));
        for (const one of again) waiting.push({ kind, play: one, tries: tries + 1 });
      } else judged.defects.push(...missed.map(({ place }) => `${place}: nothing was struck`));
      tally.add(kind, judged);
      for (const defect of judged.defects) report(`WRONG ${kind}: ${defect}`);
      const { struck, wrong } = tally.total();
      const minutes = ((Date.now() - begun) / 60_000).toFixed(1);
      if (waiting.length % 5 === 0) {
        report(`${minutes} min: ${struck} faults, ${wrong} wrong; ${waiting.length} runs to go`);
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

describe("faults of every kind at every place", () => {
  let planned: Record<Kind, Play[]>;

  test("are played", { timeout: 7_200_000 }, async () => {
    planned = await plans();
    const runs = (kinds: readonly Kind[]) =>
      kinds.flatMap((kind) => planned[kind].map((play) => ({ kind, play })));
    await Promise.all([
      playAll(runs(["kill -9"]), LANES.killed),
      playAll(runs(["restart", "lost COMMIT", "cut", "terminated"]), LANES.other),
    ]);
    for (const line of tally.lines()) report(line, true);
  });

  test.each(BLOWS)("%s: every run ends as a clean one", (kind) => {
    expect(tally.defects(kind)).toEqual([]);
    expect(tally.total(kind).struck).toBeGreaterThanOrEqual(planned[kind].length);
  });

  test("take-overs", () => {
    printTakeOvers(lab.takeOverMs);
    expect(lab.takeOverMs.length).toBeGreaterThan(0);
  });

  test("leave no secret in any log", async () => {
    const { logs, found } = await lab.secretsInLogs();
    expect(logs).toBeGreaterThan(LANES.killed);
    expect(found).toEqual([]);
  });
});
