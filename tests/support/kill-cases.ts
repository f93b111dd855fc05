/** Where and when a worker is killed: one case per instant at which a run could be lost. */
import { loadCatalog } from "../../app/domain/catalog/index.server.ts";
import { type PlannedStep, planRun } from "../../app/domain/provisioning/plan.ts";
import { eventually } from "./berth.ts";
import type { FaultedRun, FaultLab } from "./fault-lab.ts";
import { type PgMessage, queryText } from "./pg-messages.ts";
import { RUN_END } from "./recording-gate.ts";
import type { SandboxFault } from "./sandbox-faults.ts";

export interface KillCase {
  name: string;
  /** Whether `npm test` runs it too. */
  sample: boolean;
  /** Begins the run and kills its worker at the chosen instant. */
  strike(run: FaultedRun, lab: FaultLab): Promise<void>;
}

/** The features of the customers that the fault suites take in; `newCustomer` wishes for them. */
export const FEATURES = ["pos", "analytics"];

/** A script on its way to the customer's database. */
interface Script {
  name: string;
  is: (sql: string) => boolean;
  /** The table whose lock makes it wait at work, and in which mode; none if it cannot wait. */
  waitsFor?: { table: string; mode: string };
}

const matches = (script: Script) => (message: PgMessage) => {
  const sql = queryText(message);
  return sql !== null && script.is(sql);
};

/** Killed while the script has not reached the server, and never will. */
const before = async (run: FaultedRun, script: Script) => {
  const fault = run.proxy.arm({ from: "client", when: matches(script), action: "hold" });
  await run.begin();
  await fault.reached;
  await run.kill();
  run.proxy.cutAll();
  fault.disarm();
};

/** Killed as soon as the script is on its way; the server never learns that its client is gone. */
const underWay = async (run: FaultedRun, script: Script) => {
  const fault = run.proxy.arm({ from: "client", when: matches(script), action: "hold" });
  await run.begin();
  await fault.reached;
  fault.release();
  await run.kill();
};

/** Killed when the server has committed and answered, and the answer has not arrived. */
const answered = async (run: FaultedRun, script: Script) => {
  const fault = run.proxy.arm({ from: "client", when: matches(script), action: "hold" });
  await run.begin();
  await fault.reached;
  fault.release();
  await fault.answered;
  await run.kill();
  run.proxy.cutAll();
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
  await run.kill();
  if (!goesOn) {
    await eventually("the end of the dead worker's session", async () =>
      (await sessions()).every(({ pid }) => pid !== old?.pid),
    );
  }
  await blocker.query("rollback");
};

/** Killed when a step has taken effect, in the transaction that was to record it. */
const unrecorded = async (run: FaultedRun, step: string) => {
  const gate = await run.gate(step);
  try {
    await run.begin();
    await gate.reached();
    await run.kill();
  } finally {
    await gate.open();
  }
};

/** Killed at a call to the customer's project, or of the Management API. */
const atCall = async (run: FaultedRun, lab: FaultLab, fault: Omit<SandboxFault, "ref">) => {
  const armed = await lab.sandboxFaults.add({ ...fault, ref: run.project.ref });
  await run.begin();
  await armed.struck();
  await run.kill();
};

/** The scripts that apply one file. */
function scriptsOf(step: PlannedStep, alone: string | null): Script[] {
  const key = step.kind === "seed" ? `seed:${step.template}` : step.ledgerVersion;
  const recording = `insert into berth.ledger (version, template, template_version, checksum, run_id) values ('${key}'`;
  const name = step.file ?? step.name;
  const ledger = { table: "berth.ledger", mode: "exclusive" };
  const records = (sql: string) => sql.includes(recording);
  if (alone === null) return [{ name, is: records, waitsFor: ledger }];
  return [
    {
      name: `${name}, its note`,
      is: (sql) => sql.includes("insert into berth.unfinished") && sql.includes(`'${key}'`),
      waitsFor: { table: "berth.unfinished", mode: "exclusive" },
    },
    {
      name: `${name}, its statement`,
      is: (sql) => sql.includes(alone) && !records(sql),
      waitsFor: { table: "public.products", mode: "row exclusive" },
    },
    { name: `${name}, its proof`, is: records, waitsFor: ledger },
  ];
}

