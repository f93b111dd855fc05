import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "#local/cluster.ts";

const ROOT = path.join(import.meta.dirname, "../..");

/** Listens on a free port, tells the bench its address, and ends when the bench does. */
export async function serveBare(app: {
  listen: (port: number, host: string) => Server;
}): Promise<void> {
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  process.on("disconnect", () => process.exit());
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

/** Processes of a bench, which end with it. */
export class Children {
  readonly #running = new Set<ChildProcess>();

  /** Starts a program with a channel to it. What it logs as a matter of course is not kept. */
  start(script: string, env: Record<string, string> = {}, argv: string[] = []): ChildProcess {
    const child = fork(script, {
      cwd: ROOT,
      env: { PATH: process.env.PATH ?? "", NODE_ENV: "production", ...env },
      execArgv: argv,
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#running.add(child);
    child.once("exit", () => this.#running.delete(child));
    return child;
  }

  /** A server that tells its address by {@link serveBare}. */
  async startBare(script: string, env: Record<string, string>): Promise<string> {
    return await answerOf<string>(this.start(script, env));
  }

  /** Berth's web process as `npm run web` starts it. @returns its address */
  async startBerth(env: (url: string, port: number) => Record<string, string>): Promise<string> {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const child = this.start(path.join(ROOT, "app", "server.ts"), env(url, port));
    for (const end = Date.now() + 30_000; Date.now() < end; await sleep(100)) {
      if (child.exitCode !== null) break;
      const answer = await fetch(`${url}/readyz`).catch(() => null);
      if (answer?.ok) return url;
    }
    throw new Error("Berth's web process did not start.");
  }

  async stop(): Promise<void> {
    const ended = [...this.#running].map((child) => once(child, "exit"));
    for (const child of this.#running) child.kill("SIGTERM");
    const timer = setTimeout(() => {
      for (const child of this.#running) child.kill("SIGKILL");
    }, 10_000);
    await Promise.all(ended);
    clearTimeout(timer);
  }
}

/** The next message of a child. @throws when it ends instead */
export async function answerOf<T>(child: ChildProcess): Promise<T> {
  const waiting = new AbortController();
  const ended = once(child, "exit", { signal: waiting.signal }).then(() => {
    throw new Error(`${path.basename(child.spawnfile)} ended before it answered.`);
  });
  try {
    const [message] = await Promise.race([
      once(child, "message", { signal: waiting.signal }),
      ended,
    ]);
    return message as T;
  } finally {
    ended.catch(() => {});
    waiting.abort();
  }
}
