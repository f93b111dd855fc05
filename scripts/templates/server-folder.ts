import { chmod, lstat, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { clusterRoot } from "#local/cluster.ts";
import { clearTheWay, isAlive, recordOwner } from "#local/orphan.ts";

const PREFIX = "berth-project-server-";

/** Longer than anybody takes to make or to remove a folder. */
const ABANDONED_MS = 3_600_000;

/** Where a throw-away server keeps its data. */
export interface ServerFolder {
  dataDir: string;
  remove(): Promise<void>;
}

/** Makes a folder for a server of this process, and sweeps what processes left that were killed. */
export async function makeServerFolder(): Promise<ServerFolder> {
  await sweep();
  const folder = await mkdtemp(path.join(os.tmpdir(), PREFIX));
  await chmod(folder, 0o711);
  // Before there is a server, so that a kill at any time leaves a name.
  await recordOwner(path.join(folder, "data"));
  return { dataDir: await dataDirOf(folder), remove: () => remove(folder) };
}

/** In the folder itself, unless the account that runs PostgreSQL cannot reach it. */
const dataDirOf = async (folder: string) => path.join(await clusterRoot(folder), "data");

async function remove(folder: string): Promise<void> {
  await rm(path.dirname(await dataDirOf(folder)), { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
}

async function sweep(): Promise<void> {
  for (const name of await readdir(os.tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    // What cannot be removed, such as another account's, keeps nobody from starting.
    await sweepOne(path.join(os.tmpdir(), name)).catch(() => {});
  }
}

async function sweepOne(folder: string): Promise<void> {
  // Others may make anything there, and have us end a server of their choice by it.
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) return;
  const owner = await readFile(path.join(folder, "data.owner"), "utf8").catch(() => null);
  // Without an owner it is being made or removed, unless that was killed.
  if (owner === null ? Date.now() - found.mtimeMs < ABANDONED_MS : isAlive(Number(owner))) return;
  await clearTheWay(await dataDirOf(folder));
  await remove(folder);
}
