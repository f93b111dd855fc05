/** Two workers that both believe they have the run, and a worker whose network breaks. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { eventually, newCustomer, PATIENCE_MS } from "./berth.ts";
import type { FaultLab } from "./fault-lab.ts";
import type { FaultCase } from "./fault-suite.ts";
import type { FaultedRun, Holder } from "./faulted-run.ts";
import { matches, plannedRun, type Script } from "./run-scripts.ts";
import { RUN_END } from "./step-gate.ts";

/** Takes a worker out of the world, which it does not notice; returns how it comes back. */
type Absence = (pid: number, lab: FaultLab) => () => void;

function leaves(first: Holder, run: FaultedRun, lab: FaultLab, leave: Absence): () => void {
  run.missing(first, Date.now());
  return leave(first.pid, lab);
}

const stopped: Absence = (pid) => {
  process.kill(pid, "SIGSTOP");
  return () => process.kill(pid, "SIGCONT");
};
const cutOff: Absence = (pid, lab) => {
  const link = lab.link(pid);
  link.freeze();
  return () => link.thaw();
};

const hold = (run: FaultedRun, script: Script) =>
  run.proxy.arm({ from: "client", when: matches(script), action: "hold" });

/** The ways in which a worker says that it leaves a run to others. */
const LETS_GO = /was set aside|has changed hands|ended outside its steps/;

/** Waits until a worker says that it has let go of the run. */
async function letGo(first: Holder, run: FaultedRun, lab: FaultLab): Promise<void> {
  const folder = path.join(lab.berth.dataDir, "logs");
  const says = (line: string) =>
    line.includes(run.requestId) && line.includes(`"pid":${first.pid},`) && LETS_GO.test(line);
  await eventually(
    `a worker that lets go of ${run.requestId}`,
    async () => {
      for (const name of await readdir(folder)) {
        if (!name.startsWith("worker")) continue;
        const lines = (await readFile(path.join(folder, name), "utf8")).split("\n");
        if (lines.some(says)) return true;
      }
      return false;
    },
    PATIENCE_MS,
  );
}

/**
 * What a worker wrote about a run after another one had taken it over. When the other one has ended
 * it, due work of the new backend is any worker's.
 */
async function wordsOf(first: Holder, run: FaultedRun, lab: FaultLab): Promise<string[]> {
  const { rows } = await lab.db.query<{ words: string }>(
    `with taken as (
       select at from audit_log where request_id = $1 and action = 'run.take_over'
       order by id limit 1)
     select 'audit ' || action as words from audit_log, taken
     where request_id = $1 and actor_id like $2 and audit_log.at > taken.at
       and data ->> 'purpose' is distinct from 'due'
     union all
     select 'event ' || kind from request_events, taken
     where request_id::text = $1 and actor_id like $2 and request_events.at > taken.at`,
    [run.requestId, `%-${first.pid}-%`],
  );
  return rows.map(({ words }) => `the first worker wrote: ${words}`);
}

/** Lets the first worker come back; it must live on, and keep silent about the run. */
async function comeBack(
  first: Holder,
  back: () => void,
  run: FaultedRun,
  lab: FaultLab,
): Promise<string[]> {
  back();
  await letGo(first, run, lab);
  const said = await wordsOf(first, run, lab);
  return lab.endedByItself(first.pid) ? [...said, "the first worker has ended"] : said;
}

/** Absent while the server works on its script; back when the other has finished. */
async function atWork(run: FaultedRun, lab: FaultLab, leave: Absence, script: Script) {
  const held = hold(run, script);
  await run.begin();
  await held.reached;
  const first = await run.holder();
  const back = leaves(first, run, lab, leave);
  held.release();
  await run.takenOver(first);
  await run.settled();
  held.disarm();
  return comeBack(first, back, run, lab);
}

/** Its script is delivered when the other has finished, and it is back by then. */
async function late(run: FaultedRun, lab: FaultLab, leave: Absence, script: Script) {
  const held = hold(run, script);
  await run.begin();
  await held.reached;
  const first = await run.holder();
  const back = leaves(first, run, lab, leave);
  await run.takenOver(first);
  await run.settled();
  held.disarm();
  return comeBack(first, back, run, lab);
}

/** Back while the other is in the middle of a later step. */
async function meeting(
  run: FaultedRun,
  lab: FaultLab,
  leave: Absence,
  [early, later]: [Script, Script],
) {
  const held = hold(run, early);
  await run.begin();
  await held.reached;
  const first = await run.holder();
  const back = leaves(first, run, lab, leave);
  const others = hold(run, later);
  await run.takenOver(first);
  await others.reached;
  held.disarm();
  const said = await comeBack(first, back, run, lab);
  others.disarm();
  await run.settled();
  return said;
}

