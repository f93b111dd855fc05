import { execFile } from "node:child_process";
import { readFile, realpath, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { ClusterInUseError } from "./errors.ts";

const run = promisify(execFile);

/** Names the process that started the server; beside the data directory, so no copy carries it. */
const ownerFile = (dataDir: string) => `${dataDir}.owner`;

/** What the server writes about itself into postmaster.pid (its documented line order). */
interface PostmasterFile {
  pid: number;
  ready: boolean;
}

/** Reads postmaster.pid; null when there is none or it is not written fully yet. */
export async function readPostmasterFile(dataDir: string): Promise<PostmasterFile | null> {
  const text = await readFile(path.join(dataDir, "postmaster.pid"), "utf8").catch(() => "");
  const lines = text.split("\n");
  const pid = Number.parseInt(lines[0] ?? "", 10);
  return Number.isNaN(pid) ? null : { pid, ready: lines[7]?.trim() === "ready" };
}

/** Whether a process of this id exists (one of another account counts). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function describe(pid: number): Promise<{ parent: number; command: string } | null> {
  const answer = await run("ps", ["-ww", "-o", "ppid=,command=", "-p", `${pid}`]).catch(() => null);
  if (answer) {
    const match = /^\s*(\d+)\s+(.*)$/s.exec(answer.stdout);
    return match ? { parent: Number(match[1]), command: match[2] ?? "" } : null;
  }
  // Small images have no ps; there /proc says the same.
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  const parent = /^PPid:\s*(\d+)/m.exec(status)?.[1];
  return parent ? { parent: Number(parent), command: command.replaceAll("\0", " ") } : null;
}

/** Records that this process started the server of `dataDir`. */
export async function recordOwner(dataDir: string): Promise<void> {
  await writeFile(ownerFile(dataDir), `${process.pid}\n`, { mode: 0o600 });
}

/** Forgets the record after an orderly stop. */
export async function forgetOwner(dataDir: string): Promise<void> {
  await rm(ownerFile(dataDir), { force: true });
}

/** Waits until the process is gone; false when it is still there after `ms` milliseconds. */
export async function waitForExit(pid: number, ms: number): Promise<boolean> {
  const end = Date.now() + ms;
  while (isAlive(pid)) {
    if (Date.now() > end) return false;
    await sleep(20);
  }
  return true;
}

/**
 * Makes `dataDir` free to be started: a postmaster.pid left by a killed server is removed, and
 * a server whose starter was killed is stopped. A server whose starter still lives is nobody's
 * to stop: throws ClusterInUseError.
 *
 * A child of a dead process gets a new parent from the kernel, so a server is an orphan exactly
 * when its parent is not the process that recorded itself as its starter.
 */
export async function clearTheWay(dataDir: string): Promise<void> {
  const left = await readPostmasterFile(dataDir);
  if (!left) return;
  const server = isAlive(left.pid) ? await describe(left.pid) : null;
  const real = await realpath(dataDir);
  const ours = server && (server.command.includes(dataDir) || server.command.includes(real));
  if (!ours) {
    // Either nobody has this id, or it was given to some other program meanwhile: PostgreSQL
    // itself could not tell, and would refuse to start.
    await rm(path.join(dataDir, "postmaster.pid"), { force: true });
    return;
  }
  const owner = Number.parseInt(await readFile(ownerFile(dataDir), "utf8").catch(() => ""), 10);
  if (server.parent === owner) throw new ClusterInUseError(dataDir, left.pid);
  for (const [signal, patience] of [
    ["SIGINT", 10_000],
    ["SIGQUIT", 5_000],
    ["SIGKILL", 5_000],
  ] as const) {
    try {
      process.kill(left.pid, signal);
    } catch {
      return;
    }
    if (await waitForExit(left.pid, patience)) return;
  }
  throw new ClusterInUseError(dataDir, left.pid);
}
