import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectToCustomer } from "#app/integrations/postgres/connect.ts";
import { parseDatabaseUrl } from "#app/integrations/postgres/dsn.ts";
import { createOutboundGuard } from "#app/platform/outbound/guard.ts";
import { freePort } from "#local/cluster.ts";
import { type CheckName, checkNames } from "./checks.ts";
import {
  type ConnectionInput,
  type ConnectionTest,
  type ConnectionTestDeps,
  testConnection,
} from "./connection-test.ts";

/** What the sandbox shows of a project, as Supabase's own pages would. */
interface SandboxProject {
  ref: string;
  url: string;
  anonKey: string;
  serviceRoleKey: string;
  publishableKey: string;
  secretKey: string;
  databaseUrl: string;
  directUrl: string;
}

const accessToken = "sbp_0123456789abcdef0123456789abcdef01234567";
const guard = createOutboundGuard({
  allowSuffixes: ["supabase.co", "supabase.com"],
  allowOrigins: "127.0.0.1:1024-65535",
});

let sandbox: ChildProcess;
let folder: string;
let managementUrl: string;
let ca: string;
let ours: SandboxProject;
let other: SandboxProject;
let silent: Server;
let silentPort: number;

async function api(pathname: string, init: RequestInit = {}): Promise<unknown> {
  const answer = await fetch(managementUrl + pathname, {
    ...init,
    headers: { authorization: `Bearer ${accessToken}`, "content-type": "application/json" },
  });
  if (!answer.ok) throw new Error(`${pathname}: ${answer.status} ${await answer.text()}`);
  const text = await answer.text();
  return text === "" ? null : JSON.parse(text);
}

const createProject = (name: string, grants = "2026-10") =>
  api("/sandbox/projects?wait=1", {
    method: "POST",
    body: JSON.stringify({ name, grants, readyAfterMs: 0 }),
  }) as Promise<SandboxProject>;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "berth-connection-"));
  await chmod(folder, 0o711);
  const [port, pooler] = [await freePort(), await freePort()];
  // Below the range from which the system itself takes ports for outgoing connections.
  const first = await freePort(randomInt(20_000, 30_000));
  managementUrl = `http://127.0.0.1:${port}`;
  sandbox = spawn(process.execPath, ["sandbox/main.ts"], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: {
      ...process.env,
      SANDBOX_DATA_DIR: folder,
      SANDBOX_PORT: String(port),
      SANDBOX_PROJECT_PORTS: `${first}-${first + 60}`,
      SANDBOX_POOLER_PORT: String(pooler),
      SANDBOX_ACCESS_TOKEN: accessToken,
      SANDBOX_LOG_LEVEL: "error",
    },
  });
  for (;;) {
    const up = await fetch(`${managementUrl}/healthz`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (up) break;
    if (sandbox.exitCode !== null) throw new Error("the sandbox did not start");
    await sleep(50);
  }
  ca = await readFile(path.join(folder, "ca.crt"), "utf8");
  ours = await createProject("ours");
  other = await createProject("other");
  silent = createServer(() => {});
  await new Promise<void>((done) => silent.listen(0, "127.0.0.1", done));
  silentPort = (silent.address() as AddressInfo).port;
});

afterAll(async () => {
  silent?.close();
  if (sandbox?.exitCode === null) {
    const ended = new Promise((done) => sandbox.once("exit", done));
    sandbox.kill("SIGTERM");
    await ended;
  }
  await rm(folder, { recursive: true, force: true });
});

const inputOf = (project: SandboxProject): ConnectionInput => ({
  url: project.url,
  anonKey: project.anonKey,
  serviceRoleKey: project.serviceRoleKey,
  databaseUrl: project.databaseUrl,
});

/** Everything in an input that must never come out again. */
function secretsOf(input: ConnectionInput): string[] {
  const password = /:\/\/[^:]*:([^@]*)@/.exec(input.databaseUrl)?.[1] ?? "";
  const secrets = [input.anonKey, input.serviceRoleKey, input.databaseUrl, password];
  return secrets
    .filter((secret) => secret.length > 5)
    .flatMap((secret) => [
      secret,
      decodeURIComponent(secret),
      encodeURIComponent(secret),
      Buffer.from(secret).toString("base64"),
    ]);
}

async function run(
  input: ConnectionInput,
  deps: Partial<ConnectionTestDeps> & { inUse?: string } = {},
): Promise<ConnectionTest> {
  const seen: CheckName[] = [];
  const result = await testConnection(input, {
    guard,
    ca,
    ...deps,
    isInUse: async (ref) => ref === deps.inUse,
    onCheck: (check) => seen.push(check.name),
  });
  expect(result.checks.map((check) => check.name)).toEqual([...checkNames]);
  expect([...seen].sort()).toEqual([...checkNames].sort());
  const said = JSON.stringify(result);
  for (const secret of secretsOf(input)) expect(said).not.toContain(secret);
  return result;
}

