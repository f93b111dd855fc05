import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Actor, act, startUntilBlocked } from "./acting.ts";
import { foundOffice, type Office } from "./analytics-company.ts";
import { daily, runDue, schedule } from "./analytics-due.ts";
import { failedChecks } from "./fresh-database.ts";

let office: Office;
let key: string;
beforeAll(async () => {
  office = await foundOffice(["analytics"]);
  key = await office.kpi();
});
afterAll(() => office?.server.stop());
beforeEach(() => office.client.query("delete from public.report_schedules"));
afterEach(async () => {
  expect(await failedChecks(office.client, office.templates)).toEqual([]);
});

const report = (who: Actor, more: object = {}) =>
  office.report(who, { kpis: [key], period: "today", ...more });

const resultsOf = (id: string) =>
  office.rows("select * from public.report_results where schedule_id = $1 order by id", [id]);

const stateOf = async (id: string) => {
  const [row] = await office.rows(
    `select active, failures, error_code, next_run_at > now() as planned,
       next_run_at - now() > interval '1 hour' as far from public.report_schedules where id = $1`,
    [id],
  );
  return row;
};

describe("what is due", () => {
  it("is produced once, and planned for the next time", async () => {
    const { people } = office;
    const mine = await report(people.staff, {
      group_by: { parameter: "by" },
      parameters: { by: { type: "grouping" } },
    });
    const later = await schedule(office, people.staff, mine, daily, null);
    const id = await schedule(office, people.staff, mine, { ...daily, parameters: { by: "day" } });
    const { produced, next_due_at } = await runDue(office.client);
    expect(produced).toBe(1);
    expect(await stateOf(id)).toEqual({
      active: true,
      failures: 0,
      error_code: null,
      planned: true,
      far: expect.any(Boolean),
    });
    const planned = await office.one<Date>(
      "select min(next_run_at) from public.report_schedules where id = any ($1)",
      [[id, later]],
    );
    expect(next_due_at).toEqual(planned);
    expect(await resultsOf(id)).toMatchObject([
      {
        report_id: mine,
        owner_id: people.staff.id,
        parameters: { by: "day" },
        rows: [{ kpi: key }],
      },
    ]);
    expect(await runDue(office.client)).toMatchObject({ produced: 0 });
  });

  it("is made up for once after a long pause", async () => {
    const { people } = office;
    const id = await schedule(office, people.staff, await report(people.staff), daily, "400 days");
    expect(await runDue(office.client)).toMatchObject({ produced: 1 });
    expect(await runDue(office.client)).toMatchObject({ produced: 0 });
    expect(await resultsOf(id)).toHaveLength(1);
    expect(await stateOf(id)).toMatchObject({ planned: true });
  });

  it("is of the day for which it was planned, by the company's clock", async () => {
    const { people, client } = office;
    const id = await schedule(office, people.staff, await report(people.staff));
    const ofDay = await schedule(
      office,
      people.staff,
      await report(people.staff, { period: "last_7_days" }),
    );
    // Ten to midnight of the 30th in New York is the 31st already in Greenwich.
    await client.query("update public.company_settings set time_zone = 'America/New_York'");
    await client.query(
      "update public.report_schedules set next_run_at = now(), due_at = '2026-05-31 03:50Z'",
    );
    expect(await runDue(office.client)).toMatchObject({ produced: 2 });
    expect(await resultsOf(id)).toMatchObject([
      { rows: [{ from: "2026-05-30", to: "2026-05-30" }] },
    ]);
    expect(await resultsOf(ofDay)).toMatchObject([
      { rows: [{ from: "2026-05-24", to: "2026-05-30" }] },
    ]);
    await client.query("update public.company_settings set time_zone = 'UTC'");
  });

  it("is not lost when the schedule or the company's clocks change meanwhile", async () => {
    const { people, client } = office;
    const mine = await report(people.staff, {
      group_by: { parameter: "by" },
      parameters: { by: { type: "grouping", default: "none" } },
    });
    const id = await schedule(office, people.staff, mine, daily, "1 hour");
    const since = await office.one("select due_at from public.report_schedules where id = $1", [
      id,
    ]);
    const change = (sql: string) =>
      act(client, people.staff, `update public.report_schedules set ${sql} where id = $1`, [id]);
    await change(`parameters = '{"by": "day"}'`);
    await change("at_time = '23:59'");
    await client.query("update public.company_settings set time_zone = 'Asia/Tokyo'");
    expect(await runDue(office.client)).toMatchObject({ produced: 1 });
    expect(await resultsOf(id)).toMatchObject([{ due_at: since, parameters: { by: "day" } }]);
    // From then on it comes by its new time, and by the new clock.
    const [next] = await office.rows(
      `select (next_run_at at time zone 'Asia/Tokyo')::time::text as at, next_run_at > now() as planned
       from public.report_schedules where id = $1`,
      [id],
    );
    expect(next).toEqual({ at: "23:59:00", planned: true });
    await client.query("update public.company_settings set time_zone = 'UTC'");
    // What was put to rest is not made up for.
    await change("active = false");
    await client.query("update public.report_schedules set due_at = now() - interval '1 day'");
    await change("active = true");
    expect(await runDue(office.client)).toMatchObject({ produced: 0 });
  });

  it("comes in parts, and says when there is more", async () => {
    const { people } = office;
    const mine = await report(people.staff);
    for (let n = 0; n < 3; n += 1) await schedule(office, people.staff, mine);
    const first = await runDue(office.client, 2);
    expect(first.produced).toBe(2);
    expect(first.next_due_at?.getTime()).toBeLessThan(Date.now());
    expect(await runDue(office.client, 2)).toMatchObject({ produced: 1 });
  });

  it("is not held up by what fails, which is tried again later and later", async () => {
    const { people } = office;
    const lacking = await report(people.staff, {
      group_by: { parameter: "by" },
      parameters: { by: { type: "grouping" } },
    });
    const broken = await schedule(office, people.staff, lacking, daily, "2 minutes");
    const sound = await schedule(office, people.staff, await report(people.staff));
    expect(await runDue(office.client)).toMatchObject({ produced: 1 });
    expect(await resultsOf(sound)).toHaveLength(1);
    expect(await resultsOf(broken)).toHaveLength(0);
    expect(await stateOf(broken)).toMatchObject({
      active: true,
      failures: 1,
      error_code: "22023",
      planned: true,
      far: false,
    });

    const makeDue = () =>
      office.client.query("update public.report_schedules set next_run_at = now() where id = $1", [
        broken,
      ]);
    for (let n = 0; n < 6; n += 1) {
      await makeDue();
      await runDue(office.client);
    }
    expect(await stateOf(broken)).toMatchObject({ failures: 7, far: true });

    // Once it can be produced, it is, for the time for which it was planned.
    const due = await office.one("select due_at from public.report_schedules where id = $1", [
      broken,
    ]);
    await act(
      office.client,
      people.staff,
      `update public.reports set definition = definition || '{"group_by": "day"}' where id = $1`,
      [lacking],
    );
    await makeDue();
    expect(await runDue(office.client)).toMatchObject({ produced: 1 });
    expect(await resultsOf(broken)).toMatchObject([{ due_at: due }]);
    expect(await stateOf(broken)).toMatchObject({ failures: 0, error_code: null, planned: true });
  });

  it("is produced for nobody who has left, or may no longer see the report", async () => {
    const { people, client } = office;
    const gone = await schedule(office, people.staff, await report(people.staff));
    await act(client, people.owner, "update public.members set active = false where user_id = $1", [
      people.staff.id,
    ]);
    const shared = await office.report(people.owner, { kpis: [key], period: "today" }, true);
    const blind = await schedule(office, people.manager, shared);
    await act(client, people.owner, "update public.reports set shared = false where id = $1", [
      shared,
    ]);
    expect(await runDue(office.client)).toMatchObject({ produced: 0 });
    expect(await stateOf(gone)).toMatchObject({ active: false, error_code: "owner_inactive" });
    expect(await stateOf(blind)).toMatchObject({ active: true, error_code: "42501", failures: 1 });
    expect([...(await resultsOf(gone)), ...(await resultsOf(blind))]).toEqual([]);

    // Whoever is back starts it again.
    await act(client, people.owner, "update public.members set active = true where user_id = $1", [
      people.staff.id,
    ]);
    await act(client, people.staff, "update public.report_schedules set active = true");
    expect(await stateOf(gone)).toMatchObject({ active: true, error_code: null, planned: true });
  });

  it("is produced once by two who ask at the same time", async () => {
    const { people, server, client } = office;
    const mine = await report(people.staff);
    const ids = [];
    for (let n = 0; n < 20; n += 1) ids.push(await schedule(office, people.staff, mine));
    const [first, second] = [
      await server.connectBeside(client),
      await server.connectBeside(client),
    ];

    await first.query("begin");
    expect(await runDue(first, 5)).toMatchObject({ produced: 5 });
    // The other neither waits for those five nor produces them.
    const { blocked, outcome } = await startUntilBlocked(client, second, () => runDue(second, 10));
    expect(blocked).toBe(false);
    expect(await outcome).toMatchObject({ value: { produced: 10 } });
    await first.query("commit");

    const both = await Promise.all([runDue(first), runDue(second)]);
    expect(both[0].produced + both[1].produced).toBe(5);
    const counted = await office.rows(
      `select count(*)::int, count(distinct schedule_id)::int as schedules
       from public.report_results where schedule_id = any ($1)`,
      [ids],
    );
    expect(counted).toEqual([{ count: 20, schedules: 20 }]);
    for (const each of [first, second]) await each.end();
  });

  it("keeps as many results as the company wants, and changes none", async () => {
    const { people, client } = office;
    const id = await schedule(office, people.staff, await report(people.staff));
    await act(client, people.owner, "update public.analytics_settings set results_kept = 2");
    for (let n = 0; n < 4; n += 1) {
      await client.query(
        "update public.report_schedules set next_run_at = now(), due_at = clock_timestamp() where id = $1",
        [id],
      );
      expect(await runDue(office.client)).toMatchObject({ produced: 1 });
    }
    const newest = await office.one("select max(due_at) from public.report_results");
    const results = await resultsOf(id);
    expect(results).toHaveLength(2);
    expect(results[1]).toMatchObject({ due_at: newest });
    for (const sql of [
      "update public.report_results set rows = '[]'",
      "truncate public.report_results",
    ]) {
      await expect(client.query(sql)).rejects.toMatchObject({ code: "23001" });
    }
    await act(client, people.owner, "update public.analytics_settings set results_kept = 100");
  });
});
