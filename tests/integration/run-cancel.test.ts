/** A run that a person cancels: at work, waiting, queued, lost by its worker; resumed, and closed. */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { WorkerHandle } from "../../scripts/local/start-local.ts";
import {
  type Api,
  claimedRequest,
  credentialsOf,
  eventually,
  type SandboxProject,
  settled,
  startBerth,
  type TestBerth,
} from "../support/berth.ts";
import { type Contract, readContract } from "../support/contract.ts";
import { openPeople, type People } from "../support/people.ts";

/** A lock that nobody else takes; the slow file below lasts as long as somebody holds it. */
const HOLD = 471_147;
const SLOW = "20260901020450";
const SLOW_FILE = `-- berth: phase=policies
create table public.slow_work (id int primary key);
do $$ begin
  while exists (select from pg_catalog.pg_locks where locktype = 'advisory' and objid = ${HOLD}) loop
    perform pg_catalog.pg_sleep(0.05);
  end loop;
end $$;
alter table public.slow_work enable row level security;
`;

let berth: TestBerth;
let people: People;
let contract: Contract;
let api: Api;
let templates: string;
let worker: WorkerHandle;
const clients: pg.Client[] = [];

beforeAll(async () => {
  templates = await mkdtemp(path.join(tmpdir(), "berth-templates-"));
  await cp("feature-templates", templates, { recursive: true });
  await writeFile(path.join(templates, "pos/migrations", `${SLOW}_slow_work.sql`), SLOW_FILE);
  // A released version gets no file any more.
  const manifest = path.join(templates, "pos/template.yaml");
  const text = await readFile(manifest, "utf8");
  await writeFile(manifest, text.replace(/^version: .*$/m, "version: 1.99.0"));
  const env = { FEATURE_TEMPLATES_DIR: templates };
  berth = await startBerth({
    workers: 0,
    env: { web: env, worker: { ...env, WORKER_CONCURRENCY: "1" } },
  });
  worker = berth.local.startWorker();
  people = openPeople(berth);
  contract = await readContract(berth.api);
  api = contract.checked(berth.api);
});
afterEach(() => Promise.all(clients.splice(0).map((client) => client.end())));
afterAll(async () => {
  await people?.close();
  await berth?.stop();
  await rm(templates, { recursive: true, force: true });
});

const act = (id: string, name: string, body?: unknown) =>
  api("POST", `/api/queue/${id}/${name}`, body);
const read = async (id: string) => (await api("GET", `/api/queue/${id}`)).body;

/** A session in a project's database, as its owner at Supabase might have one. */
async function session(project: SandboxProject): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: project.directUrl.replace(/\?.*$/, ""),
    ssl: { rejectUnauthorized: false },
  });
  client.on("error", () => undefined);
  await client.connect();
  clients.push(client);
  return client;
}

async function submitted(project: SandboxProject): Promise<string> {
  const id = await claimedRequest(api, { features: ["pos"] });
  expect((await act(id, "credentials", credentialsOf(project))).status).toBe(200);
  return id;
}

interface Step {
  name: string;
  kind: string;
  status: string;
  outcome?: Record<string, unknown>;
}
const slowOf = (steps: Step[]) => steps.find(({ name }) => /slow work/.test(name));

/** A run that stands in its slow file, which goes on until `release()`. */
async function slowRun() {
  const project = await berth.sandbox.project();
  const customer = await session(project);
  await customer.query("select pg_advisory_lock($1)", [HOLD]);
  const id = await submitted(project);
  await eventually("the slow file to be at work", async () => {
    const { rowCount } = await customer.query(
      "select from pg_stat_activity where application_name like 'berth:%' and wait_event = 'PgSleep'",
    );
    return rowCount === 1;
  });
  const release = () => customer.query("select pg_advisory_unlock($1)", [HOLD]);
  return { project, customer, id, release };
}

const cancelled = (id: string) => settled(api, id, ["failed", "completed"]);

interface LedgerRow {
  version: string;
  run_id: string;
}
const ledger = async (customer: pg.Client): Promise<LedgerRow[]> =>
  (await customer.query("select version, run_id from berth.ledger order by applied_at, version"))
    .rows;
const isMigration = ({ version }: { version: string }) => !version.startsWith("seed:");
const versions = (rows: { version: string }[]) => rows.map(({ version }) => version).sort();

