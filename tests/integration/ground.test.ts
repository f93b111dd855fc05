import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { isRunning, type ProcessIdentity } from "../../scripts/local/processes.ts";
import {
  AlreadyRunningError,
  type Local,
  type LocalInfo,
  startLocal,
} from "../../scripts/local/start-local.ts";

const root = path.join(import.meta.dirname, "..", "..");
const until = async (condition: () => boolean | Promise<boolean>) => {
  while (!(await condition())) await sleep(25);
};
const recordsOf = async (dataDir: string) =>
  JSON.parse(await readFile(path.join(dataDir, "processes.json"), "utf8")) as (ProcessIdentity & {
    script: string;
  })[];

describe("a running local installation", () => {
  let dataDir: string;
  let local: Local;
  const said: string[] = [];

  beforeAll(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), "berth-ground-"));
    local = await startLocal({
      dataDir,
      root,
      ports: "any",
      log: (message) => said.push(message),
    });
  });
  afterAll(async () => {
    const records = await recordsOf(dataDir);
    await local.stop();
    for (const record of records) expect(await isRunning(record)).toBe(false);
    await rm(dataDir, { recursive: true, force: true });
  });

  test("serves the landing page, the API reference and the API's description", async () => {
    const landing = await fetch(local.info.url);
    expect(landing.status).toBe(200);
    expect(await landing.text()).toContain("Read the API reference");
    const reference = await fetch(`${local.info.url}/docs/api`);
    expect(await reference.text()).toContain("/api/customers");
    const document = await fetch(`${local.info.url}/api/openapi.json`);
    expect(Object.keys((await document.json()).paths)).toContain("/api/customers");
  });

  test("every script of a page carries the nonce that its policy names", async () => {
    for (const address of ["/", "/docs/api", "/nothing-here"]) {
      const answer = await fetch(local.info.url + address);
      const policy = answer.headers.get("content-security-policy") ?? "";
      const nonce = /'nonce-([\w-]+)'/.exec(policy)?.[1];
      const scripts = (await answer.text()).match(/<script[^>]*>/g) ?? [];
      expect(scripts.length).toBeGreaterThan(0);
      for (const script of scripts) expect(script).toContain(`nonce="${nonce}"`);
    }
  });

  test("an unknown address is a page of 404 that says what to do", async () => {
    const answer = await fetch(`${local.info.url}/nothing-here`);
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain("There is nothing at this address");
  });

  test("files of the build are immutable, and hold no server code", async () => {
    const page = await (await fetch(local.info.url)).text();
    const files = [...page.matchAll(/"(\/assets\/[^"]+\.js)"/g)].map((match) => match[1]);
    expect(files.length).toBeGreaterThan(0);
    for (const file of new Set(files)) {
      const answer = await fetch(local.info.url + file);
      expect(answer.headers.get("cache-control")).toContain("immutable");
      expect(await answer.text()).not.toMatch(/ENCRYPTION_KEYS|postgresql:\/\/|node:crypto/);
    }
  });

  test("is alive and ready", async () => {
    expect((await fetch(`${local.info.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${local.info.url}/readyz`)).status).toBe(200);
  });

  test("local.json says everything, to its owner alone", async () => {
    const file = path.join(dataDir, "local.json");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const info = JSON.parse(await readFile(file, "utf8")) as LocalInfo;
    expect(info).toEqual(local.info);
    expect(info.accounts.map(({ role }) => role)).toEqual(
      expect.arrayContaining(["admin", "supervisor"]),
    );
    expect((await fetch(info.mailUrl)).status).toBe(200);
    expect((await fetch(info.supabase.managementUrl)).status).toBe(200);
  });

  test("a second start beside it says so and changes nothing", async () => {
    const second = startLocal({ dataDir, root, ports: "any", log: () => {} });
    await expect(second).rejects.toThrow(AlreadyRunningError);
    await expect(second).rejects.toMatchObject({ info: local.info });
    expect((await fetch(`${local.info.url}/readyz`)).status).toBe(200);
  });

  test("a worker that was killed on purpose stays away; one that dies comes back", async () => {
    const extra = local.startWorker();
    await extra.kill();
    await extra.ended;
    const worker = local.workers[0];
    const before = worker?.pid ?? 0;
    process.kill(before, "SIGKILL");
    await until(() => worker?.pid !== before);
    expect(said.filter((text) => text.startsWith("worker was ended by SIGKILL"))).toHaveLength(1);
  });

  test("no secret of its own reaches a log", async () => {
    const keys = JSON.parse(await readFile(path.join(dataDir, "keys.json"), "utf8"));
    const secrets = [keys.encryptionKeys.split(":")[1], keys.appSecret, keys.passwords.app];
    for (const name of ["web", "worker", "sandbox", "mail", "postgres"]) {
      const text = await readFile(path.join(dataDir, "logs", `${name}.log`), "utf8");
      for (const secret of secrets) expect(text).not.toContain(secret);
    }
  });
});

