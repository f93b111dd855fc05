import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { routeFits } from "./faults.ts";
import { type Credentials, startTestSandbox, type TestSandbox } from "./test-sandbox.ts";

let box: TestSandbox;
let one: Credentials;
let two: Credentials;

beforeAll(async () => {
  box = await startTestSandbox();
  [one, two] = await Promise.all([box.project(), box.project()]);
});
afterAll(() => box.remove());
afterEach(() => box.faults());

const users = (project: Credentials, email?: string) =>
  fetch(`${project.url}/auth/v1/admin/users`, {
    headers: { apikey: `${project.secretKey}` },
    ...(email ? { method: "POST", body: JSON.stringify({ email }) } : {}),
  });
const effects = async (project: Credentials) =>
  (await (await fetch(`${box.url}/sandbox/projects/${project.ref}/calls`)).json()).effects;

describe("a fault", () => {
  test("strikes its project and route only, and as often as it should", async () => {
    const route = "POST /auth/v1/admin/users";
    await box.faults({ kind: "error", status: 503, ref: one.ref, route, times: 1 });
    expect((await users(one)).status).toBe(200);
    expect((await users(two, "a@example.com")).status).toBe(200);
    expect((await users(one, "a@example.com")).status).toBe(503);
    expect((await users(one, "a@example.com")).status).toBe(200);
    const list = await (await fetch(`${box.url}/sandbox/faults`)).json();
    expect(list.faults).toMatchObject([{ kind: "error", times: 0, hits: 1 }]);
  });

  test("drops a call before it does anything, or after", async () => {
    const route = "POST /auth/v1/admin/users";
    const before = (await effects(one))[route] ?? 0;
    await box.faults({ kind: "drop", route, times: 1 });
    await expect(users(one, "dropped@example.com")).rejects.toThrow();
    expect((await effects(one))[route] ?? 0).toBe(before);
    await box.faults({ kind: "accept-then-drop", route, times: 1 });
    await expect(users(one, "dropped@example.com")).rejects.toThrow();
    expect((await effects(one))[route]).toBe(before + 1);
    expect((await users(one, "dropped@example.com")).status).toBe(422);
  });

  test("says too many requests, with headers, on both kinds of API", async () => {
    await box.faults({ kind: "rate-limited" });
    const gateway = await users(one);
    expect(gateway.status).toBe(429);
    expect((await gateway.json()).error_code).toBe("over_request_rate_limit");
    const management = await box.manage("GET", "/v1/projects");
    expect(management.status).toBe(429);
    expect(management.headers.get("x-ratelimit-remaining")).toBe("0");
    expect(management.headers.get("x-ratelimit-reset")).toBe("1");
    expect(management.headers.get("x-ratelimit-limit")).toBeTruthy();
  });

  test("delays", async () => {
    await box.faults({ kind: "delay", ms: 60_000, ref: one.ref });
    const hasty = fetch(`${one.url}/auth/v1/settings`, {
      headers: { apikey: `${one.anonKey}` },
      signal: AbortSignal.timeout(300),
    });
    await expect(hasty).rejects.toMatchObject({ name: "TimeoutError" });
  });

  test("strikes sessions with the database", async () => {
    await box.faults({ kind: "drop", route: "database", ref: one.ref, times: 1 });
    await expect(box.connect(one.databaseUrl)).rejects.toThrow();
    await (await box.connect(one.databaseUrl)).end();
    await box.faults({ kind: "error", route: "database", ref: one.ref });
    await expect(box.connect(one.databaseUrl)).rejects.toThrow(/max clients/);
  });

  test("makes a project act as paused, without pausing it", async () => {
    await box.faults({ kind: "paused", ref: one.ref });
    expect((await users(one)).status).toBe(540);
    expect((await users(two)).status).toBe(200);
    await expect(box.connect(one.databaseUrl)).rejects.toThrow("Tenant or user not found");
    await box.faults();
    expect((await users(one)).status).toBe(200);
  });

  test("keeps a project from becoming ready", async () => {
    await box.faults({ kind: "never-ready" });
    const made = await (
      await fetch(`${box.url}/sandbox/projects`, { method: "POST", body: '{"name":"late"}' })
    ).json();
    const status = async () =>
      (await (await box.manage("GET", `/v1/projects/${made.ref}`)).json()).status;
    while ((await status()) !== "COMING_UP");
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await status()).toBe("COMING_UP");
    expect((await fetch(`${made.url}/auth/v1/health?apikey=${made.anonKey}`)).status).toBe(544);
    await box.faults();
    while ((await status()) !== "ACTIVE_HEALTHY");
  });

  test("is added to the others, and goes with its project's", async () => {
    const call = (method: string, query: string, body?: object) =>
      fetch(`${box.url}/sandbox/faults${query}`, {
        method,
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
    const on = async () => (await (await call("GET", "")).json()).faults;
    await box.faults({ kind: "error", ref: one.ref, times: 1 });
    const added = await call("POST", "", { kind: "paused", ref: two.ref });
    expect([added.status, (await added.json()).kind]).toEqual([201, "paused"]);
    expect((await users(one)).status).toBe(500);
    await call("POST", "", { kind: "drop", ref: one.ref, route: "database" });
    // What is on already goes on counting.
    expect(await on()).toMatchObject([
      { ref: one.ref, hits: 1, times: 0 },
      { ref: two.ref },
      { ref: one.ref, route: "database" },
    ]);
    expect((await call("DELETE", `?ref=${one.ref}`)).status).toBe(204);
    expect(await on()).toMatchObject([{ ref: two.ref, kind: "paused" }]);
    expect((await call("POST", "", { kind: "earthquake" })).status).toBe(400);
    expect(await on()).toHaveLength(1);
  });

  test("is refused when it makes no sense", async () => {
    for (const fault of [
      { kind: "earthquake" },
      { kind: "delay", ms: "long" },
      { kind: "drop", surprise: 1 },
      { kind: "drop", ref: 7 },
    ]) {
      await expect(box.faults(fault)).rejects.toThrow(/faults\[0\]/);
    }
    const answer = await fetch(`${box.url}/sandbox/faults`, { method: "PUT", body: "[]" });
    expect(answer.status).toBe(400);
  });
});

test.each([
  [null, "GET /x", true],
  ["GET /x", "GET /x", true],
  ["GET /x", "POST /x", false],
  ["* /x", "POST /x", true],
  ["GET /x/*", "GET /x/y/z", true],
  ["GET /x/:id", "GET /x/y", true],
  ["GET /x/:id", "GET /x/y/z", false],
  ["GET /x.y", "GET /xzy", false],
  ["database", "database", true],
  ["database", "GET /database", false],
])("the pattern %s on %s: %s", (pattern, call, fits) => {
  expect(routeFits(pattern, call)).toBe(fits);
});
