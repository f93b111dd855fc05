import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Actor, act, anon, call } from "./acting.ts";
import { openShop, type Shop } from "./analytics-shop.ts";

const definition = `'{"kpis": ["revenue"], "period": "today"}'`;

/** Every table of analytics: a column of it, and what a row of one's own would be, if anybody could. */
const tables: Record<string, [column: string, row?: string]> = {
  analytics_settings: ["week_start"],
  kpis: ["name", "(key, name, unit) values ('mine', 'Mine', 'count')"],
  kpi_snapshots: ["value", "(kpi_id, day, value) values ('$kpi', '2020-01-01', 1)"],
  kpi_targets: [
    "value",
    "(kpi_id, period, starts_on, value) values ('$kpi', 'day', '2020-01-01', 1)",
  ],
  kpi_sources: ["error_code"],
  kpi_computations: ["measure"],
  kpi_changes: ["at"],
  reports: ["name", `(name, definition, shared) values ('Mine', ${definition}, true)`],
  dashboards: ["name", "(name, shared) values ('Mine', true)"],
  dashboard_widgets: [
    "title",
    `(dashboard_id, position, kind, title, definition)
     values ('$dashboard', 50, 'number', 'Mine', ${definition})`,
  ],
  report_schedules: [
    "at_time",
    "(report_id, frequency, at_time) values ('$report', 'daily', '00:00')",
  ],
  report_results: ["rows"],
};
const views = ["kpi_latest", "kpi_target_progress"];

let shop: Shop;
/** Of a key figure that is recorded by hand, of a report and of a dashboard that everyone sees. */
let ids: Record<string, string>;
beforeAll(async () => {
  shop = await openShop();
  const { client, people } = shop;
  await shop.sell("2026-01-05T10:00Z", 10, { product: await shop.stocked(4) });
  await shop.refresh();
  await client.query(
    `insert into public.kpi_targets (kpi_id, period, starts_on, value)
     select id, 'year', '2026-01-01', 1 from public.kpis`,
  );
  await act(
    client,
    people.owner,
    `insert into public.report_schedules (report_id, frequency, at_time)
     select id, 'daily', '00:00' from public.reports`,
  );
  await client.query("update public.report_schedules set next_run_at = now()");
  await client.query("select private.run_due()");
  ids = {
    $kpi: await shop.one("select id from public.kpis where key = 'new_customers'"),
    $report: await shop.one("select id from public.reports"),
    $dashboard: await shop.one("select id from public.dashboards"),
  };
  // A change that is not yet computed.
  await shop.sell("2026-01-06T10:00Z", 10);
});
afterAll(() => shop?.server.stop());

/** Everything that is written in a table. */
const contents = (table: string) =>
  shop.one(`select coalesce(jsonb_agg(to_jsonb(t)), '[]') from public.${table} t`);

/** How many rows a statement touched; a refusal is none. */
async function touched(who: Actor, sql: string) {
  try {
    return (await act(shop.client, who, sql)).rowCount;
  } catch (error) {
    expect(error).toMatchObject({ code: "42501" });
    return 0;
  }
}

describe.each(Object.entries(tables))("of %s", (table, [column, row]) => {
  it("a viewer reads, and neither a viewer nor anybody outside changes anything", async () => {
    const { viewer, stranger } = shop.people;
    const values = (row ?? "default values").replace(/\$\w+/, (name) => ids[name] ?? "");
    const insert = `insert into public.${table} ${values}`;
    const before = await contents(table);
    expect(before).not.toEqual([]);
    for (const who of [viewer, stranger, anon]) {
      expect(await touched(who, `update public.${table} set ${column} = ${column}`)).toBe(0);
      expect(await touched(who, `delete from public.${table}`)).toBe(0);
      await expect(act(shop.client, who, insert)).rejects.toMatchObject({ code: "42501" });
    }
    expect(await contents(table)).toEqual(before);

    const seen = `select from public.${table}`;
    expect(await touched(stranger, seen)).toBe(0);
    await expect(act(shop.client, anon, seen)).rejects.toMatchObject({ code: "42501" });
    // Schedules are their owner's and the managers' business.
    const reader = table === "report_schedules" ? shop.people.manager : viewer;
    expect(await touched(reader, seen)).toBeGreaterThan(0);
  });
});

describe("of what is worked out", () => {
  it.each(views)("%s shows a viewer something, and a stranger nothing", async (view) => {
    const seen = `select from public.${view}`;
    expect(await touched(shop.people.viewer, seen)).toBeGreaterThan(0);
    expect(await touched(shop.people.stranger, seen)).toBe(0);
    await expect(act(shop.client, anon, seen)).rejects.toMatchObject({ code: "42501" });
  });

  it("no function tells a stranger or anon anything", async () => {
    const { viewer, stranger } = shop.people;
    const period = { kpi_key: "revenue", from_day: "2026-01-01", to_day: "2026-01-31" };
    for (const [name, asked] of [
      ["run_report", { report_id: ids.$report }],
      ["run_dashboard", { dashboard_id: ids.$dashboard }],
      ["compare_periods", period],
    ] as const) {
      await call(shop.client, viewer, name, asked);
      await expect(call(shop.client, stranger, name, asked)).rejects.toMatchObject({
        code: "P0002",
      });
      await expect(call(shop.client, anon, name, asked)).rejects.toMatchObject({ code: "42501" });
    }
  });
});
