import { readdir } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Credentials, startTestSandbox, type TestSandbox } from "../test-sandbox.ts";

let box: TestSandbox;
beforeAll(async () => {
  box = await startTestSandbox();
});
afterAll(() => box.remove());

async function until(ref: string, status: string): Promise<void> {
  for (;;) {
    const answer = await (await box.manage("GET", `/v1/projects/${ref}`)).json();
    if (answer.status === status || answer.message === status) return;
  }
}
const settings = (project: Credentials) =>
  fetch(`${project.url}/auth/v1/settings`, { headers: { apikey: `${project.anonKey}` } });
const directories = async () =>
  (await readdir(path.join(box.dataDir, "databases"))).filter((name) => /^[a-z]{20}$/.test(name));

test("a paused project answers 540, ends its sessions, and comes back with its data", async () => {
  const project = await box.project();
  const db = await box.connect(project.databaseUrl);
  await db.query("create table kept as select 1 as n");
  const ended = new Promise<Error>((resolve) => db.once("error", resolve));
  await box.manage("POST", `/v1/projects/${project.ref}/pause`);
  await until(project.ref, "INACTIVE");
  expect(await ended).toMatchObject({ code: "57P01" });
  expect((await settings(project)).status).toBe(540);
  await expect(box.connect(project.databaseUrl)).rejects.toThrow("Tenant or user not found");
  await box.manage("POST", `/v1/projects/${project.ref}/restore`);
  await until(project.ref, "ACTIVE_HEALTHY");
  expect((await settings(project)).status).toBe(200);
  const again = await box.connect(project.databaseUrl);
  expect((await again.query("select n from kept")).rows).toEqual([{ n: 1 }]);
  await again.end();
});

test("a deleted project leaves nothing behind but its tombstone", async () => {
  const project = await box.project();
  expect(await directories()).toContain(project.ref);
  await box.manage("DELETE", `/v1/projects/${project.ref}`);
  await until(project.ref, "Resource has been removed");
  expect(await directories()).not.toContain(project.ref);
  await expect(settings(project)).rejects.toThrow();
  await expect(box.connect(project.databaseUrl)).rejects.toThrow("Tenant or user not found");
  const next = await box.project();
  expect(next.ref).not.toBe(project.ref);
});

test("all of it survives a restart of the sandbox", async () => {
  const project = await box.project({ name: "Kept", grants: "legacy" });
  const db = await box.connect(project.databaseUrl);
  await db.query("create table kept as select 2 as n");
  await db.end();
  const half = await (
    await fetch(`${box.url}/sandbox/projects`, {
      method: "POST",
      body: '{"name":"half made","readyAfterMs":1000}',
    })
  ).json();
  await box.restart();
  const shown = await (await fetch(`${box.url}/sandbox/projects/${project.ref}`)).json();
  expect(shown).toEqual({ ...project, directUrl: shown.directUrl });
  expect((await settings(project)).status).toBe(200);
  const again = await box.connect(project.databaseUrl);
  expect((await again.query("select n from kept")).rows).toEqual([{ n: 2 }]);
  await again.end();
  await until(half.ref, "ACTIVE_HEALTHY");
  await (await box.connect(half.databaseUrl)).end();
});

test("twenty projects live beside one another", async () => {
  const projects: Credentials[] = [];
  for (let i = 0; i < 20; i += 4) {
    projects.push(...(await Promise.all([0, 1, 2, 3].map(() => box.project()))));
  }
  expect(new Set(projects.map((project) => project.url)).size).toBe(20);
  expect(new Set(projects.map((project) => project.ref)).size).toBe(20);
  const clients = await Promise.all(projects.map((project) => box.connect(project.databaseUrl)));
  const answers = await Promise.all(
    clients.map((client) => client.query("select system_identifier from pg_control_system()")),
  );
  expect(answers).toHaveLength(20);
  await Promise.all(clients.map((client) => client.end()));
});
