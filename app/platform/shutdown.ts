import type { EventEmitter } from "node:events";
import type { Logger } from "./log.ts";

/** One part of the way down, for example "stop listening" or "close the database". */
export interface ShutdownPhase {
  name: string;
  run: () => Promise<unknown> | unknown;
  /** Milliseconds; bounded by what is left of the whole. */
  timeoutMs?: number;
}

export interface Shutdown {
  /** Aborts when the shutdown begins, for loops and requests that can stop early. */
  readonly signal: AbortSignal;
  /** Begins the shutdown; later calls return the same promise. Resolves just before the exit. */
  begin(reason: string, exitCode?: number): Promise<void>;
}

/** Rejects after `ms` milliseconds; the timer keeps no process alive. */
async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Ends the process in phases, one after the other, each within its time and all of them within
 * `timeoutMs`. A phase that fails or is late is logged and the next one runs. SIGTERM, SIGINT and
 * a parent that goes away (the IPC channel closes) begin it; a second signal exits at once.
 * Unhandled errors are logged, begin it too and make the exit code 1.
 *
 * @param options.source the process; given by tests, which cannot end theirs
 */
export function installShutdown(options: {
  phases: ShutdownPhase[];
  timeoutMs: number;
  log: Logger;
  source?: EventEmitter;
  exit?: (code: number) => void;
}): Shutdown {
  const { phases, timeoutMs, log } = options;
  const source = options.source ?? process;
  const exit = options.exit ?? ((code: number) => process.exit(code));
  const controller = new AbortController();
  let running: Promise<void> | null = null;
  let code = 0;

  async function run(reason: string): Promise<void> {
    const end = Date.now() + timeoutMs;
    log.info({ reason, timeoutMs }, "shutting down");
    controller.abort(new Error(`shutting down: ${reason}`));
    for (const { name, run: work, timeoutMs: own } of phases) {
      const left = Math.max(0, end - Date.now());
      try {
        // An async wrapper, so that a phase that throws at once is caught like any other.
        await within((async () => work())(), Math.min(own ?? left, left));
      } catch (error) {
        code ||= 1;
        log.error({ err: error, phase: name }, "a shutdown phase did not end well");
      }
    }
    log.info({ exitCode: code }, "shut down");
    exit(code);
  }

  function begin(reason: string, exitCode = 0): Promise<void> {
    code ||= exitCode;
    running ??= run(reason);
    return running;
  }

  for (const name of ["SIGTERM", "SIGINT"]) {
    source.on(name, () => {
      if (running) {
        log.warn({ signal: name }, "second signal: leaving at once");
        exit(1);
        return;
      }
      void begin(name);
    });
  }
  source.on("disconnect", () => void begin("the parent process is gone"));
  for (const name of ["uncaughtException", "unhandledRejection"]) {
    source.on(name, (error: unknown) => {
      log.fatal({ err: error }, name);
      void begin(name, 1);
    });
  }
  return { signal: controller.signal, begin };
}