/** The lines that failed on their own account, and not for want of another one. */
function culprits(result: ConnectionTest): CheckName[] {
  for (const check of result.checks) {
    const unchecked = check.found?.startsWith("Not checked") ?? false;
    if (check.ok || unchecked) expect(check.fix, check.name).toBeUndefined();
    else expect(check.found && check.needed && check.fix, check.name).toBeTruthy();
  }
  expect(result.ok).toBe(result.checks.every((check) => check.ok));
  return result.checks.filter((check) => check.fix).map((check) => check.name);
}

const line = (result: ConnectionTest, name: CheckName) =>
  result.checks.find((check) => check.name === name);

/** The connection string with some of it replaced. */
function dsn(project: SandboxProject, over: { port?: number; user?: string; password?: string }) {
  const url = new URL(project.databaseUrl);
  if (over.port) url.port = String(over.port);
  if (over.user) url.username = over.user;
  if (over.password) url.password = over.password;
  return url.href;
}

async function sql(project: SandboxProject, text: string): Promise<void> {
  const client = await connectToCustomer(parseDatabaseUrl(project.databaseUrl), {
    guard,
    ca,
    applicationName: "test",
    connectTimeoutMs: 30_000,
    statementTimeoutMs: 30_000,
  });
  await client.query(text).finally(() => client.end());
}

describe("credentials that are right", () => {
  it("pass, with every mixture of key generations, and leave no trace", async () => {
    for (const anonKey of [ours.anonKey, ours.publishableKey]) {
      for (const serviceRoleKey of [ours.serviceRoleKey, `  ${ours.secretKey}\n`]) {
        const result = await run({ ...inputOf(ours), anonKey, serviceRoleKey });
        expect(culprits(result)).toEqual([]);
        expect(result).toMatchObject({
          ok: true,
          ref: ours.ref,
          facts: { origin: ours.url, schema: "empty", pooler: true },
        });
        expect(result.facts.serverVersion).toBeGreaterThanOrEqual(150_000);
      }
    }
    const { calls } = (await api(`/sandbox/projects/${ours.ref}/calls`)) as { calls: object };
    expect(Object.keys(calls).length).toBeGreaterThan(0);
    expect(Object.keys(calls).filter((call) => !call.startsWith("GET "))).toEqual([]);
  });

  it("pass in a project with the old broad grants, and with a trailing slash", async () => {
    const old = await createProject("old", "legacy");
    expect(culprits(await run({ ...inputOf(old), url: `${old.url}/` }))).toEqual([]);
  });
});

describe("keys", () => {
  it("that the project does not know", async () => {
    const [head, claims] = ours.serviceRoleKey.split(".");
    const forged = `${head}.${claims}.${"A".repeat(43)}`;
    for (const serviceRoleKey of [forged, "sb_secret_wrongwrongwrongwrong_wrong"]) {
      const result = await run({ ...inputOf(ours), serviceRoleKey });
      expect(culprits(result)).toEqual(["service-role-key"]);
      expect(line(result, "service-role-key")?.fix).toContain("API keys");
    }
    const anonKey = "sb_publishable_wrongwrongwrongwrong";
    expect(culprits(await run({ ...inputOf(ours), anonKey }))).toEqual(["anon-key"]);
    const nonsense = await run({ ...inputOf(ours), anonKey: "my key", serviceRoleKey: "" });
    expect(culprits(nonsense)).toEqual(["anon-key", "service-role-key"]);
  });

  it("that are swapped", async () => {
    for (const [anonKey, serviceRoleKey] of [
      [ours.serviceRoleKey, ours.anonKey],
      [ours.secretKey, ours.publishableKey],
      [ours.secretKey, ours.anonKey],
    ] as const) {
      const result = await run({ ...inputOf(ours), anonKey, serviceRoleKey });
      expect(culprits(result)).toEqual(["keys-not-swapped"]);
      expect(line(result, "keys-not-swapped")?.fix).toBe("Exchange the two keys.");
    }
    const twice = await run({ ...inputOf(ours), anonKey: ours.secretKey });
    expect(culprits(twice)).toEqual(["keys-not-swapped"]);
    expect(line(twice, "service-role-key")?.ok).toBe(true);
  });

  it("of another project", async () => {
    const { anonKey, serviceRoleKey, publishableKey, secretKey } = other;
    const legacy = await run({ ...inputOf(ours), anonKey, serviceRoleKey });
    expect(culprits(legacy)).toEqual(["anon-key", "service-role-key", "same-project"]);
    expect(line(legacy, "same-project")?.found).toContain(other.ref);
    const modern = await run({
      ...inputOf(ours),
      anonKey: publishableKey,
      serviceRoleKey: secretKey,
    });
    expect(culprits(modern)).toEqual(["anon-key", "service-role-key"]);
    expect(line(modern, "same-project")?.ok).toBe(false);
  });
});

