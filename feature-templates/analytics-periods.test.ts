import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Actor, act, anon, call, service } from "./acting.ts";
import { foundOffice, type Office } from "./analytics-company.ts";
import { failedChecks } from "./fresh-database.ts";

let office: Office;
beforeAll(async () => {
  office = await foundOffice(["analytics"]);
});
afterAll(() => office?.server.stop());
afterEach(async () => {
  expect(await failedChecks(office.client, office.templates)).toEqual([]);
});

const record = (key: string, day: string, value: number, location?: string) =>
  call(office.client, office.people.staff, "record_kpi_snapshot", {
    kpi_key: key,
    day,
    value,
    ...(location ? { location_id: location } : {}),
  });

async function compare(key: string, from: string, to: string, more: Record<string, unknown> = {}) {
  const values = [key, from, to, more.location ?? null, more.against ?? "previous_period"];
  const { rows } = await act(
    office.client,
    office.people.viewer,
    `select value, comparison_value, change, change_percent, currency
     from public.compare_periods($1, $2, $3, $4, $5)`,
    values,
  );
  return rows[0];
}

describe("the period to compare with", () => {
  it.each([
    // Whole months stay whole, whatever their length.
    ["previous_month", "2026-03-01", "2026-03-31", "2026-02-01", "2026-02-28"],
    ["previous_month", "2024-03-01", "2024-03-31", "2024-02-01", "2024-02-29"],
    ["previous_month", "2026-11-01", "2026-11-30", "2026-10-01", "2026-10-31"],
    // The first days of a month go with the same days of the month before.
    ["previous_month", "2026-11-01", "2026-11-22", "2026-10-01", "2026-10-22"],
    ["previous_month", "2026-03-01", "2026-03-30", "2026-02-01", "2026-02-28"],
    ["previous_month", "2026-06-01", "2026-06-01", "2026-05-01", "2026-05-01"],
    // A week that is cut off goes with the same weekdays.
    ["previous_week", "2026-06-01", "2026-06-07", "2026-05-25", "2026-05-31"],
    ["previous_week", "2026-06-01", "2026-06-03", "2026-05-25", "2026-05-27"],
    // As many days before, whatever day of the month it is.
    ["previous_period", "2026-06-01", "2026-06-07", "2026-05-25", "2026-05-31"],
    ["previous_period", "2026-03-01", "2026-03-31", "2026-01-29", "2026-02-28"],
    ["previous_period", "2026-03-01", "2026-03-01", "2026-02-28", "2026-02-28"],
    ["previous_period", "2026-03-10", "2026-03-16", "2026-03-03", "2026-03-09"],
    ["previous_period", "2024-02-20", "2024-03-05", "2024-02-05", "2024-02-19"],
    ["previous_year", "2024-02-29", "2024-02-29", "2023-02-28", "2023-02-28"],
    ["previous_year", "2024-02-01", "2024-02-29", "2023-02-01", "2023-02-28"],
    ["previous_year", "2025-02-01", "2025-02-28", "2024-02-01", "2024-02-29"],
    ["previous_year", "2025-02-10", "2025-02-28", "2024-02-10", "2024-02-28"],
    ["previous_year", "2026-11-01", "2026-11-22", "2025-11-01", "2025-11-22"],
  ])("%s of %s to %s is %s to %s", async (against, from, to, earlier, until) => {
    const [row] = await office.rows(
      `select (p).from_day::text, (p).to_day::text
       from private.comparison_period($2::date, $3::date, $1) p`,
      [against, from, to],
    );
    expect(row).toEqual({ from_day: earlier, to_day: until });
  });
});

