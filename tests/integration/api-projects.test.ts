import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Contract, readContract } from "../support/contract.ts";
import { openPeople, type People } from "../support/people.ts";
import {
  type Api,
  claimedRequest,
  credentialsOf,
  eventually,
  newCustomer,
  type RunningBerth,
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

interface Line {
  name: string;
  ok: boolean;
  found?: string;
  needed?: string;
  fix?: string;
}
const failing = (answer: { body: { checks: Line[] } }) =>
  answer.body.checks.filter(({ ok }) => !ok).map(({ name }) => name);
const submit = (id: string, credentials?: unknown) =>
  api("POST", `/api/queue/${id}/credentials`, credentials);
const code = (answer: { body: { type?: string } }) => answer.body.type?.split("#")[1];
const live = async (ref: string) =>
  people.sql(
    "select request_id from customer_backends where project_ref = $1 and status <> 'retired'",
    [ref],
  );

/** As a person at Supabase's dashboard would. */
async function manage(path: string): Promise<void> {
  const { managementUrl, accessToken } = berth.local.info.supabase;
  const answer = await fetch(`${managementUrl}/v1/projects/${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${accessToken}` },
  });
  expect(answer.ok, `${path}: ${answer.status}`).toBe(true);
}

describe("a connection test", () => {
  it("takes keys of both generations, and says so when they are swapped", async () => {
    const project = await berth.sandbox.project();
    const { url, databaseUrl, anonKey, serviceRoleKey, publishableKey, secretKey } = project;
    const test = (publicKey: string, secret: string) =>
      api("POST", "/api/test-supabase-connection", {
        url,
        databaseUrl,
        anonKey: publicKey,
        serviceRoleKey: secret,
      });
    for (const publicKey of [anonKey, publishableKey]) {
      for (const secret of [serviceRoleKey, secretKey]) {
        const answer = await test(publicKey, secret);
        expect([answer.status, failing(answer), answer.body.ok]).toEqual([200, [], true]);
      }
    }
    for (const [secret, publicKey] of [
      [serviceRoleKey, anonKey],
      [secretKey, publishableKey],
    ] as const) {
      const answer = await test(secret, publicKey);
      expect(answer.body.ok).toBe(false);
      const line = answer.body.checks.find(({ name }: Line) => name === "keys-not-swapped");
      expect(line).toMatchObject({ ok: false, fix: expect.stringMatching(/./) });
      expect(JSON.stringify(answer.body)).not.toContain(secret);
    }
    // What does not hold cannot be submitted either, and leaves nothing.
    const id = await claimedRequest(api);
    const refused = await submit(id, { ...credentialsOf(project), anonKey: serviceRoleKey });
    expect([refused.status, code(refused)]).toEqual([422, "credentials_refused"]);
    expect(failing(refused)).toContain("keys-not-swapped");
    expect((await api("GET", `/api/queue/${id}`)).body).toMatchObject({
      status: "in_progress",
      backend: null,
      run: null,
    });
    expect(await live(project.ref)).toEqual([]);
  });
});

describe("one project for two customers", () => {
  it("is refused to the second, by its own line", async () => {
    const project = await berth.sandbox.project();
    const credentials = credentialsOf(project);
    const first = await claimedRequest(api, { features: [] });
    expect((await submit(first, credentials)).status).toBe(200);
    const second = await claimedRequest(api);
    const refused = await submit(second, credentials);
    expect([refused.status, code(refused)]).toEqual([422, "credentials_refused"]);
    expect(failing(refused)).toContain("not-in-use");
    const offered = await api("POST", "/api/customers", newCustomer({ backend: credentials }));
    expect([offered.status, failing(offered)]).toEqual([
      422,
      expect.arrayContaining(["not-in-use"]),
    ]);
    await settled(api, first);
    const again = await api("POST", "/api/test-supabase-connection", credentials);
    expect(failing(again)).toEqual(["not-in-use"]);
    expect(await live(project.ref)).toEqual([{ request_id: first }]);
  });

  it("is refused to one of two that submit at the same instant", async () => {
    for (let round = 0; round < 3; round += 1) {
      const project = await berth.sandbox.project();
      const ids = [
        await claimedRequest(api, { features: [] }),
        await claimedRequest(api, { features: [] }),
      ];
      const answers = await Promise.all(ids.map((id) => submit(id, credentialsOf(project))));
      const won = answers.findIndex(({ status }) => status === 200);
      const lost = answers.find(({ status }) => status !== 200);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(["409 project_in_use", "422 credentials_refused"]).toContain(
        `${lost?.status} ${lost && code(lost)}`,
      );
      expect(await live(project.ref)).toEqual([{ request_id: ids[won] }]);
      const loser = ids[1 - won] ?? "";
      const { body } = await api("GET", `/api/queue/${loser}`);
      expect(body).toMatchObject({ status: "in_progress", backend: null, run: null });
      const sealed = await people.sql(
        `select distinct b.request_id from sealed_secrets s left join customer_backends b on b.id = s.backend_id
         where b.request_id = any($1)`,
        [ids],
      );
      expect(sealed).toEqual([{ request_id: ids[won] }]);
      expect((await settled(api, ids[won] ?? "")).status).toBe("completed");
    }
  });

  it("is one request's once, when that submits five times at the same instant", async () => {
    const project = await berth.sandbox.project();
    const id = await claimedRequest(api, { features: [] });
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => submit(id, credentialsOf(project))),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409]);
    expect((await settled(api, id)).status).toBe("completed");
    const runs = await people.sql("select 1 from provisioning_runs where request_id = $1", [id]);
    expect(runs).toHaveLength(1);
  });
});

