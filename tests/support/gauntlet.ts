/** Runs that are struck again and again: one run meets many faults, each at a place of its own. */
import { eventually, PATIENCE_MS } from "./berth.ts";
import { defectsOf, type Evidence } from "./fault-evidence.ts";
import type { Blow, Instant, Trace } from "./fault-instants.ts";
import type { FaultLab } from "./fault-lab.ts";
import type { PlannedStrike } from "./fault-places.ts";
import { type FaultedRun, RESTARTS } from "./faulted-run.ts";
import { sqlstate } from "./pg-messages.ts";
import { isOfRun, matches, type Script } from "./run-scripts.ts";

/** What became of one strike. */
export interface Strike {
  place: string;
  blow: string;
  /**
   * Something is known to have been struck: a process, a session or a call is known to have ended.
   * A session can be missing, since a busy machine may let a lease run out by itself.
   */
  isStruck: boolean;
  /** Whether the effect had been committed before, and was found instead of done again. */
  isFound(left: Evidence): boolean;
  /**
   * The same strike in a run that meets no other: where an earlier one has ended the session, and
   * nothing has asked for another since, there is nothing left to strike.
   */
  alone?: Play;
}

/** A run that was struck and has come to its end; `defects` says what is wrong already. */
export interface StruckRun {
  strikes: Strike[];
  defects: string[];
}

/** Begins a run and plays it. */
export type Play = (run: FaultedRun, lab: FaultLab) => Promise<StruckRun>;

/** The SQLSTATE by which the step's guard says that the ledger has the version already. */
const ALREADY_APPLIED = "BR001";

/** Strikes a run at one place after the other; the first is, of all its strikes, the `first`th. */
export const gauntlet =
  (blow: Blow, planned: readonly PlannedStrike[], first = 0): Play =>
  async (run, lab) => {
    const struck: StruckRun = { strikes: [], defects: [] };
    const trace = watchRun(run);
    const prepared: { strike: PlannedStrike; instant: Instant }[] = [];
    for (const strike of planned) {
      const instant = await strike.place.prepare({ run, lab, blow, nth: strike.nth });
      prepared.push({ strike, instant });
    }
    if (blow === "terminated") await run.terminate();
    await run.begin();
    for (const [turn, { strike, instant }] of prepared.entries()) {
      const place = strike.place.name;
      const where = `${blow} ${place} (${instant.name})`;
      await reach(where, run, instant);
      const isFound = trace(instant.trace);
      const isStruck =
        instant.strikesItself || (await BLOWS[blow](run, first + turn + strike.nth, instant));
      struck.strikes.push({
        place,
        blow,
        isStruck,
        isFound,
        alone: gauntlet(blow, [strike], first + turn),
      });
      for (const line of await run.falseRecords()) struck.defects.push(`${where}: ${line}`);
    }
    await run.settled();
    return struck;
  };

/** Strikes and lets the run go on; says whether something is known to have been struck. */
const BLOWS: Record<Blow, (run: FaultedRun, turn: number, instant: Instant) => Promise<boolean>> = {
  async "kill -9"(run, _turn, instant) {
    const killed = await run.kill();
    await instant.goOn();
    await run.takenOver(killed);
    return true;
  },
  async cut(run, _turn, instant) {
    const sessions = run.cut();
    await instant.goOn();
    return sessions > 0;
  },
  async terminated(run, _turn, instant) {
    const sessions = await run.terminate();
    await instant.goOn();
    return sessions > 0;
  },
  async restart(run, turn, instant) {
    const ways = Object.keys(RESTARTS) as (keyof typeof RESTARTS)[];
    const sessions = await run.endServer(ways[turn % ways.length] ?? "fast");
    await instant.goOn();
    return sessions > 0;
  },
};

/** Loses the answer to every COMMIT of a run: each script that ends with one is answered in vain. */
export const lostCommits =
  (scripts: readonly Script[]): Play =>
  async (run) => {
    const trace = watchRun(run);
    const armed = scripts.map((script) => ({
      script,
      isFound: trace({ key: script.key }),
      fault: run.proxy.arm({ from: "client", when: matches(script), action: "cut-reply" }),
    }));
    await run.begin();
    await run.settled();
    const strikes = armed.map(({ script, isFound, fault }) => ({
      place: `COMMIT of: ${script.kind}`,
      blow: "lost COMMIT",
      isStruck: fault.struck() === 1,
      isFound,
    }));
    return { strikes, defects: [] };
  };

/** Notes what the guard finds in the ledger, and which scripts are sent, from a moment on. */
function watchRun(run: FaultedRun) {
  const found: string[] = [];
  const sent: string[] = [];
  run.proxy.watch("server", (message, session) => {
    if (sqlstate(message) === ALREADY_APPLIED && isOfRun(message, session)) found.push(session.sql);
  });
  run.proxy.watch("client", (message, session) => {
    if (message.type === "Q" && isOfRun(message, session)) sent.push(session.sql);
  });
  return ({ key, script, step }: Trace): Strike["isFound"] => {
    const from = { found: found.length, sent: sent.length };
    return (left) => {
      if (step !== undefined && left.foundDone.includes(step)) return true;
      if (script) return !sent.slice(from.sent).some(script.is);
      const since = found.slice(from.found);
      return key !== undefined && since.some((sql) => sql.includes(`'${key}'`));
    };
  };
}

/** Waits for an instant; gives up when the run has ended without it, or after the usual patience. */
async function reach(where: string, run: FaultedRun, instant: Instant): Promise<void> {
  let isThere = false;
  const coming = instant.come().then(() => {
    isThere = true;
  });
  const isOver = eventually(where, async () => isThere || run.isSettled(), PATIENCE_MS, 1_000);
  // Whichever is the later one speaks to nobody.
  for (const one of [coming, isOver]) one.catch(() => undefined);
  await Promise.race([coming, isOver]);
  if (!isThere) throw new Error(`The run has ended before ${where}.`);
}

/** What one run came to: `isFound` is settled, and the run held against a clean one. */
export interface Judged {
  strikes: (Omit<Strike, "isFound"> & { isFound: boolean })[];
  defects: string[];
}

/** Makes a run, plays it, and judges what it has left. Never throws for what happens to it. */
export async function judgedRun(lab: FaultLab, play: Play): Promise<Judged> {
  const run = await lab.newRun();
  try {
    const { strikes, defects } = await play(run, lab);
    const left = await run.evidence();
    return {
      strikes: strikes.map((strike) => ({ ...strike, isFound: strike.isFound(left) })),
      defects: [...defects, ...defectsOf(left, lab.clean)],
    };
  } catch (error) {
    return { strikes: [], defects: [`request ${run.requestId}: ${String(error)}`] };
  } finally {
    await run.close();
  }
}
