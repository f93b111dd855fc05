import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { act, anon, call, type People, service, startUntilBlocked } from "./acting.ts";
import { type Company, foundCompany } from "./company.ts";
import { failedChecks } from "./fresh-database.ts";
import { openDepot, see, setPoint } from "./stock-acts.ts";

let company: Company;
let client: pg.Client;
let people: People;
beforeAll(async () => {
  company = await foundCompany();
  ({ client, people } = company);
});
afterAll(() => company?.server.stop());

// Whatever happened, the books must be right.
afterEach(async () => {
  expect(await failedChecks(client, company.templates)).toEqual([]);
});

describe("a low-stock alert", () => {
  const alertsOf = (productId: string) =>
    see(
      company,
      people.viewer,
      `select id, quantity::float, reorder_point::float as point, closed_at is null as open,
         acknowledged_by, note
       from public.low_stock_alerts where product_id = $1 order by opened_at, id`,
      [productId],
    );

  it("opens at the reorder point, closes above it, and opens anew", async () => {
    const id = await company.product({}, 5);
    await setPoint(company, id, 3);
    expect(await alertsOf(id)).toEqual([]);
    await company.move(people.staff, id, "issue", -2);
    await company.move(people.staff, id, "issue", -1);
    const first = { quantity: 3, point: 3, open: true };
    expect(await alertsOf(id)).toMatchObject([first]);
    await company.move(people.staff, id, "receipt", 2);
    expect(await alertsOf(id)).toMatchObject([{ ...first, open: false }]);
    await company.move(people.staff, id, "issue", -4);
    expect((await alertsOf(id)).map(({ open }) => open).sort()).toEqual([false, true]);
  });

  it("follows the reorder point too, and ends when there is none", async () => {
    const id = await company.product({}, 5);
    const open = async () => (await alertsOf(id)).filter((alert) => alert.open).length;
    const seen = [];
    for (const point of [4, 5, 6, null, 7, 2]) {
      await setPoint(company, id, point);
      seen.push(await open());
    }
    expect(seen).toEqual([0, 1, 1, 0, 1, 0]);
    const never = await company.product();
    await act(
      client,
      people.manager,
      `insert into public.stock_levels (product_id, location_id, reorder_point)
       values ($1, $2, 0)`,
      [never, company.location],
    );
    expect(await alertsOf(never)).toMatchObject([{ quantity: 0, point: 0, open: true }]);
  });

  it("counts what is free: promised goods are low like sold ones, in the report as well", async () => {
    const id = await company.product({}, 10);
    await setPoint(company, id, 5);
    const reservation_id = await call(client, people.staff, "reserve_stock", {
      product_id: id,
      location_id: company.location,
      quantity: 8,
      reserved_for: "Order 3",
    });
    expect(await alertsOf(id)).toMatchObject([{ quantity: 2, point: 5, open: true }]);
    const report = "select available::float from public.low_stock_report where product_id = $1";
    expect(await see(company, people.viewer, report, [id])).toEqual([{ available: 2 }]);
    await call(client, people.staff, "release_reservation", { reservation_id });
    expect(await alertsOf(id)).toMatchObject([{ open: false }]);
    expect(await see(company, people.viewer, report, [id])).toEqual([]);
  });

  it("is of no product and no location that is inactive", async () => {
    const id = await company.product({}, 5);
    const open = async () => (await alertsOf(id)).filter((alert) => alert.open).length;
    const active = async (table: string, is: boolean) => {
      const which = table === "products" ? id : company.location;
      const sql = `update public.${table} set active = $2 where id = $1`;
      await act(client, people.manager, sql, [which, is]);
    };
    await setPoint(company, id, 5);
    // A company keeps one location open.
    await openDepot(company);
    const seen = [await open()];
    for (const table of ["products", "locations"]) {
      await active(table, false);
      seen.push(await open());
      await company.move(people.staff, id, "receipt", 5);
      await company.move(people.staff, id, "issue", -5);
      seen.push(await open());
      expect(await failedChecks(client, company.templates)).toEqual([]);
      await active(table, true);
      seen.push(await open());
    }
    expect(seen).toEqual([1, 0, 0, 1, 0, 0, 1]);
  });

  it("is settled with a product that is made inactive at the same moment", async () => {
    const id = await company.product({}, 5);
    await setPoint(company, id, 3);
    const other = await company.server.connectBeside(client);
    await client.query("begin");
    await client.query(
      `insert into public.stock_movements (product_id, location_id, kind, quantity)
       values ($1, $2, 'sale', -3)`,
      [id, company.location],
    );
    const stopping = await startUntilBlocked(client, other, () =>
      act(other, people.manager, "update public.products set active = false where id = $1", [id]),
    );
    await client.query("commit");
    expect(stopping.blocked).toBe(true);
    await stopping.outcome;
    expect(await alertsOf(id)).toMatchObject([{ open: false }]);
    await other.end();
  });

  it("is taken in hand by staff, and the first one stays named", async () => {
    const id = await company.product({}, 5);
    await setPoint(company, id, 5);
    const [alert] = await alertsOf(id);
    const given = { alert_id: alert?.id, note: "Ordered" };
    for (const who of [people.viewer, people.stranger, anon, service]) {
      const acting = call(client, who, "acknowledge_low_stock", given);
      await expect(acting).rejects.toMatchObject({ code: "42501" });
    }
    const at = await call(client, people.staff, "acknowledge_low_stock", given);
    const again = { alert_id: alert?.id };
    expect(await call(client, people.manager, "acknowledge_low_stock", again)).toEqual(at);
    expect(await alertsOf(id)).toMatchObject([
      { acknowledged_by: people.staff.id, note: "Ordered", open: true },
    ]);
    const unknown = call(client, people.staff, "acknowledge_low_stock", { alert_id: randomUUID() });
    await expect(unknown).rejects.toMatchObject({ code: "P0002" });
    for (const sql of [
      "update public.low_stock_alerts set closed_at = now()",
      "delete from public.low_stock_alerts",
    ]) {
      await expect(act(client, people.owner, sql)).rejects.toMatchObject({ code: "42501" });
    }
    expect(await see(company, people.stranger, "select from public.low_stock_alerts")).toEqual([]);
  });

  it("is one, also when two take the last pieces at once", async () => {
    const id = await company.product({}, 5);
    await setPoint(company, id, 3);
    const beside = await company.server.connectBeside(client);
    const issue = `insert into public.stock_movements (product_id, location_id, kind, quantity)
      values ($1, $2, 'issue', -2)`;
    await client.query("begin");
    await client.query(issue, [id, company.location]);
    const observer = await company.server.connectBeside(client);
    const { blocked, outcome } = await startUntilBlocked(observer, beside, () =>
      act(beside, people.staff, issue, [id, company.location]),
    );
    await client.query("commit");
    expect(blocked).toBe(true);
    expect(await outcome).toMatchObject({ status: "fulfilled" });
    expect(await alertsOf(id)).toMatchObject([{ quantity: 3, open: true }]);
    for (const session of [beside, observer]) await session.end();
  });
});
