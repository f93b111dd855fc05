import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import {
  type CustomerServer,
  startCustomerServer,
} from "../../../tests/support/customer-database.ts";
import { spotBlockers } from "./blockers.ts";
import type { Connect } from "./run-context.ts";

let server: CustomerServer;
let database: string;
const clients: pg.Client[] = [];
const spotters: ReturnType<typeof spotBlockers>[] = [];

beforeAll(async () => {
  server = await startCustomerServer();
  database = await server.createDatabase();
  const owner = await open();
  await owner.query(
    "create schema s; create table public.t (n int primary key); insert into t values (1)",
  );
});
afterEach(async () => {
  for (const spotter of spotters.splice(0)) await spotter.close();
  for (const client of clients.splice(0)) await client.end();
});
afterAll(() => server?.stop());

async function open(): Promise<pg.Client> {
  const client = await server.connect(database);
  clients.push(client);
  return client;
}

const pidOf = async (client: pg.Client): Promise<number> =>
  (await client.query("select pg_backend_pid() as pid")).rows[0].pid;

function spot(pid: number, connect: Connect = (name) => server.connect(database, undefined, name)) {
  const identity = { runId: "run", token: 1n };
  const spotter = spotBlockers({ connect, identity, log: pino({ level: "silent" }) }, pid);
  spotters.push(spotter);
  return spotter;
}

test.each([
  ["a row", "update t set n = 1", "update t set n = 1"],
  ["a lock on public.t", "lock table t", "select from t"],
  ["a lock on what is no table", "drop schema s", "create table s.other (n int)"],
  ["an advisory lock", "select pg_advisory_xact_lock(7)", "select pg_advisory_lock(7)"],
  ["a transaction's end", "insert into t values (2)", "create index concurrently t_n on t (n)"],
])("what is waited for is told: %s", async (told, held, wanted) => {
  const [holder, waiter] = [await open(), await open()];
  await holder.query(`begin; ${held}`);
  const pid = await pidOf(holder);
  const spotter = spot(await pidOf(waiter));
  const waits = waiter.query(wanted);
  spotter.look();
  const looker = await open();
  // The spotter asks no more once it has its answer.
  const isAnswered = async () => {
    const { rows } = await looker.query(
      `select count(*)::int as n from pg_stat_activity where application_name = 'berth-watch:run'
       and datname = current_database() and state_change < clock_timestamp() - interval '0.5 s'`,
    );
    return rows[0].n;
  };
  await expect.poll(isAnswered, { timeout: 30_000 }).toBe(1);
  expect(spotter.seen()).toBe(`${told}; session ${pid} of postgres was in the way`);
  await holder.query("rollback");
  await waits;
});

test("its end does not wait for a connection that is still being opened, and leaves none", async () => {
  const gate = Promise.withResolvers<void>();
  let made: Promise<pg.Client> | undefined;
  const spotter = spot(0, async (name) => {
    await gate.promise;
    made = server.connect(database, undefined, name);
    return made;
  });
  spotter.look();
  const ended = await Promise.race([spotter.close().then(() => true), sleep(5_000, false)]);
  expect(ended).toBe(true);
  gate.resolve();
  await expect.poll(() => made !== undefined).toBe(true);
  const looker = await open();
  await made;
  const left = async () =>
    (
      await looker.query(
        "select from pg_stat_activity where application_name = 'berth-watch:run' and datname = current_database()",
      )
    ).rowCount;
  await expect.poll(left, { timeout: 10_000 }).toBe(0);
});
