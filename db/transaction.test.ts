import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../tests/support/database.ts";
import { type Actor, asActor, createDb, type Db, type Tx } from "./index.ts";

const worker: Actor = { kind: "worker", id: "w1", origin: "", correlationId: "t" };

let base: TestDatabase;
/** One connection only: whoever does not give it back is found out by the next call. */
let db: Db;
const idleErrors: string[] = [];

const answer = () =>
  asActor(db, worker, async (tx) => (await tx.execute(sql`select 42 as it`)).rows[0]);

/** Ends the pool's sessions, and waits until the server is rid of them. */
async function killSessions(): Promise<void> {
  const mine = "from pg_stat_activity where application_name = 'berth-killed'";
  await base.admin.query(`select pg_terminate_backend(pid) ${mine}`);
  while ((await base.admin.query(`select 1 ${mine}`)).rowCount !== 0) await sleep(20);
}

/** The SQLSTATE or, failing that, the message at the bottom of an error. */
async function reason(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
    return "accepted";
  } catch (error) {
    const { cause = error } = error as Error;
    return (cause as { code?: string }).code ?? (cause as Error).message;
  }
}

beforeAll(async () => {
  base = await createTestDatabase();
});
afterAll(() => base.drop());
beforeEach(() => {
  idleErrors.length = 0;
  db = createDb(base.databaseUrl, {
    max: 1,
    applicationName: "berth-killed",
    onError: (error) => idleErrors.push(error.message),
  });
});
afterEach(() => db.$client.end());

it("goes on after the server ended an idle connection", async () => {
  await answer();
  await killSessions();
  while (idleErrors.length === 0) await sleep(20);
  expect(await answer()).toEqual({ it: 42 });
});

it("gives back a connection that broke before its transaction began", async () => {
  const pool = db.$client;
  const connect = pool.connect.bind(pool);
  pool.connect = (async () => {
    const client = await connect();
    const lost = new Promise((resolve) => client.once("error", resolve));
    await killSessions();
    await lost;
    return client;
  }) as typeof pool.connect;
  expect(await reason(answer())).toMatch(/connection/i);
  pool.connect = connect;
  expect(await answer()).toEqual({ it: 42 });
});

it("says why a query failed whose connection the server ended", async () => {
  const attempt = asActor(db, worker, async (tx) => {
    const [failed] = await Promise.all([
      reason(tx.execute(sql`select pg_sleep(600)`)),
      killSessions(),
    ]);
    throw new Error(failed);
  });
  expect(await reason(attempt)).toBe("57P01");
  expect(await answer()).toEqual({ it: 42 });
});

it("rejects with the first error, not with the rollback that failed after it", async () => {
  const attempt = asActor(db, worker, async () => {
    await killSessions();
    throw new Error("the true one");
  });
  expect(await reason(attempt)).toBe("the true one");
  expect(await answer()).toEqual({ it: 42 });
});

it("undoes what a failed transaction wrote, and keeps its connection", async () => {
  const write = (fail: boolean) =>
    asActor(db, worker, async (tx) => {
      const { rows } = await tx.execute(sql`
        insert into plans (id, name, description, monthly_price, yearly_price, templates, position)
        values ('once', 'Once', 'x', 1, 1, '{}', 1) returning pg_backend_pid() as pid`);
      if (fail) throw new Error("no");
      return rows[0]?.pid;
    });
  await answer();
  const { rows } = await db.$client.query("select pg_backend_pid() as pid");
  expect(await reason(write(true))).toBe("no");
  expect(await write(false)).toBe(rows[0].pid);
});

it("reads of one moment in a snapshot, and writes nothing there", async () => {
  const isolation = (tx: Tx) =>
    tx.execute(sql`select current_setting('transaction_isolation') as is`);
  const { rows } = await asActor(db, worker, isolation, { snapshot: true });
  expect(rows).toEqual([{ is: "repeatable read" }]);
  const rename = sql`update plans set name = 'x' where id = 'once'`;
  const write = asActor(db, worker, (tx) => tx.execute(rename), { snapshot: true });
  expect(await reason(write)).toBe("25006");
});
