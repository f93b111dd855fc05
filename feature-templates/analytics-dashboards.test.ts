import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Actor, act, anon, call, createAccount } from "./acting.ts";
import { foundOffice, type Office } from "./analytics-company.ts";
import { failedChecks } from "./fresh-database.ts";

let office: Office;
/** Two key figures: one that adds up, one that is a level. */
let keys: [string, string];

beforeAll(async () => {
  office = await foundOffice(["analytics"]);
  keys = [await office.kpi({ unit: "money" }), await office.kpi({ aggregation: "last" })];
  await office.client.query("insert into public.locations (code, name) values ('B', 'Branch')");
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

const period = { period: "today" };
const march = { ...period, from: "2026-03-01", to: "2026-03-28" };

describe("a dashboard", () => {
  const make = async (who: Actor, shared = false) =>
    (
      await act<{ id: string }>(
        office.client,
        who,
        "insert into public.dashboards (name, shared) values ('Board', $1) returning id",
        [shared],
      )
    ).rows[0]?.id as string;
  const widget = (who: Actor, dashboard: string, definition: object, position = 1) =>
    act(
      office.client,
      who,
      `insert into public.dashboard_widgets (dashboard_id, position, kind, title, definition)
       values ($1, $2, 'number', 'Widget', $3)`,
      [dashboard, position, definition],
    );

  it("shows its widgets in order, each with the parameters that it knows", async () => {
    const { people, client } = office;
    const board = await make(people.staff, true);
    const definition = { kpis: [keys[0]], ...march };
    await widget(people.staff, board, definition, 2);
    await widget(people.staff, board, {
      ...definition,
      group_by: { parameter: "by" },
      parameters: { by: { type: "grouping", default: "day" } },
    });
    const asked = { dashboard_id: board, parameters: { by: "location" } };
    expect(await call(client, people.viewer, "run_dashboard", asked)).toMatchObject([
      { kind: "number", rows: [{ value: 203 }, { value: 203 }] },
      { rows: [{ value: 406 }] },
    ]);
    await expect(widget(people.staff, board, definition, 2)).rejects.toMatchObject({
      code: "23505",
    });
    await expect(widget(people.staff, board, definition, 51)).rejects.toMatchObject({
      code: "23514",
    });
    await expect(
      widget(people.staff, board, { ...definition, sql: "select 1" }, 3),
    ).rejects.toMatchObject({ code: "23514" });
  });

  it("shows what is wrong with one widget in its place, and the others", async () => {
    const { people, client } = office;
    const board = await make(people.staff);
    await widget(people.staff, board, { kpis: [keys[0]], ...march }, 1);
    const lacking = {
      group_by: { parameter: "by" },
      parameters: { by: { type: "grouping" } },
    };
    await widget(people.staff, board, { kpis: [keys[0]], ...march, ...lacking }, 2);
    await widget(people.staff, board, { kpis: [keys[1]], ...march }, 3);
    const asked = { dashboard_id: board };
    expect(await call(client, people.staff, "run_dashboard", asked)).toEqual([
      expect.objectContaining({ rows: [expect.objectContaining({ value: 406 })] }),
      expect.objectContaining({
        rows: [],
        error: { code: "22023", message: "The parameter by is missing" },
      }),
      expect.objectContaining({ rows: [expect.objectContaining({ value: 28 })] }),
    ]);
  });

  it("of somebody who left is the managers' and not everybody's, and so is a report", async () => {
    const { people, client, server } = office;
    const auth = await server.connectAsAuth(client);
    const leaver = await createAccount(auth);
    await act(
      client,
      people.owner,
      "insert into public.members (user_id, role) values ($1, 'staff')",
      [leaver.id],
    );
    const board = await make(leaver);
    const open = await make(leaver, true);
    await widget(leaver, board, { kpis: [keys[0]], ...march });
    const plan = await office.report(leaver, { kpis: [keys[0]], ...march });
    await auth.query("delete from auth.users where id = $1", [leaver.id]);
    const seen = `select id from public.dashboards where id = any ($1)
                  union all select id from public.reports where id = any ($1)`;
    const ids = [board, open, plan];
    for (const who of [people.viewer, people.staff]) {
      expect((await act(client, who, seen, [ids])).rows).toEqual([{ id: open }]);
      await expect(
        call(client, who, "run_dashboard", { dashboard_id: board }),
      ).rejects.toMatchObject({ code: "P0002" });
    }
    expect((await act(client, people.manager, seen, [ids])).rowCount).toBe(3);
    expect((await act(client, people.stranger, seen, [ids])).rowCount).toBe(0);
    await auth.end();
  });

  it("is kept by whose it is, by managers where it is shared, and by no viewer", async () => {
    const { people, client } = office;
    const definition = { kpis: [keys[0]], ...period };
    const own = await make(people.staff);
    const shared = await make(people.staff, true);
    for (const board of [own, shared]) await widget(people.staff, board, definition);

    // What is somebody's own is nobody else's business.
    await expect(widget(people.manager, own, definition, 9)).rejects.toMatchObject({
      code: "42501",
    });
    await widget(people.manager, shared, definition, 9);
    for (const who of [people.viewer, people.stranger]) {
      await expect(make(who)).rejects.toMatchObject({ code: "42501" });
      await expect(widget(who, shared, definition, 8)).rejects.toMatchObject({ code: "42501" });
      for (const sql of [
        "update public.dashboards set name = 'Mine'",
        "delete from public.dashboards",
        "update public.dashboard_widgets set title = 'Mine'",
        "delete from public.dashboard_widgets",
      ]) {
        expect((await act(client, who, sql)).rowCount).toBe(0);
      }
    }
    const seen = "select from public.dashboard_widgets where dashboard_id = any ($1)";
    const countFor = async (who: Actor) => (await act(client, who, seen, [[own, shared]])).rowCount;
    expect(await countFor(people.staff)).toBe(3);
    expect(await countFor(people.viewer)).toBe(2);
    expect(await countFor(people.stranger)).toBe(0);
    await expect(countFor(anon)).rejects.toMatchObject({ code: "42501" });
    await expect(
      call(client, people.manager, "run_dashboard", { dashboard_id: own }),
    ).rejects.toMatchObject({ code: "P0002" });
    expect(
      (await act(client, people.manager, "delete from public.dashboards where id = $1", [own]))
        .rowCount,
    ).toBe(0);
  });

  it("comes with the backend", async () => {
    const { rows } = await act<{ id: string }>(
      office.client,
      office.people.viewer,
      "select id from public.dashboards where name = 'Overview'",
    );
    const asked = { dashboard_id: rows[0]?.id };
    expect(await call(office.client, office.people.viewer, "run_dashboard", asked)).toHaveLength(4);
  });
});
