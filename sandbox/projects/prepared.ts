import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import pg from "pg";
import { copyCluster, freePort, initCluster, startCluster } from "#local/cluster.ts";
import type { GrantMode } from "./project.ts";

/** The superuser of every database here, as in a hosted project. */
export const SUPERUSER = "supabase_admin";

const SQL_FOLDER = path.join(import.meta.dirname, "..", "database");
const BASE_FILES = ["01-roles.sql", "02-schemas.sql", "03-auth.sql", "04-storage.sql"];
const GRANT_FILES: Record<GrantMode, string[]> = {
  legacy: ["grants-legacy.sql"],
  "2026-10": ["grants-legacy.sql", "grants-2026-10.sql"],
};

/** Small enough for twenty on one machine, roomy enough for a run and its tests. */
const SETTINGS = {
  max_connections: "80",
  shared_buffers: "16MB",
  max_wal_size: "32MB",
  min_wal_size: "2MB",
  wal_level: "logical",
  max_wal_senders: "3",
  max_replication_slots: "3",
  autovacuum_max_workers: "1",
  max_worker_processes: "3",
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  statement_timeout: "2min",
};

/** Prepared data directories, to be copied for each new project. */
export interface Prepared {
  directory(mode: GrantMode): string;
  /** The superuser's password in the copies, until they get their own. */
  password: string;
}

async function runFiles(dataDir: string, password: string, files: string[]): Promise<void> {
  const port = await freePort();
  const settings = { fsync: "off" };
  const cluster = await startCluster({ dataDir, port, superuser: SUPERUSER, password, settings });
  try {
    const client = new pg.Client(cluster.superuserUrl());
    await client.connect();
    for (const file of files) {
      await client.query(await readFile(path.join(SQL_FOLDER, file), "utf8"));
    }
    await client.query("checkpoint");
    await client.end();
  } finally {
    await cluster.stop();
  }
}

async function exists(file: string): Promise<boolean> {
  return readFile(path.join(file, "PG_VERSION")).then(
    () => true,
    () => false,
  );
}

/**
 * Makes the data directories of a fresh project, one per grant mode, in `root`; a second call
 * finds them. Changed SQL files give new ones, and the old are removed.
 */
export async function prepareDatabases(root: string): Promise<Prepared> {
  const hash = createHash("sha256").update(JSON.stringify(SETTINGS));
  const files = [...new Set([...BASE_FILES, ...Object.values(GRANT_FILES).flat()])];
  for (const file of files) hash.update(await readFile(path.join(SQL_FOLDER, file)));
  const version = hash.digest("hex").slice(0, 12);
  const place = (name: string) => path.join(root, `prepared-${version}-${name}`);

  for (const name of await readdir(root)) {
    if (name.startsWith("prepared-") && !name.startsWith(`prepared-${version}-`)) {
      await rm(path.join(root, name), { recursive: true, force: true });
    }
  }
  const passwordFile = place("password");
  const known = await readFile(passwordFile, "utf8").catch(() => null);
  const password = known ?? randomBytes(24).toString("base64url");
  if (!known) await writeFile(passwordFile, password, { mode: 0o600 });

  const modes = Object.keys(GRANT_FILES) as GrantMode[];
  const missing: GrantMode[] = [];
  for (const mode of modes) if (!(await exists(place(mode)))) missing.push(mode);
  if (missing.length > 0) {
    const base = place("base");
    // A base left half done by a killed process cannot be told from a good one.
    await rm(base, { recursive: true, force: true });
    await initCluster({
      dataDir: base,
      superuser: SUPERUSER,
      password,
      settings: SETTINGS,
      initdbArguments: ["--wal-segsize=1"],
    });
    await runFiles(base, password, BASE_FILES);
    for (const mode of missing) {
      const making = place(`${mode}.making`);
      await rm(making, { recursive: true, force: true });
      await copyCluster(base, making);
      await runFiles(making, password, GRANT_FILES[mode]);
      await rm(place(mode), { recursive: true, force: true });
      await copyCluster(making, place(mode));
      await rm(making, { recursive: true, force: true });
    }
    await rm(base, { recursive: true, force: true });
  }
  return { directory: place, password };
}
