import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Actor, act, call, type People, service } from "./acting.ts";
import { foundOffice, type Office } from "./analytics-company.ts";

let office: Office;
let client: pg.Client;
let people: People;
beforeAll(async () => {
  // Without tills, so that nothing computes what is recorded here.
  office = await foundOffice(["analytics"]);
  ({ client, people } = office);
});
afterAll(() => office?.server.stop());

describe("key figures recorded by hand", () => {
  const record = (who: Actor, values: object) =>
    call(client, who, "record_kpi_snapshot", { kpi_key: "revenue", day: "2026-01-31", ...values });
  const snapshots = () =>
    client.query(
      `select value::float, currency, recorded_by, location_id is null as whole
       from public.kpi_snapshots order by id`,
    );

  it("keep one value per day and location, by staff or the service", async () => {
    const id = await record(people.staff, { value: 100 });
    expect(await record(service, { value: 120 })).toBe(id);
    await record(people.staff, { value: 70, location_id: office.location });
    await record(people.manager, { kpi_key: "sales_count", value: 3 });
    expect((await snapshots()).rows).toEqual([
      { value: 120, currency: "EUR", recorded_by: null, whole: true },
      { value: 70, currency: "EUR", recorded_by: people.staff.id, whole: false },
      { value: 3, currency: null, recorded_by: people.manager.id, whole: true },
    ]);
    const latest = "select value::float from public.kpi_latest where key = 'revenue'";
    expect((await act(client, people.viewer, latest)).rowCount).toBe(2);
    expect((await act(client, people.stranger, latest)).rowCount).toBe(0);
  });

  it.each([
    ["viewer", { value: 1 }, "42501"],
    ["stranger", { value: 1 }, "42501"],
    ["staff", { value: "NaN" }, "23514"],
  ] as const)("refuse a %s's %j", async (role, values, code) => {
    const before = (await snapshots()).rows;
    // A stranger sees no definitions, so to him there is no such figure.
    const expected = role === "stranger" ? "P0002" : code;
    await expect(record(people[role], values)).rejects.toMatchObject({ code: expected });
    expect((await snapshots()).rows).toEqual(before);
  });

  it("leave a report to its maker until it is shared", async () => {
    const { staff, manager, viewer } = people;
    const definition = { kpis: ["revenue"], period: "this_month" };
    const create = (who: Actor, value: object) =>
      act<{ id: string }>(
        client,
        who,
        "insert into public.reports (name, definition) values ('Mine', $1) returning id",
        [JSON.stringify(value)],
      );
    const id = (await create(staff, definition)).rows[0]?.id;
    const see = "select from public.reports where id = $1";
    const rename = "update public.reports set name = 'Ours' where id = $1";
    for (const who of [viewer, manager])
      expect((await act(client, who, see, [id])).rowCount).toBe(0);
    expect((await act(client, manager, rename, [id])).rowCount).toBe(0);
    await act(client, staff, "update public.reports set shared = true where id = $1", [id]);
    expect((await act(client, viewer, see, [id])).rowCount).toBe(1);
    expect((await act(client, viewer, rename, [id])).rowCount).toBe(0);
    expect((await act(client, manager, rename, [id])).rowCount).toBe(1);
    await expect(create(viewer, definition)).rejects.toMatchObject({ code: "42501" });
    for (const bad of [{}, { kpis: [] }, { kpis: ["a"], period: "ever" }, { kpis: "a" }, []]) {
      const error = await create(staff, bad).catch((caught) => caught);
      expect(["22023", "23514"]).toContain(error.code);
    }
  });
});
