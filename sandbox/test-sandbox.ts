import { randomInt } from "node:crypto";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { freePort } from "#local/cluster.ts";
import type { credentialsJson } from "./control.ts";
import { createLog } from "./platform/log.ts";
import { type Sandbox, startSandbox } from "./sandbox.ts";
import type { SandboxSettings } from "./settings.ts";

/** The answer of the sandbox's own project routes. */
export type Credentials = ReturnType<typeof credentialsJson>;

export const ACCESS_TOKEN = "sbp_token-of-this-test";

/** A sandbox of its own for one test file. */
export interface TestSandbox {
  url: string;
  dataDir: string;
  sandbox: Sandbox;
  /** A project that is ready; `wish` as in `POST /sandbox/projects`. */
  project(wish?: Record<string, unknown>): Promise<Credentials>;
  /** A call of the Management API with the right token. */
  manage(method: string, path: string, body?: unknown): Promise<Response>;
  /** Switches exactly these faults on. */
  faults(...faults: Record<string, unknown>[]): Promise<void>;
  /** A verified TLS session with a project's database. */
  connect(databaseUrl: string): Promise<pg.Client>;
  /** Stops it and starts it again on the same data and ports. */
  restart(): Promise<void>;
  remove(): Promise<void>;
}

/** Starts a sandbox in a folder of its own, on ports that are free just now. */
export async function startTestSandbox(
  changes: Partial<SandboxSettings> = {},
): Promise<TestSandbox> {
  const dataDir = await mkdtemp(path.join(tmpdir(), "berth-sandbox-"));
  await chmod(dataDir, 0o711);
  // Below those that the system gives to whoever asks: another process may ask while this restarts.
  const port = () => freePort(randomInt(20_000, 30_000));
  const first = await port();
  const settings: SandboxSettings = {
    dataDir,
    port: await port(),
    projectPorts: { first, last: first + 40 },
    poolerPort: await port(),
    accessToken: ACCESS_TOKEN,
    organization: "berth-test",
    readyAfterMs: 0,
    requestsPerMinute: 10_000,
    idleAfterMs: 600_000,
    fsync: false,
    ...changes,
  };
  const log = createLog("fatal");
  let sandbox = await startSandbox(settings, log);
  const clients = new Set<pg.Client>();
  const json = (body: unknown) =>
    body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  return {
    get url() {
      return sandbox.managementUrl;
    },
    get sandbox() {
      return sandbox;
    },
    dataDir,
    async project(wish = {}) {
      const answer = await fetch(`${sandbox.managementUrl}/sandbox/projects?wait=1`, {
        method: "POST",
        ...json({ name: "A test", ...wish }),
      });
      if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
      return (await answer.json()) as Credentials;
    },
    manage(method, route, body) {
      const options = json(body);
      return fetch(`${sandbox.managementUrl}${route}`, {
        method,
        ...options,
        headers: { ...options.headers, authorization: `Bearer ${ACCESS_TOKEN}` },
      });
    },
    async faults(...faults) {
      const answer = await fetch(`${sandbox.managementUrl}/sandbox/faults`, {
        method: "PUT",
        ...json({ faults }),
      });
      if (!answer.ok) throw new Error(await answer.text());
    },
    async connect(databaseUrl) {
      const url = new URL(databaseUrl);
      const client = new pg.Client({
        host: url.hostname,
        port: Number(url.port),
        user: decodeURIComponent(url.username),
        password: decodeURIComponent(url.password),
        database: url.pathname.slice(1),
        ssl: { ca: await readFile(sandbox.caFile, "utf8"), servername: "localhost" },
      });
      client.on("error", () => undefined);
      await client.connect();
      clients.add(client);
      return client;
    },
    async restart() {
      await sandbox.stop();
      sandbox = await startSandbox(settings, log);
    },
    async remove() {
      await Promise.allSettled([...clients].map((client) => client.end()));
      await sandbox.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
