/** What a run will do is seen before it, kept with it, and compared when it starts; what is left to people. */
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunPlan } from "#app/domain/provisioning/index.server.ts";
import {
  type Api,
  claimedRequest,
  credentialsOf,
  type SandboxProject,
  settled,
  startBerth,
  type TestBerth,
} from "../support/berth.ts";
import { type Contract, readContract } from "../support/contract.ts";
import { openPeople, type People } from "../support/people.ts";

let berth: TestBerth;
let people: People;
let contract: Contract;
let api: Api;

beforeAll(async () => {
  // Without a token of Supabase's a run does everything but the Auth settings, and stays open.
  berth = await startBerth({ env: { worker: { SUPABASE_ACCESS_TOKEN: "" } } });
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
const code = (answer: { body: { type?: string } }) => answer.body.type?.split("#")[1];
const requestOf = async (id: string) => (await api("GET", `/api/queue/${id}`)).body;

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

async function planOf(id: string, body?: unknown): Promise<RunPlan> {
  const answer = await act(id, "plan", body);
  expect([answer.status, code(answer)]).toEqual([200, undefined]);
  return answer.body.plan;
}

const filesIn = (plan: Pick<RunPlan, "steps">) =>
  plan.steps.filter(({ file }) => file !== undefined);
const standings = (plan: Pick<RunPlan, "steps">) => [
  ...new Set(filesIn(plan).map(({ planned }) => planned)),
];
/** The ledger as Berth makes it, with one version of somebody else's. */
const FOREIGN_VERSION = `
  create schema berth;
  create table berth.ledger (version text primary key, template text not null,
    template_version text not null, checksum text not null, run_id text not null,
    applied_at timestamptz not null default now());
  insert into berth.ledger values ('20250101000000', 'else', '1.0.0', 'abc', 'else')`;

describe("the plan of a run", () => {
  let project: SandboxProject;
  let id: string;

  it("is told before anything is kept or written", async () => {
    project = await berth.sandbox.project();
    id = await claimedRequest(api, { features: ["pos"] });
    const plan = await planOf(id, credentialsOf(project));
    expect(standings(plan)).toEqual(["apply"]);
    expect(plan).toMatchObject({
      strangers: [],
      basis: { isFresh: true, applied: {}, serverVersion: expect.stringMatching(/^\d/) },
    });
    expect(plan.steps.flatMap(({ effects }) => effects?.locks ?? [])).toContainEqual({
      relation: "auth.users",
      mode: "SHARE ROW EXCLUSIVE",
      line: expect.any(Number),
    });
    const alone = filesIn(plan).filter(({ effects }) => effects?.transactional === false);
    expect(alone.map(({ file }) => file)).toContainEqual(
      expect.stringContaining("product_name_index"),
    );

    expect(await planOf(id, credentialsOf(project))).toMatchObject({
      basis: { digest: plan.basis?.digest },
    });
    expect(await requestOf(id)).toMatchObject({ status: "in_progress", backend: null, run: null });
    const schemas = await inDatabase(project, "select from pg_namespace where nspname = 'berth'");
    expect(schemas).toEqual([]);
  });

  it("is not there for credentials that do not hold, nor for a request without any", async () => {
    const wrong = { ...credentialsOf(project), anonKey: "wrong" };
    const refused = await act(id, "plan", wrong);
    expect([refused.status, code(refused)]).toEqual([422, "credentials_refused"]);
    expect(refused.body.checks).toContainEqual(expect.objectContaining({ ok: false }));
    expect(code(await act(id, "plan"))).toBe("credentials_missing");
  });

  it("says why the database could not be looked at", async () => {
    const other = await berth.sandbox.project();
    await inDatabase(other, "create schema berth; create table berth.ledger (version text)");
    const answer = await act(id, "plan", credentialsOf(other));
    expect([answer.status, code(answer)]).toEqual([503, "plan_unavailable"]);
    expect(answer.body.found).toContain("SQLSTATE 42703");
  });

  it("is started as it was seen, or not at all", async () => {
    const seen = await planOf(id, credentialsOf(project));
    await inDatabase(project, "create schema app; create table app.notes (id int primary key)");
    const planDigest = seen.basis?.digest;
    const refused = await act(id, "credentials", { ...credentialsOf(project), planDigest });
    expect([refused.status, code(refused)]).toEqual([409, "plan_changed"]);
    expect(refused.body).toMatchObject({
      found: "another plan than the one that was looked at",
      fix: "Look at the plan as it is now, and start that one.",
      plan: { basis: { isFresh: false } },
    });
    expect(await requestOf(id)).toMatchObject({ status: "in_progress", backend: null, run: null });

    await inDatabase(project, "drop schema app cascade");
    const started = await act(id, "credentials", { ...credentialsOf(project), planDigest });
    expect([started.status, code(started)]).toEqual([200, undefined]);
    const { run } = await settled(api, id);
    expect(run.status).toBe("needs_person");
    expect(standings(seen)).toEqual(["apply"]);
    for (const [index, step] of seen.steps.entries()) {
      expect(run.steps[index]).toMatchObject({
        name: step.name,
        planned: step.planned ?? null,
        effects: step.effects ?? null,
        status: step.kind === "auth-config" ? "needs_person" : "done",
      });
    }
    expect(run.basis).toMatchObject({ digest: planDigest, isFresh: true, applied: {} });
  });

  it("asks for the whole of the credentials or none, and for a digest that may be one", async () => {
    const { url } = credentialsOf(project);
    const partly = await act(id, "credentials", { url });
    expect(partly.status).toBe(422);
    expect(partly.body.errors.map(({ field }: { field: string }) => field)).toEqual([
      "anonKey",
      "serviceRoleKey",
      "databaseUrl",
    ]);
    const odd = await act(id, "credentials", { planDigest: "x" });
    expect([odd.status, odd.body.errors[0].field]).toEqual([422, "planDigest"]);
  });

  it("of a request that goes on passes over what is applied, and has learnt how long steps take", async () => {
    const plan = await planOf(id);
    expect(standings(plan)).toEqual(["applied"]);
    expect(filesIn(plan).flatMap(({ effects }) => effects?.locks ?? [])).toEqual([]);
    expect(Object.keys(plan.basis?.applied ?? {})).toHaveLength(filesIn(plan).length);
    const health = plan.steps.find(({ kind }) => kind === "health");
    expect(health?.expectedMs).toEqual(expect.any(Number));

    // Nobody looked before this run: the worker plans it, and keeps the plan.
    expect((await act(id, "retry")).status).toBe(200);
    const { run } = await settled(api, id);
    const files = run.steps.filter(
      ({ kind }: { kind: string }) => kind === "sql" || kind === "seed",
    );
    for (const file of files) {
      expect(file).toMatchObject({ planned: "applied", outcome: { outcome: "already_applied" } });
    }
    expect(run.basis.applied).toEqual(plan.basis?.applied);
  });

  it("leaves a file as it is that was applied with another checksum, once that is accepted", async () => {
    const [file] = filesIn(await planOf(id));
    const checksum = "0".repeat(64);
    const edit = (to: string) =>
      inDatabase(
        project,
        `update berth.ledger set checksum = '${to}' where version = '${file?.ledgerVersion}'`,
      );
    await edit(checksum);
    const plan = await planOf(id);
    expect(filesIn(plan)[0]).toMatchObject({ planned: "differs", effects: { locks: [] } });
    expect((await act(id, "retry")).status).toBe(200);
    const { run: stopped } = await settled(api, id);
    const { error } = stopped.steps[0];
    expect(error).toMatchObject({ code: "drift", digest: expect.any(String) });
    await people.sql(
      `insert into drift_acceptances (id, backend_id, digest, difference, reason, accepted_by)
       select gen_random_uuid(), b.id, $2, '{}', 'known', (select user_id from admin_users limit 1)
       from customer_backends b where b.request_id = $1 and b.status <> 'retired'`,
      [id, error.digest],
    );
    expect((await act(id, "retry")).status).toBe(200);
    const { run } = await settled(api, id);
    const outcomes = run.steps.flatMap(({ planned, outcome }: Record<string, unknown>) =>
      planned === null ? [] : [(outcome as { outcome: string }).outcome],
    );
    expect(run.status).toBe("needs_person");
    expect(outcomes[0]).toBe("kept_other");
    expect(new Set(outcomes.slice(1))).toEqual(new Set(["already_applied"]));
    const row = await inDatabase(
      project,
      `select checksum from berth.ledger where version = '${file?.ledgerVersion}'`,
    );
    expect(row).toEqual([{ checksum }]);
    await edit(file?.checksum ?? "");
  });

  it("of another request in the same project finds everything applied", async () => {
    expect((await act(id, "cancel")).status).toBe(200);
    const second = await claimedRequest(api, { features: ["inventory", "analytics"] });
    const plan = await planOf(second, credentialsOf(project));
    const pending = filesIn(plan).filter(({ planned }) => planned === "apply");
    expect(new Set(pending.map(({ template }) => template))).toEqual(new Set(["analytics"]));
    expect(standings(plan).sort()).toEqual(["applied", "apply"]);
    expect(plan.strangers).toEqual([]);
    // What it refers to exists by now, and is locked.
    expect(pending.flatMap(({ effects }) => effects?.locks ?? [])).toContainEqual(
      expect.objectContaining({ relation: "public.locations", mode: "SHARE ROW EXCLUSIVE" }),
    );
  });

  it("of an offered project is seen and taken up without pasting", async () => {
    const offered = await berth.sandbox.project();
    const request = await claimedRequest(api, {
      features: ["inventory"],
      backend: credentialsOf(offered),
    });
    const { basis } = await planOf(request);
    const wrong = await act(request, "credentials", { planDigest: "0".repeat(64) });
    expect([wrong.status, code(wrong)]).toEqual([409, "plan_changed"]);
    const taken = await act(request, "credentials", { planDigest: basis?.digest });
    expect(taken.status).toBe(200);
    expect((await settled(api, request)).run.status).toBe("needs_person");
  });
});

describe("a step that needs a person", () => {
  interface Step {
    kind: string;
    name: string;
    status: string;
    outcome?: { outcome: string };
  }

  it("is no success: it says what to do, and is looked at again", async () => {
    const project = await berth.sandbox.project();
    const id = await claimedRequest(api, { features: ["pos"] });
    expect((await act(id, "credentials", credentialsOf(project))).status).toBe(200);
    const stopped = await settled(api, id);
    const steps: Step[] = stopped.run.steps;
    const auth = steps.find(({ kind }) => kind === "auth-config");
    const link = `https://supabase.com/dashboard/project/${project.ref}/auth/providers`;
    expect(auth).toMatchObject({ status: "needs_person", error: { code: "needs_person", link } });
    expect(stopped).toMatchObject({
      status: "failed",
      run: { status: "needs_person" },
      failure: { code: "needs_person", step: auth?.name, link, fix: expect.any(String) },
      backend: { status: "building" },
    });
    // It holds nothing else up.
    const others = steps.filter((step) => step !== auth).map(({ status }) => status);
    expect(new Set(others)).toEqual(new Set(["done"]));
    expect(stopped.timeline[0]).toMatchObject({ kind: "needs_person" });

    const { managementUrl, accessToken } = berth.local.info.supabase;
    const patched = await fetch(`${managementUrl}/v1/projects/${project.ref}/config/auth`, {
      method: "PATCH",
      headers: { authorization: `Bearer ${accessToken}`, "content-type": "application/json" },
      body: JSON.stringify({ disable_signup: true }),
    });
    expect(patched.status).toBe(200);
    expect((await act(id, "retry")).status).toBe(200);
    const done = await settled(api, id);
    expect(done).toMatchObject({ status: "completed", backend: { status: "ready" } });
    for (const { kind, outcome } of done.run.steps as Step[]) {
      if (kind === "sql" || kind === "seed") expect(outcome?.outcome, kind).toBe("already_applied");
      if (kind === "auth-config") expect(outcome?.outcome).toBe("already_configured");
      if (kind === "owner") expect(outcome?.outcome).toBe("already_there");
    }
    const { body: calls } = await berth.sandbox.call(
      "GET",
      `/sandbox/projects/${project.ref}/calls`,
    );
    expect(calls.calls["POST /auth/v1/admin/users"]).toBe(1);
  });
});

describe("between the submission and the start", () => {
  it("a change of the ledger stops the run, which names it, and a retry plans anew", async () => {
    await Promise.all(berth.local.workers.map((worker) => worker.stop()));
    const project = await berth.sandbox.project();
    const id = await claimedRequest(api, { features: ["inventory"] });
    const { basis } = await planOf(id, credentialsOf(project));
    const body = { ...credentialsOf(project), planDigest: basis?.digest };
    expect((await act(id, "credentials", body)).status).toBe(200);
    await inDatabase(project, FOREIGN_VERSION);
    berth.local.startWorker({ SUPABASE_ACCESS_TOKEN: "" });
    const stopped = await settled(api, id);
    expect(stopped.failure).toMatchObject({
      code: "plan_changed",
      step: "Preflight",
      found: "version 20250101000000 has been applied since",
      needed: expect.any(String),
      fix: "Look at the plan again, and retry.",
    });
    expect(stopped.run.steps.slice(1).map(({ status }: { status: string }) => status)).toEqual(
      stopped.run.steps.slice(1).map(() => "pending"),
    );
    // It only looked: no fence, nothing of its own.
    const tables = await inDatabase(
      project,
      "select relname as name from pg_class where relnamespace = 'berth'::regnamespace and relkind = 'r'",
    );
    expect(tables).toEqual([{ name: "ledger" }]);

    await inDatabase(project, "drop schema berth cascade");
    expect((await act(id, "retry")).status).toBe(200);
    expect((await settled(api, id)).run.status).toBe("needs_person");
  });
});

describe("the description", () => {
  it("was held against what the calls of these tests answered", () => {
    expect([...contract.seen]).toContain("POST /api/queue/{requestId}/plan 200");
  });
});
