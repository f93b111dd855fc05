import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type IncomingHttpHeaders, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { RequestHandler } from "express";
import { afterEach, expect, test } from "vitest";
import { createLogger } from "#app/platform/log.ts";
import { createApplication } from "./application.ts";
import { createHttpServer, drain, listen } from "./listener.ts";
import { loggablePath } from "./request-log.ts";

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const act of cleanUp.splice(0).reverse()) await act();
});

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

async function start(options: {
  handler?: RequestHandler;
  ready?: () => Promise<void>;
  publicUrl?: string;
  trustedProxies?: string[];
}) {
  const folder = await mkdtemp(path.join(tmpdir(), "berth-http-"));
  cleanUp.push(() => rm(folder, { recursive: true }));
  await mkdir(path.join(folder, "assets"));
  await writeFile(path.join(folder, "assets", "a-1234.js"), "1;");
  await writeFile(path.join(folder, "favicon.svg"), "<svg/>");
  const lines: string[] = [];
  const stop = new AbortController();
  const server = createHttpServer();
  server.on(
    "request",
    createApplication({
      log: createLogger({ level: "debug", destination: { write: (l) => void lines.push(l) } }),
      publicUrl: options.publicUrl ?? "https://berth.company.test",
      trustedProxies: options.trustedProxies ?? [],
      ready: options.ready ?? (async () => {}),
      stopping: stop.signal,
      assets: folder,
      live: (_request, _response, next) => next(),
      handler: options.handler ?? ((req, res) => void res.json({ host: req.get("host") })),
    }),
  );
  await listen(server, 0, "127.0.0.1");
  cleanUp.push(() => drain(server, 100));
  const { port } = server.address() as AddressInfo;
  // Not fetch: it normalises addresses and forbids a Host header.
  const call = async (target: string, headers: Record<string, string> = {}): Promise<Answer> => {
    const sent = request({ port, host: "127.0.0.1", path: target, headers, agent: false });
    sent.end();
    const [response] = await once(sent, "response");
    let text = "";
    for await (const chunk of response) text += chunk;
    return { status: response.statusCode, headers: response.headers, text };
  };
  const logged = () => lines.map((line) => JSON.parse(line));
  return { call, logged, server, port, stop };
}

test("every answer carries the security headers and a fresh nonce", async () => {
  const { call } = await start({});
  const nonces = new Set<string>();
  for (const target of ["/", "/healthz", "/assets/a-1234.js", "/assets/none.js", "/%ff"]) {
    const { headers } = await call(target);
    const policy = String(headers["content-security-policy"]);
    expect(policy).toMatch(/script-src 'self' 'nonce-[\w-]{22}'/);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    nonces.add(/nonce-([\w-]+)/.exec(policy)?.[1] ?? "");
    expect(headers).toMatchObject({
      "referrer-policy": "same-origin",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "strict-transport-security": "max-age=31536000",
    });
    expect(headers["x-powered-by"]).toBeUndefined();
  }
  expect(nonces.size).toBe(5);
});

test("plain http on this machine gets no HSTS", async () => {
  const { call } = await start({ publicUrl: "http://127.0.0.1:3000" });
  expect((await call("/")).headers["strict-transport-security"]).toBeUndefined();
});