describe("projects", () => {
  it("whose database is another project's", async () => {
    const result = await run({ ...inputOf(ours), databaseUrl: other.databaseUrl });
    expect(culprits(result)).toEqual(["same-project"]);
    const said = line(result, "same-project");
    expect(said?.found).toContain(ours.ref);
    expect(said?.found).toContain(other.ref);
  });

  it("whose URL is another project's", async () => {
    const result = await run({ ...inputOf(ours), url: other.url });
    expect(culprits(result)).toContain("same-project");
    expect(result.ref).toBe(other.ref);
  });

  it("that another backend already uses", async () => {
    const result = await run(inputOf(ours), { inUse: ours.ref });
    expect(culprits(result)).toEqual(["not-in-use"]);
    expect(line(result, "not-in-use")?.found).toContain(ours.ref);
  });

  it("that are paused", async () => {
    const sleeper = await createProject("sleeper");
    await api(`/v1/projects/${sleeper.ref}/pause`, { method: "POST" });
    let result = await run(inputOf(sleeper));
    // Pausing takes its time, at Supabase as in the sandbox.
    for (let turn = 0; turn < 100 && line(result, "project-reachable")?.ok; turn += 1) {
      await sleep(100);
      result = await run(inputOf(sleeper));
    }
    expect(culprits(result)).toEqual(["project-reachable", "database-login"]);
    expect(line(result, "project-reachable")).toMatchObject({
      found: "the project's gateway says that it is paused (540)",
    });
    expect(line(result, "project-reachable")?.fix).toContain("Restore project");
  });

  it("at addresses that Berth does not call", async () => {
    for (const url of [
      ours.url.replace("127.0.0.1", "127.1"),
      ours.url.replace("127.0.0.1", "2130706433"),
      ours.url.replace("127.0.0.1", "[::1]"),
      "http://169.254.169.254",
      "https://example.com#.supabase.co",
      "https://supabase.com/dashboard/project/abcdefghijklmnopqrst",
      `${ours.url}/rest/v1/`,
      "abcdefghijklmnopqrst",
    ]) {
      const result = await run({ ...inputOf(ours), url });
      expect(culprits(result), url).toEqual(["url"]);
    }
  });
});