/** Absent in the transaction that records a step, whose locks in Berth's database it holds. */
async function recording(run: FaultedRun, lab: FaultLab, leave: Absence, step: string) {
  const gate = await run.gates.shut(step, "done");
  await run.begin();
  await gate.reached();
  const first = await run.holder();
  const back = leaves(first, run, lab, leave);
  await gate.open();
  await run.takenOver(first);
  await run.settled();
  return comeBack(first, back, run, lab);
}

/** The customer's network is silent for longer than a lease: no reason for a take-over. */
async function silence(run: FaultedRun, lab: FaultLab, script: Script) {
  const held = hold(run, script);
  await run.begin();
  await held.reached;
  const first = await run.holder();
  const until = async () => {
    const { rows } = await lab.db.query<{ at: Date }>(
      "select lease_expires_at as at from provisioning_runs where request_id = $1",
      [run.requestId],
    );
    return rows[0]?.at.getTime() ?? 0;
  };
  const begun = await until();
  // The lease lasts five seconds.
  await eventually("renewed leases", async () => (await until()) - begun > 9_000, PATIENCE_MS);
  held.disarm();
  await run.settled();
  const last = await run.lastHolder();
  return last.token === first.token ? [] : ["somebody took over"];
}

const USERS = "POST /auth/v1/admin/users";

/** A dead worker's call makes the owner, when whoever took over has made one. */
async function lateCall(run: FaultedRun, lab: FaultLab) {
  const { ref } = run.project;
  const armed = await lab.sandboxFaults.add({ kind: "delay", ref, route: USERS, ms: 15_000 });
  await run.begin();
  await armed.struck();
  await run.takenOver(await run.kill());
  await run.settled();
  await eventually("the late call", async () => {
    const { body } = await lab.berth.sandbox.call("GET", `/sandbox/projects/${ref}/calls`);
    return body.calls[USERS] === 2;
  });
  return [];
}

/** Berth's own database breaks off every connection of the worker, at a moment of its run. */
async function brokenOff(
  run: FaultedRun,
  lab: FaultLab,
  moment: { reached: Promise<void>; goOn: () => Promise<void> | void },
) {
  await run.begin();
  await moment.reached;
  const { pid } = await run.holder();
  lab.link(pid).cut();
  await moment.goOn();
  await run.settled();
  return lab.endedByItself(pid) ? ["the worker has ended"] : [];
}

/** Every case, made from the templates as they are. */
export async function pairCases(): Promise<FaultCase[]> {
  const { scripts } = await plannedRun(newCustomer().features);
  // One of each kind: a migration, an index that is built concurrently, seed data.
  const some = (["migration", "alone", "seed"] as const).map((kind) => {
    const script = scripts.find((one) => one.kind === kind);
    if (!script) throw new Error(`No template has a file of the kind ${kind}.`);
    return script;
  });
  const [migration, alone] = some as [Script, Script, Script];
  const cases: FaultCase[] = [];
  const add = (name: string, play: FaultCase["play"], sample = false) =>
    cases.push({ name, play, sample });

  for (const [way, leave] of [
    ["stopped", stopped],
    ["cut off from Berth's database", cutOff],
  ] as const) {
    for (const script of some) {
      add(
        `${way}, its script at work: ${script.name}`,
        (run, lab) => atWork(run, lab, leave, script),
        leave === stopped && script === alone,
      );
    }
    add(`${way}, its script delivered when all is over`, (run, lab) =>
      late(run, lab, leave, migration),
    );
    add(`${way}, back while the other is in the middle`, (run, lab) =>
      meeting(run, lab, leave, [migration, alone]),
    );
    for (const step of ["Preflight", "Owner account", "Health check", RUN_END]) {
      add(
        `${way}, in the transaction that records ${step}`,
        (run, lab) => recording(run, lab, leave, step),
        leave === cutOff && step === "Owner account",
      );
    }
  }
  add("the customer's network is silent for longer than a lease", (run, lab) =>
    silence(run, lab, migration),
  );
  add("a dead worker makes the owner after the take-over", lateCall);
  for (const step of ["Preflight", "Owner account", RUN_END]) {
    const play: FaultCase["play"] = async (run, lab) => {
      const gate = await run.gates.shut(step, "done");
      return brokenOff(run, lab, { reached: gate.reached(), goOn: () => gate.open() });
    };
    const name = `Berth's database breaks off at the recording of ${step}`;
    add(name, play, step === RUN_END);
  }
  add("Berth's database breaks off in the middle of a step", (run, lab) => {
    const held = hold(run, migration);
    return brokenOff(run, lab, { reached: held.reached, goOn: () => held.disarm() });
  });
  return cases;
}
