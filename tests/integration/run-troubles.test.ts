/** What a run does about troubles that are not its own: passing faults, foreign fences, double clicks. */
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sendOwnerLink } from "#app/domain/provisioning/index.server.ts";
import { type Actor, asActor, createDb } from "#db/index.ts";
import {
  claimedRequest,
  credentialsOf,
  eventually,
  postPage,
  type RunningBerth,
  type SandboxProject,
  settled,
  sharedBerth,
} from "../support/shared-berth.ts";

let berth: RunningBerth;
beforeAll(async () => {
  berth = await sharedBerth();
});
afterAll(() => berth?.stop());

/** Switches faults of one project on, for as many calls as they say. */
const faults = (project: SandboxProject, list: Record<string, unknown>[]) =>
  berth.sandbox.call("PUT", "/sandbox/faults", {
    faults: list.map((fault) => ({ ref: project.ref, ...fault })),
  });

async function build(project: SandboxProject, email: string) {
  const requestId = await claimedRequest(berth.api, { email, features: ["inventory"] });
  const path = `/api/queue/${requestId}/credentials`;
  const submitted = await berth.api("POST", path, credentialsOf(project));
  expect(submitted.status).toBe(200);
  return { requestId, request: await settled(berth.api, requestId) };
}

async function own<T extends pg.QueryResultRow>(
  text: string,
  values: unknown[] = [],
): Promise<T[]> {
  const client = new pg.Client({ connectionString: berth.local.info.databaseUrl });
  await client.connect();
  try {
    return (await client.query<T>(text, values)).rows;
  } finally {
    await client.end();
  }
}

describe("faults that pass", () => {
  it("of a service in the health check do not fail the run", async () => {
    const project = await berth.sandbox.project();
    await faults(project, [
      { kind: "error", route: "GET /auth/v1/health", status: 500, times: 1 },
      { kind: "rate-limited", route: "POST /auth/v1/admin/users", times: 1, ms: 1000 },
    ]);
    const { request } = await build(project, "passing@example.com");
    expect(request.failure).toBeNull();
    expect(request.status).toBe("completed");
    const { body } = await berth.sandbox.call("GET", `/sandbox/projects/${project.ref}/calls`);
    const met = await berth.sandbox.call("GET", "/sandbox/faults");
    expect(met.body.faults.map(({ hits }: { hits: number }) => hits)).toEqual([1, 1]);
    expect(body.effects["POST /auth/v1/admin/users"]).toBe(1);
  });

  it("of an offered project are not laid at the customer's door", async () => {
    const project = await berth.sandbox.project();
    const requestId = await claimedRequest(berth.api, {
      email: "offered@example.com",
      backend: credentialsOf(project),
    });
    await faults(project, [{ kind: "error", route: "* /auth/v1/*", status: 503 }]);
    const path = `/api/queue/${requestId}/credentials`;
    const refused = await berth.api("POST", path, {});
    expect(refused.status).toBe(422);
    const still = await berth.api("GET", `/api/queue/${requestId}`);
    expect(still.body.status).toBe("in_progress");
    expect(still.body.mails.map((mail: { kind: string }) => mail.kind)).not.toContain(
      "credentials_problem",
    );
    await berth.sandbox.call("DELETE", "/sandbox/faults");
    expect((await berth.api("POST", path, {})).status).toBe(200);
    expect((await settled(berth.api, requestId)).status).toBe("completed");
  });
});

describe("a fence that is ahead", () => {
  it("fails the run with what to do, in place of workers taking it for ever", async () => {
    const project = await berth.sandbox.project();
    const { requestId } = await build(project, "fence@example.com");
    const customer = new pg.Client({
      connectionString: project.directUrl,
      ssl: { rejectUnauthorized: false },
    });
    await customer.connect();
    await customer.query("update berth.fence set token = token + 1000000");
    await customer.end();
    // As if Berth's own database had been restored from before this run.
    await own(
      `insert into provisioning_runs (id, request_id, backend_id, templates)
       select gen_random_uuid(), request_id, backend_id, templates from provisioning_runs where request_id = $1`,
      [requestId],
    );
    await own("alter table provisioning_queue disable trigger provisioning_queue_guard");
    await own("update provisioning_queue set status = 'migrating' where id = $1", [requestId]);
    await own("alter table provisioning_queue enable trigger provisioning_queue_guard");
    await own(
      `insert into provisioning_steps (id, run_id, position, name, kind)
       select gen_random_uuid(), id, 0, 'Preflight', 'preflight' from provisioning_runs
       where request_id = $1 and status in ('queued', 'running')`,
      [requestId],
    );
    const request = await settled(berth.api, requestId, ["failed"]);
    expect(request.failure).toMatchObject({
      code: "fence_ahead",
      fix: expect.stringContaining("fencing_tokens"),
    });
  });
});