describe("compare_periods", () => {
  it("adds up, averages by weight, and takes the last, per location or for the company", async () => {
    const { location } = office;
    const [sum, average, last] = [
      await office.kpi({ unit: "money" }),
      await office.kpi({ aggregation: "average" }),
      await office.kpi({ aggregation: "last" }),
    ];
    for (const key of [sum, average, last]) {
      await record(key, "2026-02-10", 40);
      await record(key, "2026-03-10", 10);
      await record(key, "2026-03-11", 40);
      await record(key, "2026-03-11", 7, location);
    }
    expect(await compare(sum, "2026-03-01", "2026-03-31")).toEqual({
      value: "50.000000",
      comparison_value: "40.000000",
      change: "10.000000",
      change_percent: "25.00",
      currency: "EUR",
    });
    expect(await compare(average, "2026-03-01", "2026-03-31")).toMatchObject({
      value: "25.000000",
      change_percent: "-37.50",
      currency: null,
    });
    // A level stands until another one is recorded.
    expect(await compare(last, "2026-04-01", "2026-04-30")).toMatchObject({
      value: "40.000000",
      comparison_value: "40.000000",
    });
    expect(await compare(sum, "2026-03-01", "2026-03-31", { location })).toMatchObject({
      value: "7.000000",
      comparison_value: null,
      change: null,
      change_percent: null,
    });

    // With their parts known, days weigh what they weigh.
    await office.client.query(
      `update public.kpi_snapshots s set numerator = s.value * 9, denominator = 9
       from public.kpis k where k.id = s.kpi_id and k.key = $1 and s.day = '2026-03-11'`,
      [average],
    );
    expect(await compare(average, "2026-03-01", "2026-03-31")).toMatchObject({
      value: "37.000000",
    });
  });

  it("answers nothing of zero, and counts no money in another currency", async () => {
    const key = await office.kpi({ unit: "money" });
    await record(key, "2026-02-10", 0);
    await record(key, "2026-03-10", 5);
    expect(await compare(key, "2026-03-01", "2026-03-31")).toMatchObject({
      comparison_value: "0.000000",
      change_percent: null,
    });
    await office.client.query("update public.company_settings set currency = 'CHF'");
    expect(await compare(key, "2026-03-01", "2026-03-31")).toMatchObject({ value: null });
    await office.client.query("update public.company_settings set currency = 'EUR'");
  });

  it("refuses periods and names that are none, and tells a stranger nothing", async () => {
    const key = await office.kpi();
    const asked = (from: string, to: string, more = {}) => compare(key, from, to, more);
    await expect(asked("2026-03-02", "2026-03-01")).rejects.toMatchObject({ code: "22023" });
    await expect(asked("2000-01-01", "2026-03-01")).rejects.toMatchObject({ code: "22023" });
    await expect(asked("-infinity", "infinity")).rejects.toMatchObject({ code: "22023" });
    await expect(
      asked("2026-03-01", "2026-03-02", { against: "'; drop table public.kpis; --" }),
    ).rejects.toMatchObject({ code: "22023" });
    const { client, people } = office;
    const question = { kpi_key: key, from_day: "2026-03-01", to_day: "2026-03-02" };
    await expect(call(client, people.stranger, "compare_periods", question)).rejects.toMatchObject({
      code: "P0002",
    });
    await expect(call(client, anon, "compare_periods", question)).rejects.toMatchObject({
      code: "42501",
    });
  });
});

describe("a figure of a period in which nothing was recorded", () => {
  it("is 0 where it is a computed sum, and unknown where it is recorded by hand", async () => {
    const [computed, manual] = [await office.kpi(), await office.kpi()];
    for (const key of [computed, manual]) await record(key, "2026-02-10", 40);
    await office.client.query(
      `with source as (
         insert into public.kpi_sources (key, compute_function, mark_function)
         values ('idle', 'compute_idle', 'mark_idle')
       )
       insert into public.kpi_computations (kpi_id, source, measure)
       select id, 'idle', 'x' from public.kpis where key = $1`,
      [computed],
    );
    const asked = ["2026-03-01", "2026-03-31"] as const;
    expect(await compare(computed, ...asked)).toMatchObject({
      value: "0",
      comparison_value: "40.000000",
      change_percent: "-100.00",
    });
    expect(await compare(manual, ...asked)).toMatchObject({ value: null, change_percent: null });
    await office.client.query("delete from public.kpi_sources where key = 'idle'");
  });
});