describe("a project that the customer offers", () => {
  it("is tested at once, kept sealed, and taken up without being told again", async () => {
    const project = await berth.sandbox.project();
    const wish = newCustomer({ backend: credentialsOf(project), features: ["inventory"] });
    const key = { "Idempotency-Key": "offered" };
    const made = await api("POST", "/api/customers", wish, key);
    expect(made.status).toBe(201);
    // The project is in use by now, but the same call is still the same call.
    expect((await api("POST", "/api/customers", wish, key)).body).toEqual(made.body);
    const id = made.body.requestId;
    const { body: waiting } = await api("GET", `/api/queue/${id}`);
    expect(waiting).toMatchObject({
      status: "pending",
      backend: { projectRef: project.ref, status: "offered", generation: 1 },
    });
    expect(waiting.backend.credentials).toContainEqual({
      field: "serviceRoleKey",
      lastFour: project.serviceRoleKey.slice(-4),
      fingerprint: expect.any(String),
    });
    expect((await submit(id)).status).toBe(409);
    await api("POST", `/api/queue/${id}/claim`);
    expect((await submit(id)).status).toBe(200);
    const done = await settled(api, id);
    expect(done).toMatchObject({
      status: "completed",
      failure: null,
      backend: { status: "ready", projectRef: project.ref },
      run: { status: "succeeded" },
    });
    expect(Object.keys(done.run.templates)).toEqual(["base", "inventory"]);
  });

  it("is refused with the whole request, when it does not hold", async () => {
    const project = await berth.sandbox.project();
    const other = await berth.sandbox.project();
    const wish = newCustomer({
      backend: { ...credentialsOf(project), databaseUrl: other.databaseUrl },
    });
    const answer = await api("POST", "/api/customers", wish);
    expect([answer.status, code(answer)]).toEqual([422, "credentials_refused"]);
    expect(failing(answer)).toContain("same-project");
    expect((await api("GET", `/api/customers?email=${wish.email}`)).body.customers).toEqual([]);
    expect(await live(project.ref)).toEqual([]);
  });

  it("that breaks later stops the clock, until the customer has mended it", async () => {
    const project = await berth.sandbox.project();
    const wish = newCustomer({ backend: credentialsOf(project), features: [] });
    const { body: made } = await api("POST", "/api/customers", wish);
    const id = made.requestId;
    await api("POST", `/api/queue/${id}/claim`);
    await manage(`${project.ref}/pause`);
    const refused = await submit(id);
    expect([refused.status, code(refused)]).toEqual([422, "credentials_refused"]);
    expect(failing(refused)).toContain("project-reachable");
    const { body: asked } = await api("GET", `/api/queue/${id}`);
    expect(asked).toMatchObject({ status: "waiting_on_customer", dueAt: null, run: null });
    const mail = await berth.mail(wish.email, /We need your help/);
    expect(mail.text).toContain(
      refused.body.checks.find((line: Line) => !line.ok && line.fix)?.fix,
    );
    await manage(`${project.ref}/restore`);
    await eventually("the project to be back", async () => {
      const test = await api("POST", "/api/test-supabase-connection", credentialsOf(project));
      return failing(test).join() === "not-in-use";
    });
    const mended = await submit(id);
    expect(mended.status).toBe(200);
    expect(mended.body.dueAt).not.toBeNull();
    const done = await settled(api, id);
    expect(done.status).toBe("completed");
    const kinds = done.timeline.map(({ kind }: { kind: string }) => kind).reverse();
    expect(kinds).toEqual([
      "received",
      "claimed",
      "credentials_problem",
      "resumed",
      "credentials_submitted",
      "run_started",
      "completed",
    ]);
  });
});
