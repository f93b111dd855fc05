/** Scheduled work under a time limit: what cannot be done in time stops nothing else. */
import type pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { act } from "./acting.ts";
import { openShop, type Shop } from "./analytics-shop.ts";
import { failedChecks } from "./fresh-database.ts";

let shop: Shop;
/** Calls `run_due` as the worker does, under a limit. */
let worker: pg.Client;
/** Holds something up. */
let beside: pg.Client;
beforeAll(async () => {
  shop = await openShop();
  const { server } = shop.company;
  [worker, beside] = [
    await server.connectBeside(shop.client),
    await server.connectBeside(shop.client),
  ];
});
afterAll(async () => {
  await worker?.end();
  await beside?.end();
  await shop?.server.stop();
});
beforeEach(() => shop.client.query("delete from public.report_schedules"));
afterEach(async () => {
  const templates = shop.templates.filter(({ name }) => name === "analytics");
  expect(await failedChecks(shop.client, templates)).toEqual([]);
});

/** A schedule that has been due for so long; answers its id. */
async function due(since: string) {
  const { client, people } = shop;
  const report = await shop.report(people.staff, { kpis: ["revenue"], period: "today" });
  const sql = `insert into public.report_schedules (report_id, frequency, at_time)
               values ($1, 'daily', '00:00') returning id`;
  const id = (await act<{ id: string }>(client, people.staff, sql, [report])).rows[0]?.id;
  await client.query(
    `update public.report_schedules set next_run_at = now() - $2::interval,
       due_at = now() - $2::interval where id = $1`,
    [id, since],
  );
  return id as string;
}

const runDue = async (by: pg.Client) =>
  (await by.query("select produced, next_due_at <= now() as more from private.run_due()")).rows[0];
const stateOf = (id: string) =>
  shop.rows(
    "select failures, error_code, next_run_at > now() as planned from public.report_schedules where id = $1",
    [id],
  );
const produced = (id: string) =>
  shop.one<number>("select count(*)::int from public.report_results where schedule_id = $1", [id]);

it("counts a report that is cancelled as failed, and produces the others", async () => {
  const [endless, harmless] = [await due("2 minutes"), await due("1 minute")];
  // Its result cannot be written before somebody else's transaction ends.
  await beside.query("begin");
  await beside.query(
    `insert into public.report_results (report_id, schedule_id, due_at, parameters, rows)
     select report_id, id, due_at, '{}', '[]' from public.report_schedules where id = $1`,
    [endless],
  );
  await worker.query("set statement_timeout = '500ms'");
  // The limit is used up: the other one is left to the next call, which is wanted at once.
  expect(await runDue(worker)).toEqual({ produced: 0, more: true });
  expect(await stateOf(endless)).toEqual([{ failures: 1, error_code: "57014", planned: true }]);
  expect(await runDue(worker)).toMatchObject({ produced: 1 });
  expect([await produced(endless), await produced(harmless)]).toEqual([0, 1]);
  await beside.query("rollback");
  await worker.query("reset statement_timeout");
  await shop.client.query("update public.report_schedules set next_run_at = now() where id = $1", [
    endless,
  ]);
  expect(await runDue(worker)).toMatchObject({ produced: 1 });
  expect(await stateOf(endless)).toEqual([{ failures: 0, error_code: null, planned: true }]);
});

it("begins no further report when its time is over", async () => {
  for (let n = 0; n < 3; n += 1) await due("1 minute");
  const begin = (until: string) =>
    shop.one<number>(`select private.produce_due(100, clock_timestamp() + interval '${until}')`);
  expect(await begin("-1 second")).toBe(1);
  expect(await begin("1 hour")).toBe(2);
});

it("begins no further days of figures when its time is over", async () => {
  for (let n = 10; n < 35; n += 1) await shop.sell(`2024-01-${10 + (n % 20)}T10:00Z`, 1);
  await shop.refresh();
  await shop.client.query("select private.mark_everything('pos')");
  const refresh = (until: string) =>
    shop.one<number>("select private.refresh_kpis(1000, $1)", [until]);
  expect(await refresh("-infinity")).toBe(10);
  expect(await refresh("infinity")).toBe(10);
});

it("produces reports though figures cannot be refreshed in time", async () => {
  const id = await due("1 minute");
  await shop.refresh();
  const day = "2024-03-03";
  // The figures of this day cannot be written before somebody else's transaction ends.
  await beside.query("begin");
  await beside.query(
    `insert into public.kpi_snapshots (kpi_id, day, value)
     select id, $1, 1 from public.kpis where key = 'revenue'`,
    [day],
  );
  await shop.sell(`${day}T10:00Z`, 7);
  await worker.query("set statement_timeout = '500ms'");
  expect(await runDue(worker)).toEqual({ produced: 0, more: true });
  expect(await shop.one("select error_code from public.kpi_sources where key = 'pos'")).toBe(
    "57014",
  );
  expect(await runDue(worker)).toMatchObject({ produced: 1 });
  expect(await produced(id)).toBe(1);
  await beside.query("rollback");
  await worker.query("reset statement_timeout");
  await runDue(worker);
  expect(await shop.valuesOn(day)).toMatchObject({ revenue: "7" });
  expect(await shop.one("select error_code from public.kpi_sources where key = 'pos'")).toBeNull();
});

it("leaves everything to whoever refreshes figures for too long", async () => {
  const id = await due("1 minute");
  await beside.query("begin");
  await shop.refresh(beside);
  await worker.query("set lock_timeout = '200ms'");
  expect(await runDue(worker)).toEqual({ produced: 0, more: true });
  await beside.query("commit");
  expect(await runDue(worker)).toMatchObject({ produced: 1 });
  expect(await produced(id)).toBe(1);
  await worker.query("reset lock_timeout");
});

it("reports what the first who asks has just refreshed, whoever produces it", async () => {
  const ids = [await due("2 minutes"), await due("1 minute")];
  const day = "select (now() at time zone 'UTC')::date::text";
  await shop.client.query("update public.report_schedules set due_at = now()");
  await shop.sell(new Date().toISOString(), 120);
  await beside.query("begin");
  await beside.query("select * from private.run_due(1)");
  const second = runDue(worker);
  await beside.query("commit");
  expect(await second).toMatchObject({ produced: 1 });
  const rows = await shop.rows(
    "select rows from public.report_results where schedule_id = any ($1)",
    [ids],
  );
  const row = { from: await shop.one(day), value: 120 };
  expect(rows).toMatchObject([{ rows: [row] }, { rows: [row] }]);
});
