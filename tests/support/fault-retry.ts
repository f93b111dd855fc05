/**
 * Retries of half-built projects: a run fails in the middle, the obstacle is removed, and the retry
 * is struck while it holds the database against its ledger, in a scratch database, and right after.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, newCustomer, PATIENCE_MS } from "./berth.ts";
import { defectsOf, type Evidence } from "./fault-evidence.ts";
import type { FaultLab } from "./fault-lab.ts";
import type { FaultCase } from "./fault-suite.ts";
import type { FaultedRun } from "./faulted-run.ts";
import type { ArmedFault, MessageTest } from "./proxy.ts";
import { matches, PREPARING, plannedRun, type Script } from "./run-scripts.ts";

const BLOWS = ["kill -9", "cut", "terminated"] as const;
type RetryBlow = (typeof BLOWS)[number];

/** The file that the first run fails in, and the relation by which it does. */
const FILE = "pos/migrations/20260901020100_registers_and_sales.sql";
const RELATION = "public.receipts";
/** A table of the platform's: no worker has compared an equal database yet, so none may rely on that. */
const MARK = "extensions.fault_mark";
/** Longest time after which a message under way is struck, in milliseconds. */
const AT_WORK_MS = 60;

interface Moment {
  name: string;
  when: MessageTest;
  nth: number;
  /** Whether a scratch database stands. */
  isScratch: boolean;
}

const isQuery: MessageTest = (message, { application }) =>
  message.type === "Q" && application === "berth-scratch";

/** The moments of one round; each round takes others of the same kind. */
function momentsOf(round: number, preparing: Script): Moment[] {
  // The replay sends each of the five versions that are applied as a script of its own.
  const isReplay: MessageTest = (message, session) =>
    isQuery(message, session) && session.sql.includes("create table public.");
  return [
    { name: "the scratch database stands", when: isQuery, nth: 1 + (round % 4), isScratch: true },
    { name: "the replay goes on", when: isReplay, nth: 1 + (round % 4), isScratch: true },
    { name: "right after", when: matches(preparing), nth: 1, isScratch: false },
  ];
}

/** Lets a run fail in the middle, and removes what it failed by. */
async function failInTheMiddle(run: FaultedRun, failing: Script, mark: string): Promise<void> {
  const held = run.proxy.arm({ from: "client", when: matches(failing), action: "hold" });
  await run.begin();
  await held.reached;
  await run.platform(
    `create view ${RELATION} as select 1 as n; create table ${MARK} (${mark} int)`,
  );
  held.disarm();
  await run.settled();
  await run.platform(`drop view ${RELATION}`);
}

const strikes: Record<
  RetryBlow,
  (run: FaultedRun, moment: Moment, held: ArmedFault) => Promise<boolean>
> = {
  async "kill -9"(run, _moment, held) {
    const killed = await run.kill();
    run.cut();
    held.disarm();
    await run.takenOver(killed);
    return true;
  },
  async cut(run, _moment, held) {
    const sessions = run.cut();
    held.disarm();
    return sessions > 0;
  },
  async terminated(run, { isScratch }, held) {
    const sessions = await run.terminate(isScratch ? "scratch" : undefined);
    held.disarm();
    return sessions > 0;
  },
};

/** Waits until the retry has come to a moment, and strikes; says what is wrong. */
async function strike(
  run: FaultedRun,
  blow: RetryBlow,
  { moment, held, isAtWork }: { moment: Moment; held: ArmedFault; isAtWork: boolean },
) {
  const { name } = moment;
  let isThere = false;
  void held.reached.then(() => {
    isThere = true;
  });
  await eventually(name, async () => isThere || run.isSettled(), PATIENCE_MS, 50);
  if (!isThere) {
    held.disarm();
    return [`${name}: the run had ended before`];
  }
  if (isAtWork) {
    held.release();
    await sleep(Math.random() * AT_WORK_MS);
  }
  return (await strikes[blow](run, moment, held)) ? [] : [`${name}: nothing was struck`];
}

const plainRetries = new WeakMap<FaultLab, Promise<Evidence>>();

/** What a run leaves that failed in the middle and was retried, without any fault of ours. */
function plainRetry(lab: FaultLab, failing: Script): Promise<Evidence> {
  const play = async () => {
    const run = await lab.newRun();
    try {
      await failInTheMiddle(run, failing, "plain");
      await run.retry();
      await run.settled();
      await run.platform(`drop table ${MARK}`);
      const found = await run.evidence();
      // Two runs have other records than one; all else must be as if there had been one.
      const defects = defectsOf(found, { ...lab.clean, records: found.records });
      if (defects.length > 0) throw new Error(`An undisturbed retry: ${defects.join("; ")}`);
      return found;
    } finally {
      await run.close();
    }
  };
  const known = plainRetries.get(lab) ?? play();
  plainRetries.set(lab, known);
  return known;
}

/** A case for each blow in each round; the first of `kill -9` is the sample. */
export async function retryCases(rounds: number): Promise<FaultCase[]> {
  const { scripts } = await plannedRun(newCustomer().features);
  const named = (name: string) => {
    const found = scripts.find((script) => script.name === name);
    if (!found) throw new Error(`A run has no script of the name ${name}.`);
    return found;
  };
  const [failing, preparing] = [named(FILE), named(PREPARING)];
  return Array.from({ length: rounds }, (_, round) => round).flatMap((round) =>
    BLOWS.map((blow) => ({
      name: `${blow} in a retry, round ${round + 1}`,
      sample: round === 0 && blow === "kill -9",
      async play(run: FaultedRun) {
        await failInTheMiddle(run, failing, `m${run.project.ref}`);
        const armed = momentsOf(round, preparing).map((moment) => {
          const { when, nth } = moment;
          const held = run.proxy.arm({ from: "client", when, nth, action: "hold" });
          return { moment, held, isAtWork: round % 2 === 1 };
        });
        await run.retry();
        const wrong: string[] = [];
        for (const one of armed) wrong.push(...(await strike(run, blow, one)));
        await run.settled();
        await run.platform(`drop table ${MARK}`);
        return wrong;
      },
      wanted: (lab: FaultLab) => plainRetry(lab, failing),
    })),
  );
}
