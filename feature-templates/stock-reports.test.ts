import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { act, anon, call, type People } from "./acting.ts";
import { type Company, foundCompany } from "./company.ts";
import { failedChecks } from "./fresh-database.ts";
import { openDepot, receive, see, setPoint } from "./stock-acts.ts";

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

describe("the low-stock report", () => {
  const reportOf = (productId: string) =>
    see(
      company,
      people.viewer,
      `select quantity::float, available::float, suggested_quantity::float as suggested,
         supplier_name as supplier, supplier_sku, cost::float, currency, lead_time_days as days
       from public.low_stock_report where product_id = $1`,
      [productId],
    );

  it("says how much to order, and from whom", async () => {
    const id = await company.product({}, 20);
    await setPoint(company, id, 10, 6);
    expect(await reportOf(id)).toEqual([]);
    await company.move(people.staff, id, "issue", -12);
    const nobody = { supplier: null, supplier_sku: null, cost: null, currency: null, days: null };
    expect(await reportOf(id)).toEqual([{ quantity: 8, available: 8, suggested: 6, ...nobody }]);

    await call(client, people.staff, "reserve_stock", {
      product_id: id,
      location_id: company.location,
      quantity: 4,
      reserved_for: "Order 9",
    });
    const insert = `with s as (
        insert into public.suppliers (code, name) values ($2, $2) returning id
      )
      insert into public.product_suppliers
        (product_id, supplier_id, supplier_sku, cost, currency, lead_time_days, preferred)
      select $1, s.id, 'R-1', 3, 'EUR', 5, $3 from s`;
    await act(client, people.manager, insert, [id, "OTHER", false]);
    await act(client, people.manager, insert, [id, "BEST", true]);
    const best = { supplier: "BEST", supplier_sku: "R-1", cost: 3, currency: "EUR", days: 5 };
    expect(await reportOf(id)).toEqual([{ quantity: 8, available: 4, suggested: 12, ...best }]);
    // Lots are chosen so that what is free ends above the reorder point; without lots, just above.
    await setPoint(company, id, 10, null);
    expect(await reportOf(id)).toMatchObject([{ suggested: 7 }]);
    await setPoint(company, id, 8, 4);
    expect(await reportOf(id)).toMatchObject([{ suggested: 8 }]);
    expect(await see(company, people.stranger, "select from public.low_stock_report")).toEqual([]);
  });
});

describe("the movement report", () => {
  const report = async (who = people.viewer, ...values: unknown[]) =>
    (
      await see(
        company,
        who,
        `select product_id, location_id, opening::float, receipts::float, returns::float,
           transfers_in::float, issues::float, sales::float, transfers_out::float,
           adjustments::float, counts::float, incoming::float, outgoing::float, closing::float
         from public.movement_report($1, $2, $3, $4)`,
        values,
      )
    ).map(({ product_id, location_id, ...numbers }) => ({
      at: [product_id, location_id],
      moved: Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== 0)),
    }));
  const at = (productId: string, day: string, kind: string, quantity: number) =>
    client.query(
      `insert into public.stock_movements (product_id, location_id, kind, quantity, occurred_at)
       values ($1, $2, $3, $4, $5)`,
      [productId, company.location, kind, quantity, day],
    );

  it("leads from opening to closing by kind, in the company's days", async () => {
    await client.query("update public.company_settings set time_zone = 'Asia/Tokyo'");
    const id = await company.product();
    // In Tokyo the day begins at 15:00 UTC of the day before.
    await at(id, "2026-02-28T14:59:59Z", "receipt", 10);
    await at(id, "2026-02-28T15:00:00Z", "receipt", 7);
    await at(id, "2026-03-05T00:00:00Z", "sale", -2);
    await at(id, "2026-03-06T00:00:00Z", "return", 1);
    await at(id, "2026-03-07T00:00:00Z", "issue", -3);
    await at(id, "2026-03-08T00:00:00Z", "adjustment", -1);
    await at(id, "2026-03-09T00:00:00Z", "count", 2);
    await at(id, "2026-03-31T14:59:59Z", "issue", -1);
    await at(id, "2026-03-31T15:00:00Z", "issue", -4);
    const depot = await openDepot(company);
    await call(client, people.staff, "transfer_stock", {
      transfer_id: randomUUID(),
      product_id: id,
      from_location_id: company.location,
      to_location_id: depot,
      quantity: 2,
    });

    const here = [id, company.location];
    expect(await report(people.viewer, "2026-03-01", "2026-03-31", null, id)).toEqual([
      {
        at: here,
        moved: {
          opening: 10,
          receipts: 7,
          returns: 1,
          issues: -4,
          sales: -2,
          adjustments: -1,
          counts: 2,
          incoming: 10,
          outgoing: -7,
          closing: 13,
        },
      },
    ]);
    expect(await report(people.viewer, "2026-02-01", "2026-02-28", null, id)).toEqual([
      { at: here, moved: { receipts: 10, incoming: 10, closing: 10 } },
    ]);
    expect(await report(people.viewer, "2026-04-01", "2100-01-01", depot, null)).toEqual([
      { at: [id, depot], moved: { transfers_in: 2, incoming: 2, closing: 2 } },
    ]);
    expect(await report(people.viewer, "2026-04-01", "2100-01-01", company.location, id)).toEqual([
      {
        at: here,
        moved: { opening: 13, issues: -4, transfers_out: -2, outgoing: -6, closing: 7 },
      },
    ]);
    await client.query("update public.company_settings set time_zone = 'UTC'");
  });

  it("is of all products at once, adds up, and is nothing to a stranger", async () => {
    const id = await company.product();
    await receive(company, id, 5, 2);
    for (const issued of [1, 2, 3]) {
      await company.move(people.staff, await company.product({}, 6), "issue", -issued);
    }
    const all = await report(people.viewer, "2000-01-01", "2100-01-01", null, null);
    expect(all.length).toBeGreaterThan(5);
    const levels = await see(
      company,
      people.viewer,
      "select product_id, location_id, quantity::float as closing from public.stock_levels where quantity <> 0",
    );
    for (const { product_id, location_id, closing } of levels) {
      const row = all.find(({ at: [p, l] }) => p === product_id && l === location_id);
      expect(row?.moved).toMatchObject({ closing });
      expect((row?.moved.incoming as number) + Number(row?.moved.outgoing ?? 0)).toBe(closing);
    }
    const everything = ["2000-01-01", "2100-01-01", null, null];
    expect(await report(people.stranger, ...everything)).toEqual([]);
    await expect(report(anon as never, ...everything)).rejects.toMatchObject({ code: "42501" });
    expect(await report(people.viewer, "2026-03-02", "2026-03-01", null, null)).toEqual([]);
  });
});