describe("databases", () => {
  it("behind a closed port and a silent one", async () => {
    const closed = await run({
      ...inputOf(ours),
      databaseUrl: dsn(ours, { port: await freePort() }),
    });
    expect(culprits(closed)).toEqual(["database-reachable"]);
    expect(line(closed, "database-reachable")?.found).toContain("nothing answers");
    const databaseUrl = dsn(ours, { port: silentPort });
    const mute = await run({ ...inputOf(ours), databaseUrl }, { timeoutMs: 3_000 });
    expect(culprits(mute)).toEqual(["database-reachable"]);
    expect(line(mute, "database-reachable")?.found).toContain("does not answer as a database");
  });

  it("behind a silent gateway", async () => {
    const url = `http://127.0.0.1:${silentPort}`;
    const result = await run({ ...inputOf(ours), url }, { timeoutMs: 3_000 });
    expect(culprits(result)).toEqual(["project-reachable"]);
    expect(line(result, "database-login")?.ok).toBe(true);
  });

  it("behind the transaction pooler", async () => {
    const result = await run({ ...inputOf(ours), databaseUrl: dsn(ours, { port: 6543 }) });
    expect(culprits(result)).toEqual(["not-transaction-pooler"]);
    expect(line(result, "not-transaction-pooler")).toMatchObject({
      found: "port 6543 is the transaction pooler",
      fix: expect.stringContaining("session pooler"),
    });
  });

  it("whose certificate nobody vouches for", async () => {
    const result = await run(inputOf(ours), { ca: undefined });
    expect(culprits(result)).toEqual(["database-tls"]);
    expect(line(result, "database-reachable")?.ok).toBe(true);
    expect(line(result, "database-tls")?.fix).toContain("SUPABASE_CA_FILE");
  });

  it("with another password, or unknown to the pooler", async () => {
    const wrong = await run({
      ...inputOf(ours),
      databaseUrl: dsn(ours, { password: "wrong-one" }),
    });
    expect(culprits(wrong)).toEqual(["database-login"]);
    expect(line(wrong, "database-login")).toMatchObject({
      found: "the database refused the password",
      fix: "Copy it again from Supabase → Settings → Database, or reset it there; then supply the credentials anew.",
    });
    const unknown = `postgres.${"z".repeat(20)}`;
    const lost = await run({ ...inputOf(ours), databaseUrl: dsn(ours, { user: unknown }) });
    expect(culprits(lost)).toEqual(["same-project", "database-login"]);
  });

  it("whose address does not tell the project", async () => {
    const result = await run({ ...inputOf(ours), databaseUrl: ours.directUrl });
    expect(culprits(result)).toEqual(["same-project"]);
    expect(line(result, "same-project")?.needed).toContain(`postgres.${ours.ref}`);
  });

  it("of a project that is gone from the DNS", async () => {
    const gone = createOutboundGuard({
      allowSuffixes: ["supabase.co"],
      allowOrigins: "",
      resolve: async () => {
        throw Object.assign(new Error("getaddrinfo"), { code: "ENOTFOUND" });
      },
    });
    const input = {
      ...inputOf(ours),
      url: `https://${ours.ref}.supabase.co`,
      databaseUrl: `postgresql://postgres:some-password@db.${ours.ref}.supabase.co:5432/postgres`,
    };
    const result = await run(input, { guard: gone });
    expect(culprits(result)).toEqual(["project-reachable", "database-reachable"]);
    expect(line(result, "project-reachable")?.fix).toContain("Restore project");
    expect(line(result, "database-reachable")?.fix).toContain("IPv6");
    expect(result.ref).toBe(ours.ref);
  });

  it("given by strings that say more than they should", async () => {
    for (const end of [
      "?host=evil.example",
      "?sslmode=disable",
      "?sslrootcert=/etc/passwd",
      "#x",
    ]) {
      const result = await run({ ...inputOf(ours), databaseUrl: ours.databaseUrl + end });
      expect(culprits(result), end).toEqual(["database-url"]);
    }
    const outside = "postgresql://postgres:secret-word@10.0.0.1:5432/postgres";
    expect(culprits(await run({ ...inputOf(ours), databaseUrl: outside }))).toContain(
      "database-url",
    );
  });

  it("where the role may do too little", async () => {
    const project = await createProject("limited");
    await sql(project, "create role limited login password 'limited-password'");
    const databaseUrl = dsn(project, {
      user: `limited.${project.ref}`,
      password: "limited-password",
    });
    const result = await run({ ...inputOf(project), databaseUrl });
    expect(culprits(result)).toEqual(["database-privileges"]);
    expect(line(result, "database-privileges")?.found).toContain("create schemas");
    expect(line(result, "database-privileges")?.found).toContain("auth.users");
  });
});

describe("what is in the schema", () => {
  it("counts as foreign, unless an extension, a sequence of a column or Supabase put it there", async () => {
    const project = await createProject("schema");
    const look = async () => line(await run(inputOf(project)), "schema-empty-or-ours");

    await sql(
      project,
      `create extension if not exists citext schema public;
       create function public.rls_auto_enable() returns event_trigger language plpgsql as 'begin end';
       create schema supabase_migrations;
       create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text)`,
    );
    expect((await look())?.ok).toBe(true);

    for (const [create, drop, name] of [
      ["table public.mine (id int generated always as identity)", "table public.mine", "mine"],
      ["view public.seen as select 1 as one", "view public.seen", "seen"],
      [
        "function public.act() returns int language sql as 'select 1'",
        "function public.act",
        "act",
      ],
      ["type public.mood as enum ('calm')", "type public.mood", "mood"],
      ["sequence public.counter", "sequence public.counter", "counter"],
    ] as const) {
      await sql(project, `create ${create}`);
      const check = await look();
      expect(check, name).toMatchObject({ ok: false, found: expect.stringContaining(name) });
      expect(check?.found).toContain("1 object");
      await sql(project, `drop ${drop}`);
    }

    await sql(
      project,
      "insert into supabase_migrations.schema_migrations values ('20200101000000')",
    );
    const foreign = await run(inputOf(project));
    expect(culprits(foreign)).toEqual(["schema-empty-or-ours"]);
    expect(line(foreign, "schema-empty-or-ours")?.found).toContain("20200101000000");
    expect(foreign.facts.schema).toBe("foreign");

    await sql(
      project,
      `create schema berth;
       create table berth.ledger (version text, template text);
       create table public.products (id int);
       insert into berth.ledger values ('20200101000000', 'base')`,
    );
    const own = await run(inputOf(project));
    expect(culprits(own)).toEqual([]);
    expect(own.facts.schema).toBe("ours");

    await sql(
      project,
      "insert into supabase_migrations.schema_migrations values ('20210101000000')",
    );
    expect(await look()).toMatchObject({ ok: false, found: expect.stringContaining("20210101") });
  });
});
