import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadCatalog } from "#app/domain/catalog/index.server.ts";
import { secretsIn, secretsInLogs } from "../support/secrets.ts";
import {
  credentialsOf,
  eventually,
  newCustomer,
  postPage,
  type RunningBerth,
  type SandboxProject,
  settled,
  sharedBerth,
} from "../support/shared-berth.ts";

let berth: RunningBerth;
let project: SandboxProject;
let requestId: string;
const wish = newCustomer({ company: "Journey <script>alert(1)</script> & Sons" });
/** Everything that may be found nowhere but where it belongs. */
const secrets = new Map<string, string>();

beforeAll(async () => {
  berth = await sharedBerth();
  secrets.set("API key", berth.local.info.apiKey);
  const keys = JSON.parse(await readFile(path.join(berth.dataDir, "keys.json"), "utf8"));
  secrets.set("master key", keys.encryptionKeys.split(":")[1]);
  secrets.set("application secret", keys.appSecret);
  secrets.set("Berth's database password", keys.passwords.app);
});
afterAll(() => berth?.stop());

describe("the journey", () => {
  it("takes a customer in", async () => {
    const headers = { "Idempotency-Key": "journey-1" };
    const made = await berth.api("POST", "/api/customers", wish, headers);
    expect(made.status).toBe(201);
    expect(made.body).toEqual({
      customerId: expect.any(String),
      requestId: expect.any(String),
      status: "pending",
      position: expect.any(Number),
      dueAt: expect.any(String),
      estimatedCompletionAt: expect.any(String),
    });
    requestId = made.body.requestId;
    const again = await berth.api("POST", "/api/customers", wish, headers);
    expect(again.status).toBe(201);
    expect(again.body).toEqual(made.body);
    const other = await berth.api("POST", "/api/customers", { ...wish, country: "FR" }, headers);
    expect(other.status).toBe(422);
    const found = await berth.api("GET", `/api/customers?email=${wish.email}`);
    expect(found.body.customers).toHaveLength(1);
    expect(found.body.customers[0].requests).toHaveLength(1);
  });

  it("lets the customer set a password by a link of one use", async () => {
    const mail = await berth.mail(wish.email, /We have your request/);
    expect(mail.html).not.toContain("<script>");
    const link = /http\S+\/account\/password\?token=\S+/.exec(mail.text)?.[0] ?? "";
    secrets.set("password link", new URL(link).searchParams.get("token") ?? "");
    const page = await fetch(link);
    expect(page.status).toBe(200);
    const password = "canary lantern harbour 7351";
    secrets.set("password", password);
    const submit = (text: string) =>
      postPage(link, { body: new URLSearchParams({ password: text }) });
    const weak = await submit("short");
    expect(weak.status).toBe(422);
    expect(await weak.text()).toContain("Use between 12 and 128 characters");
    const set = await submit(password);
    expect(await set.text()).toContain("Your password is set");
    expect((await submit(password)).status).toBe(404);
    expect((await fetch(link)).status).toBe(404);
  });

  it("is claimed, given a project, tested and submitted", async () => {
    const claimed = await berth.api("POST", `/api/queue/${requestId}/claim`);
    expect(claimed.body).toMatchObject({ status: "in_progress", assignee: { name: "Demo Admin" } });
    await berth.mail(wish.email, /has begun/);
    project = await berth.sandbox.project({ name: "journey" });
    for (const name of ["anonKey", "serviceRoleKey", "secretKey"] as const) {
      secrets.set(name, project[name]);
    }
    secrets.set("database password", new URL(project.databaseUrl).password);
    const credentials = credentialsOf(project);
    const test = await berth.api("POST", "/api/test-supabase-connection", credentials);
    expect(test.status).toBe(200);
    expect(test.body.checks.filter((check: { ok: boolean }) => !check.ok)).toEqual([]);
    expect(test.body.ok).toBe(true);
    const submitted = await berth.api("POST", `/api/queue/${requestId}/credentials`, credentials);
    expect(submitted.status).toBe(200);
    expect(["credentials_received", "migrating", "completed"]).toContain(submitted.body.status);
  });

  it("is built, step by step", async () => {
    const request = await settled(berth.api, requestId);
    expect(request.failure).toBeNull();
    expect(request.status).toBe("completed");
    expect(request.run.status).toBe("succeeded");
    const kinds = request.run.steps.map((step: { kind: string }) => step.kind);
    expect(new Set(kinds)).toEqual(
      new Set(["preflight", "sql", "storage", "auth-config", "seed", "owner", "health"]),
    );
    for (const step of request.run.steps)
      expect(step).toMatchObject({ status: "done", attempts: 1 });
    expect(request.backend).toMatchObject({ projectRef: project.ref, status: "ready" });
  });

  it("leads the owner into a signed-in session, once", async () => {
    const mail = await berth.mail(wish.email, /is ready/);
    const link = /http\S+\/owner\?token=\S+/.exec(mail.text)?.[0] ?? "";
    secrets.set("owner link", new URL(link).searchParams.get("token") ?? "");
    // Scanners of mail open links, and ask for headers alone: neither uses it up.
    for (const method of ["HEAD", "GET", "GET"]) {
      expect((await fetch(link, { method })).status).toBe(200);
    }
    const foreign = { method: "POST", headers: { origin: "https://evil.example" } };
    expect((await fetch(link, foreign)).status).toBe(403);
    expect((await fetch(link, { method: "POST", redirect: "manual" })).status).toBe(403);
    const press = () => postPage(link, { redirect: "manual" });
    const posted = await press();
    expect(posted.status).toBe(303);
    const verify = posted.headers.get("location") ?? "";
    expect(verify.startsWith(`${project.url}/auth/v1/verify`)).toBe(true);
    secrets.set("action link", new URL(verify).searchParams.get("token") ?? "");
    const verified = await fetch(verify, { redirect: "manual" });
    const fragment = new URL(verified.headers.get("location") ?? "").hash.slice(1);
    const accessToken = new URLSearchParams(fragment).get("access_token") ?? "";
    secrets.set("access token", accessToken);
    const me = await fetch(`${project.url}/auth/v1/user`, {
      headers: { apikey: project.anonKey, authorization: `Bearer ${accessToken}` },
    });
    expect(me.status).toBe(200);
    expect(await me.json()).toMatchObject({
      email: wish.email,
      app_metadata: { berth_role: "owner" },
    });
    expect((await press()).status).toBe(404);
  });

  it("leaves a complete audit record", async () => {
    const { body } = await berth.api("GET", `/api/audit?requestId=${requestId}&limit=200`);
    const actions = body.records.map((record: { action: string }) => record.action).reverse();
    const order = [
      "request.received",
      "link.set-password.use",
      "request.claimed",
      "secret.seal",
      "backend.attach",
      "request.credentials_submitted",
      "run.create",
      "run.start",
      "request.run_started",
      "secret.use",
      "step.done",
      "run.succeeded",
      "request.completed",
      "link.owner.use",
    ];
    const places = order.map((action) => actions.indexOf(action));
    expect(
      places.every((place) => place >= 0),
      `${order} in ${actions}`,
    ).toBe(true);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    for (const record of body.records) {
      expect(record).toMatchObject({ actorKind: expect.any(String), actorId: expect.any(String) });
      if (record.actorKind === "api") expect(record.correlationId).not.toBe("");
    }
    const accounts = await berth.api("GET", "/api/audit?action=account.account.insert&limit=5");
    expect(accounts.body.records.length).toBeGreaterThan(0);
  });

  it("leaves a database that Supabase's own CLI calls in sync", async () => {
    const workdir = await mkdtemp(path.join(tmpdir(), "berth-cli-"));
    try {
      const folder = path.join(workdir, "supabase", "migrations");
      await mkdir(folder, { recursive: true });
      const catalog = await loadCatalog("feature-templates");
      const files = catalog.templates.flatMap((template) => template.migrations);
      for (const { version, name, sql } of files) {
        await writeFile(path.join(folder, `${version}_${name}.sql`), sql);
      }
      const listed = await promisify(execFile)(
        path.resolve("node_modules/.bin/supabase"),
        [
          "migration",
          "list",
          `--remote=${project.databaseUrl}`,
          "--output-format",
          "json",
          "--workdir",
          workdir,
        ],
        {
          env: { ...process.env, SUPABASE_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" },
          timeout: 60_000,
        },
      );
      const { migrations } = JSON.parse(listed.stdout);
      expect(migrations).toHaveLength(files.length);
      for (const { local, remote } of migrations) expect(remote).toBe(local);
    } finally {
      await rm(workdir, { recursive: true, force: true });
    }
  });
});

describe("the secrets of the journey", () => {
  const search = (where: string, text: string, allowed: string[] = []) =>
    secretsIn(text, where, new Map([...secrets].filter(([name]) => !allowed.includes(name))));

  it("are in no log", async () => {
    const { logs, found } = await secretsInLogs(berth.dataDir, secrets);
    expect(logs).toBeGreaterThanOrEqual(4);
    expect(found).toEqual([]);
  });

  it("are in no column of Berth's database, but sealed", async () => {
    expect(secrets.size).toBe(13);
    const client = new pg.Client({ connectionString: berth.local.info.databaseUrl });
    await client.connect();
    try {
      const { rows: tables } = await client.query<{ name: string }>(
        `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
         where table_type = 'BASE TABLE' and table_schema in ('public', 'auth', 'pgboss', 'drizzle')`,
      );
      expect(tables.length).toBeGreaterThan(20);
      for (const { name } of tables) {
        const { rows } = await client.query(`select t::text as row from ${name} t`);
        const text = rows.map((row) => row.row).join("\n");
        expect(search(name, text)).toEqual([]);
      }
    } finally {
      await client.end();
    }
  });

  it("are in no answer and no mail, but for the link that a mail is there to carry", async () => {
    for (const at of [`/api/queue/${requestId}`, "/api/queue", "/api/audit?limit=200"]) {
      const { body } = await berth.api("GET", at);
      expect(search(at, JSON.stringify(body))).toEqual([]);
    }
    for (const mail of await berth.mails()) {
      const text = `${mail.subject}\n${mail.text}\n${mail.html}`;
      expect(search(mail.subject, text, ["password link", "owner link"])).toEqual([]);
    }
  });

  it("are in no refusal", async () => {
    const made = await berth.api("POST", "/api/customers", newCustomer());
    const id = made.body.requestId;
    await berth.api("POST", `/api/queue/${id}/claim`);
    const wrong = {
      ...credentialsOf(project),
      databaseUrl: `${project.databaseUrl}?host=elsewhere`,
    };
    const refused = await berth.api("POST", `/api/queue/${id}/credentials`, wrong);
    expect(refused.status).toBe(422);
    expect(refused.body.ok).toBe(false);
    expect(search("a refusal", JSON.stringify(refused.body))).toEqual([]);
    const malformed = await berth.api(
      "POST",
      "/api/customers",
      `{"company": "${project.secretKey}`,
    );
    expect(malformed.status).toBe(400);
    expect(search("a problem", JSON.stringify(malformed.body))).toEqual([]);
    await eventually("the log of it", async () =>
      (await readFile(path.join(berth.dataDir, "logs", "web.log"), "utf8")).includes(
        `/api/queue/${id}/credentials`,
      ),
    );
    const log = await readFile(path.join(berth.dataDir, "logs", "web.log"), "utf8");
    expect(search("web.log", log)).toEqual([]);
  });
});
