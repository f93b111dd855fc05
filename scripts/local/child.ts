import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProcessRecords } from "./records.ts";

/** How a process of local mode is started. */
export interface ChildSpec {
  name: string;
  /** The program, relative to the repository. */
  script: string;
  args?: string[];
  env: Record<string, string>;
  /** Whether it is started again when it ends by itself. */
  restart: boolean;
  /** How long it may take to end after SIGTERM, in milliseconds. */
  graceMs: number;
}

/** A supervised process; `pid` changes when it was started again. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Resolves when it has ended for good. */
  readonly ended: Promise<void>;
  /** SIGTERM, and SIGKILL after the grace. It is not started again. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash of the machine would do it. It is not started again. */
  kill(): Promise<void>;
  /** Ends it in order and starts it again, for changed sources. */
  restart(): Promise<void>;
}

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;
/** A process that ran this long had started well: the next delay is short again. */
const HEALTHY_MS = 30_000;
const LOG_LIMIT_BYTES = 5_000_000;

/** A log line as a person reads it: `level: message (error)`, or the line itself. */
function readable(line: string): string {
  try {
    const { level, msg, err } = JSON.parse(line);
    const reason = err?.message && err.message !== msg ? ` (${err.message})` : "";
    return `${level}: ${msg}${reason}`;
  } catch {
    return line;
  }
}

/** The last lines of a log file from `offset` on, for the screen. */
export async function lastWords(file: string, offset = 0): Promise<string> {
  const bytes = await readFile(file).catch(() => Buffer.alloc(0));
  const lines = bytes.subarray(Math.min(offset, bytes.length)).toString("utf8").trimEnd();
  return lines
    .split("\n")
    .slice(-6)
    .map((line) => `    ${readable(line).slice(0, 300)}`)
    .join("\n");
}

/**
 * Starts a process and watches it. Output goes to `<logDir>/<name>.log` by its own file
 * descriptor, so that it outlives us without broken pipes; the IPC channel tells it when we die.
 */
export function startChild(
  spec: ChildSpec,
  context: { root: string; logDir: string; records: ProcessRecords; say: (text: string) => void },
): Child {
  const { root, records, say } = context;
  const logFile = path.join(context.logDir, `${spec.name}.log`);
  /** Whether it should be running; what ends it clears this first. */
  let wanted = true;
  let launches = 0;
  /** Where the log of the current launch begins. */
  let logOffset = 0;
  let delay = FIRST_DELAY_MS;
  let current: ChildProcess;
  let exited: Promise<void>;
  let pause = new AbortController();
  let finish = () => {};
  const ended = new Promise<void>((resolve) => {
    finish = resolve;
  });

  function launch(): void {
    launches += 1;
    const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
    const isFull = size > LOG_LIMIT_BYTES;
    logOffset = isFull ? 0 : size;
    const output = openSync(logFile, isFull ? "w" : "a", 0o600);
    const begin = Date.now();
    const child = spawn(process.execPath, [path.join(root, spec.script), ...(spec.args ?? [])], {
      cwd: root,
      // Remix's types demand a NODE_ENV of every environment; the sandbox wants none.
      env: spec.env as NodeJS.ProcessEnv,
      stdio: ["ignore", output, output, "ipc"],
      // Ctrl-C reaches the whole group of the terminal; the order of the end is ours to say.
      detached: true,
    });
    closeSync(output);
    current = child;
    exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        records.remove(child.pid);
        resolve();
        void afterExit(signal ? `was ended by ${signal}` : `ended with code ${code}`, begin);
      });
      // A program that could not be started never exits.
      child.once("error", (error) => {
        resolve();
        void afterExit(`could not be started (${error.message})`, begin);
      });
    });
    if (child.pid !== undefined) records.add({ pid: child.pid, script: spec.script });
  }

  async function afterExit(how: string, begin: number): Promise<void> {
    if (!wanted) return;
    const words = `Its last words (${logFile}):\n${await lastWords(logFile, logOffset)}`;
    if (!spec.restart) {
      wanted = false;
      say(`${spec.name} ${how}. ${words}`);
      finish();
      return;
    }
    if (Date.now() - begin > HEALTHY_MS) delay = FIRST_DELAY_MS;
    say(`${spec.name} ${how}; it starts again in ${delay / 1000} s. ${words}`);
    const own = launches;
    pause = new AbortController();
    await sleep(delay, undefined, { signal: pause.signal }).catch(() => {});
    delay = Math.min(delay * 2, LONGEST_DELAY_MS);
    if (wanted && launches === own) launch();
  }

  async function halt(signals: NodeJS.Signals[]): Promise<void> {
    wanted = false;
    pause.abort();
    for (const signal of signals) {
      if (current.exitCode !== null || current.signalCode !== null) return;
      current.kill(signal);
      const timer = new AbortController();
      await Promise.race([
        exited,
        sleep(spec.graceMs, undefined, { signal: timer.signal }).catch(() => {}),
      ]);
      timer.abort();
    }
  }

  launch();
  return {
    name: spec.name,
    get pid() {
      return current.pid ?? -1;
    },
    ended,
    async stop() {
      await halt(["SIGTERM", "SIGKILL"]);
      finish();
    },
    async kill() {
      await halt(["SIGKILL"]);
      finish();
    },
    async restart() {
      if (!wanted) return;
      await halt(["SIGTERM", "SIGKILL"]);
      wanted = true;
      launch();
    },
  };
}