/** Takes the run up again and holds every version applied against what the first run had applied. */
async function resumed(id: string, customer: pg.Client, known?: LedgerRow[]) {
  const before = known ?? (await ledger(customer));
  expect((await act(id, "retry")).status).toBe(200);
  const done = await settled(api, id);
  expect(done).toMatchObject({ status: "completed", failure: null, stays: null });
  const after = await ledger(customer);
  // Applied once: what the first run did is still the first run's.
  for (const row of before) expect(after).toContainEqual(row);
  const wanted = (done.run.steps as Step[]).filter(({ kind }) => kind === "sql").length;
  expect(after.filter(isMigration)).toHaveLength(wanted);
  const { rows } = await customer.query(
    "select version from supabase_migrations.schema_migrations order by version",
  );
  expect(versions(rows)).toEqual(versions(after.filter(isMigration)));
  return done;
}

describe("a run at work", () => {
  it("is cancelled in the middle of a statement, and resumed: each version once", async () => {
    const { customer, id, release } = await slowRun();
    const asked = await act(id, "run/cancel");
    expect(asked.status).toBe(202);
    expect(asked.body.run.cancelRequestedAt).toEqual(expect.any(String));
    expect((await act(id, "run/cancel")).status).toBe(202);

    const stopped = await cancelled(id);
    expect(stopped).toMatchObject({
      status: "failed",
      run: { status: "cancelled", error: { code: "run_cancelled", fix: expect.any(String) } },
      failure: {
        code: "run_cancelled",
        message: expect.stringMatching(/cancelled this run: \d+ of its \d+ steps (is|are) done/),
        found: expect.stringContaining("was rolled back"),
      },
    });
    const steps: Step[] = stopped.run.steps;
    expect(slowOf(steps)).toMatchObject({ status: "pending" });
    // What is recorded as done is what the ledger has, and nothing of the interrupted step is left.
    const applied = await ledger(customer);
    expect(applied.length).toBeGreaterThan(5);
    expect(applied.filter(isMigration)).toHaveLength(
      steps.filter(({ kind, status }) => kind === "sql" && status === "done").length,
    );
    const { rows } = await customer.query("select to_regclass('public.slow_work') as slow");
    expect(rows).toEqual([{ slow: null }]);
    const left = "select from pg_stat_activity where application_name like 'berth%'";
    await eventually(
      "the end of Berth's sessions",
      async () => (await customer.query(left)).rowCount === 0,
    );

    // Whoever asked needs no mail about it; asking once more is no error.
    expect(stopped.mails.map(({ kind }: { kind: string }) => kind)).not.toContain("failed");
    expect(stopped.timeline[0]).toMatchObject({ kind: "run_cancelled" });
    expect((await act(id, "run/cancel")).status).toBe(202);
    const audit = await api("GET", `/api/audit?requestId=${id}&limit=100`);
    const actions = audit.body.records.map(({ action }: { action: string }) => action);
    for (const action of ["run.cancel_request", "run.cancelled", "request.run_cancelled"]) {
      expect(actions.filter((one: string) => one === action)).toEqual([action]);
    }

    await release();
    const done = await resumed(id, customer);
    expect(slowOf(done.run.steps)?.outcome).toMatchObject({ outcome: "applied" });
    expect((await act(id, "run/cancel")).status).toBe(409);
  });

  it("is cancelled while it waits for another session's lock, and closed: what stays is listed", async () => {
    const { project, customer, id, release } = await slowRun();
    const blocker = await session(project);
    await blocker.query("begin; lock table supabase_migrations.seed_files in exclusive mode");
    await release();
    await eventually("the step to wait for the lock", async () => {
      const { rowCount } = await customer.query(
        "select from pg_stat_activity where application_name like 'berth:%' and wait_event_type = 'Lock'",
      );
      return rowCount === 1;
    });
    expect((await act(id, "run/cancel")).status).toBe(202);
    const stopped = await cancelled(id);
    expect(stopped.failure).toMatchObject({ code: "run_cancelled" });
    await blocker.query("rollback");

    const truth = await ledger(customer);
    const { stays } = stopped;
    expect(stays).toHaveLength(1);
    const [built] = stays;
    expect(versions(built.applied)).toEqual(versions(truth.filter(isMigration)));
    expect(built).toMatchObject({
      projectRef: project.ref,
      seeds: [],
      ownerAccount: false,
      buckets: ["files"],
      authSettings: true,
      ledger: true,
      unfinished: [],
      unknown: [],
    });
    for (const { template, file } of built.applied) expect(file).toMatch(RegExp(`^${template}/`));
    const closed = await act(id, "cancel");
    expect(closed.body).toMatchObject({ status: "cancelled", stays });
    const lines = closed.body.timeline[0].data.stays;
    // The bucket, the settings of Auth and the ledger itself.
    expect(lines).toHaveLength(truth.length + 3);
    for (const { version } of truth) expect(lines.join("\n")).toContain(version);
    const [record] = (await api("GET", `/api/audit?action=request.cancelled&requestId=${id}`)).body
      .records;
    expect(record.data).toMatchObject({ projectRef: project.ref, stays: lines });
    // It is still true of the closed request, and nothing was taken back.
    expect((await read(id)).stays).toEqual(stays);
    expect(await ledger(customer)).toEqual(truth);
  });
});