/** As `npm run staff -- owner-link` does it, by the superuser's login. */
async function sendAgain(requestId: string): Promise<void> {
  const { databaseUrl } = berth.local.info;
  const db = createDb(databaseUrl, { applicationName: "test", max: 1, onError: () => {} });
  const actor: Actor = { kind: "staff", id: "test", origin: "", correlationId: "" };
  await asActor(db, actor, (tx) => sendOwnerLink({ tx, actor }, requestId));
  await db.$client.end();
}

describe("the owner's link", () => {
  it("opens one session for two presses of the button at once, and a lost one can be sent again", async () => {
    const project = await berth.sandbox.project();
    const { requestId } = await build(project, "twice@example.com");
    const linkIn = (text: string) => /http\S+\/owner\?token=\S+/.exec(text)?.[0] ?? "";
    const first = linkIn((await berth.mail("twice@example.com", /is ready/)).text);
    await faults(project, [
      { kind: "delay", route: "POST /auth/v1/admin/generate_link", ms: 3_000 },
    ]);
    const press = () => postPage(first, { redirect: "manual" });
    const answers = await Promise.all([press(), press()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 422]);
    const target = answers.find(({ status }) => status === 303)?.headers.get("location") ?? "";
    const verified = await fetch(target, { redirect: "manual" });
    expect(verified.headers.get("location")).toContain("#access_token=");
    expect((await press()).status).toBe(404);
    await berth.sandbox.call("DELETE", "/sandbox/faults");

    const sendNext = async (...before: string[]) => {
      await sendAgain(requestId);
      return eventually("the next mail", async () => {
        const links = (await berth.mails())
          .filter((mail) => mail.to.some(({ address }) => address === "twice@example.com"))
          .map((mail) => linkIn(mail.text))
          .filter((link) => link && !before.includes(link));
        return links[0];
      });
    };
    const second = await sendNext(first);
    const third = await sendNext(first, second);
    for (const answer of [await fetch(second), await postPage(second, { redirect: "manual" })]) {
      expect(answer.status).toBe(404);
      expect(await answer.text()).toContain("A newer link has taken the place of this one");
    }
    expect((await postPage(third, { redirect: "manual" })).status).toBe(303);
  });

  it("is given back when the project does not answer", async () => {
    const project = await berth.sandbox.project();
    await build(project, "away@example.com");
    const text = (await berth.mail("away@example.com", /is ready/)).text;
    const link = /http\S+\/owner\?token=\S+/.exec(text)?.[0] ?? "";
    const press = () => postPage(link, { redirect: "manual" });
    await faults(project, [{ kind: "paused" }]);
    const refused = await press();
    expect(refused.status).toBe(422);
    expect(await refused.text()).toContain("is paused or gone");
    await berth.sandbox.call("DELETE", "/sandbox/faults");
    expect((await press()).status).toBe(303);
  });
});

it("credentials that others have replaced are destroyed when the run is done", async () => {
  const project = await berth.sandbox.project();
  await faults(project, [{ kind: "error", route: "POST /auth/v1/admin/users", status: 400 }]);
  const { requestId, request } = await build(project, "replaced@example.com");
  expect(request.status).toBe("failed");
  await berth.sandbox.call("DELETE", "/sandbox/faults");
  const newer = {
    ...credentialsOf(project),
    anonKey: project.publishableKey,
    serviceRoleKey: project.secretKey,
  };
  expect((await berth.api("POST", `/api/queue/${requestId}/credentials`, newer)).status).toBe(200);
  const done = await settled(berth.api, requestId, ["completed"]);
  expect(done.backend.generation).toBe(2);
  const kept = await own("select distinct generation from sealed_secrets where backend_id = $1", [
    done.backend.backendId,
  ]);
  expect(kept).toEqual([{ generation: 2 }]);
});
