import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { freePort } from "#local/cluster.ts";
import { readSettings } from "./settings.ts";

const main = path.join(import.meta.dirname, "main.ts");
const folders: string[] = [];
const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await gone;
  }
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** The framework's types demand NODE_ENV in an environment; the sandbox does not read it. */
type Environment = NodeJS.ProcessEnv & Record<string, string>;

async function environment(): Promise<Environment> {
  const folder = await mkdtemp(path.join(tmpdir(), "berth-sandbox-"));
  await chmod(folder, 0o711);
  folders.push(folder);
  const first = await freePort(randomInt(20_000, 30_000));
  return {
    PATH: `${process.env.PATH}`,
    SANDBOX_DATA_DIR: folder,
    SANDBOX_PORT: `${await freePort()}`,
    SANDBOX_POOLER_PORT: `${await freePort()}`,
    SANDBOX_PROJECT_PORTS: `${first}-${first + 9}`,
    SANDBOX_ACCESS_TOKEN: "sbp_secret-token",
  } as unknown as Environment;
}

async function ready(env: Record<string, string>): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${env.SANDBOX_PORT}/healthz`).catch(() => null);
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function createProject(env: Record<string, string>) {
  const answer = await fetch(`http://127.0.0.1:${env.SANDBOX_PORT}/sandbox/projects?wait=1`, {
    method: "POST",
    body: '{"name":"one","readyAfterMs":0}',
  });
  expect(answer.status).toBe(201);
  const project = await answer.json();
  const file = path.join(`${env.SANDBOX_DATA_DIR}`, "databases", project.ref, "postmaster.pid");
  return { project, pid: Number((await readFile(file, "utf8")).split("\n")[0]) };
}

async function untilGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("SIGTERM ends the process and every database, and nothing it prints is secret", async () => {
  const env = await environment();
  const child = spawn(process.execPath, [main], { env, stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
  await ready(env);
  const { project, pid } = await createProject(env);
  const code = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  expect(await code).toBe(0);
  await untilGone(pid);
  expect(output).toContain("sandbox is ready");
  const password = new URL(project.databaseUrl).password;
  for (const secret of [env.SANDBOX_ACCESS_TOKEN, password, project.anonKey, project.secretKey]) {
    expect(output).not.toContain(secret);
  }
});

test("it follows a parent that was killed, and the next start finds its data", async () => {
  const env = await environment();
  const script = `require("node:child_process").spawn(process.execPath, [${JSON.stringify(main)}],
    { stdio: "ignore" }); setInterval(() => {}, 1000)`;
  const parent = spawn(process.execPath, ["-e", script], { env, stdio: "ignore" });
  children.push(parent);
  await ready(env);
  const { project, pid } = await createProject(env);
  parent.kill("SIGKILL");
  await untilGone(pid);
  const next = spawn(process.execPath, [main], { env, stdio: "ignore" });
  children.push(next);
  await ready(env);
  const shown = await fetch(`http://127.0.0.1:${env.SANDBOX_PORT}/sandbox/projects/${project.ref}`);
  expect((await shown.json()).databaseUrl).toBe(project.databaseUrl);
  const settings = await fetch(`${project.url}/auth/v1/admin/users?apikey=${project.secretKey}`);
  expect(settings.status).toBe(200);
});

test("it says which setting is missing or wrong", async () => {
  const env = await environment();
  expect(readSettings(env)).toMatchObject({ organization: "berth-local", requestsPerMinute: 120 });
  for (const [name, value] of [
    ["SANDBOX_DATA_DIR", ""],
    ["SANDBOX_PORT", "many"],
    ["SANDBOX_PROJECT_PORTS", "9-1"],
    ["SANDBOX_POOLER_PORT", ""],
    ["SANDBOX_ACCESS_TOKEN", ""],
    ["SANDBOX_ORGANIZATION", "a b"],
  ] as const) {
    expect(() => readSettings({ ...env, [name]: value }), name).toThrow(name);
  }
  const child = spawn(process.execPath, [main], {
    env: { ...env, SANDBOX_ACCESS_TOKEN: "" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let output = "";
  child.stdout.on("data", (text) => (output += text));
  expect(await new Promise((resolve) => child.once("close", resolve))).toBe(1);
  expect(output).toContain("SANDBOX_ACCESS_TOKEN");
});
