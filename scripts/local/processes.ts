import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Names one process for good: ids are given again, but not together with the same start. */
export interface ProcessIdentity {
  pid: number;
  /** When the process began, in the operating system's own words; compared, never read. */
  started: string;
}

const ps = async (pid: number, column: string) =>
  (await run("ps", ["-o", `${column}=`, "-p", String(pid)])).stdout.trim();

/** When a process began, or null when there is none (or the system does not say). */
export async function processStart(pid: number): Promise<string | null> {
  try {
    if (process.platform !== "linux") return (await ps(pid, "lstart")) || null;
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // The name, in parentheses, may hold spaces; the fields after it are numbered from 3.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const dead = fields[0] === "Z" || fields[0] === "X";
    return dead ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

/** The command line of a process, or an empty text when there is none. */
export async function commandLine(pid: number): Promise<string> {
  try {
    if (process.platform !== "linux") return await ps(pid, "command");
    return (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ");
  } catch {
    return "";
  }
}

/** Whether exactly this process still runs. */
export async function isRunning({ pid, started }: ProcessIdentity): Promise<boolean> {
  return (await processStart(pid)) === started;
}

/**
 * Ends a process that an earlier start left behind: SIGTERM, and SIGKILL when it has not ended
 * after `graceMs` milliseconds. It is signalled only when its start and its command line (it must
 * hold `command`) are those of the record, so that nobody else's process is hit.
 *
 * @returns whether there was one
 */
export async function stopLeftOver(
  identity: ProcessIdentity,
  command: string,
  graceMs = 8_000,
): Promise<boolean> {
  const isOurs = async () =>
    (await isRunning(identity)) && (await commandLine(identity.pid)).includes(command);
  if (!(await isOurs())) return false;
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    if (!(await isOurs())) break;
    try {
      process.kill(identity.pid, signal);
    } catch {
      // It ended between the look and the signal.
    }
    const end = Date.now() + graceMs;
    while (Date.now() < end && (await isRunning(identity))) await sleep(50);
  }
  return true;
}
