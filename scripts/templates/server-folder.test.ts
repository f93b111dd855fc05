import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { folderOf, removeFolders } from "#app/domain/catalog/template-folders.ts";
import { isAlive, readPostmasterFile } from "#local/orphan.ts";
import { soundBase } from "./sample-templates.ts";
import { makeServerFolder } from "./server-folder.ts";

const root = path.join(import.meta.dirname, "..", "..");
let temporary: string;
beforeEach(async () => {
  temporary = await mkdtemp(path.join(os.tmpdir(), "berth-swept-"));
  await chmod(temporary, 0o711);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await removeFolders();
  await rm(temporary, { recursive: true, force: true });
});

const PREFIX = "berth-project-server-";
const serverFolders = async () =>
  (await readdir(temporary)).filter((name) => name.startsWith(PREFIX)).sort();

const startCheck = (folder: string) =>
  spawn(process.execPath, ["scripts/templates.ts", "--folder", folder, "check"], {
    cwd: root,
    env: { ...process.env, TMPDIR: temporary },
    stdio: "ignore",
  });

/** The servers of a check that is under way. */
async function serversOf(check: ChildProcess): Promise<number[]> {
  for (;;) {
    const files = (await serverFolders()).map((name) =>
      readPostmasterFile(path.join(temporary, name, "data")),
    );
    const ready = (await Promise.all(files)).filter((file) => file?.ready).map((file) => file?.pid);
    if (ready.length === 2) return ready as number[];
    if (check.exitCode !== null) throw new Error("The check ended before its servers were seen.");
    await sleep(5);
  }
}

it("what a killed check has left is ended and removed by the next one", async () => {
  const folder = await folderOf(soundBase);
  const killed = startCheck(folder);
  const servers = await serversOf(killed);
  killed.kill("SIGKILL");
  await once(killed, "exit");
  expect(servers.every(isAlive)).toBe(true);

  const [code] = await once(startCheck(folder), "exit");
  expect(code).toBe(0);
  expect(servers.some(isAlive)).toBe(false);
  expect(await serverFolders()).toEqual([]);
}, 600_000);

it("a folder is swept when its owner is gone, and not while it lives or has no name yet", async () => {
  vi.stubEnv("TMPDIR", temporary);
  const owners = { live: `${process.pid}\n`, gone: "99999999\n", nameless: null };
  for (const [name, owner] of Object.entries(owners)) {
    const folder = path.join(temporary, `${PREFIX}${name}`);
    await mkdir(folder);
    if (owner) await writeFile(path.join(folder, "data.owner"), owner);
  }
  const { remove } = await makeServerFolder();
  const there = await serverFolders();
  expect(there).toHaveLength(3);
  expect(there).toEqual(expect.arrayContaining([`${PREFIX}live`, `${PREFIX}nameless`]));
  await remove();
  expect(await serverFolders()).toEqual([`${PREFIX}live`, `${PREFIX}nameless`]);
});
