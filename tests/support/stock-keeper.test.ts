import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { isAlive, readPostmasterFile } from "#local/orphan.ts";
import { takeLock } from "../../scripts/local/lock.ts";
import { DATA_DIR_PREFIX } from "./berth-stock.ts";
import { eventually } from "./client.ts";

let temporary: string;
const keepers: ChildProcess[] = [];
beforeEach(async () => {
  temporary = await mkdtemp(path.join(tmpdir(), "berth-keeper-"));
  await chmod(temporary, 0o711);
});
afterEach(async () => {
  await Promise.all(keepers.splice(0).map(leave));
  await rm(temporary, { recursive: true, force: true });
});

async function startKeeper(): Promise<{ keeper: ChildProcess; address: string }> {
  const keeper = fork(new URL("stock-keeper.ts", import.meta.url), {
    detached: true,
    execArgv: [],
    env: { ...process.env, TMPDIR: temporary },
  });
  keepers.push(keeper);
  const [address] = await once(keeper, "message");
  return { keeper, address };
}

/** Its parent is gone, as far as it can tell; answers how it ended. */
async function leave(keeper: ChildProcess): Promise<number | null> {
  if (keeper.connected) keeper.disconnect();
  if (keeper.exitCode === null && keeper.signalCode === null) await once(keeper, "exit");
  return keeper.exitCode;
}

const dataDirs = async () =>
  (await readdir(temporary)).filter((name) => name.startsWith(DATA_DIR_PREFIX)).sort();

/** Asks for a Berth; answers the process id of its database server while the rest still starts. */
async function startingServer(address: string): Promise<number> {
  get(`${address}template`).on("error", () => {});
  return eventually("a database server", async () => {
    const [name] = await dataDirs();
    return name ? (await readPostmasterFile(path.join(temporary, name, "postgres")))?.pid : null;
  });
}

it("a start under way is broken off when the test run is gone, and leaves nothing", async () => {
  const { keeper, address } = await startKeeper();
  const server = await startingServer(address);
  expect(await leave(keeper)).toBe(0);
  expect(isAlive(server)).toBe(false);
  expect(await dataDirs()).toEqual([]);
});

it("what a killed one has left is ended and removed by the next, and nobody else's", async () => {
  const { keeper, address } = await startKeeper();
  const server = await startingServer(address);
  keeper.kill("SIGKILL");
  await once(keeper, "exit");
  expect(isAlive(server)).toBe(true);
  const others = [`${DATA_DIR_PREFIX}held`, `${DATA_DIR_PREFIX}new`];
  for (const name of others) await mkdir(path.join(temporary, name));
  await takeLock(path.join(temporary, `${DATA_DIR_PREFIX}held`));

  const next = await startKeeper();
  expect(isAlive(server)).toBe(false);
  expect(await dataDirs()).toEqual(others);
  expect(await leave(next.keeper)).toBe(0);
});
