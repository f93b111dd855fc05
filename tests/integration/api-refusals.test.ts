import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ALL_SCOPES } from "#app/domain/identity/index.server.ts";
import { type Contract, readContract } from "../support/contract.ts";
import { openPeople, type People } from "../support/people.ts";
import { type Api, newCustomer, type RunningBerth, sharedBerth } from "../support/shared-berth.ts";

let berth: RunningBerth;
let people: People;
let contract: Contract;
let api: Api;
let kim: string;
const NOBODY = "00000000-0000-7000-8000-000000000000";

beforeAll(async () => {
  berth = await sharedBerth();
  people = openPeople(berth);
  contract = await readContract(berth.api);
  api = contract.checked(berth.api);
  kim = await people.staff("admin", "Kim Admin");
});
afterAll(async () => {
  await people?.close();
  await berth?.stop();
});

const at = (path: string) => path.replace("{requestId}", NOBODY);
const code = (answer: { body: { type?: string } }) => answer.body.type?.split("#")[1];
const fields = (answer: { body: { errors?: { field: string }[] } }) =>
  answer.body.errors?.map(({ field }) => field);

describe("the description", () => {
  it("lists exactly the calls that there are", () => {
    expect(contract.calls.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([
      "GET /api/audit",
      "GET /api/customers",
      "GET /api/queue",
      "GET /api/queue/{requestId}",
      "POST /api/customers",
      "POST /api/queue/{requestId}/cancel",
      "POST /api/queue/{requestId}/claim",
      "POST /api/queue/{requestId}/credentials",
      "POST /api/queue/{requestId}/plan",
      "POST /api/queue/{requestId}/rehearsal",
      "POST /api/queue/{requestId}/release",
      "POST /api/queue/{requestId}/retry",
      "POST /api/queue/{requestId}/run/cancel",
      "POST /api/queue/{requestId}/settings",
      "POST /api/test-supabase-connection",
    ]);
  });
});

describe("who asks", () => {
  it("is refused without a valid key, whatever is asked, in one and the same way", async () => {
    const stranger = api.as("");
    const attempts: Record<string, string>[] = [
      {},
      { authorization: "" },
      { authorization: "Bearer" },
      { authorization: "Bearer " },
      { authorization: "Bearer berth_nothing" },
      { authorization: `Basic ${Buffer.from("a:b").toString("base64")}` },
      { authorization: berth.local.info.apiKey },
      { authorization: `Bearer ${berth.local.info.apiKey}x` },
      { authorization: `Bearer ${berth.local.info.apiKey} x` },
      { authorization: `Bearer ${berth.local.info.apiKey.toUpperCase()}` },
      { authorization: `Bearer ${"x".repeat(5_000)}` },
      { "x-api-key": berth.local.info.apiKey },
    ];
    for (const headers of attempts) {
      const answer = await stranger("GET", "/api/queue", undefined, headers);
      expect(answer.status, JSON.stringify(headers)).toBe(401);
      expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="berth"');
      expect(answer.headers.get("cache-control")).toBe("no-store");
      const { instance, ...rest } = answer.body;
      expect(instance).toMatch(/^urn:berth:/);
      expect(rest).toEqual({
        type: "/docs/api#key_invalid",
        title: "Who is asking?",
        status: 401,
        detail: "The API key is missing, unknown, disabled or expired.",
        fix: "Send a valid key as `Authorization: Bearer …`.",
      });
    }
    for (const { method, path } of contract.calls) {
      expect((await stranger(method, at(path))).status, path).toBe(401);
    }
    expect((await api("GET", `/api/queue?key=${berth.local.info.apiKey}`)).status).toBe(422);
  });

  it("may do what the key's scopes say, and nothing else", async () => {
    for (const missing of ALL_SCOPES) {
      const key = await people.key(
        kim,
        ALL_SCOPES.filter((scope) => scope !== missing),
      );
      for (const { method, path, scope } of contract.calls) {
        const answer = await api.as(key)(method, at(path), method === "POST" ? {} : undefined);
        const wanted = scope === missing ? 403 : undefined;
        expect(answer.status === 403 ? 403 : undefined, `${path} without ${missing}`).toBe(wanted);
        if (wanted) {
          expect(code(answer)).toBe("scope_missing");
          expect(answer.body.needed).toBe(missing);
        }
      }
    }
    const none = await people.key(kim, []);
    expect((await api.as(none)("GET", "/api/queue")).status).toBe(403);
  });

  it("may do nothing with a key that was disabled, or once its owner is no longer staff", async () => {
    const lee = await people.staff("admin", "Lee Leaver");
    const key = await people.key(lee);
    expect((await api.as(key)("GET", "/api/queue")).status).toBe(200);
    await people.sql("update admin_users set deactivated_at = now() where user_id = $1", [lee]);
    const gone = await api.as(key)("GET", "/api/queue");
    expect([gone.status, code(gone)]).toEqual([403, "not_staff"]);
    await people.sql("update admin_users set deactivated_at = null where user_id = $1", [lee]);
    await people.sql("update auth.apikey set enabled = false where reference_id = $1", [lee]);
    expect((await api.as(key)("GET", "/api/queue")).status).toBe(401);
    await people.sql(
      "update auth.apikey set enabled = true, expires_at = now() - interval '1 second' where reference_id = $1",
      [lee],
    );
    expect((await api.as(key)("GET", "/api/queue")).status).toBe(401);
  });
});

describe("a body", () => {
  const send = (body: unknown, headers: Record<string, string> = {}) =>
    api("POST", "/api/customers", body, headers);

  it("that is not JSON, or not UTF-8, is 400", async () => {
    for (const text of [
      "{",
      "company=x",
      "{'a': 1}",
      '{"a": 1,}',
      "[1",
      "undefined",
      "NaN",
      "\0",
    ]) {
      const answer = await send(text);
      expect([answer.status, code(answer)], text).toEqual([400, "body_malformed"]);
    }
    const raw = await fetch(`${berth.local.info.url}/api/customers`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${berth.local.info.apiKey}`,
        "content-type": "application/json",
      },
      body: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
    });
    expect(raw.status).toBe(400);
  });

  it("that says to be something else is 415", async () => {
    const types = ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "", "x"];
    for (const type of types) {
      const answer = await send(JSON.stringify(newCustomer()), { "content-type": type });
      expect([answer.status, code(answer)], type).toEqual([415, "media_type_unsupported"]);
    }
    const named = { "content-type": "Application/JSON; charset=utf-8" };
    expect((await send(newCustomer(), named)).status).toBe(201);
  });

  it("that is no object with the fields that are needed is 422, and each is named", async () => {
    for (const body of [
      "null",
      "[]",
      "7",
      '"text"',
      "true",
      "",
      "[".repeat(30_000) + "]".repeat(30_000),
    ]) {
      expect((await send(body)).status, body.slice(0, 20)).toBe(422);
    }
    const answer = await send({});
    expect(fields(answer)).toEqual([
      "company",
      "contactName",
      "email",
      "country",
      "region",
      "plan",
      "billingCycle",
      "features",
    ]);
    const bad = newCustomer({ email: "a@b.co\r\nBcc: evil@x.co", country: "ZZ", company: "a\0b" });
    expect(fields(await send(bad))).toEqual(["company", "email", "country"]);
  });

  it("with answers that the features do not ask for, or cannot take, is 422, and each is named", async () => {
    const wish = newCustomer({ plan: "starter", features: [] });
    const cases: [unknown, string[]][] = [
      [{ base: { currency: "shells", colour: "red" } }, ["base.currency", "base.colour"]],
      [{ base: { time_zone: "+01:00", locale: "../en" } }, ["base.time_zone", "base.locale"]],
      [{ base: { company_name: "two\nlines" } }, ["base.company_name"]],
      [{ base: { company_name: "a\0b" } }, ["base.company_name"]],
      [{ base: { company_name: "x".repeat(5_000) } }, ["base.company_name"]],
      [{ base: { company_name: ["a", "b"] } }, ["base.company_name"]],
      [{ base: { company_name: null } }, ["base.company_name"]],
      [{ base: { company_name: { toString: "x" } } }, ["base.company_name"]],
      [{ base: ["EUR"] }, ["base"]],
      [{ base: "EUR" }, ["base"]],
      [{ teleport: { speed: 1 } }, ["teleport.speed"]],
      // Not chosen.
      [{ pos: { receipt_footer: "Bye" } }, ["pos.receipt_footer"]],
      [Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`t${n}`, {}])), [""]],
    ];
    for (const [parameters, named] of cases) {
      const answer = await send({ ...wish, parameters });
      const wanted = named.map((name) => (name === "" ? "parameters" : `parameters.${name}`));
      const what = JSON.stringify(parameters).slice(0, 60);
      expect([answer.status, fields(answer)], what).toEqual([422, wanted]);
      for (const { message } of answer.body.errors) expect(message, what).toMatch(/^[A-Z].*\.$/);
    }
    for (const parameters of ["x", 1, [], null]) {
      expect((await send({ ...wish, parameters })).status).toBe(422);
    }
    const text = JSON.stringify(wish);
    for (const poison of ['{"__proto__":{"a":"b"}}', '{"base":{"__proto__":"x"}}']) {
      const answer = await send(`{"parameters":${poison},${text.slice(1)}`);
      expect([answer.status, fields(answer)?.[0]]).toEqual([
        422,
        expect.stringMatching(/^parameters\..*__proto__$/),
      ]);
    }
    const taken = await api("GET", `/api/customers?email=${wish.email}`);
    expect(taken.body.customers).toEqual([]);
  });

  it("with what does not belong there is 422, and nothing of it is taken", async () => {
    const wish = newCustomer();
    const names = ["role", "status", "assigneeId", "customerId", "constructor", "toString"];
    for (const name of names) {
      const answer = await send({ ...wish, [name]: "admin" });
      expect([answer.status, fields(answer)], name).toEqual([422, [name]]);
    }
    const text = JSON.stringify(wish);
    for (const poison of ['"__proto__":{"admin":true}', '"prototype":1']) {
      const answer = await send(`{${poison},${text.slice(1)}`);
      expect(answer.status).toBe(422);
      expect(fields(answer)).toHaveLength(1);
    }
    const nested = `{"backend":{"__proto__":{}},${text.slice(1)}`;
    expect(fields(await send(nested))).toContain("backend.__proto__");
    const claim = await api("POST", `/api/queue/${NOBODY}/claim`, { assigneeId: "somebody" });
    expect([claim.status, fields(claim)]).toEqual([422, ["assigneeId"]]);
    const taken = await api("GET", `/api/customers?email=${wish.email}`);
    expect(taken.body.customers).toEqual([]);
    // It is what was added that was refused.
    expect((await send(wish)).status).toBe(201);
  });

  it("with NUL bytes anywhere is 422", async () => {
    for (const [name, value] of Object.entries(newCustomer({ phone: "+49 30 123456" }))) {
      const planted = typeof value === "string" ? `${value}\0` : ["p\0s"];
      const answer = await send(newCustomer({ [name]: planted }));
      expect(answer.status, name).toBe(422);
      expect(fields(answer)?.[0]).toMatch(new RegExp(`^${name}`));
    }
    const credentials = { url: "x\0", anonKey: "a\0", serviceRoleKey: "s\0", databaseUrl: "d\0" };
    const tested = await api("POST", "/api/test-supabase-connection", credentials);
    expect(tested.status).toBe(422);
    for (const query of ["actorId=%00", "action=a%00b", "subjectId=%00"]) {
      expect((await api("GET", `/api/audit?${query}`)).status, query).toBe(422);
    }
  });

  it("that is too large is 413, whether it says so or not", async () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`key${i}`, i]));
    const answer = await send({ ...newCustomer(), ...many });
    expect([answer.status, code(answer)]).toEqual([413, "body_too_large"]);
    expect((await send({ ...newCustomer(), company: "x".repeat(70_000) })).status).toBe(413);
    const few = Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`k${i}`, 1]));
    const named = await send({ ...newCustomer(), ...few });
    expect(named.status).toBe(422);
    expect(fields(named)).toHaveLength(50);
  });
});
