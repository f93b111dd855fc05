import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Cluster, clusterRoot, freePort, initCluster, startCluster } from "#local/cluster.ts";
import { atEnd } from "./ending.ts";

/** A real PostgreSQL with fsync on; gone when the bench is over. */
export async function startBenchCluster(
  superuser: string,
  tls?: { certFile: string; keyFile: string },
): Promise<Cluster> {
  const folder = await clusterRoot(path.join(tmpdir(), `berth-bench-${randomUUID()}`));
  const login = { superuser, password: randomUUID() };
  const dataDir = path.join(folder, "data");
  const start = async () => {
    await initCluster({ dataDir, ...login });
    const settings = { max_connections: "300" };
    return startCluster({ dataDir, port: await freePort(), ...login, tls, settings });
  };
  const starting = start();
  atEnd(async () => {
    await starting.then(
      (cluster) => cluster.stop("immediate"),
      () => {},
    );
    await rm(folder, { recursive: true, force: true });
  });
  return starting;
}
