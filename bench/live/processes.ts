import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Answer, Order } from "./clients.ts";

const ROOT = path.join(import.meta.dirname, "../..");
const START_TIMEOUT_MS = 60_000;
const ANSWER_TIMEOUT_MS = 120_000;

/** A process of the bench that answers over IPC. It ends with us: the channel closes. */
export interface Helper {
  /** Sends this and resolves with the next answer. */
  ask(message: unknown): Promise<unknown>;
  /** Resolves with the next answer; rejects when the process ends before it. */
  next(): Promise<unknown>;
  stop(): Promise<void>;
}

// Node raises its own limit of open files to the hard one, so no shell has to.
function start(args: string[], env: Record<string, string>): Helper {
  const child: ChildProcess = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { PATH: process.env.PATH, NODE_ENV: "production", ...env },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const next = async () => {
    const waiting = new AbortController();
    try {
      return await Promise.race([
        once(child, "message", { signal: waiting.signal }).then(([message]) => message),
        exited.then(() => Promise.reject(new Error(`${args.at(-1)} ended by itself.`))),
        sleep(ANSWER_TIMEOUT_MS, undefined, { signal: waiting.signal }).then(() =>
          Promise.reject(new Error(`${args.at(-1)} does not answer.`)),
        ),
      ]);
    } finally {
      waiting.abort();
    }
  };
  return {
    next,
    ask(message) {
      child.send(message as object);
      return next();
    },
    async stop() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** A server that is measured, and where it listens. */
export interface MeasuredServer {
  port: number;
  /** Resident memory after a full collection, in bytes. */
  memory(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts a server and waits until it answers /readyz. */
export async function startServer(options: {
  script: string;
  port: number;
  env: Record<string, string>;
}): Promise<MeasuredServer> {
  const { script, port } = options;
  const probe = path.join(import.meta.dirname, "probe.ts");
  const helper = start(["--import", probe, script], {
    ...options.env,
    PORT: String(port),
  });
  const end = Date.now() + START_TIMEOUT_MS;
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
  while (!(await isReady())) {
    if (Date.now() > end) {
      await helper.stop();
      throw new Error(`${script} is not ready after ${START_TIMEOUT_MS / 1000} s.`);
    }
    await sleep(100);
  }
  return {
    port,
    stop: helper.stop,
    memory: async () => ((await helper.ask("memory")) as { rss: number }).rss,
  };
}

/** The watchers of one server. */
export interface Clients {
  /** Opens one more stream with each of these cookies. */
  open(order: Omit<Extract<Order, { type: "open" }>, "type">): Promise<void>;
  /** From when this resolves, each stream's next event counts. */
  expect(): Promise<void>;
  /** Resolves when each stream has it; when, in milliseconds of the monotonic clock. */
  received(): Promise<number[]>;
  stop(): Promise<void>;
}

export function startClients(): Clients {
  const helper = start([path.join(import.meta.dirname, "clients.ts")], {});
  function check(answer: unknown): Answer {
    const known = answer as Answer;
    if (known.type === "failed") throw new Error(known.reason);
    return known;
  }
  return {
    async open(order) {
      check(await helper.ask({ type: "open", ...order }));
    },
    async expect() {
      check(await helper.ask({ type: "expect" }));
    },
    async received() {
      const answer = check(await helper.next());
      return answer.type === "received" ? answer.at : [];
    },
    stop: helper.stop,
  };
}
