import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Actor, act, anon, call } from "./acting.ts";
import { foundOffice, type Office } from "./analytics-company.ts";
import { failedChecks } from "./fresh-database.ts";

let office: Office;
/** Two key figures: one that adds up, one that is a level. */
let keys: [string, string];
/** A second location. */
let branch: string;

beforeAll(async () => {
  office = await foundOffice(["analytics"]);
  keys = [await office.kpi({ unit: "money" }), await office.kpi({ aggregation: "last" })];
  branch = await office.one(
    "insert into public.locations (code, name) values ('B', 'Branch') returning id",
  );
  // Value n on the n-th of March 2026, twice that in February; half of it at each location.
  await office.client.query(
    `insert into public.kpi_snapshots (kpi_id, location_id, day, value, recorded_by)
     select k.id, l.id, make_date(2026, m, d), d * (4 - m) / case when l.id is null then 1 else 2 end::numeric, null
     from public.kpis k, generate_series(2, 3) m, generate_series(1, 28) d,
       (select id from public.locations union all select null) l
     where k.key = any ($1)`,
    [keys],
  );
});
afterAll(() => office?.server.stop());
afterEach(async () => {
  expect(await failedChecks(office.client, office.templates)).toEqual([]);
});

const SOME_ID = "1b671a64-40d5-491e-99b0-da01ff1f3341";
const period = { period: "today" };
const march = { ...period, from: "2026-03-01", to: "2026-03-28" };

async function run(definition: object, parameters: object = {}, who: Actor = office.people.viewer) {
  const report = await office.report(office.people.staff, definition, true);
  const asked = { report_id: report, parameters };
  return (await call(office.client, who, "run_report", asked)) as Record<string, unknown>[];
}

