import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Actor, act, anon, service } from "./acting.ts";
import { foundOffice, type Office } from "./analytics-company.ts";
import { runDue, schedule } from "./analytics-due.ts";
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

describe("schedules and their results", () => {
  it("are one's own: a manager may end another's, and not change it", async () => {
    const { people, client } = office;
    const mine = await report(people.staff);
    const id = await schedule(office, people.staff, mine);
    const change = "update public.report_schedules set at_time = '01:00' where id = $1";
    const end = "delete from public.report_schedules where id = $1";
    for (const who of [people.manager, people.owner, people.viewer, people.stranger]) {
      expect((await act(client, who, change, [id])).rowCount).toBe(0);
    }
    for (const who of [people.viewer, people.stranger]) {
      expect((await act(client, who, end, [id])).rowCount).toBe(0);
    }
    // Nobody schedules a report that is not theirs to see, nor plans a run by hand.
    for (const who of [people.manager, people.viewer, people.stranger]) {
      await expect(schedule(office, who, mine)).rejects.toMatchObject({ code: "42501" });
    }
    for (const sql of [
      "update public.report_schedules set next_run_at = now()",
      "update public.report_schedules set owner_id = auth.uid()",
      "insert into public.report_results (rows) values ('[]')",
      "delete from public.report_results",
      "select private.run_due(1)",
      "select private.refresh_kpis(1)",
      "update public.kpi_sources set compute_function = 'compute_x'",
      "insert into public.kpi_sources (key, compute_function, mark_function) values ('x', 'compute_x', 'mark_x')",
      "delete from public.kpi_computations",
      "insert into public.kpi_changes (source, at) values ('pos', now())",
    ]) {
      for (const who of [people.owner, people.staff, service, anon]) {
        await expect(act(client, who, sql)).rejects.toMatchObject({ code: "42501" });
      }
    }
    expect((await act(client, people.manager, end, [id])).rowCount).toBe(1);
  });

  it("are seen by who may see the report", async () => {
    const { people, client } = office;
    const own = await schedule(office, people.staff, await report(people.staff));
    const open = await schedule(
      office,
      people.staff,
      await office.report(people.staff, { kpis: [key], period: "today" }, true),
    );
    await runDue(office.client);
    const seen = "select from public.report_results where schedule_id = any ($1)";
    const countFor = async (who: Actor) => (await act(client, who, seen, [[own, open]])).rowCount;
    expect(await countFor(people.staff)).toBe(2);
    expect(await countFor(people.manager)).toBe(1);
    expect(await countFor(people.viewer)).toBe(1);
    expect(await countFor(people.stranger)).toBe(0);
    await expect(countFor(anon)).rejects.toMatchObject({ code: "42501" });
  });
});
