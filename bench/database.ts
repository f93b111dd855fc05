import { randomUUID } from "node:crypto";
import path from "node:path";
import pg from "pg";
import { type Catalog, loadCatalog, syncCatalog } from "#app/domain/catalog/index.server.ts";
import { type Actor, asActor, createDb, type Db } from "#db/index.ts";
import { migrate } from "../scripts/migrate.ts";
import { startBenchCluster } from "./cluster.ts";
import { atEnd } from "./ending.ts";

export const TEMPLATES = path.join(import.meta.dirname, "../feature-templates");
/** Who acts where nobody is measured. */
export const HOUSE: Actor = { kind: "worker", id: "bench", origin: "", correlationId: "" };

/** The ways into a migrated database of Berth's own. */
export interface BerthDatabase {
  adminUrl: string;
  databaseUrl: string;
  authDatabaseUrl: string;
  jobsDatabaseUrl: string;
}

/** Berth's own schema, empty, on a cluster of its own. */
export async function startDatabase(): Promise<BerthDatabase> {
  const cluster = await startBenchCluster("postgres");
  const url = (user: string) => {
    const address = new URL(cluster.superuserUrl());
    if (user !== "postgres") [address.username, address.password] = [user, randomUUID()];
    return address.href;
  };
  const database = {
    adminUrl: url("postgres"),
    databaseUrl: url("berth_app"),
    authDatabaseUrl: url("berth_auth"),
    jobsDatabaseUrl: url("berth_jobs"),
  };
  await migrate({ ...database, log: { info: () => {} } });
  return database;
}

/** One connection: for looking, and for what Berth itself would refuse. */
export async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  atEnd(() => client.end());
  return client;
}

/** As a web process connects, with as many connections. */
export function openDb({ databaseUrl }: BerthDatabase): Db {
  const db = createDb(databaseUrl, {
    applicationName: "berth-bench",
    max: 20,
    onError: () => {},
  });
  atEnd(() => db.$client.end());
  return db;
}

/** The plans, and the features that there are. */
export async function fillCatalog(db: Db): Promise<Catalog> {
  const catalog = await loadCatalog(TEMPLATES);
  await asActor(db, HOUSE, (tx) => syncCatalog(tx, catalog));
  return catalog;
}
