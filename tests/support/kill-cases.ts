/** Where and when a worker is killed: one case per instant at which a run could be lost. */
import type { PlannedStep } from "../../app/domain/provisioning/plan.ts";
import { eventually, newCustomer } from "./berth.ts";
import type { FaultedRun, FaultLab, Holder } from "./fault-lab.ts";
import type { FaultCase } from "./fault-suite.ts";
import { RUN_END } from "./recording-gate.ts";
import { matches, plannedRun, type Script } from "./run-scripts.ts";
import type { SandboxFault } from "./sandbox-faults.ts";

/** Begins the run and kills its worker at the chosen instant. */
type Strike = (run: FaultedRun, lab: FaultLab) => Promise<Holder>;

/** Killed while the script has not reached the server, and never will. */
const before = async (run: FaultedRun, script: Script) => {
  const fault = run.proxy.arm({ from: "client", when: matches(script), action: "hold" });
  await run.begin();
  await fault.reached;
  const killed = await run.kill();
  run.proxy.cutAll();
  fault.disarm();
  return killed;
};

/** Killed as soon as the script is on its way; the server never learns that its client is gone. */
const underWay = async (run: FaultedRun, script: Script) => {
  const fault = run.proxy.arm({ from: "client", when: matches(script), action: "hold" });
  await run.begin();
  await fault.reached;
  fault.release();
  return run.kill();
};

/** Killed when the server has committed and answered, and the answer has not arrived. */
const answered = async (run: FaultedRun, script: Script) => {
  const fault = run.proxy.arm({ from: "client", when: matches(script), action: "hold" });
  await run.begin();
  await fault.reached;
  fault.release();
  await fault.answered;
  const killed = await run.kill();
  run.proxy.cutAll();
  return killed;
};

/**
 * Killed while a statement of the script waits for another session's lock. The lock is given up
 * right after the kill (`goesOn`: the dead worker's session still does its work), or once whoever
 * takes over has ended that session.
 */
const waiting = async (run: FaultedRun, script: Script, goesOn: boolean) => {
  const { table, mode } = script.waitsFor ?? { table: "", mode: "" };
  const fault = run.proxy.arm({ from: "client", when: matches(script), action: "hold" });
  await run.begin();
  await fault.reached;
  const [blocker, looker] = [await run.customer(), await run.customer()];
  await blocker.query(`begin; lock table ${table} in ${mode} mode`);
  const sessions = async () => {
    const { rows } = await looker.query<{ pid: number; waits: boolean }>(
      `select pid, wait_event_type = 'Lock' as waits from pg_stat_activity
       where application_name like 'berth:%'`,
    );
    return rows;
  };
  const [old] = await sessions();
  fault.release();
  const isWaiting = eventually("a session that waits for its lock", async () =>
    (await sessions()).some(({ waits }) => waits),
  );
  // Its lock time-out may have passed before it was seen waiting: then it has answered.
  await Promise.race([isWaiting, fault.answered]);
  isWaiting.catch(() => undefined);
  const killed = await run.kill();
  if (!goesOn) {
    await eventually("the end of the dead worker's session", async () =>
      (await sessions()).every(({ pid }) => pid !== old?.pid),
    );
    const { rowCount } = await looker.query("select from pg_index where not indisvalid");
    if (script.kind === "alone" && rowCount !== 1) throw new Error("No invalid index was left.");
  }
  await blocker.query("rollback");
  return killed;
};

/** Killed when a step has taken effect, in the transaction that was to record it. */
const unrecorded = async (run: FaultedRun, step: string) => {
  const gate = await run.gate(step);
  try {
    await run.begin();
    await gate.reached();
    return await run.kill();
  } finally {
    await gate.open();
  }
};

/** Killed at a call to the customer's project, or of the Management API. */
const atCall = async (run: FaultedRun, lab: FaultLab, fault: Omit<SandboxFault, "ref">) => {
  const armed = await lab.sandboxFaults.add({ ...fault, ref: run.project.ref });
  await run.begin();
  await armed.struck();
  return run.kill();
};

const AUTH_CONFIG = "PATCH /v1/projects/:ref/config/auth";
const USERS = "POST /auth/v1/admin/users";

/** Every case, made from the templates as they are. */
export async function killCases(): Promise<FaultCase[]> {
  const { steps, scripts } = await plannedRun(newCustomer().features);
  const stepOf = (kind: PlannedStep["kind"]) =>
    steps.find((step) => step.kind === kind)?.name ?? kind;
  const migrations = scripts.filter(({ kind }) => kind === "migration");
  const lastSeed = scripts.findLast(({ kind }) => kind === "seed");
  const cases: FaultCase[] = [];
  const add = (name: string, strike: Strike, sample = false) =>
    cases.push({
      name,
      sample,
      async play(run, lab) {
        await run.takenOver(await strike(run, lab));
        await run.settled();
        return [];
      },
    });

  for (const script of scripts) {
    const { name } = script;
    const isFirst = script === migrations[0];
    add(`${name}: before it is sent`, (run) => before(run, script), isFirst);
    add(`${name}: under way`, (run) => underWay(run, script));
    if (script.waitsFor) {
      const isSecond = script === migrations[1];
      const isAlone = script.kind === "alone";
      const goesOn = `${name}: waiting for a lock, and going on after the kill`;
      add(goesOn, (run) => waiting(run, script, true), isSecond);
      const ends = `${name}: waiting for a lock until the take-over`;
      add(ends, (run) => waiting(run, script, false), isAlone);
    }
    add(`${name}: after the server's answer`, (run) => answered(run, script), script === lastSeed);
  }
  const kinds = ["preflight", "sql", "auth-config", "seed", "owner", "health"] as const;
  for (const step of [...kinds.map(stepOf), RUN_END]) {
    add(`${step}: done, and not yet recorded`, (run) => unrecorded(run, step));
  }
  for (const [name, route] of [
    [stepOf("auth-config"), AUTH_CONFIG],
    [stepOf("owner"), USERS],
  ] as const) {
    const at =
      (fault: Omit<SandboxFault, "ref" | "route">): Strike =>
      (run, lab) =>
        atCall(run, lab, { ...fault, route });
    add(`${name}: the call arrives after the kill`, at({ kind: "delay", ms: 1_500 }));
    add(`${name}: the call is lost`, at({ kind: "drop" }));
    add(`${name}: the answer is lost`, at({ kind: "accept-then-drop" }), route === USERS);
  }
  // By then whoever took over has made the owner; Auth itself refuses the late call.
  const late = { kind: "delay", ms: 20_000, route: USERS } as const;
  const lateName = `${stepOf("owner")}: the call arrives after the take-over`;
  add(lateName, (run, lab) => atCall(run, lab, late));
  const slow = { kind: "delay", ms: 1_500, route: "GET /auth/v1/health" } as const;
  const slowName = `${stepOf("health")}: the project is slow to answer`;
  add(slowName, (run, lab) => atCall(run, lab, slow));
  return cases;
}
