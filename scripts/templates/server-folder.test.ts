import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
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

it("a folder is swept when its owner is gone or has had no name for long, and not while it lives or is young", async () => {
  vi.stubEnv("TMPDIR", temporary);
  const owners = { live: `${process.pid}\n`, gone: "99999999\n", nameless: null, forgotten: null };
  for (const [name, owner] of Object.entries(owners)) {
    const folder = path.join(temporary, `${PREFIX}${name}`);
    await mkdir(folder);
    if (owner) await writeFile(path.join(folder, "data.owner"), owner);
  }
  const longAgo = Date.now() / 1000 - 3700;
  await utimes(path.join(temporary, `${PREFIX}forgotten`), longAgo, longAgo);
  const { remove } = await makeServerFolder();
  const there = await serverFolders();
  expect(there).toHaveLength(3);
  expect(there).toEqual(expect.arrayContaining([`${PREFIX}live`, `${PREFIX}nameless`]));
  await remove();
  expect(await serverFolders()).toEqual([`${PREFIX}live`, `${PREFIX}nameless`]);
});

/** A data directory as a server leaves it, whose starter has ended; answers the server's own file. */
async function abandoned(folder: string): Promise<string> {
  await mkdir(path.join(folder, "data"), { recursive: true });
  await writeFile(path.join(folder, "data.owner"), "99999999\n");
  const file = path.join(folder, "data", "postmaster.pid");
  await writeFile(file, "99999999\n");
  return file;
}

it("a link to another folder is not followed", async () => {
  vi.stubEnv("TMPDIR", temporary);
  const other = path.join(temporary, "other");
  const file = await abandoned(other);
  await symlink(other, path.join(temporary, `${PREFIX}link`));
  await (await makeServerFolder()).remove();
  expect(existsSync(file)).toBe(true);
});

it.runIf(process.getuid?.() === 0)("another account's folder is left alone", async () => {
  vi.stubEnv("TMPDIR", temporary);
  const planted = path.join(temporary, `${PREFIX}planted`);
  const file = await abandoned(path.join(temporary, "other"));
  await mkdir(planted);
  await writeFile(path.join(planted, "data.owner"), "99999999\n");
  await symlink(path.dirname(file), path.join(planted, "data"));
  await chown(planted, 65_534, 65_534);
  await (await makeServerFolder()).remove();
  expect(existsSync(file)).toBe(true);
  expect(await serverFolders()).toEqual([`${PREFIX}planted`]);
});