/** The runner's own scripts, in the order in which they are sent. */
const OWN: Script[] = [
  { name: "taking the run lock", is: (sql) => sql.includes("berth.locked', 'on'") },
  { name: "preflight", is: (sql) => sql.includes("empty_or_ours") },
  { name: "preparing the schemas", is: (sql) => sql.includes("$berth_prepare$") },
  {
    name: "health checks",
    is: (sql) => sql.startsWith("begin read only") && !sql.includes("empty_or_ours"),
  },
];

const AUTH_CONFIG = "PATCH /v1/projects/:ref/config/auth";
const USERS = "POST /auth/v1/admin/users";

/** Every case, made from the templates as they are. */
export async function killCases(): Promise<KillCase[]> {
  const catalog = await loadCatalog("feature-templates");
  const { steps } = planRun(catalog, FEATURES);
  const files = steps.filter(({ file }) => file !== undefined);
  const stepOf = (kind: PlannedStep["kind"]) =>
    steps.find((step) => step.kind === kind)?.name ?? kind;
  const cases: KillCase[] = [];
  const add = (name: string, strike: KillCase["strike"], sample = false) =>
    cases.push({ name, strike, sample });

  for (const script of OWN) {
    add(`${script.name}: before it is sent`, (run) => before(run, script));
    add(`${script.name}: under way`, (run) => underWay(run, script));
    add(`${script.name}: after the server's answer`, (run) => answered(run, script));
  }
  for (const [place, step] of files.entries()) {
    const template = catalog.get(step.template ?? "");
    const file = template.migrations.find(({ path }) => path === step.file);
    const alone = file && !file.transactional ? (file.statements[0]?.sql ?? null) : null;
    for (const script of scriptsOf(step, alone)) {
      const { name } = script;
      // One of each kind, each at another step.
      const first = place === 0;
      const last = place === files.length - 1;
      const concurrently = alone !== null && name.endsWith("its statement");
      add(`${name}: before it is sent`, (run) => before(run, script), first);
      add(`${name}: under way`, (run) => underWay(run, script));
      add(
        `${name}: waiting for a lock, and going on after the kill`,
        (run) => waiting(run, script, true),
        place === 1,
      );
      add(
        `${name}: waiting for a lock until the take-over`,
        (run) => waiting(run, script, false),
        concurrently,
      );
      add(`${name}: after the server's answer`, (run) => answered(run, script), last);
    }
  }
  for (const step of [
    ...(["preflight", "sql", "auth-config", "seed", "owner", "health"] as const).map(stepOf),
    RUN_END,
  ]) {
    add(`${step}: done, and not yet recorded`, (run) => unrecorded(run, step));
  }
  for (const [name, route] of [
    [stepOf("auth-config"), AUTH_CONFIG],
    [stepOf("owner"), USERS],
  ] as const) {
    const at =
      (fault: Omit<SandboxFault, "ref" | "route">): KillCase["strike"] =>
      (run, lab) =>
        atCall(run, lab, { ...fault, route });
    add(`${name}: the call arrives after the kill`, at({ kind: "delay", ms: 1_500 }));
    add(`${name}: the call is lost`, at({ kind: "drop" }));
    add(`${name}: the answer is lost`, at({ kind: "accept-then-drop" }), route === USERS);
  }
  // By then whoever took over has made the owner; Auth itself refuses the late call.
  const late: Omit<SandboxFault, "ref"> = { kind: "delay", ms: 20_000, route: USERS };
  add(`${stepOf("owner")}: the call arrives after the take-over`, (run, lab) =>
    atCall(run, lab, late),
  );
  const slow: Omit<SandboxFault, "ref"> = {
    kind: "delay",
    ms: 1_500,
    route: "GET /auth/v1/health",
  };
  add(`${stepOf("health")}: the project is slow to answer`, (run, lab) => atCall(run, lab, slow));
  return cases;
}
