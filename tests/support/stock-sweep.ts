import { readdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { clearTheWay } from "#local/orphan.ts";
import { stopLeftOverDatabase } from "../../scripts/local/database.ts";
import { takeLock } from "../../scripts/local/lock.ts";
import { openRecords } from "../../scripts/local/records.ts";
import { DATA_DIR_PREFIX, dropDataDir, projectFolder } from "./berth-stock.ts";

/**
 * Ends and removes what earlier test runs left in the temporary directory when they were killed. One
 * whose holder lives, or that nobody has held yet, stays as it is.
 */
export async function sweepLeftOvers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(DATA_DIR_PREFIX)) continue;
    // What cannot be removed, such as another account's, must not keep these tests from running.
    await sweep(path.join(tmpdir(), name)).catch(() => {});
  }
}

async function sweep(dataDir: string): Promise<void> {
  // Without a lock it may be about to start.
  await stat(path.join(dataDir, "lock.json"));
  const lock = await takeLock(dataDir);
  if (!lock) return;
  if (lock.tookOver) {
    await openRecords(dataDir);
    await stopLeftOverDatabase(dataDir);
    const projects = await projectFolder(dataDir);
    for (const entry of await readdir(projects, { withFileTypes: true })) {
      if (entry.isDirectory()) await clearTheWay(path.join(projects, entry.name));
    }
    await dropDataDir(dataDir);
  } else {
    await lock.release();
  }
}
