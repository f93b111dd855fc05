import { randomUUID } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** Longest wait for another process that works on the same. */
const PATIENCE_MS = 10_000;

export class BusyError extends Error {}

/**
 * Does work while no other process does: a file that only one can make holds the process's number.
 * One that was left by a process which has ended is moved away.
 *
 * @throws BusyError where another process is still at it after ten seconds.
 */
export async function exclusively<T>(file: string, work: () => Promise<T>): Promise<T> {
  const mine = `${file}.${randomUUID()}`;
  // Linked into place, it is never there without its content.
  await writeFile(mine, `${process.pid}\n`);
  try {
    await take(file, mine);
  } finally {
    await rm(mine, { force: true });
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function take(file: string, mine: string): Promise<void> {
  for (const until = Date.now() + PATIENCE_MS; ; await sleep(50)) {
    try {
      await link(mine, file);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const owner = await ownerOf(file);
    if (owner === null) continue;
    if (!isAlive(owner)) await moveAway(file, owner);
    else if (Date.now() > until) {
      throw new BusyError(
        `Process ${owner} is writing here (${file}). Try again when it has ended.`,
      );
    }
  }
}

async function ownerOf(file: string): Promise<number | null> {
  const text = await readFile(file, "utf8").catch(() => null);
  return text === null ? null : Number(text);
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Two may find the same file stale; whoever moved a newer one by mistake puts it back. */
async function moveAway(file: string, owner: number): Promise<void> {
  const away = `${file}.${randomUUID()}`;
  try {
    await rename(file, away);
  } catch {
    return;
  }
  if (!Object.is(await ownerOf(away), owner)) await link(away, file).catch(() => {});
  await rm(away, { force: true });
}
