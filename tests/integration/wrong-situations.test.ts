/** Every refusal has its sentence: found, needed and what to do, in the API and on the run's page. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { loadCatalog } from "#app/domain/catalog/index.server.ts";
import {
  claimedRequest,
  credentialsOf,
  type SandboxProject,
  startBerth,
  type TestBerth,
} from "../support/berth.ts";
import { secretsIn, secretsInLogs, secretsOf } from "../support/secrets.ts";
import { meet, signInAsStaff } from "../support/wrong-scene.ts";
import { type Told, WRONG_SITUATIONS } from "../support/wrong-situations.ts";
import { writeTemplates } from "../support/wrong-templates.ts";

/** Each has a database server of its own. */
const SIDE_BY_SIDE = 10;

let berth: TestBerth;
let cookie: string;
let templates: string;

beforeAll(async () => {
  templates = await mkdtemp(path.join(tmpdir(), "berth-templates-"));
  await writeTemplates(templates);
  const env = { FEATURE_TEMPLATES_DIR: templates };
  berth = await startBerth({
    env: { web: env, worker: { ...env, WORKER_CONCURRENCY: "16" } },
    // A proxy's port is known only after the start.
    extraOrigins: ["127.0.0.1:1024-65535"],
  });
  cookie = await signInAsStaff(berth);
});
afterAll(async () => {
  await berth?.stop();
  await rm(templates, { recursive: true, force: true });
});

interface Check {
  name: string;
}

const matching = (words: string | RegExp) =>
  typeof words === "string" ? words : expect.stringMatching(words);

function expected({ code, sqlstate, found, needed, fix }: Told) {
  return {
    code,
    ...(sqlstate ? { sqlstate } : {}),
    found: matching(found),
    needed: matching(needed),
    fix: matching(fix),
  };
}

vi.setConfig({ maxConcurrency: SIDE_BY_SIDE });
describe.concurrent("when", () => {
  it.each(WRONG_SITUATIONS)("%s, the run says so", async (_, situation) => {
    const { failure, page, api, project } = await meet(berth, cookie, situation);
    expect(failure).toMatchObject(expected(situation.told));
    for (const words of [failure.found, failure.needed, failure.fix]) {
      expect(page).toContain(words?.replace(/\s+/g, " "));
    }
    const secrets = secretsOf(project).set("a value of a row", "canary.example");
    expect([
      ...secretsIn(page, "the page", secrets),
      ...secretsIn(api, "the API", secrets),
    ]).toEqual([]);
  });
});

describe("before a run", () => {
  /** What every door says that takes credentials, and the line that is to blame. */
  async function refused(line: string, change: (project: SandboxProject) => Promise<string>) {
    const project = await berth.sandbox.project();
    const requestId = await claimedRequest(berth.api, { features: ["sound"], plan: "business" });
    const given = { ...credentialsOf(project), databaseUrl: await change(project) };
    const lines = [];
    for (const path of ["plan", "credentials"]) {
      const { status, body } = await berth.api("POST", `/api/queue/${requestId}/${path}`, given);
      expect([status, body.type.split("#")[1]]).toEqual([422, "credentials_refused"]);
      lines.push(body.checks);
    }
    const test = await berth.api("POST", "/api/test-supabase-connection", given);
    expect(test.body.ok).toBe(false);
    lines.push(test.body.checks);
    const blamed = lines.map((checks: Check[]) => checks.find(({ name }) => name === line));
    expect(blamed).toEqual([blamed[0], blamed[0], blamed[0]]);
    expect(secretsIn(JSON.stringify(lines), "the API", secretsOf(project))).toEqual([]);
    return blamed[0];
  }

  it("the transaction pooler is refused, and why", async () => {
    const line = await refused("not-transaction-pooler", async ({ databaseUrl }) => {
      const url = new URL(databaseUrl);
      url.port = "6543";
      return url.href;
    });
    expect(line).toEqual({
      name: "not-transaction-pooler",
      ok: false,
      found: "port 6543 is the transaction pooler",
      needed: "one session for the whole migration: locks and settings must outlive a transaction",
      fix: "Copy the session pooler's connection string (port 5432) from Supabase → Connect.",
    });
  });

  it("somebody else's migrations are refused, and where they are", async () => {
    const line = await refused("schema-empty-or-ours", async ({ databaseUrl }) => {
      const client = new pg.Client({
        connectionString: databaseUrl,
        ssl: { rejectUnauthorized: false },
      });
      await client.connect();
      await client.query("create schema supabase_migrations");
      await client.query(
        "create table supabase_migrations.schema_migrations (version text primary key)",
      );
      await client.query(
        "insert into supabase_migrations.schema_migrations values ('20250101000000')",
      );
      await client.end();
      return databaseUrl;
    });
    expect(line).toEqual({
      name: "schema-empty-or-ours",
      ok: false,
      found: "1 migration that is not Berth's (first 20250101000000)",
      needed: "an empty schema public, or one that Berth made",
      fix: "Use a new project, or move these objects elsewhere if nobody needs them here.",
    });
  });

  it("a template that commits by itself is not even loaded", async () => {
    const folder = path.join(templates, "..", `${path.basename(templates)}-committing`);
    await writeTemplates(folder);
    const file = "sound/migrations/20261231000000_commits.sql";
    await writeFile(path.join(folder, file), "create table public.a (id int);\ncommit;\n");
    const refusal = await loadCatalog(folder).catch((error: unknown) => error);
    await rm(folder, { recursive: true });
    expect(refusal).toMatchObject({
      code: "sql_forbidden",
      file,
      line: 2,
      found: expect.stringMatching(/commit|transaction control/i),
      needed: "the runner commits the file and its ledger row together",
      fix: "Remove it: every file already runs in one transaction.",
    });
  });
});

it("no secret is in any log", async () => {
  const { logs, found } = await secretsInLogs(
    berth.dataDir,
    new Map([["a value of a row", "canary.example"]]),
  );
  expect(found).toEqual([]);
  expect(logs).toBeGreaterThan(0);
});
