import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Contract, readContract } from "../support/contract.ts";
import { openPeople, type People } from "../support/people.ts";
import {
  type Api,
  claimedRequest,
  credentialsOf,
  eventually,
  type RunningBerth,
  type SandboxProject,
  settled,
  sharedBerth,
} from "../support/shared-berth.ts";

let berth: RunningBerth;
let people: People;
let contract: Contract;
let api: Api;

beforeAll(async () => {
  berth = await sharedBerth();
  people = openPeople(berth);
  contract = await readContract(berth.api);
  api = contract.checked(berth.api);
});
afterAll(async () => {
  await people?.close();
  await berth?.stop();
});

const act = (id: string, name: string, body?: unknown) =>
  api("POST", `/api/queue/${id}/${name}`, body);

/** Does something in a project's database, as its owner at Supabase might. */
async function inDatabase(project: SandboxProject, statement: string) {
  const client = new pg.Client({
    connectionString: project.directUrl.replace(/\?.*$/, ""),
    ssl: { rejectUnauthorized: false },
  });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

/** A project that passes every test and stops the run at its first file. */
async function brokenProject(): Promise<SandboxProject> {
  const project = await berth.sandbox.project();
  await inDatabase(project, "create schema private");
  return project;
}

async function failedRequest(project: SandboxProject): Promise<string> {
  const id = await claimedRequest(api, { features: ["pos"] });
  const submitted = await act(id, "credentials", credentialsOf(project));
  expect(submitted.status).toBe(200);
  expect((await settled(api, id)).status).toBe("failed");
  return id;
}

interface Step {
  name: string;
  kind: string;
  status: string;
  attempts: number;
  outcome?: Record<string, unknown>;
  error?: Record<string, unknown>;
}
const statuses = (steps: Step[]) => steps.map(({ status }) => status);
const secretsOf = (backendId: string) =>
  people.sql(
    `select backend_id from sealed_secrets where backend_id = $1
     union all select backend_id from data_keys where backend_id = $1`,
    [backendId],
  );

describe("a run that cannot go on", () => {
  it("says where and why, tells staff, and goes on once that is mended", async () => {
    const project = await brokenProject();
    const id = await failedRequest(project);
    const { body: failed } = await api("GET", `/api/queue/${id}`);
    const [preflight, base, ...later] = failed.run.steps as Step[];
    expect(preflight).toMatchObject({ kind: "preflight", status: "done" });
    expect(base).toMatchObject({ kind: "sql", status: "failed" });
    expect(new Set(statuses(later))).toEqual(new Set(["pending"]));
    expect(base?.error).toMatchObject({
      code: "sql_step_failed",
      sqlstate: "42P06",
      file: expect.stringMatching(/^base\/migrations\/\d{14}_\w+\.sql$/),
      line: expect.any(Number),
      statement: "1",
    });
    expect(failed).toMatchObject({
      status: "failed",
      run: { status: "failed" },
      failure: {
        code: "sql_step_failed",
        step: base?.name,
        message: expect.stringContaining("private"),
        fix: expect.any(String),
      },
    });
    const mail = await eventually("a mail to staff", async () =>
      (await berth.mails()).find((one) => one.text.includes(id) && /has stopped/.test(one.subject)),
    );
    expect(mail.to).toEqual([expect.objectContaining({ address: "staff@berth.localhost" })]);
    expect(mail.text).toContain(base?.name);

    // As long as nothing is mended, it stops at the same place again.
    expect((await act(id, "retry")).body.status).toBe("migrating");
    expect((await settled(api, id)).failure).toMatchObject({ step: base?.name });
    await inDatabase(project, "drop schema private");
    const retried = await act(id, "retry");
    expect([retried.status, retried.body.failure]).toEqual([200, null]);
    const done = await settled(api, id);
    expect(done).toMatchObject({
      status: "completed",
      failure: null,
      backend: { status: "ready", generation: 1 },
      run: { status: "succeeded" },
    });
    expect(new Set(statuses(done.run.steps))).toEqual(new Set(["done"]));
    expect((await act(id, "retry")).status).toBe(409);
    const runs = await people.sql(
      "select status from provisioning_runs where request_id = $1 order by id",
      [id],
    );
    expect(runs.map(({ status }) => status)).toEqual(["failed", "failed", "succeeded"]);
  });

  it("goes on in another project, and lets go of the first", async () => {
    const first = await brokenProject();
    const id = await failedRequest(first);
    const { body: before } = await api("GET", `/api/queue/${id}`);
    const second = await berth.sandbox.project();
    expect((await act(id, "credentials", credentialsOf(second))).status).toBe(200);
    const done = await settled(api, id);
    expect(done).toMatchObject({
      status: "completed",
      backend: { projectRef: second.ref, status: "ready", generation: 1 },
    });
    expect(done.backend.backendId).not.toBe(before.backend.backendId);
    const backends = await people.sql(
      "select project_ref, status from customer_backends where request_id = $1 order by id",
      [id],
    );
    expect(backends).toEqual([
      { project_ref: first.ref, status: "retired" },
      { project_ref: second.ref, status: "ready" },
    ]);
    await eventually(
      "the first project's secrets to be destroyed",
      async () => (await secretsOf(before.backend.backendId)).length === 0,
    );
    expect(await secretsOf(done.backend.backendId)).not.toEqual([]);
    // The first one may serve somebody else.
    const test = await api("POST", "/api/test-supabase-connection", credentialsOf(first));
    expect(test.body.checks).toContainEqual(
      expect.objectContaining({ name: "not-in-use", ok: true }),
    );
  });

  it("goes on with other keys of the same project, in a new generation", async () => {
    const project = await brokenProject();
    const id = await failedRequest(project);
    await inDatabase(project, "drop schema private");
    const { publishableKey: anonKey, secretKey: serviceRoleKey } = project;
    const others = { ...credentialsOf(project), anonKey, serviceRoleKey };
    expect((await act(id, "credentials", others)).status).toBe(200);
    const done = await settled(api, id);
    expect(done).toMatchObject({ status: "completed", backend: { generation: 2 } });
    expect(done.backend.credentials).toContainEqual(
      expect.objectContaining({ field: "serviceRoleKey", lastFour: serviceRoleKey.slice(-4) }),
    );
  });

  it("can be cancelled, and its sealed credentials are destroyed", async () => {
    const project = await brokenProject();
    const id = await failedRequest(project);
    const { body: failed } = await api("GET", `/api/queue/${id}`);
    const { backendId } = failed.backend;
    expect(await secretsOf(backendId)).not.toEqual([]);
    const cancelled = await act(id, "cancel");
    expect(cancelled.body).toMatchObject({ status: "cancelled", backend: { status: "retired" } });
    await eventually(
      "its secrets to be destroyed",
      async () => (await secretsOf(backendId)).length === 0,
    );
    const audit = await api("GET", `/api/audit?subjectId=${backendId}`);
    const actions = audit.body.records.map(({ action }: { action: string }) => action).reverse();
    expect(actions).toEqual([
      "secret.seal",
      "backend.attach",
      "secret.use",
      "backend.retire",
      "secret.destroy",
    ]);
    expect((await api("GET", `/api/queue/${id}`)).body.backend.credentials).toEqual([]);
    expect((await act(id, "retry")).status).toBe(409);
  });
});

describe("the description", () => {
  it("was held against what the calls of these tests answered", () => {
    expect([...contract.seen].sort()).toEqual([
      "GET /api/audit 200",
      "GET /api/queue/{requestId} 200",
      "POST /api/customers 201",
      "POST /api/queue/{requestId}/cancel 200",
      "POST /api/queue/{requestId}/claim 200",
      "POST /api/queue/{requestId}/credentials 200",
      "POST /api/queue/{requestId}/retry 200",
      "POST /api/test-supabase-connection 200",
    ]);
  });
});
