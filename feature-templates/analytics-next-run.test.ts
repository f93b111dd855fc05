import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { act } from "./acting.ts";
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

const daily = { frequency: "daily", at_time: "06:30" };

/** A schedule of a new report of the staff's; answers its id. */
async function schedule(facts: Record<string, unknown>) {
  const { client, people } = office;
  const report = await office.report(people.staff, { kpis: ["revenue"], period: "today" });
  const names = ["report_id", ...Object.keys(facts)];
  const { rows } = await act<{ id: string }>(
    client,
    people.staff,
    `insert into public.report_schedules (${names.join(", ")})
     values (${names.map((_, index) => `$${index + 1}`).join(", ")}) returning id`,
    [report, ...Object.values(facts)],
  );
  return rows[0]?.id as string;
}

describe("the next run", () => {
  it.each<[string, string, string, number | null, number | null, string, string, string]>([
    ["every day", "daily", "06:30", null, null, "UTC", "2026-03-01T06:29:59Z", "2026-03-01T06:30Z"],
    [
      "at its time, a day on",
      "daily",
      "06:30",
      null,
      null,
      "UTC",
      "2026-03-01T06:30Z",
      "2026-03-02T06:30Z",
    ],
    [
      "by the local clock",
      "daily",
      "06:30",
      null,
      null,
      "Pacific/Kiritimati",
      "2026-03-01T20:00Z",
      "2026-03-02T16:30Z",
    ],
    // Berlin: 2026-03-29 has no 02:30, 2026-10-25 has it twice.
    [
      "the night before spring",
      "daily",
      "02:30",
      null,
      null,
      "Europe/Berlin",
      "2026-03-28T00:00Z",
      "2026-03-28T01:30Z",
    ],
    [
      "an hour late when it is skipped",
      "daily",
      "02:30",
      null,
      null,
      "Europe/Berlin",
      "2026-03-28T12:00Z",
      "2026-03-29T01:30Z",
    ],
    [
      "earlier, in summer",
      "daily",
      "02:30",
      null,
      null,
      "Europe/Berlin",
      "2026-03-29T12:00Z",
      "2026-03-30T00:30Z",
    ],
    [
      "once when it comes twice",
      "daily",
      "02:30",
      null,
      null,
      "Europe/Berlin",
      "2026-10-24T12:00Z",
      "2026-10-25T01:30Z",
    ],
    [
      "not again after that",
      "daily",
      "02:30",
      null,
      null,
      "Europe/Berlin",
      "2026-10-25T01:30Z",
      "2026-10-26T01:30Z",
    ],
    [
      "over a midnight that is skipped",
      "daily",
      "00:00",
      null,
      null,
      "America/Santiago",
      "2026-09-05T12:00Z",
      "2026-09-06T04:00Z",
    ],
    ["on its weekday", "weekly", "09:00", 1, null, "UTC", "2026-11-22T12:00Z", "2026-11-23T09:00Z"],
    ["a week on", "weekly", "09:00", 1, null, "UTC", "2026-11-23T09:00Z", "2026-11-30T09:00Z"],
    [
      "on the local weekday",
      "weekly",
      "09:00",
      1,
      null,
      "Asia/Tokyo",
      "2026-11-22T23:30Z",
      "2026-11-23T00:00Z",
    ],
    ["on the 31st", "monthly", "09:00", null, 31, "UTC", "2026-01-01T00:00Z", "2026-01-31T09:00Z"],
    [
      "on the last of February",
      "monthly",
      "09:00",
      null,
      31,
      "UTC",
      "2026-01-31T09:00Z",
      "2026-02-28T09:00Z",
    ],
    [
      "on the 29th in a leap year",
      "monthly",
      "09:00",
      null,
      31,
      "UTC",
      "2024-01-31T09:00Z",
      "2024-02-29T09:00Z",
    ],
    [
      "on the 30th of April",
      "monthly",
      "09:00",
      null,
      31,
      "UTC",
      "2026-03-31T09:00Z",
      "2026-04-30T09:00Z",
    ],
    [
      "on the 15th of next month",
      "monthly",
      "09:00",
      null,
      15,
      "UTC",
      "2026-12-15T09:00Z",
      "2027-01-15T09:00Z",
    ],
  ])("comes %s", async (_, frequency, time, weekday, day, zone, after, expected) => {
    const next = await office.one<Date>("select private.next_run($1, $2, $3, $4, $5, $6)", [
      frequency,
      time,
      weekday,
      day,
      zone,
      after,
    ]);
    expect(next).toEqual(new Date(expected));
  });

  it("is planned with the schedule, and anew when the company's clocks change", async () => {
    const { people, client } = office;
    const id = await schedule(daily);
    const local = (zone: string) =>
      office.one(
        "select (next_run_at at time zone $2)::time::text from public.report_schedules where id = $1",
        [id, zone],
      );
    expect(await local("UTC")).toBe("06:30:00");
    await client.query("update public.company_settings set time_zone = 'America/New_York'");
    expect(await local("America/New_York")).toBe("06:30:00");
    await client.query("update public.company_settings set time_zone = 'UTC'");
    await act(
      client,
      people.staff,
      "update public.report_schedules set at_time = '07:15' where id = $1",
      [id],
    );
    expect(await local("UTC")).toBe("07:15:00");
  });

  it.each<[string, Record<string, unknown>]>([
    ["a weekday for every day", { ...daily, weekday: 1 }],
    ["a week without its day", { ...daily, frequency: "weekly" }],
    ["an eighth day of the week", { ...daily, frequency: "weekly", weekday: 8 }],
    ["a month without its day", { ...daily, frequency: "monthly" }],
    ["a 32nd", { ...daily, frequency: "monthly", day_of_month: 32 }],
    ["every second", { ...daily, frequency: "secondly" }],
    ["parameters that are a list", { ...daily, parameters: "[]" }],
  ])("is refused for %s", async (_, facts) => {
    await expect(schedule(facts)).rejects.toMatchObject({
      code: "23514",
    });
  });

  it("is planned for a hundred schedules of one person, and no more", async () => {
    const { people } = office;
    const kept = await office.one<number>(
      "select count(*)::int from public.report_schedules where owner_id = $1",
      [people.staff.id],
    );
    await office.client.query(
      `insert into public.report_schedules (report_id, owner_id, frequency, at_time)
       select (select id from public.reports limit 1), $1, 'daily', '06:30'
       from generate_series(1, $2)`,
      [people.staff.id, 100 - kept],
    );
    await expect(schedule(daily)).rejects.toMatchObject({ code: "54000" });
  });
});
