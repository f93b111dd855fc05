/** The instants at which a run stands still, or is known to be at work, so that it can be struck. */
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { eventually, PATIENCE_MS } from "./berth.ts";
import type { FaultLab } from "./fault-lab.ts";
import type { FaultedRun } from "./faulted-run.ts";
import type { ArmedFault, MessageTest } from "./proxy.ts";
import { isOfRun, matches, type Script } from "./run-scripts.ts";
import { RUN_END } from "./step-gate.ts";

/** What strikes: the worker, the connection, its session, the customer's server. */
export type Blow = "kill -9" | "cut" | "terminated" | "restart";

/** By what it is told that an effect was there, and was found instead of done again. */
export interface Trace {
  /** The guard finds this key in the ledger. */
  key?: string;
  /** The step says so of itself. */
  step?: string;
  /** The script is not sent again. */
  script?: Script;
}

export interface Instant {
  /** Which of the place's instants it is. */
  name: string;
  trace: Trace;
  /** Resolves when it is time to strike. */
  come(): Promise<void>;
  /** Whether the fault needs no further act: a call that was cut. */
  strikesItself?: boolean;
  /** Lets the run go on after the blow. */
  goOn(): Promise<void>;
}

export interface Striking {
  run: FaultedRun;
  lab: FaultLab;
  blow: Blow;
  /** Counts the strikes of this kind at this place: each takes another instant of it. */
  nth: number;
}

/** Longest time after which a script under way is struck, in milliseconds. */
const AT_WORK_MS = 40;

const pick = <T>(choices: readonly T[], nth: number): T => choices[nth % choices.length] as T;

/** Between two steps: the first is done and not yet recorded, or the second is about to begin. */
export async function betweenSteps(
  { run, nth }: Striking,
  before: string | null,
  after: string | null,
): Promise<Instant> {
  const isRecorded = before === null || (after !== null && nth % 2 === 1);
  const isEnd = after === null && nth % 2 === 1;
  const gate = isEnd
    ? await run.gates.shut(RUN_END, "done")
    : isRecorded
      ? await run.gates.shut(after ?? "", "begin")
      : await run.gates.shut(before ?? "", "done");
  return {
    name: isRecorded || isEnd ? "recorded" : "not recorded",
    trace: isRecorded || isEnd || before === null ? {} : { step: before },
    come: () => gate.reached(),
    goOn: () => gate.open(),
  };
}

/** Before its first message, or at the nth of some messages of the run. */
export async function atMessage(
  { run, blow }: Striking,
  message: { name: string; when: MessageTest; nth?: number },
): Promise<Instant> {
  const { when, nth } = message;
  const fault = run.proxy.arm({ from: "client", when, nth, action: "hold" });
  return {
    name: message.name,
    trace: {},
    come: () => fault.reached,
    goOn: async () => {
      if (blow === "kill -9") run.cut();
      fault.disarm();
    },
  };
}

/** The first packet of the run's first session. */
export const connecting: MessageTest = (message, session) =>
  message.type === "" && isOfRun(message, session);

/** Before a script is sent, while it is at work or waits for a lock, or when it is answered. */
export async function atScript(striking: Striking, script: Script): Promise<Instant> {
  const { run, blow, nth } = striking;
  const phases = ["before", "at work", ...(script.waitsFor ? ["waiting"] : []), "answered"];
  const phase = pick(phases, nth);
  const fault = run.proxy.arm({ from: "client", when: matches(script), action: "hold" });
  let blocked: Blocked | null = null;
  return {
    name: phase,
    trace: script.kind === "alone" ? { script } : { key: script.key },
    async come() {
      await fault.reached;
      if (phase === "before") return;
      if (phase === "waiting") blocked = await block(run, script);
      fault.release();
      if (phase === "at work") await sleep(Math.random() * AT_WORK_MS);
      if (phase === "answered") await fault.answered;
      await blocked?.waits(fault);
    },
    async goOn() {
      const isKilled = blow === "kill -9";
      // Every other time the dead worker's session does not live to get its lock.
      if (isKilled && blocked && nth % 8 >= 4) await blocked.oldEnds();
      await blocked?.free();
      // The server does not learn by itself that the client of a script at work is gone.
      if (isKilled && (phase === "at work" || phase === "waiting")) return;
      if (isKilled) run.cut();
      fault.disarm();
    },
  };
}

interface Blocked {
  waits(fault: ArmedFault): Promise<void>;
  oldEnds(): Promise<void>;
  free(): Promise<void>;
}

/** Holds the lock that makes a script wait at work. */
async function block(run: FaultedRun, script: Script): Promise<Blocked> {
  const { table, mode } = script.waitsFor ?? { table: "", mode: "" };
  const [blocker, looker] = [await run.customer(), await run.customer()];
  await blocker.query(`begin; lock table ${table} in ${mode} mode`);
  const old = await sessionsOf(looker);
  return {
    async waits(fault) {
      const isWaiting = eventually(
        "a session that waits for its lock",
        async () => (await sessionsOf(looker)).some(({ waits }) => waits),
        PATIENCE_MS,
        10,
      );
      // Its lock time-out may have passed before it was seen waiting: then it has answered.
      await Promise.race([isWaiting, fault.answered]);
      isWaiting.catch(() => undefined);
    },
    async oldEnds() {
      const pids = old.map(({ pid }) => pid);
      await eventually(
        "the end of the dead worker's session",
        async () => (await sessionsOf(looker)).every(({ pid }) => !pids.includes(pid)),
        PATIENCE_MS,
      );
    },
    // A server that was restarted has freed it.
    free: async () => void (await blocker.query("rollback").catch(() => undefined)),
  };
}

async function sessionsOf(looker: pg.Client): Promise<{ pid: number; waits: boolean }[]> {
  const { rows } = await looker.query(
    `select pid, wait_event_type = 'Lock' as waits from pg_stat_activity
     where application_name like 'berth:%'`,
  );
  return rows;
}

/** At a call to the customer's project, or of the Management API. */
export async function atCall(
  { run, lab, blow, nth }: Striking,
  call: { step: string; route: string },
): Promise<Instant> {
  const ways = {
    // It arrives after the kill, it is lost, or its answer is.
    "kill -9": ["delay", "drop", "accept-then-drop"],
    // The call's own connection, or the idle one to the database meanwhile.
    cut: ["drop", "accept-then-drop", "delay"],
    terminated: ["delay"],
    restart: ["delay"],
  } as const;
  const kind = pick(ways[blow], nth);
  const { ref } = run.project;
  const fault = await lab.sandboxFaults.add({ kind, ref, route: call.route, ms: 1_500 });
  return {
    name: kind,
    trace: { step: call.step },
    come: () => fault.struck(),
    strikesItself: blow === "cut" && kind !== "delay",
    goOn: async () => undefined,
  };
}
