import path from "node:path";
import pg from "pg";
import { type Cluster, clusterRoot, initCluster, startCluster } from "#local/cluster.ts";
import { clearTheWay } from "#local/orphan.ts";
import { DATABASE_NAME } from "./environment.ts";

const SUPERUSER = "berth_admin";

/** Where an installation keeps the data of its PostgreSQL. */
export const databaseFolder = async (dataDir: string) =>
  path.join(await clusterRoot(dataDir), "postgres");

/** Ends a server that a killed predecessor left behind, so that its port is free again. */
export async function stopLeftOverDatabase(dataDir: string): Promise<void> {
  await clearTheWay(await databaseFolder(dataDir));
}

/**
 * Starts Berth's own PostgreSQL for local mode and creates its empty database when missing.
 * The data lies under `dataDir`, or where the server's account can reach it.
 */
export async function startDatabase(options: {
  dataDir: string;
  port: number;
  password: string;
  logFile: string;
  /** Off only where the data is thrown away after the stop. */
  fsync: boolean;
}): Promise<Cluster> {
  const { port, password, logFile } = options;
  const dataDir = await databaseFolder(options.dataDir);
  await initCluster({ dataDir, superuser: SUPERUSER, password });
  const cluster = await startCluster({
    dataDir,
    port,
    superuser: SUPERUSER,
    password,
    logFile,
    settings: {
      max_connections: "200",
      log_timezone: "UTC",
      ...(options.fsync ? {} : { fsync: "off" }),
    },
  });
  const client = new pg.Client({ connectionString: cluster.superuserUrl("postgres") });
  client.on("error", () => {});
  await client.connect();
  try {
    const { rowCount } = await client.query("select from pg_database where datname = $1", [
      DATABASE_NAME,
    ]);
    if (rowCount === 0) await client.query(`create database ${DATABASE_NAME}`);
  } finally {
    await client.end();
  }
  return cluster;
}
