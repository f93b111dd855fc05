/**
 * Every answer of the Management API's stand-in against what is published about the real one.
 * Each call of this file goes through `call`, which checks the answer's status and shape.
 */
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ACCESS_TOKEN, startTestSandbox, type TestSandbox } from "../test-sandbox.ts";
import { FACTS } from "./contract-facts.ts";

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
addFormats.default(ajv);

let box: TestSandbox;
const seen = new Set<string>();

beforeAll(async () => {
  box = await startTestSandbox({ readyAfterMs: 400 });
});
afterAll(() => box.remove());

interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: the schema has just proved the shape
  json: any;
}

async function call(
  route: string,
  o: { ref?: string; body?: unknown; query?: string; token?: string | null; url?: string } = {},
): Promise<Answer> {
  const [method, path] = route.split(" ") as [string, string];
  const token = o.token === undefined ? ACCESS_TOKEN : o.token;
  const url = `${o.url ?? box.url}${path.replace(":ref", o.ref ?? "")}${o.query ?? ""}`;
  const answer = await fetch(url, {
    method,
    headers: {
      "content-type": "application/json",
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(o.body === undefined ? {} : { body: JSON.stringify(o.body) }),
  });
  const text = await answer.text();
  const name = `${route} ${answer.status}`;
  const schema = FACTS[route]?.[answer.status];
  expect(schema, `${name} is not published: ${text}`).not.toBeUndefined();
  if (schema === null) expect(text, name).toBe("");
  else {
    expect(answer.headers.get("content-type"), name).toMatch(/^application\/json/);
    const valid = ajv.validate(schema as object, JSON.parse(text));
    expect(ajv.errors ?? [], `${name}: ${text}`).toEqual([]);
    expect(valid).toBe(true);
  }
  seen.add(name);
  return { status: answer.status, headers: answer.headers, json: text ? JSON.parse(text) : null };
}

const NEW = { name: "Contract", db_pass: "p@ss:word/1", organization_slug: "berth-test" };

async function until(ref: string, status: string): Promise<string[]> {
  const statuses: string[] = [];
  const end = Date.now() + 100_000;
  while (Date.now() < end) {
    const { json } = await call("GET /v1/projects/:ref", { ref });
    if (statuses.at(-1) !== json.status) statuses.push(json.status);
    if (json.status === status) return statuses;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`never ${status}: ${statuses.join(", ")}`);
}

describe("the Management API", () => {
  let ref: string;

  test("refuses strangers on every route", async () => {
    for (const route of Object.keys(FACTS)) {
      const at = { ref: "abcdefghijklmnopqrst" };
      expect((await call(route, { ...at, token: null })).status, route).toBe(401);
      expect((await call(route, { ...at, token: "wrong" })).status, route).toBe(401);
      if (route.includes(":ref")) expect((await call(route, at)).status, route).toBe(404);
    }
  });

  test("refuses creations that make no sense", async () => {
    const bad: Record<string, unknown>[] = [
      {},
      { ...NEW, name: undefined },
      { ...NEW, db_pass: undefined },
      { ...NEW, organization_slug: undefined },
      { ...NEW, name: "x".repeat(257) },
      { ...NEW, name: 7 },
      { ...NEW, surprise: true },
      { ...NEW, region_selection: { type: "specific", code: "mars-1" } },
      { ...NEW, region_selection: { type: "smartGroup", code: "eu-west-1" } },
      { ...NEW, desired_instance_size: "tiny" },
    ];
    for (const body of bad) {
      expect((await call("POST /v1/projects", { body })).status, JSON.stringify(body)).toBe(400);
    }
    const foreign = { ...NEW, organization_slug: "somebody-else" };
    expect((await call("POST /v1/projects", { body: foreign })).status).toBe(403);
    expect((await call("GET /v1/projects")).json).toEqual([]);
  });

  test("creates a project that becomes ready in time", async () => {
    expect((await call("GET /v1/organizations")).json[0].slug).toBe("berth-test");
    const body = { ...NEW, region_selection: { type: "smartGroup", code: "emea" } };
    const made = await call("POST /v1/projects", { body });
    expect(made).toMatchObject({
      status: 201,
      json: { name: "Contract", status: "UNKNOWN", region: "eu-central-1" },
    });
    ref = made.json.ref;
    const early = await call("DELETE /v1/projects/:ref", { ref });
    expect(early).toMatchObject({
      status: 400,
      json: { message: "Project not ready for deletion." },
    });
    for (const route of ["pause", "restore"]) {
      expect((await call(`POST /v1/projects/:ref/${route}`, { ref })).status).toBe(400);
    }
    const query = { ref, body: { query: "select 1" } };
    expect((await call("POST /v1/projects/:ref/database/query", query)).status).toBe(400);
    const starting = await call("GET /v1/projects/:ref/health", {
      ref,
      query: "?services=db,auth",
    });
    expect(starting.json).toMatchObject([{ status: "COMING_UP" }, { status: "COMING_UP" }]);

    const statuses = await until(ref, "ACTIVE_HEALTHY");
    expect(statuses.join(" ")).toMatch(/^(UNKNOWN )?(COMING_UP )?ACTIVE_HEALTHY$/);
    expect((await call("GET /v1/projects")).json).toHaveLength(1);
  });

  test("tells the health of the services that are asked for", async () => {
    const services = ["db", "db_postgres_user", "auth", "rest", "storage", "pooler"];
    const query = `?${services.map((name) => `services=${name}`).join("&")}`;
    const { json } = await call("GET /v1/projects/:ref/health", { ref, query });
    expect(json.map((entry: { name: string }) => entry.name)).toEqual(services);
    expect(json.every((entry: { status: string }) => entry.status === "ACTIVE_HEALTHY")).toBe(true);
    for (const wrong of ["", "?services=disk"]) {
      expect((await call("GET /v1/projects/:ref/health", { ref, query: wrong })).status).toBe(400);
    }
  });

  test("shows keys, and secret ones only when asked to reveal them", async () => {
    const hidden = await call("GET /v1/projects/:ref/api-keys", { ref });
    const shown = await call("GET /v1/projects/:ref/api-keys", { ref, query: "?reveal=true" });
    const of = (answer: Answer, type: string, name: string): string =>
      answer.json.find(
        (key: { type: string; name: string }) => key.type === type && key.name === name,
      ).api_key;
    expect(of(shown, "legacy", "anon")).toMatch(/^ey/);
    expect(of(shown, "legacy", "service_role")).toMatch(/^ey/);
    expect(of(shown, "publishable", "default")).toMatch(/^sb_publishable_/);
    expect(of(shown, "secret", "default")).toMatch(/^sb_secret_\w+$/);
    expect(of(hidden, "secret", "default")).not.toBe(of(shown, "secret", "default"));
    expect(of(hidden, "legacy", "anon")).toBe(of(shown, "legacy", "anon"));
  });

  test("keeps the configuration of Auth", async () => {
    const route = "PATCH /v1/projects/:ref/config/auth";
    const body = { site_url: "https://a.example.com", disable_signup: true, smtp_pass: "secret" };
    const changed = await call(route, { ref, body });
    expect(changed.json).toMatchObject({ site_url: "https://a.example.com", disable_signup: true });
    expect(JSON.stringify(changed.json)).not.toContain('"secret"');
    const read = await call("GET /v1/projects/:ref/config/auth", { ref });
    expect(read.json).toEqual(changed.json);
    for (const wrong of [
      { surprise: 1 },
      { disable_signup: "yes" },
      { jwt_exp: -1 },
      { mailer_otp_exp: null },
      { site_url: "https://a.example.com,https://b.example.com" },
    ]) {
      expect((await call(route, { ref, body: wrong })).status, JSON.stringify(wrong)).toBe(400);
    }
    expect((await call("GET /v1/projects/:ref/config/auth", { ref })).json).toEqual(read.json);
  });

  test("runs SQL as postgres", async () => {
    const route = "POST /v1/projects/:ref/database/query";
    const run = (body: object) => call(route, { ref, body });
    expect(await run({ query: "select current_user as who" })).toMatchObject({
      status: 201,
      json: [{ who: "postgres" }],
    });
    expect((await run({ query: "select $1::int + 1 as n", parameters: [41] })).json).toEqual([
      { n: 42 },
    ]);
    expect((await run({ query: "create table q (id int); select 7 as n" })).json).toEqual([
      { n: 7 },
    ]);
    expect((await run({ query: "drop table q", read_only: true })).json.message).toMatch(/25006/);
    expect((await run({ query: "selec" })).json.message).toMatch(/Failed to run sql query.*42601/);
    expect((await run({ query: "" })).status).toBe(400);
    expect((await run({ query: "select 1", surprise: 1 })).status).toBe(400);
  });

  test("names the pooler that the database URL uses, and takes a new password", async () => {
    const { json } = await call("GET /v1/projects/:ref/config/database/pooler", { ref });
    const session = json.find((entry: { pool_mode: string }) => entry.pool_mode === "session");
    expect(session).toMatchObject({ db_user: `postgres.${ref}`, db_port: box.sandbox.poolerPort });
    const credentials = async () =>
      (await (await fetch(`${box.url}/sandbox/projects/${ref}`)).json()).databaseUrl as string;
    const before = await credentials();
    expect(decodeURIComponent(new URL(before).password)).toBe(NEW.db_pass);
    await (await box.connect(before)).end();

    const route = "PATCH /v1/projects/:ref/database/password";
    expect((await call(route, { ref, body: { password: "abc" } })).status).toBe(400);
    expect((await call(route, { ref, body: { password: "another one" } })).status).toBe(200);
    await expect(box.connect(before)).rejects.toMatchObject({ code: "28P01" });
    await (await box.connect(await credentials())).end();
  });

  test("pauses, restores and deletes", async () => {
    expect((await call("POST /v1/projects/:ref/pause", { ref })).status).toBe(200);
    expect((await call("DELETE /v1/projects/:ref", { ref })).status).toBe(400);
    expect(await until(ref, "INACTIVE")).toEqual(expect.arrayContaining(["INACTIVE"]));
    const health = await call("GET /v1/projects/:ref/health", { ref, query: "?services=db" });
    expect(health.json[0].status).toBe("UNHEALTHY");
    expect((await call("POST /v1/projects/:ref/restore", { ref })).status).toBe(200);
    await until(ref, "ACTIVE_HEALTHY");

    expect(await call("DELETE /v1/projects/:ref", { ref })).toMatchObject({
      status: 200,
      json: { ref, name: "Contract" },
    });
    let gone: Answer;
    do gone = await call("GET /v1/projects/:ref", { ref });
    while (gone.status === 200);
    expect(gone).toMatchObject({ status: 400, json: { message: "Resource has been removed" } });
    expect((await call("DELETE /v1/projects/:ref", { ref })).json.message).toBe(
      "Resource has been removed",
    );
    expect((await call("GET /v1/projects")).json).toEqual([]);
  });

  test("limits requests per project, and says so in headers", async () => {
    const small = await startTestSandbox({ requestsPerMinute: 3 });
    try {
      const get = (route: string, ref = "a".repeat(20)) => call(route, { ref, url: small.url });
      const left = [];
      for (let i = 0; i < 3; i += 1) {
        left.push((await get("GET /v1/projects")).headers.get("x-ratelimit-remaining"));
      }
      expect(left).toEqual(["2", "1", "0"]);
      const over = await get("GET /v1/projects");
      expect(over.status).toBe(429);
      expect(over.headers.get("x-ratelimit-limit")).toBe("3");
      expect(Number(over.headers.get("x-ratelimit-reset"))).toBeGreaterThan(0);
      expect((await get("GET /v1/projects/:ref")).status).toBe(404);
      expect((await get("GET /v1/projects/:ref", "b".repeat(20))).status).toBe(404);
    } finally {
      await small.remove();
    }
  });

  test("has been seen to answer each route as it should", () => {
    for (const [route, answers] of Object.entries(FACTS)) {
      const success = Object.keys(answers).find((status) => status.startsWith("2"));
      expect(seen, route).toContain(`${route} ${success}`);
      expect(seen, route).toContain(`${route} 401`);
    }
  });
});