describe("a run that nobody has begun", () => {
  it("ends as soon as a worker comes, without a look at the project", async () => {
    await worker.stop();
    const project = await berth.sandbox.project();
    const id = await submitted(project);
    const asked = await act(id, "run/cancel");
    expect([asked.status, asked.body.status]).toEqual([202, "credentials_received"]);
    worker = berth.local.startWorker();
    const stopped = await cancelled(id);
    expect(stopped).toMatchObject({
      run: { status: "cancelled" },
      failure: { code: "run_cancelled", found: "no step was in progress" },
      stays: [],
    });
    const statuses = new Set((stopped.run.steps as Step[]).map(({ status }) => status));
    expect(statuses).toEqual(new Set(["pending"]));
    const customer = await session(project);
    const { rows } = await customer.query("select to_regclass('berth.ledger') as ledger");
    expect(rows).toEqual([{ ledger: null }]);
    await resumed(id, customer, []);
  });
});

it("a run that waits for a place does not wait for its end", async () => {
  const { id: first, release } = await slowRun();
  const id = await submitted(await berth.sandbox.project());
  expect((await act(id, "run/cancel")).status).toBe(202);
  expect(await cancelled(id)).toMatchObject({ run: { status: "cancelled", takeovers: 0 } });
  expect((await read(first)).status).toBe("migrating");
  await release();
  expect((await settled(api, first)).status).toBe("completed");
});

describe("a run whose worker was killed", () => {
  /** Kills the worker while a run stands in its slow file, and asks for the run's end. */
  async function lostRun() {
    const run = await slowRun();
    await worker.kill();
    expect((await act(run.id, "run/cancel")).status).toBe(202);
    return run;
  }

  it("is cancelled by the next one, which ends the old session first", async () => {
    const { customer, id, release } = await lostRun();
    worker = berth.local.startWorker();
    const stopped = await cancelled(id);
    expect(stopped).toMatchObject({ run: { status: "cancelled", takeovers: 1 } });
    expect(slowOf(stopped.run.steps)).toMatchObject({ status: "pending" });
    await release();
    expect(versions(await ledger(customer))).not.toContain(SLOW);
    await resumed(id, customer);
  });

  it("counts a step as done whose commit was faster, though nobody had recorded it", async () => {
    const { customer, id, release } = await slowRun();
    // Keeps the end of the step from being recorded.
    const own = new pg.Client({ connectionString: berth.local.info.databaseUrl });
    await own.connect();
    clients.push(own);
    await own.query(
      `begin; select from provisioning_steps where ledger_version = '${SLOW}' and status = 'running'
       for update`,
    );
    await release();
    await eventually("the version in the ledger", async () =>
      versions(await ledger(customer)).includes(SLOW),
    );
    await worker.kill();
    await own.query("rollback");
    expect((await act(id, "run/cancel")).status).toBe(202);
    worker = berth.local.startWorker();
    const stopped = await cancelled(id);
    expect(slowOf(stopped.run.steps)).toMatchObject({
      status: "done",
      outcome: { outcome: "applied" },
    });
    expect(stopped.failure).toMatchObject({
      code: "run_cancelled",
      found: expect.stringContaining("had taken effect"),
    });
    expect(versions(stopped.stays[0].applied)).toContain(SLOW);
    await resumed(id, customer);
  });

  it("is cancelled though its database cannot be reached, and says what is not known", async () => {
    const { customer, id, release } = await lostRun();
    await customer.query("alter role current_user password 'another-one'");
    worker = berth.local.startWorker();
    const stopped = await cancelled(id);
    const slow = slowOf(stopped.run.steps);
    expect(slow).toMatchObject({ status: "pending", outcome: { outcome: "unknown" } });
    expect(stopped.run.error).toMatchObject({
      code: "run_cancelled",
      found: expect.stringMatching(/is not known: .*password/i),
    });
    expect(stopped.stays[0].unknown).toEqual([slow?.name]);
    await release();
    const closed = await act(id, "cancel");
    expect(closed.body.timeline[0].data.stays.join("\n")).toContain("perhaps the effect of");
  });
});

describe("what cannot be cancelled", () => {
  it("is a run that there is not: 409, in words", async () => {
    const id = await claimedRequest(api);
    const refused = await act(id, "run/cancel");
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchObject({
      detail: expect.stringContaining("cannot cancel the run of it"),
      found: "in_progress",
      needed: "credentials_received or migrating",
    });
    // Its answers were held against the description.
    expect([...contract.seen]).toContain("POST /api/queue/{requestId}/run/cancel 202");
  });
});
