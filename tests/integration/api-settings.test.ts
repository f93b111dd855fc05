/** Answers that are corrected through the API, and what the next run makes of them. */
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readContract } from "../support/contract.ts";
import { openPeople, type People } from "../support/people.ts";
import {
  type Api,
  claimedRequest,
  credentialsOf,
  newCustomer,
  type RunningBerth,
  type SandboxProject,
  settled,
  sharedBerth,
} from "../support/shared-berth.ts";

let berth: RunningBerth;
let people: People;
/** Two admins, each with a key of their own. */
let kim: Api;
let lou: Api;

beforeAll(async () => {
  berth = await sharedBerth();
  people = openPeople(berth);
  const contract = await readContract(berth.api);
  const keyed = async (name: string) =>
    contract.checked(berth.api.as(await people.key(await people.staff("admin", name))));
  kim = await keyed("Kim");
  lou = await keyed("Lou");
});
afterAll(async () => {
  await people?.close();
  await berth?.stop();
});

const code = (answer: { body: { type?: string } }) => answer.body.type?.split("#")[1];
const read = async (id: string) => (await kim("GET", `/api/queue/${id}`)).body;
const correct = (who: Api, id: string, body: unknown) =>
  who("POST", `/api/queue/${id}/settings`, body);
const currency = (value: string) => ({ base: { currency: value } });

describe("correcting settings", () => {
  it("answers with the request as it is then, and says which questions", async () => {
    const id = await claimedRequest(kim);
    const { version, parameters } = await read(id);
    const { status, body } = await correct(kim, id, { version, parameters: currency("chf") });
    expect(status).toBe(200);
    expect(body.parameters).toEqual({
      ...parameters,
      base: { ...parameters.base, currency: "CHF" },
    });
    expect(body.version).toBeGreaterThan(version);
    expect(body.timeline[0]).toMatchObject({
      kind: "settings_corrected",
      data: { answers: ["base.currency"] },
    });
    const records = await people.sql("select * from audit_log where request_id = $1", [id]);
    const record = records.find(({ action }) => action === "request.settings_corrected");
    expect(record).toMatchObject({ actor_kind: "api", data: { answers: ["base.currency"] } });
    expect(JSON.stringify(records)).not.toContain("CHF");
  });

  it("is refused field by field", async () => {
    const id = await claimedRequest(kim);
    const { version } = await read(id);
    const wrong = { base: { currency: "Silbergroschen", colour: "red" }, till: { a: 1 } };
    const refused = await correct(kim, id, { version, parameters: wrong });
    expect([refused.status, code(refused)]).toEqual([422, "answers_not_possible"]);
    expect(refused.body.errors.map(({ field }: { field: string }) => field)).toEqual([
      "parameters.base.currency",
      "parameters.base.colour",
      "parameters.till.a",
    ]);
    for (const body of [
      {},
      { version },
      { parameters: {} },
      { version, parameters: currency("EUR"), status: "completed" },
      { version, parameters: { base: { currency: ["EUR"] } } },
    ]) {
      const answer = await correct(kim, id, body);
      expect([answer.status, code(answer)], JSON.stringify(body)).toEqual([422, "fields_invalid"]);
    }
    expect((await read(id)).version).toBe(version);
  });

  it("from an older version, at once, by another one or of nothing is refused", async () => {
    const id = await claimedRequest(kim);
    const { version } = await read(id);
    const ends = await Promise.all(
      ["CHF", "USD", "GBP"].map((one) => correct(kim, id, { version, parameters: currency(one) })),
    );
    expect(ends.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    for (const end of ends.filter(({ status }) => status === 409)) {
      expect(code(end)).toBe("request_changed");
    }
    const now = (await read(id)).version;
    const theirs = await correct(lou, id, { version: now, parameters: currency("EUR") });
    expect([theirs.status, code(theirs), theirs.body.holder.name]).toEqual([
      409,
      "request_held",
      "Kim",
    ]);
    for (const nobody of ["019a0000-0000-7000-8000-000000000000", "1"]) {
      const answer = await correct(kim, nobody, { version: 1, parameters: {} });
      expect([answer.status, code(answer)]).toEqual([404, "request_not_found"]);
    }
    const free = await berth.api("POST", "/api/customers", newCustomer());
    const { requestId } = free.body;
    const pending = { version: (await read(requestId)).version, parameters: currency("EUR") };
    expect(code(await correct(kim, requestId, pending))).toBe("request_wrong_state");
  });
});

describe("a run that was refused for an answer", () => {
  const asks = async (project: SandboxProject, statement: string) => {
    const client = new pg.Client({
      connectionString: project.directUrl,
      ssl: { rejectUnauthorized: false },
    });
    await client.connect();
    try {
      return (await client.query(statement)).rows;
    } finally {
      await client.end();
    }
  };

  it("builds with the corrected one, after which it is too late", async () => {
    const project = await berth.sandbox.project();
    const id = await claimedRequest(kim, { features: ["inventory"] });
    // As if a later version of the feature had narrowed what it takes.
    await people.sql(
      `update provisioning_queue set version = version + 1,
         parameters = jsonb_set(parameters, '{base,currency}', '"Silbergroschen"') where id = $1`,
      [id],
    );
    const rehearsed = await kim("POST", `/api/queue/${id}/rehearsal`, credentialsOf(project));
    expect([rehearsed.status, code(rehearsed)]).toEqual([422, "answers_refused"]);
    await kim("POST", `/api/queue/${id}/credentials`, credentialsOf(project));
    const failed = await settled(kim, id);
    expect(failed.failure).toMatchObject({
      code: "answers_refused",
      fix: expect.stringContaining("“Correct settings” on the request's page"),
    });
    const version = failed.version;
    const corrected = await correct(kim, id, { version, parameters: currency("CHF") });
    expect([corrected.status, corrected.body.status]).toEqual([200, "failed"]);
    expect((await kim("POST", `/api/queue/${id}/retry`)).status).toBe(200);
    // The run itself moves the request on.
    await expect
      .poll(async () => {
        const { version } = await read(id);
        return code(await correct(kim, id, { version, parameters: currency("EUR") }));
      })
      .toBe("settings_closed");
    const done = await settled(kim, id);
    expect(done.status, JSON.stringify(done.failure)).toBe("completed");
    expect(await asks(project, "select currency from public.company_settings")).toEqual([
      { currency: "CHF" },
    ]);
    const late = await correct(kim, id, { version: done.version, parameters: currency("EUR") });
    expect([late.status, code(late)]).toEqual([409, "settings_closed"]);
    expect(late.body.fix).toBe("Change them in the product's own settings.");
  });
});
