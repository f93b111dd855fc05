import { readFile } from "node:fs/promises";
import path from "node:path";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type CustomerServer, startCustomerServer } from "./customer-database.ts";
import { sqlstate } from "./pg-messages.ts";
import { type FaultProxy, startFaultProxy } from "./proxy.ts";

let server: CustomerServer;
let database: string;
let proxy: FaultProxy;
let looker: pg.Client;

beforeAll(async () => {
  server = await startCustomerServer();
  database = await server.createDatabase();
  looker = await server.connectSuperuser(database);
});
afterAll(async () => {
  await looker?.end();
  await server?.stop();
});
beforeEach(async () => {
  const ca = await readFile(path.join(server.authority, "ca.crt"), "utf8");
  proxy = await startFaultProxy({
    upstream: { host: "127.0.0.1", port: server.port, tls: { ca } },
    authority: server.authority,
  });
  await looker.query(
    "drop table if exists public.t; create table public.t (n int); grant all on t to postgres",
  );
});
afterEach(() => proxy.close());

const connect = () => server.connect(database, proxy);
const rows = async () => (await looker.query("select count(*)::int as n from t")).rows[0].n;
const insert = "begin; insert into t values (1); commit";

test("passes what no fault matches, over verified TLS on both sides, and counts round trips", async () => {
  const client = await connect();
  const { rows: ssl } = await client.query(
    "select ssl from pg_stat_ssl where pid = pg_backend_pid()",
  );
  expect(ssl).toEqual([{ ssl: true }]);
  const before = proxy.roundTrips();
  await client.query(insert);
  const wide = await client.query("select repeat('é', 200000) as s");
  expect(wide.rows[0].s).toHaveLength(200_000);
  expect(proxy.roundTrips() - before).toBe(2);
  expect(proxy.sessions()).toBe(1);
  await client.end();
});

test("shows messages with their session, and says whose connections it cut", async () => {
  const seen: string[] = [];
  proxy.watch("client", ({ type }, { application, sql }) => {
    if (type === "Q") seen.push(`${application}: ${sql}`);
  });
  const states: (string | null)[] = [];
  proxy.watch("server", (message, { sql }) => {
    if (sqlstate(message)) states.push(sql, sqlstate(message));
  });
  const client = await server.connect(database, proxy, "berth:run:1");
  await expect(client.query("select 1/0")).rejects.toThrow(/zero/);
  expect(seen).toEqual(["berth:run:1: select 1/0"]);
  expect(states).toEqual(["select 1/0", "22012"]);
  const other = await server.connect(database, proxy, "other");
  expect(proxy.cutAll().map(({ application }) => application)).toEqual(["berth:run:1", "other"]);
  expect(proxy.cutAll()).toEqual([]);
  await expect(other.query("select 1")).rejects.toThrow();
});

test("its certificate fails without the authority", async () => {
  await expect(server.connect(database, { port: proxy.port, ca: "" })).rejects.toThrow();
});

test("cut-before keeps the message from the server; cut-reply lets it happen and swallows the answer", async () => {
  const cut = proxy.arm({ from: "client", when: /commit/, action: "cut-before" });
  const first = await connect();
  await expect(first.query(insert)).rejects.toThrow(/terminated/);
  await cut.reached;
  expect(await rows()).toBe(0);
  proxy.arm({ from: "client", when: /commit/, action: "cut-reply" });
  const second = await connect();
  await expect(second.query(insert)).rejects.toThrow(/terminated/);
  expect(await rows()).toBe(1);
  expect(cut.struck()).toBe(1);
});

test("cut-after passes the message on and hangs up at once", async () => {
  proxy.arm({ from: "client", when: /commit/, action: "cut-after" });
  const client = await connect();
  await expect(client.query(insert)).rejects.toThrow(/terminated/);
  await expect.poll(rows, { timeout: 60_000 }).toBe(1);
});

test("cuts at the nth message of the server", async () => {
  const seen: string[] = [];
  const client = await connect();
  client.connection.on("commandComplete", (message: { text: string }) => seen.push(message.text));
  proxy.arm({ from: "server", when: "C", nth: 2, action: "cut-before" });
  await expect(client.query(insert)).rejects.toThrow(/terminated/);
  expect(seen).toEqual(["BEGIN"]);
});

test("pauses at a message until it is released, and refuses or cuts connections", async () => {
  const client = await connect();
  const paused = proxy.arm({ from: "client", when: /insert/, action: "pause" });
  const work = client.query(insert);
  await paused.reached;
  expect(await rows()).toBe(0);
  paused.release();
  await work;
  expect(await rows()).toBe(1);
  proxy.cutAll();
  await expect(client.query("select 1")).rejects.toThrow();
  proxy.refuse(true);
  await expect(connect()).rejects.toThrow();
  proxy.refuse(false);
  await (await connect()).end();
});

test("holds a message, then its answer, and keeps the client's end from the server", async () => {
  const client = await connect();
  const held = proxy.arm({ from: "client", when: /insert/, action: "hold" });
  const work = client.query(insert);
  await held.reached;
  expect(await rows()).toBe(0);
  held.release();
  await held.answered;
  expect(await rows()).toBe(1);
  held.release();
  await work;

  const lock = "begin; lock table t in access exclusive mode";
  await looker.query(lock);
  const other = proxy.arm({ from: "client", when: /insert/, action: "hold" });
  const lost = client.query(insert).catch((error: unknown) => error);
  await other.reached;
  other.release();
  client.connection.stream.destroy();
  await expect(lost).resolves.toBeInstanceOf(Error);
  await looker.query("commit");
  await other.answered;
  expect(await rows()).toBe(2);
});

test("delays each direction, and still passes cancel requests", async () => {
  proxy.delay({ toServer: 30, toClient: 30 });
  const client = await connect();
  const begun = performance.now();
  await client.query("select 1");
  expect(performance.now() - begun).toBeGreaterThan(55);
  await client.end();
});
