import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { act } from "./acting.ts";
import { foundOffice, type Office } from "./analytics-company.ts";
import { applySeeds, applyTemplates, failedChecks } from "./fresh-database.ts";

let office: Office;
beforeAll(async () => {
  office = await foundOffice(["analytics"]);
});
afterAll(() => office?.server.stop());
afterEach(async () => {
  expect(await failedChecks(office.client, office.templates)).toEqual([]);
});

describe("the settings", () => {
  it("are the owner's to change", async () => {
    const { people, client } = office;
    const change = "update public.analytics_settings set week_start = 'sunday'";
    for (const who of [people.manager, people.staff, people.viewer, people.stranger]) {
      expect((await act(client, who, change)).rowCount).toBe(0);
    }
    expect((await act(client, people.owner, change)).rowCount).toBe(1);
    await act(client, people.owner, "update public.analytics_settings set week_start = 'monday'");
    await expect(
      act(client, people.owner, "update public.analytics_settings set week_start = 'never'"),
    ).rejects.toMatchObject({ code: "23514" });
  });

  it("take the answer of whoever set the backend up, and never take it back", async () => {
    const client = await office.server.createDatabase("2026-10");
    await client.query("select set_config('berth.analytics.week_start', 'sunday', false)");
    const templates = await applyTemplates(client, ["analytics"]);
    const start = async () =>
      (await client.query("select week_start from public.analytics_settings")).rows;
    expect(await start()).toEqual([{ week_start: "sunday" }]);
    await client.query("update public.analytics_settings set week_start = 'monday'");
    await applySeeds(client, templates);
    expect(await start()).toEqual([{ week_start: "monday" }]);
    await client.end();
  });

  it("bring nothing back that the company took away", async () => {
    const client = await office.server.createDatabase("2026-10");
    const templates = await applyTemplates(client, ["analytics", "pos"]);
    const tables = ["kpis", "reports", "dashboards"];
    const count = async () =>
      Promise.all(
        tables.map(async (t) => (await client.query(`select from public.${t}`)).rowCount),
      );
    expect(await count()).toEqual([7, 1, 1]);
    await client.query("delete from public.kpis where key in ('sales_count', 'new_customers')");
    for (const table of ["reports", "dashboards"])
      await client.query(`delete from public.${table}`);
    await applySeeds(client, templates);
    expect(await count()).toEqual([5, 0, 0]);
    await client.end();
  });
});
