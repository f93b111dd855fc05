import { randomBytes } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isRunning, type ProcessIdentity, processStart } from "./processes.ts";

/** A lock that this process holds on a data directory. */
export interface Lock {
  /** Whether an earlier holder was killed and left its lock behind. */
  tookOver: boolean;
  release(): Promise<void>;
}

async function readHolder(file: string): Promise<{ text: string; holder: ProcessIdentity } | null> {
  try {
    const text = await readFile(file, "utf8");
    return { text, holder: JSON.parse(text) as ProcessIdentity };
  } catch {
    return null;
  }
}

/** Longer than the moment between two neighbouring file operations of another process. */
const SETTLE_MS = 100;

/**
 * Takes the lock of a data directory, or returns null when another running process holds it. The
 * lock of a process that no longer runs is taken over; process id and start are compared, so a
 * reused id holds nothing.
 */
export async function takeLock(dataDir: string): Promise<Lock | null> {
  const file = path.join(dataDir, "lock.json");
  const own = path.join(dataDir, `lock.${process.pid}.${randomBytes(4).toString("hex")}`);
  const started = (await processStart(process.pid)) ?? "";
  const text = JSON.stringify({ pid: process.pid, started, nonce: path.basename(own) });
  await writeFile(own, text, { mode: 0o600 });
  let tookOver = false;
  try {
    // A few rounds: between two looks the other one may have come or gone.
    for (let round = 0; round < 20; round++) {
      try {
        // link() fails when the name exists, and the file appears with its whole content.
        await link(own, file);
        // One that took a stale lock away at this moment may have moved ours, and put it back.
        await sleep(SETTLE_MS);
        if ((await readHolder(file))?.text !== text) continue;
        return {
          tookOver,
          release: async () => {
            if ((await readHolder(file))?.text === text) await rm(file, { force: true });
          },
        };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const found = await readHolder(file);
      if (found && (await isRunning(found.holder))) return null;
      const aside = `${own}.stale`;
      await rename(file, aside).catch(() => {});
      const moved = await readHolder(aside);
      // Somebody else took over in between, and it was their new lock that was moved: put it back.
      if (moved && moved.text !== found?.text) await link(aside, file).catch(() => {});
      else tookOver = true;
      await rm(aside, { force: true });
    }
    throw new Error(`The lock ${file} keeps changing hands. Try again.`);
  } finally {
    await rm(own, { force: true });
  }
}
