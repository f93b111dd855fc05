import { readFile } from "node:fs/promises";
import path from "node:path";
import pg from "pg";
import { expect, it } from "vitest";
import { ask } from "./berth-stock.ts";
import { claimedRequest, credentialsOf, eventually, sharedBerth } from "./shared-berth.ts";

const read = async (dataDir: string, name: string) =>
  JSON.parse(await readFile(path.join(dataDir, name), "utf8"));

it("files share one Berth, a copy of one that was started before, with the limits of a new one", async () => {
  const first = await sharedBerth();
  const { info } = first.local;
  const client = new pg.Client({ connectionString: info.databaseUrl });
  await client.connect();
  const sql = async (text: string) => (await client.query(text)).rows;
  try {
    await sql("insert into rate_limits (bucket, window_start, spent) values ('x', now(), 1)");
    await first.stop();
    expect((await sharedBerth()).local.info).toEqual(info);
    expect(await sql("select from rate_limits where bucket = 'x'")).toEqual([]);
    expect(await sql("show fsync")).toEqual([{ fsync: "off" }]);
  } finally {
    await client.end();
  }
  expect((await first.api("GET", "/api/queue?limit=1")).status).toBe(200);

  const template = (await ask("template")) ?? "";
  const old = await read(template, "local.json");
  expect(first.dataDir).not.toBe(template);
  expect([info.apiKey, info.accounts]).toEqual([old.apiKey, old.accounts]);
  expect(info.url).not.toBe(old.url);
});

it("the database of a project ends with the file that made it", async () => {
  const berth = await sharedBerth();
  const { ref } = await berth.sandbox.project();
  await berth.stop();
  const { body } = await berth.sandbox.call("GET", `/sandbox/projects/${ref}`);
  expect(["PAUSING", "INACTIVE"]).toContain(body.status);
});

it("a run that a file leaves open is cancelled with it", async () => {
  const berth = await sharedBerth();
  const { api, sandbox } = berth;
  const project = await sandbox.project();
  const route = "POST /auth/v1/admin/users";
  await sandbox.addFault({ kind: "delay", ref: project.ref, route, ms: 600_000 });
  const id = await claimedRequest(api, { features: ["inventory"] });
  const submitted = await api("POST", `/api/queue/${id}/credentials`, credentialsOf(project));
  expect(submitted.status).toBe(200);
  const run = async () => (await api("GET", `/api/queue/${id}`)).body.run;
  await eventually("the run to be at work", async () => (await run()).status === "running");
  await berth.stop();
  expect((await run()).status).toBe("cancelled");
});
