import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Cluster, clusterRoot, freePort, initCluster, startCluster } from "#local/cluster.ts";
import { migrate } from "../scripts/migrate.ts";

/**
 * A real PostgreSQL with fsync on, for the length of `work`; gone afterwards, also after a fault or
 * when the bench is broken off.
 */
export async function withCluster<T>(
  superuser: string,
  work: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const folder = await clusterRoot(path.join(tmpdir(), `berth-bench-${randomUUID()}`));
  const login = { superuser, password: randomUUID() };
  const dataDir = path.join(folder, "data");
  let cluster: Cluster | undefined;
  const clearUp = async () => {
    await cluster?.stop("immediate");
    await rm(folder, { recursive: true, force: true });
  };
  const breakOff = () => void clearUp().finally(() => process.exit(130));
  process.once("SIGINT", breakOff).once("SIGTERM", breakOff);
  try {
    await initCluster({ dataDir, ...login });
    cluster = await startCluster({
      dataDir,
      port: await freePort(),
      ...login,
      settings: { max_connections: "300" },
    });
    return await work(cluster);
  } finally {
    process.off("SIGINT", breakOff).off("SIGTERM", breakOff);
    await clearUp();
  }
}

/** The ways into a migrated database of Berth's own. */
export interface BerthDatabase {
  adminUrl: string;
  databaseUrl: string;
  authDatabaseUrl: string;
  jobsDatabaseUrl: string;
}

/** Berth's own schema, empty, on a cluster of its own, for the length of `work`. */
export async function withBerthDatabase<T>(
  work: (database: BerthDatabase) => Promise<T>,
): Promise<T> {
  return withCluster("postgres", async (cluster) => {
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
    return work(database);
  });
}
