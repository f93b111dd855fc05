import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadCatalog } from "#app/domain/catalog/index.server.ts";
import { diffCatalogs, snapshotCatalog } from "../support/catalog.ts";
import { readContract } from "../support/contract.ts";
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
import { signInAsStaff } from "../support/wrong-scene.ts";

let berth: RunningBerth;
let people: People;
let api: Api;
let lou: Api;

beforeAll(async () => {
  berth = await sharedBerth();
  people = openPeople(berth);
  const contract = await readContract(berth.api);
  api = contract.checked(berth.api);
  lou = contract.checked(berth.api.as(await people.key(await people.staff("admin", "Lou"))));
});
afterAll(async () => {
  await people?.close();
  await berth?.stop();
});

/** Works in a project's database, as its owner at Supabase might. */
async function within<T>(project: SandboxProject, work: (client: pg.Client) => Promise<T>) {
  const client = new pg.Client({
    connectionString: project.directUrl.replace(/\?.*$/, ""),
    ssl: { rejectUnauthorized: false },
  });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
const inDatabase = (project: SandboxProject, statement: string) =>
  within(project, (client) => client.query(statement));
const catalogOf = (project: SandboxProject) =>
  within(project, (client) => snapshotCatalog(client, { rowCounts: ["public", "storage"] }));

const rehearse = (id: string, body?: unknown, who = api) =>
  who("POST", `/api/queue/${id}/rehearsal`, body);
const code = (answer: { body: { type?: string } }) => answer.body.type?.split("#")[1];
interface Step {
  outcome: string;
  file: string;
  reason?: string;
  error?: Record<string, unknown>;
}
const outcomes = (answer: { body: { rehearsal: { steps: Step[] } } }) =>
  new Set(answer.body.rehearsal.steps.map(({ outcome }) => outcome));

describe("a rehearsal", () => {
  it("of a fresh project goes through every file, and leaves nothing but its record", async () => {
    const project = await berth.sandbox.project();
    const id = await claimedRequest(api, { features: ["pos", "inventory"] });
    const before = await catalogOf(project);
    const answer = await rehearse(id, credentialsOf(project));
    expect(answer.status).toBe(200);
    const { rehearsal } = answer.body;
    expect(rehearsal).toMatchObject({ where: "backend", ok: true, missing: [] });
    const alone = rehearsal.steps.filter(({ outcome }: Step) => outcome !== "rehearsed");
    const { order } = await loadCatalog("feature-templates");
    const untransacted = order(["pos", "inventory"])
      .flatMap(({ migrations }) => migrations)
      .filter(({ transactional }) => !transactional);
    expect(untransacted.length).toBeGreaterThan(0);
    expect(alone).toEqual(
      untransacted.map(({ path }) =>
        expect.objectContaining({
          outcome: "not_rehearsed",
          file: path,
          reason: expect.stringContaining("transaction"),
        }),
      ),
    );
    expect(diffCatalogs(before, await catalogOf(project))).toEqual([]);
    const { body } = await api("GET", `/api/queue/${id}`);
    expect(body).toMatchObject({ status: "in_progress", backend: null, run: null });
    const audit = await api("GET", `/api/audit?subjectId=${id}`);
    const record = audit.body.records.find(
      ({ action }: { action: string }) => action === "run.rehearse",
    );
    expect(rehearsal.notPart.join()).toContain("drift guard");
    const begun = ({ action }: { action: string }) => action === "run.rehearse_start";
    expect(audit.body.records.filter(begun)).toHaveLength(1);
    expect(record.data).toEqual({ ok: true, where: "backend", steps: rehearsal.steps.length });
    expect(JSON.stringify(audit.body)).not.toContain(project.serviceRoleKey);
  });

  it("says which file would stop the run, and why; the run then says the same", async () => {
    const project = await berth.sandbox.project();
    await inDatabase(project, "create schema private");
    const id = await claimedRequest(api, { features: ["pos"] });
    const answer = await rehearse(id, credentialsOf(project));
    expect(answer.status).toBe(200);
    expect(answer.body.rehearsal.ok).toBe(false);
    expect(outcomes(answer)).toEqual(new Set(["failed", "not_reached"]));
    const { error } = answer.body.rehearsal.steps[0];
    expect(error).toMatchObject({
      code: "sql_step_failed",
      sqlstate: "42P06",
      file: expect.stringMatching(/^base\/migrations\/\d{14}_\w+\.sql$/),
      line: expect.any(Number),
      found: expect.any(String),
      needed: expect.any(String),
      fix: expect.any(String),
    });
    await api("POST", `/api/queue/${id}/credentials`, credentialsOf(project));
    const failed = await settled(api, id);
    const step = failed.run.steps.find(({ status }: { status: string }) => status === "failed");
    expect(step.error).toMatchObject({ sqlstate: "42P06", file: error.file, line: error.line });

    // Without a body: the project that the request has by now.
    expect((await rehearse(id)).body).toMatchObject({
      rehearsal: { where: "backend", ok: false },
    });
    await inDatabase(project, "drop schema private");
    expect((await rehearse(id)).body).toMatchObject({
      rehearsal: { where: "backend", ok: true },
    });
    const page = await rehearseOnPage(id, new URLSearchParams());
    expect([page.status, (await page.json()).rehearsal.ok]).toEqual([200, true]);
    await api("POST", `/api/queue/${id}/retry`);
    expect((await settled(api, id)).status).toBe("completed");
    expect(code(await rehearse(id))).toBe("request_wrong_state");
  });

  it("beside a customer's rows takes a scratch copy, and keeps off the rows", async () => {
    const project = await berth.sandbox.project();
    await inDatabase(
      project,
      "create schema crm; create table crm.people (name text); insert into crm.people values ('Ann')",
    );
    const before = await catalogOf(project);
    const databases = () => inDatabase(project, "select datname from pg_database order by 1");
    const others = (await databases()).rows;
    const id = await claimedRequest(api, { features: ["pos"] });
    const answer = await rehearse(id, credentialsOf(project));
    expect(answer.body.rehearsal).toMatchObject({ where: "scratch copy", ok: true });
    expect(diffCatalogs(before, await catalogOf(project))).toEqual([]);
    expect((await databases()).rows).toEqual(others);
  });

  it("is refused where the request or the project is not at hand", async () => {
    const project = await berth.sandbox.project();
    const id = await claimedRequest(api, { features: ["pos"] });
    expect(code(await rehearse(id))).toBe("credentials_missing");
    expect(code(await rehearse(id, credentialsOf(project), lou))).toBe("request_held");
    const wrong = { ...credentialsOf(project), serviceRoleKey: "sb_secret_canary0123456789" };
    const refused = await rehearse(id, wrong);
    expect([refused.status, code(refused)]).toEqual([422, "credentials_refused"]);
    expect(JSON.stringify(refused.body)).not.toContain("canary");
    const [locked, second] = await within(project, async (client) => {
      await client.query("select pg_advisory_lock(x'42525448'::int, 1)");
      // The first waits for the run lock for a while.
      const first = rehearse(id, credentialsOf(project));
      const isBegun = async () =>
        (
          await client.query(
            "select from pg_stat_activity where application_name like 'berth-rehearsal:%' and datname = current_database()",
          )
        ).rowCount === 1;
      await eventually("the first rehearsal", isBegun);
      const next = await rehearse(id, credentialsOf(project));
      return [await first, next];
    });
    expect([second.status, code(second)]).toEqual([409, "rehearsal_busy"]);
    expect([locked.status, code(locked)]).toEqual([409, "run_locked"]);
    expect(locked.body).toMatchObject({ found: expect.stringContaining("session") });
    const { body } = await api("GET", `/api/audit?action=run.rehearse&requestId=${id}`);
    const ends = body.records.map(({ data }: { data: { code?: string } }) => data.code);
    expect(ends).toEqual(["run_locked", "credentials_refused"]);
  });
});

describe("a rehearsal that a page asks for", () => {
  it("says which pasted value is wrong before any is tried, and repeats none", async () => {
    const id = await claimedRequest(api, { features: ["pos"] });
    const body = new URLSearchParams({ url: "nonsense-canary", anonKey: "canary" });
    const answer = await rehearseOnPage(id, body);
    expect(answer.status).toBe(422);
    const text = await answer.text();
    expect(Object.keys(JSON.parse(text).fields)).toEqual(
      expect.arrayContaining(["serviceRoleKey", "databaseUrl"]),
    );
    expect(text).not.toContain("canary");
  });

  it("is for those who are signed in", async () => {
    const answer = await rehearseOnPage("x", new URLSearchParams(), "");
    expect(answer.headers.get("location")).toMatch(/^\/sign-in/);
  });
});

async function rehearseOnPage(id: string, body: URLSearchParams, cookie?: string) {
  const { url } = berth.local.info;
  return fetch(`${url}/desk/requests/${id}/rehearsal`, {
    method: "POST",
    redirect: "manual",
    headers: { origin: new URL(url).origin, cookie: cookie ?? (await signInAsStaff(berth)) },
    body,
  });
}