describe("a report", () => {
  it("gives each figure of its period, by the rules of that figure", async () => {
    const rows = await run({ kpis: [...keys, "gone"], ...march });
    expect(rows).toEqual([
      { kpi: keys[0], from: "2026-03-01", to: "2026-03-28", value: 406, currency: "EUR" },
      { kpi: keys[1], from: "2026-03-01", to: "2026-03-28", value: 28, currency: null },
    ]);
  });

  it("groups by day, week, month and location", async () => {
    const kpis = [keys[0]];
    const values = async (definition: object) =>
      (await run({ kpis, ...march, ...definition })).map(({ group, value }) => [group, value]);
    expect(await values({ group_by: "day", to: "2026-03-03" })).toEqual([
      ["2026-03-01", 1],
      ["2026-03-02", 2],
      ["2026-03-03", 3],
    ]);
    // The 1st of March 2026 is a Sunday.
    expect((await values({ group_by: "week" })).slice(0, 2)).toEqual([
      ["2026-02-23", 1],
      ["2026-03-02", 35],
    ]);
    await office.client.query("update public.analytics_settings set week_start = 'sunday'");
    expect((await values({ group_by: "week" })).slice(0, 2)).toEqual([
      ["2026-03-01", 28],
      ["2026-03-08", 77],
    ]);
    await office.client.query("update public.analytics_settings set week_start = 'monday'");
    expect(await values({ group_by: "month", from: "2026-02-27" })).toEqual([
      ["2026-02-01", 110],
      ["2026-03-01", 406],
    ]);
    expect(await values({ group_by: "location" })).toEqual([
      [branch, 203],
      [office.location, 203],
    ]);
  });

  it("filters by location and weekday, compares, and keeps to its limit", async () => {
    const only = { filters: { locations: [branch] } };
    expect(await run({ kpis: keys, ...march, ...only })).toMatchObject([
      { value: 203 },
      { value: 14 },
    ]);
    const sundays = { filters: { weekdays: [7] } };
    expect(await run({ kpis: keys, ...march, ...sundays })).toMatchObject([
      { value: 1 + 8 + 15 + 22 },
      { value: 22 },
    ]);
    expect(await run({ kpis: keys, ...march, compare: "previous_period" })).toMatchObject([
      { comparison_value: 812, change: -406, change_percent: -50 },
      { comparison_value: 56, change: -28, change_percent: -50 },
    ]);
    expect(await run({ kpis: keys, ...march, group_by: "day", limit: 3 })).toHaveLength(3);
  });

  it.each([
    ["today", "2026-03-15", "2026-03-15"],
    ["last_7_days", "2026-03-09", "2026-03-15"],
    ["last_30_days", "2026-02-14", "2026-03-15"],
    ["this_month", "2026-03-01", "2026-03-15"],
    ["last_month", "2026-02-01", "2026-02-28"],
    ["this_year", "2026-01-01", "2026-03-15"],
  ])("takes %s for %s to %s", async (name, from, to) => {
    const [row] = await office.rows(
      "select (p).from_day::text as from, (p).to_day::text as to from private.named_period($1, '2026-03-15') p",
      [name],
    );
    expect(row).toEqual({ from, to });
  });

  it("takes parameters of the declared type, and no others", async () => {
    const asking = {
      kpis: [keys[0]],
      ...period,
      from: { parameter: "start" },
      to: { parameter: "end" },
      group_by: { parameter: "by" },
      filters: { locations: { parameter: "places" } },
      parameters: {
        start: { type: "date", label: "From" },
        end: { type: "date", default: "2026-03-02" },
        by: { type: "grouping", default: "none" },
        places: { type: "locations", default: [branch] },
      },
    };
    expect(await run(asking, { start: "2026-03-01" })).toMatchObject([{ value: 1.5 }]);
    expect(await run(asking, { start: "2026-03-01", end: "2026-03-04", by: "day" })).toHaveLength(
      4,
    );
    for (const parameters of [
      {},
      { start: "2026-02-30" },
      { start: "infinity" },
      { start: 20260301 },
      { start: "2026-03-03" },
      { start: "1970-01-01", end: "2199-01-01" },
      { start: "2026-03-01", by: "day; drop table public.kpis" },
      { start: "2026-03-01", places: ["') or true --"] },
      { start: "2026-03-01", places: branch },
      { start: "2026-03-01", places: [branch, branch] },
      { start: "2026-03-01", limit: 10 },
      { start: "2026-03-01", __proto: 1 },
      ["2026-03-01"],
    ]) {
      await expect(run(asking, parameters)).rejects.toMatchObject({ code: "22023" });
    }
  });

  it("is refused where it would look up too much: rows, by locations, by two when compared", async () => {
    const days = (to: string) => ({ ...period, from: "2020-01-01", to, group_by: "day" });
    const both = { filters: { locations: [office.location, branch] } };
    const compared = { compare: "previous_year" };
    // 2500 days of two figures.
    const plain = { kpis: keys, ...days("2026-11-04") };
    expect(await run(plain)).toHaveLength(5000);
    expect(await run({ ...plain, ...both })).toHaveLength(5000);
    expect(await run({ ...plain, ...compared })).toHaveLength(5000);
    for (const more of [
      { ...both, ...compared },
      { ...both, to: "2026-11-05" },
      { ...compared, to: "2026-11-05" },
    ]) {
      await expect(run({ ...plain, ...more })).rejects.toMatchObject({ code: "54000" });
    }
  });

  it("is compared by what it asks for, not by what its dates look like", async () => {
    const [key = ""] = keys;
    const wanted = (definition: object) =>
      office.one("select private.comparison_wanted($1)", [
        { kpis: [key], ...period, compare: "previous_period", ...definition },
      ]);
    expect(await wanted({ period: "this_month" })).toBe("previous_month");
    expect(await wanted({ period: "last_month" })).toBe("previous_month");
    expect(await wanted({ period: "this_year" })).toBe("previous_year");
    expect(await wanted({ period: "last_7_days" })).toBe("previous_period");
    expect(await wanted({ period: "this_month", from: "2026-03-01" })).toBe("previous_period");
    expect(await wanted({ period: "this_month", group_by: "week" })).toBe("previous_week");
    expect(await wanted({ from: "2026-03-01", group_by: "month" })).toBe("previous_month");
    expect(await wanted({ compare: "none" })).toBeNull();
    // The week that begins on Sunday, the 1st of March: a Monday in the company's settings.
    const weeks = { from: "2026-02-16", to: "2026-03-01", group_by: "week" };
    expect(
      await run({ kpis: [key], ...march, ...weeks, compare: "previous_period" }),
    ).toMatchObject([
      { from: "2026-02-16", comparison_value: 2 * (9 + 10 + 11 + 12 + 13 + 14 + 15) },
      { from: "2026-02-23", comparison_value: 2 * (16 + 17 + 18 + 19 + 20 + 21 + 22) },
    ]);
    // Asked for by month, each part goes with the month before it.
    const months = { from: "2026-02-01", to: "2026-03-31", group_by: "month" };
    expect(
      await run({ kpis: [key], ...march, ...months, compare: "previous_period" }),
    ).toMatchObject([
      { value: 812, comparison_value: null },
      { value: 406, comparison_value: 812 },
    ]);
  });

  it("counts each figure and location once, also in a definition from before that was refused", async () => {
    const { client } = office;
    await client.query("alter table public.reports disable trigger reports_check_definition");
    const old = await office.report(
      office.people.staff,
      { kpis: [keys[1], keys[1]], period: "this_year" },
      true,
    );
    await client.query("alter table public.reports enable trigger reports_check_definition");
    const asked = { report_id: old };
    expect(await call(client, office.people.viewer, "run_report", asked)).toHaveLength(1);
  });

  it.each<[string, object]>([
    ["an unknown key", { sql: "select 1" }],
    ["a figure that is no key", { kpis: ["revenue'; drop table public.kpis; --"] }],
    ["a figure that is no text", { kpis: [{ parameter: "x" }] }],
    ["an unknown grouping", { group_by: "kpi_id" }],
    ["an unknown comparison", { compare: "yesterday" }],
    ["a huge limit", { limit: 1e9 }],
    ["a limit beyond numbers", { limit: 1e300 }],
    ["a limit of nothing", { limit: 0 }],
    ["half a limit", { limit: 1.5 }],
    ["half a period", { from: "2026-01-01" }],
    ["a day that never was", { from: "2026-02-29", to: "2026-03-01" }],
    ["an unknown filter", { filters: { members: ["x"] } }],
    ["a location that is no id", { filters: { locations: ["x' or 'x' = 'x"] } }],
    ["a location twice", { filters: { locations: [SOME_ID, SOME_ID] } }],
    ["a figure twice", { kpis: ["revenue", "revenue"] }],
    ["no weekday", { filters: { weekdays: [8] } }],
    ["a list of nothing", { filters: { weekdays: [] } }],
    ["a parameter that nobody declared", { limit: { parameter: "many" } }],
    [
      "a parameter of another type",
      { limit: { parameter: "many" }, parameters: { many: { type: "date" } } },
    ],
    ["a parameter of no type", { parameters: { many: { type: "sql" } } }],
    ["a parameter without a type", { parameters: { many: {} } }],
    ["a default that does not fit", { parameters: { many: { type: "limit", default: "9" } } }],
    ["a parameter's unknown key", { parameters: { many: { type: "limit", run: "x" } } }],
    ["a parameter's evil name", { parameters: { 'a"; --': { type: "limit" } } }],
    ["a reference with more in it", { limit: { parameter: "many", or: 1 } }],
    ["parameters that are a list", { parameters: [] }],
    ["a null", { compare: null }],
    ["a view that is a text", { view: "wide" }],
  ])("is refused with %s", async (_, part) => {
    const definition = { kpis: [keys[0]], ...period, ...part };
    await expect(office.report(office.people.staff, definition)).rejects.toMatchObject({
      code: "23514",
    });
    const mine = await office.report(office.people.staff, { kpis: [keys[0]], ...period });
    const change = "update public.reports set definition = $2 where id = $1";
    await expect(
      act(office.client, office.people.staff, change, [mine, definition]),
    ).rejects.toMatchObject({ code: "23514" });
  });

  it("may tell a screen how to show it", async () => {
    const view = { kpis: [keys[0]], ...march, view: { chart: "bar", colours: ["red"] } };
    expect(await run(view)).toHaveLength(1);
  });

  it("runs for who may see it, and for nobody else", async () => {
    const { people, client } = office;
    const mine = await office.report(people.staff, { kpis: keys, ...march });
    const asked = { report_id: mine };
    expect(await call(client, people.staff, "run_report", asked)).toHaveLength(2);
    for (const who of [people.owner, people.manager, people.viewer, people.stranger]) {
      await expect(call(client, who, "run_report", asked)).rejects.toMatchObject({
        code: "P0002",
      });
    }
    await expect(call(client, anon, "run_report", asked)).rejects.toMatchObject({ code: "42501" });
  });
});