describe("npm start's process", () => {
  const cleanUp: (() => unknown)[] = [];
  afterEach(async () => {
    for (const act of cleanUp.splice(0).reverse()) await act();
  });

  /** The command itself, on a data directory of its own: by Node.js, or as a person types it. */
  async function command(dataDir: string, env: Record<string, string> = {}, asTyped = false) {
    const [program, ...before] = asTyped
      ? ["npm", "start", "--"]
      : [process.execPath, path.join(root, "scripts", "start.ts")];
    const child: ChildProcess = spawn(
      program ?? "",
      [...before, "--data-dir", dataDir, "--any-ports"],
      { cwd: root, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] },
    );
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    const exit = once(child, "exit");
    cleanUp.push(async () => {
      child.kill("SIGTERM");
      await exit;
    });
    return { child, exit, output: () => output };
  }

  test("survives kill -9: the next start clears up, finds its data and ends in order", async () => {
    const dataDir = await mkdtemp(path.join(tmpdir(), "berth-ground-"));
    cleanUp.push(() => rm(dataDir, { recursive: true, force: true }));
    const first = await command(dataDir);
    await until(() => first.output().includes("Ready after") || first.child.exitCode !== null);
    const before = JSON.parse(await readFile(path.join(dataDir, "local.json"), "utf8"));
    const mailsOf = async ({ mailUrl }: LocalInfo) =>
      ((await (await fetch(`${mailUrl}/email`)).json()) as { messageId: string }[])
        .map(({ messageId }) => messageId)
        .sort();
    // The demo requests: three were received, one was claimed.
    await until(async () => (await mailsOf(before)).length === 4);
    const mails = await mailsOf(before);
    const left = await recordsOf(dataDir);
    expect(left.map(({ script }) => script)).toEqual(
      expect.arrayContaining(["app/server.ts", "app/worker/main.ts", "sandbox/main.ts"]),
    );
    first.child.kill("SIGKILL");
    await first.exit;

    const second = await command(dataDir, {}, true);
    await until(() => second.output().includes("Ready after") || second.child.exitCode !== null);
    expect(second.output()).toContain("The last start was cut off");
    for (const record of left) expect(await isRunning(record)).toBe(false);
    const after = JSON.parse(await readFile(path.join(dataDir, "local.json"), "utf8"));
    expect(after.apiKey).toBe(before.apiKey);
    expect(after.accounts).toEqual(before.accounts);
    expect(after.supabase).toEqual(before.supabase);
    await until(async () => (await mailsOf(after)).length >= mails.length);
    expect(await mailsOf(after)).toEqual(mails);
    expect((await stat(path.join(dataDir, "mail"))).mode & 0o777).toBe(0o700);

    const running = await recordsOf(dataDir);
    // npm passes the signal on, and must find the command itself below it, no shell.
    second.child.kill("SIGTERM");
    expect(await second.exit).toEqual([0, null]);
    for (const record of running) expect(await isRunning(record)).toBe(false);
  });

  test("refuses NODE_ENV=production before it touches anything", async () => {
    const dataDir = path.join(tmpdir(), `berth-never-${process.pid}`);
    const { exit, output } = await command(dataDir, { NODE_ENV: "production" });
    expect(await exit).toEqual([1, null]);
    expect(output()).toContain("npm run web");
    await expect(stat(dataDir)).rejects.toMatchObject({ code: "ENOENT" });
  });
});
