/**
 * Databases as a fresh Supabase project has them, for the tests of the templates: made from the
 * sandbox's own SQL, in both grant modes, all in one server.
 */
import { randomUUID } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import pg from "pg";
import { filesFor, loadCatalog, type Template } from "#app/domain/catalog/index.server.ts";
import { clusterRoot, freePort, initCluster, startCluster } from "#local/cluster.ts";

/** What the API's roles get by default: as since October 2026, or as in older projects. */
export type GrantMode = "2026-10" | "legacy";

export const grantModes: GrantMode[] = ["2026-10", "legacy"];

export interface ProjectServer {
  /** A new database of that mode; answers a client logged in as `postgres`. */
  createDatabase(mode: GrantMode): Promise<pg.Client>;
  /** Another session at a client's database, as `postgres`. */
  connectBeside(client: pg.Client): Promise<pg.Client>;
  /** A session at a client's database with the rights that Supabase's Auth has. */
  connectAsAuth(client: pg.Client): Promise<pg.Client>;
  stop(): Promise<void>;
}

const sqlFolder = path.join(import.meta.dirname, "..", "sandbox", "database");
const shared = ["02-schemas.sql", "03-auth.sql", "04-storage.sql", "grants-legacy.sql"];
/** The newer defaults come on top of the older ones, as they did at Supabase. */
const filesOfMode: Record<GrantMode, string[]> = {
  "2026-10": [...shared, "grants-2026-10.sql"],
  legacy: shared,
};

/**
 * Prepares a running server, given as the superuser `supabase_admin`, for fresh projects.
 * Ends every session it made with `stop`, which leaves the server itself alone.
 */
export async function prepareServer(superuserUrl: string): Promise<ProjectServer> {
  const password = "templates-under-test";
  const admin = new pg.Client({ connectionString: superuserUrl });
  await admin.connect();
  await admin.query(await readFile(path.join(sqlFolder, "01-roles.sql"), "utf8"));
  await admin.query(`alter role postgres password '${password}'`);

  const open: pg.Client[] = [admin];
  const connect = async (database: string, login?: { user: string; password: string }) => {
    const url = new URL(superuserUrl);
    url.pathname = `/${database}`;
    if (login) Object.assign(url, { username: login.user, password: login.password });
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    open.push(client);
    return client;
  };

  for (const mode of grantModes) {
    await admin.query(`create database "fresh-${mode}" owner postgres`);
    const client = await connect(`fresh-${mode}`);
    for (const file of filesOfMode[mode]) {
      await client.query(await readFile(path.join(sqlFolder, file), "utf8"));
    }
    await client.end();
  }

  let made = 0;
  const asPostgres = (database: string) => connect(database, { user: "postgres", password });
  return {
    async createDatabase(mode) {
      made += 1;
      const name = `project_${made}`;
      await admin.query(`create database ${name} template "fresh-${mode}" owner postgres`);
      return asPostgres(name);
    },
    connectBeside: (client) => asPostgres(client.database ?? ""),
    async connectAsAuth(client) {
      const auth = await connect(client.database ?? "");
      await auth.query("set role supabase_auth_admin; set search_path = auth");
      return auth;
    },
    async stop() {
      for (const client of open) await client.end();
    },
  };
}

/**
 * Applies templates with all they require, in the order of a run: every schema file, then every
 * policies file, then the seeds. `at` applies them as they were released with that version, and
 * `after` what has come since.
 */
export async function applyTemplates(
  client: pg.Client,
  names: string[],
  { at, after }: { at?: string; after?: string } = {},
): Promise<Template[]> {
  const catalog = await loadCatalog(import.meta.dirname);
  const released = (name: string, version: string) => {
    const found = catalog.history(name).releases.find((one) => one.version === version);
    if (!found) throw new Error(`${name} ${version} was never released`);
    return found;
  };
  const current = catalog.order(names);
  const templates = at ? current.map(({ name }) => released(name, at)) : current;
  const applied = after ? current.flatMap(({ name }) => released(name, after).migrations) : [];
  const migrations = templates
    .flatMap((template) => filesFor(template, templates))
    .filter(({ version }) => applied.every((one) => one.version !== version));
  for (const phase of ["schema", "policies"]) {
    for (const file of migrations.filter((each) => each.phase === phase)) {
      // A single simple query is one transaction, unless the file may not have one.
      await client.query(file.sql).catch((cause) => {
        throw new Error(`${file.path}: ${cause.message}`, { cause });
      });
    }
  }
  await applySeeds(client, templates);
  return templates;
}

/** Runs the templates' seeds, which must do no harm when repeated. */
export async function applySeeds(client: pg.Client, templates: Template[]): Promise<void> {
  for (const { seed } of templates) if (seed) await client.query(seed.sql);
}

/** What the templates' checks find wrong, as the health check of a run would say it. */
export async function failedChecks(client: pg.Client, templates: Template[]): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, checks } of templates) {
    if (!checks) throw new Error(`${name} has no checks`);
    await client.query("begin read only");
    const { rows } = await client.query(checks.sql);
    await client.query("commit");
    if (rows.length === 0) throw new Error(`${name} checks nothing`);
    for (const row of rows) {
      if (row.ok !== true) failed.push(`${row.check_name}: ${row.detail}`);
    }
  }
  return failed;
}

/** Starts a PostgreSQL server of its own and prepares it; `stop` ends it and removes its data. */
export async function startProjectServer(): Promise<ProjectServer> {
  const folder = await clusterRoot(path.join(os.tmpdir(), `berth-templates-${randomUUID()}`));
  const login = { superuser: "supabase_admin", password: "superuser-under-test" };
  const dataDir = path.join(folder, "data");
  await initCluster({ dataDir, ...login });
  const cluster = await startCluster({
    dataDir,
    port: await freePort(),
    ...login,
    settings: { fsync: "off", synchronous_commit: "off", full_page_writes: "off" },
  });
  const server = await prepareServer(cluster.superuserUrl());
  return {
    ...server,
    async stop() {
      await server.stop();
      await cluster.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
