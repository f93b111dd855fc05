/**
 * Databases as a fresh Supabase project has them: made from the sandbox's own SQL, in both grant
 * modes, all in one server.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import pg from "pg";
import {
  type Cluster,
  freePort,
  initCluster,
  type PostgresVersion,
  startCluster,
} from "#local/cluster.ts";
import { makeServerFolder } from "./server-folder.ts";

/** What the API's roles get by default: as since October 2026, or as in older projects. */
export type GrantMode = "2026-10" | "legacy";

export const grantModes: GrantMode[] = ["2026-10", "legacy"];

export interface ProjectServer {
  /** A new database of that mode; answers a client logged in as `postgres`. */
  createDatabase(mode: GrantMode): Promise<pg.Client>;
  /** Another session at a client's database, as `postgres`. */
  connectBeside(client: pg.Client, applicationName?: string): Promise<pg.Client>;
  /** A session at a client's database with the rights that Supabase's Auth has. */
  connectAsAuth(client: pg.Client): Promise<pg.Client>;
  /** A session at a client's database as the platform itself. */
  connectAsAdmin(client: pg.Client): Promise<pg.Client>;
  stop(): Promise<void>;
}

const sqlFolder = path.join(import.meta.dirname, "..", "..", "sandbox", "database");
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
  const connect = async (
    database: string,
    login?: { user: string; password: string },
    applicationName?: string,
  ) => {
    const url = new URL(superuserUrl);
    url.pathname = `/${database}`;
    if (login) Object.assign(url, { username: login.user, password: login.password });
    const name = applicationName ? { application_name: applicationName } : {};
    const client = new pg.Client({ connectionString: url.href, ...name });
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
  const asPostgres = (database: string, applicationName?: string) =>
    connect(database, { user: "postgres", password }, applicationName);
  return {
    async createDatabase(mode) {
      made += 1;
      const name = `project_${made}`;
      await admin.query(`create database ${name} template "fresh-${mode}" owner postgres`);
      return asPostgres(name);
    },
    connectBeside: (client, applicationName) => asPostgres(client.database ?? "", applicationName),
    async connectAsAuth(client) {
      const auth = await connect(client.database ?? "");
      await auth.query("set role supabase_auth_admin; set search_path = auth");
      return auth;
    },
    connectAsAdmin: (client) => connect(client.database ?? ""),
    async stop() {
      for (const client of open) await client.end();
    },
  };
}

/** Starts a PostgreSQL server of its own and prepares it; `stop` ends it and removes its data. */
export async function startProjectServer(version: PostgresVersion = 17): Promise<ProjectServer> {
  const { dataDir, remove } = await makeServerFolder();
  const login = { superuser: "supabase_admin", password: "superuser-under-test", version };
  let cluster: Cluster | undefined;
  const end = async () => {
    await cluster?.stop();
    await remove();
  };
  try {
    await initCluster({ dataDir, ...login });
    cluster = await startCluster({
      dataDir,
      port: await freePort(),
      ...login,
      settings: { fsync: "off", synchronous_commit: "off", full_page_writes: "off" },
    });
    const server = await prepareServer(cluster.superuserUrl());
    return { ...server, stop: () => server.stop().finally(end) };
  } catch (error) {
    await end();
    throw error;
  }
}
