import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ChildSpec, startChild } from "./child.ts";
import { localKeys } from "./keys.ts";
import { takeLock } from "./lock.ts";
import { choosePorts } from "./ports.ts";
import { isRunning, processStart, stopLeftOver } from "./processes.ts";
import { openRecords } from "./records.ts";

let dir: string;
const cleanUp: (() => unknown)[] = [];
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "berth-local-"));
});
afterEach(async () => {
  for (const act of cleanUp.splice(0).reverse()) await act();
  await rm(dir, { recursive: true, force: true });
});

function sleeper(): ChildProcess & { pid: number } {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000) // berth-sleeper"], {
    stdio: "ignore",
  });
  cleanUp.push(() => child.kill("SIGKILL"));
  return child as ChildProcess & { pid: number };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(10);
}

describe("the lock of a data directory", () => {
  test("is held by one, and free again after its release", async () => {
    const first = await takeLock(dir);
    expect(first?.tookOver).toBe(false);
    expect(await takeLock(dir)).toBeNull();
    await first?.release();
    const second = await takeLock(dir);
    expect(second?.tookOver).toBe(false);
    await second?.release();
    expect(await readdir(dir)).toEqual([]);
  });

  test("of a killed process is taken over by exactly one of many", async () => {
    const child = sleeper();
    const started = await processStart(child.pid);
    await writeFile(path.join(dir, "lock.json"), JSON.stringify({ pid: child.pid, started }));
    expect(await takeLock(dir)).toBeNull();
    child.kill("SIGKILL");
    await once(child, "exit");
    const locks = await Promise.all(Array.from({ length: 20 }, () => takeLock(dir)));
    expect(locks.filter((lock) => lock !== null)).toHaveLength(1);
  });

  test("is not held by another process that got the same id", async () => {
    const holder = { pid: process.pid, started: "long ago" };
    await writeFile(path.join(dir, "lock.json"), JSON.stringify(holder));
    expect((await takeLock(dir))?.tookOver).toBe(true);
  });

  test("a broken-off lock file holds nobody", async () => {
    await writeFile(path.join(dir, "lock.json"), '{"pid":');
    expect(await takeLock(dir)).not.toBeNull();
  });
});

describe("processes left behind", () => {
  test("one is ended when start and command line are those recorded", async () => {
    const child = sleeper();
    const identity = { pid: child.pid, started: (await processStart(child.pid)) as string };
    expect(await stopLeftOver({ ...identity, started: "another" }, "berth-sleeper")).toBe(false);
    expect(await stopLeftOver(identity, "something-else")).toBe(false);
    expect(await isRunning(identity)).toBe(true);
    expect(await stopLeftOver(identity, "berth-sleeper")).toBe(true);
    await until(() => child.signalCode !== null);
    expect(child.signalCode).toBe("SIGTERM");
  });

  test("records survive a kill and lead the next start to them", async () => {
    const child = sleeper();
    const first = await openRecords(dir);
    first.records.add({ pid: child.pid, script: "berth-sleeper" });
    await until(async () => (await readFile(path.join(dir, "processes.json"), "utf8")).length > 5);
    const next = await openRecords(dir);
    expect(next.leftOver).toBe(1);
    expect((await openRecords(dir)).leftOver).toBe(0);
  });
});

describe("ports", () => {
  async function occupy(port: number, host: string): Promise<Server> {
    const server = createServer().listen(port, host);
    await once(server, "listening");
    cleanUp.push(() => server.close());
    return server;
  }
  const base = 20_000 + Math.floor(Math.random() * 9_000);

  test("a taken one gives the next free one, and it is said", async () => {
    await occupy(base, "127.0.0.1");
    await occupy(base + 1, "0.0.0.0");
    const said: string[] = [];
    const ports = await choosePorts(dir, { web: base, smtp: base + 2 }, (text) => said.push(text));
    expect(ports.web).toBe(base + 2);
    expect(ports.smtp).toBe(base + 3);
    expect(said.filter((text) => text.includes(String(base)))).toEqual([
      `Port ${base} is taken: Berth gets ${base + 2}.`,
    ]);
  });

  test("the sandbox keeps the ports of the last start; credentials hold them", async () => {
    const first = await choosePorts(dir, { sandbox: base + 10, pooler: base + 12 }, () => {});
    const second = await choosePorts(dir, {}, () => {});
    expect([second.sandbox, second.pooler]).toEqual([first.sandbox, first.pooler]);
  });
});

test("keys are made once, for their owner alone", async () => {
  const keys = await localKeys(dir);
  expect(await localKeys(dir)).toEqual(keys);
  expect((await stat(path.join(dir, "keys.json"))).mode & 0o777).toBe(0o600);
  expect(keys.encryptionKeys).toMatch(/^k[\w-]+:[A-Za-z0-9+/]{43}=$/);
});

describe("a supervised process", () => {
  async function supervise(source: string, more: Partial<ChildSpec> = {}) {
    await writeFile(path.join(dir, "child.mjs"), source);
    await mkdir(path.join(dir, "logs"), { recursive: true });
    const said: string[] = [];
    const { records } = await openRecords(dir);
    const child = startChild(
      {
        name: "it",
        script: "child.mjs",
        env: { PATH: process.env.PATH ?? "" },
        restart: true,
        graceMs: 5_000,
        ...more,
      },
      { root: dir, logDir: path.join(dir, "logs"), records, say: (text) => said.push(text) },
    );
    cleanUp.push(() => child.kill());
    const output = () => readFile(path.join(dir, "logs", "it.log"), "utf8");
    return { child, said, output };
  }

  test("that dies is named on screen with its last words and started again", async () => {
    const { child, said, output } = await supervise(
      'console.log("up"); setInterval(() => {}, 1000);',
    );
    await until(async () => (await output()).includes("up"));
    const before = child.pid;
    process.kill(before, "SIGKILL");
    await until(() => child.pid !== before);
    expect(said[0]).toContain("it was ended by SIGKILL; it starts again in 0.5 s");
    expect(said[0]).toContain("up");
  });

  test("that is stopped stays so, also while it waits for its next start", async () => {
    const { child, said } = await supervise("process.exit(3)");
    await until(() => said.length > 0);
    const last = child.pid;
    await child.stop();
    await child.ended;
    await sleep(700);
    expect(child.pid).toBe(last);
    expect(said).toHaveLength(1);
  });

  test("that ignores SIGTERM is killed after its grace", async () => {
    const { child, output } = await supervise(
      'process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000);',
      { graceMs: 200 },
    );
    await until(async () => (await output()).includes("up"));
    await child.stop();
    expect(await processStart(child.pid)).toBeNull();
  });

  test("gets another process id by a restart, with nothing said", async () => {
    const { child, said } = await supervise("setInterval(() => {}, 1000);");
    const before = child.pid;
    await child.restart();
    expect(child.pid).not.toBe(before);
    expect(await processStart(before)).toBeNull();
    expect(said).toEqual([]);
  });
});
