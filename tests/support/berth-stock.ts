/**
 * What the files of one test run have in common: a data directory that was started once, to be
 * copied, and one running Berth. A process of the run's global set-up keeps them and makes each when a
 * file first asks for it; its address is in the environment, which the files' processes inherit.
 */
import { once } from "node:events";
import { chmod, copyFile, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { json, text } from "node:stream/consumers";
import { clusterRoot, copyCluster } from "#local/cluster.ts";
import { databaseFolder } from "../../scripts/local/database.ts";
import type { LocalInfo } from "../../scripts/local/start-local.ts";

/** The variable that holds the address. */
export const STOCK = "BERTH_TEST_STOCK";

/** What can be asked for. */
export interface Stock {
  /** The data directory that was started once. */
  template: string;
  shared: { dataDir: string; info: LocalInfo };
}

/** Null where no global set-up keeps anything, as for `npm run faults`. */
export async function ask<What extends keyof Stock>(what: What): Promise<Stock[What] | null> {
  const address = process.env[STOCK];
  if (!address) return null;
  // Not by fetch(), which gives up after five minutes: on a busy machine two starts may take longer.
  const [answer]: IncomingMessage[] = await once(get(address + what), "response");
  if (answer?.statusCode !== 200) throw new Error(answer ? await text(answer) : "No answer.");
  return (await json(answer)) as Stock[What];
}

/** How the folders of such installations are named, and no folder that a person keeps. */
export const DATA_DIR_PREFIX = "berth-throwaway-";

/** A folder for the data of one installation, which the account of its databases may enter. */
export async function newDataDir(): Promise<string> {
  const dataDir = await mkdtemp(path.join(tmpdir(), DATA_DIR_PREFIX));
  await chmod(dataDir, 0o711);
  return dataDir;
}

/** Removes the data of one that has ended, also what lies where its databases' account can reach. */
export async function dropDataDir(dataDir: string): Promise<void> {
  const folders = [await projectFolder(dataDir), await clusterRoot(dataDir), dataDir];
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
}

/** Where the sandbox of an installation keeps the databases of its projects. */
export async function projectFolder(dataDir: string): Promise<string> {
  const folder = path.join(dataDir, "sandbox", "databases");
  await mkdir(folder, { recursive: true, mode: 0o711 });
  return clusterRoot(folder);
}

/**
 * Gives an empty data directory what a first start takes its time to make: keys and accounts, Berth's
 * database with the demo, and the sandbox's prepared ones. Ports and certificates are its own.
 */
export async function copyStarted(from: string, to: string): Promise<void> {
  for (const name of ["keys.json", "local.json"]) {
    await copyFile(path.join(from, name), path.join(to, name));
  }
  await copyCluster(await databaseFolder(from), await databaseFolder(to));
  const [prepared, folder] = [await projectFolder(from), await projectFolder(to)];
  for (const entry of await readdir(prepared, { withFileTypes: true })) {
    const [old, copy] = [path.join(prepared, entry.name), path.join(folder, entry.name)];
    if (entry.isDirectory()) await copyCluster(old, copy);
    else await copyFile(old, copy);
  }
}