test("files with a hash in their name are immutable; a missing one is not the page", async () => {
  const { call } = await start({});
  const file = await call("/assets/a-1234.js");
  expect(file.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
  expect((await call("/favicon.svg")).headers["cache-control"]).toBe("public, max-age=3600");
  expect(await call("/assets/none.js")).toMatchObject({ status: 404, text: "No such file.\n" });
  expect((await call("/assets/..%2f..%2fetc%2fpasswd")).status).toBe(404);
});

test("a well-formed X-Request-Id is kept, anything else is replaced", async () => {
  const { call, logged } = await start({});
  const kept = await call("/a", { "X-Request-Id": "req-0123456789" });
  expect(kept.headers["x-request-id"]).toBe("req-0123456789");
  for (const bad of ["short", "x".repeat(65), "a b c d e f g", "<script>alert(1)"]) {
    const { headers } = await call("/b", { "X-Request-Id": bad });
    expect(headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
  }
  expect(logged().find((line) => line.path === "/a")).toMatchObject({
    correlationId: "req-0123456789",
    method: "GET",
    status: 200,
  });
});

test("Host and X-Forwarded-Host are not believed", async () => {
  const { call } = await start({
    handler: (req, res) =>
      void res.json([req.get("host"), req.hostname, req.get("x-forwarded-host") ?? null]),
  });
  const forged = { Host: "evil.test", "X-Forwarded-Host": "evil.test:99" };
  expect(JSON.parse((await call("/", forged)).text)).toEqual([
    "berth.company.test",
    "berth.company.test",
    null,
  ]);
});

test("X-Forwarded-For counts from a trusted proxy alone", async () => {
  const handler: RequestHandler = (req, res) => void res.json(req.ip);
  const forged = { "X-Forwarded-For": "203.0.113.9" };
  const open = await start({ handler });
  expect((await open.call("/", forged)).text).toBe('"127.0.0.1"');
  const behind = await start({ handler, trustedProxies: ["127.0.0.0/8"] });
  expect((await behind.call("/", forged)).text).toBe('"203.0.113.9"');
});

test("a query and the token of a one-time link do not reach the log", async () => {
  const { call, logged } = await start({});
  await call("/owner/Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4?token=canary-in-query");
  const text = JSON.stringify(logged());
  expect(text).toContain("/owner/[long]");
  expect(text).not.toContain("canary");
  expect(text).not.toContain("Zm9v");
  expect(loggablePath("/api/queue/2f1c2c3e-8f10-4f7e-9a55-0f6a3c0f4a11/claim?x=1")).toBe(
    "/api/queue/2f1c2c3e-8f10-4f7e-9a55-0f6a3c0f4a11/claim",
  );
});

test("/healthz asks nobody; /readyz tells readiness and the shutdown, not the reason", async () => {
  let fails = true;
  const { call, stop, logged } = await start({
    ready: async () => {
      if (fails) throw new Error("the database is away");
    },
  });
  expect((await call("/healthz")).status).toBe(200);
  expect(await call("/readyz")).toMatchObject({ status: 503, text: '{"status":"not ready"}' });
  expect(JSON.stringify(logged())).toContain("the database is away");
  fails = false;
  expect((await call("/readyz")).status).toBe(200);
  stop.abort();
  expect(await call("/readyz")).toMatchObject({ status: 503, text: '{"status":"shutting down"}' });
  expect((await call("/healthz")).status).toBe(200);
});

test("a thrown error is logged and answered without its words", async () => {
  const { call, logged } = await start({
    handler: () => {
      throw new Error("canary of an inner fault");
    },
  });
  const { status, text, headers } = await call("/");
  expect(status).toBe(500);
  expect(text).toContain(headers["x-request-id"]);
  expect(text).not.toContain("canary");
  expect(JSON.stringify(logged())).toContain("canary of an inner fault");
});

test("draining lets a running answer end and refuses new connections", async () => {
  let release = () => {};
  let arrived = () => {};
  const isHere = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const { call, server } = await start({
    handler: (_req, res) => {
      release = () => void res.end("whole");
      arrived();
    },
  });
  const running = call("/");
  await isHere;
  const drained = drain(server, 60_000);
  await expect(call("/")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  release();
  expect((await running).text).toBe("whole");
  await drained;
});

test("draining cuts what does not end in its time", async () => {
  let arrived = () => {};
  const isHere = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const { call, server } = await start({ handler: () => arrived() });
  const running = call("/").catch((error: NodeJS.ErrnoException) => error.code);
  await isHere;
  await drain(server, 20);
  expect(await running).toBe("ECONNRESET");
});

test("what another site sends in a visitor's name is refused", async () => {
  const { port } = await start({ handler: (_req, res) => void res.json("done") });
  const post = async (path: string, headers: Record<string, string>) => {
    const sent = request({ port, host: "127.0.0.1", path, method: "POST", headers, agent: false });
    sent.end();
    const [response] = await once(sent, "response");
    response.resume();
    return response.statusCode;
  };
  const cookie = "berth.session_token=x";
  const ours = "https://berth.company.test";
  expect(await post("/desk/queue", { cookie, origin: ours })).toBe(200);
  for (const path of ["/desk/queue", "/sign-in", "/requests/1.data"]) {
    expect(await post(path, { cookie, origin: "https://evil.example" })).toBe(403);
    expect(await post(path, { cookie, origin: "null" })).toBe(403);
    expect(await post(path, { cookie, origin: `${ours}.evil.example` })).toBe(403);
    expect(await post(path, { cookie })).toBe(403);
    expect(await post(path, { cookie, authorization: "Bearer x" })).toBe(403);
    expect(await post(path, { origin: "https://evil.example" })).toBe(403);
    expect(await post(path, {})).toBe(403);
    expect(await post(path, { authorization: "Bearer x" })).toBe(403);
    expect(await post(path, { origin: ours })).toBe(200);
  }
  // A call with a key may come from anywhere; who brings neither cookie nor Origin is no browser.
  const key = { authorization: "Bearer x", origin: "https://evil.example" };
  expect(await post("/api/customers", key)).toBe(200);
  expect(await post("/api/customers", {})).toBe(200);
  expect(await post("/api/customers", { cookie })).toBe(403);
});

test("an address that would be read in two ways is refused", async () => {
  const { call } = await start({ handler: (req, res) => void res.json(req.path) });
  for (const target of [
    "/api/../sign-in",
    "/api/%2e%2e/sign-in",
    "/api/.%2E/sign-in",
    "/./sign-in",
    "/api\\..\\sign-in",
    "/a/b/../../healthz",
  ]) {
    expect((await call(target)).status, target).toBe(400);
  }
  for (const target of [
    "/",
    "/sign-in?back=/a/../b",
    "/a..b/.c/%C3%A9",
    "/requests/1.data?_routes=x",
  ]) {
    expect((await call(target)).status, target).toBe(200);
  }
});