describe("targets", () => {
  const target = async (who: Actor, key: string, ...facts: unknown[]) => {
    const kpi = await office.one("select id from public.kpis where key = $1", [key]);
    const [period, day, value, location = null] = facts;
    return act(
      office.client,
      who,
      `insert into public.kpi_targets (kpi_id, period, starts_on, value, location_id)
       values ($1, $2, $3, $4, $5)`,
      [kpi, period, day, value, location],
    );
  };

  it("are set by managers, one per period, and show how far they were reached", async () => {
    const { people, client, location } = office;
    const key = await office.kpi();
    await record(key, "2024-02-29", 30);
    await target(people.manager, key, "month", "2024-02-01", 120);
    await target(people.manager, key, "month", "2024-02-01", 10, location);
    await target(people.owner, key, "quarter", "2024-01-01", 300);
    const { rows } = await act(
      client,
      people.viewer,
      `select period, location_id, ends_on::text, value, percent from public.kpi_target_progress
       where key = $1 order by target desc`,
      [key],
    );
    expect(rows).toEqual([
      {
        period: "quarter",
        location_id: null,
        ends_on: "2024-03-31",
        value: "30.000000",
        percent: "10.00",
      },
      {
        period: "month",
        location_id: null,
        ends_on: "2024-02-29",
        value: "30.000000",
        percent: "25.00",
      },
      { period: "month", location_id: location, ends_on: "2024-02-29", value: null, percent: null },
    ]);

    await expect(target(people.manager, key, "month", "2024-02-01", 1)).rejects.toMatchObject({
      code: "23505",
    });
    for (const [period, day] of [
      ["month", "2024-02-02"],
      ["quarter", "2024-02-01"],
      ["fortnight", "2024-02-01"],
      ["year", "infinity"],
    ]) {
      await expect(target(people.manager, key, period, day, 1)).rejects.toMatchObject({
        code: "23514",
      });
    }
    await expect(target(people.manager, key, "year", "2024-01-01", "NaN")).rejects.toMatchObject({
      code: "23514",
    });
  });

  it("say nothing of a period that has not begun", async () => {
    const { people, client } = office;
    const key = await office.kpi({ aggregation: "last" });
    await record(key, "2026-01-01", 650);
    await target(people.manager, key, "year", "2026-01-01", 100);
    await target(people.manager, key, "year", "2150-01-01", 100);
    const { rows } = await act(
      client,
      people.viewer,
      "select value::float, percent::float from public.kpi_target_progress where key = $1 order by starts_on",
      [key],
    );
    expect(rows).toEqual([
      { value: 650, percent: 650 },
      { value: null, percent: null },
    ]);
  });

  it("are changed by nobody below, and unseen from outside", async () => {
    const { people, client } = office;
    const key = await office.kpi();
    await target(people.manager, key, "year", "2025-01-01", 5);
    for (const who of [people.staff, people.viewer, people.stranger]) {
      await expect(target(who, key, "year", "2026-01-01", 5)).rejects.toMatchObject({
        code: "42501",
      });
      const changed = await act(client, who, "update public.kpi_targets set value = 0");
      expect(changed.rowCount).toBe(0);
      expect((await act(client, who, "delete from public.kpi_targets")).rowCount).toBe(0);
    }
    const seen = "select from public.kpi_targets";
    expect((await act(client, people.stranger, seen)).rowCount).toBe(0);
    expect((await act(client, people.viewer, seen)).rowCount).toBeGreaterThan(0);
    await expect(act(client, anon, seen)).rejects.toMatchObject({ code: "42501" });
    expect(await office.one("select count(*) from public.kpi_targets where value = 5")).toBe("1");
  });
});

it("gives the service what the API's functions give members", async () => {
  const key = await office.kpi();
  await record(key, "2026-03-01", 3);
  const [row] = (
    await act(
      office.client,
      service,
      "select value from public.compare_periods($1, '2026-03-01', '2026-03-01')",
      [key],
    )
  ).rows;
  expect(row).toEqual({ value: "3.000000" });
});
