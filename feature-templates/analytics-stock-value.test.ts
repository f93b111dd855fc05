import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { call } from "./acting.ts";
import { openShop, type Shop } from "./analytics-shop.ts";
import { failedChecks } from "./fresh-database.ts";

let shop: Shop;
let company: Shop["company"];
beforeAll(async () => {
  shop = await openShop();
  company = shop.company;
});
afterAll(() => shop?.server.stop());
afterEach(async () => {
  const templates = shop.templates.filter(({ name }) => name === "analytics");
  expect(await failedChecks(shop.client, templates)).toEqual([]);
});

describe("the value of stock", () => {
  it("is today's valuation, and at the end of a day that is over what it was then", async () => {
    const { client } = company;
    const stockValue = (day: string) =>
      shop.one(
        `select value::float from public.compare_periods('stock_value', ($1)::date, ($1)::date)`,
        [day],
      );
    const days = await shop.rows<{ today: string; before: string }>(
      "select (now() at time zone 'UTC')::date::text as today, ((now() at time zone 'UTC')::date - 1)::text as before",
    );
    const { today, before } = days[0] as { today: string; before: string };
    await shop.refresh();
    const valuation = () =>
      shop.one("select sum(value)::float from public.stock_valuation where currency = 'EUR'");
    const earlier = Number(await valuation());
    expect(await stockValue(today)).toBeCloseTo(earlier, 4);

    // Goods that came yesterday and were sold today.
    const product = await company.product();
    await client.query(
      `insert into public.stock_movements (product_id, location_id, kind, quantity, unit_cost,
         currency, created_at)
       values ($1, $2, 'receipt', 10, 6, 'EUR', now() - interval '1 day')`,
      [product, shop.tills[0]?.location],
    );
    await client.query(
      "insert into public.kpi_changes (source, at) values ('inventory', now() - interval '1 day')",
    );
    await company.move(company.people.staff, product, "issue", -3);
    await shop.refresh();
    expect(await stockValue(today)).toBeCloseTo(earlier + 42, 3);
    // All the rest was recorded today.
    expect(await stockValue(before)).toBeCloseTo(60, 1);
  });
});

describe("the value of stock, whatever happens", () => {
  const today = () => shop.one("select (now() at time zone 'UTC')::date::text");
  const value = async (location: string | null = null) =>
    Number((await shop.valuesOn(await today(), location)).stock_value ?? 0);

  it("holds what is under way in the company's, and in no location's", async () => {
    const { people, client } = company;
    const [from, to] = shop.tills.map(({ location }) => location) as [string, string];
    const product = await shop.stocked(3);
    await shop.refresh();
    const before = { all: await value(), from: await value(from), to: await value(to) };
    const transfer = randomUUID();
    await call(client, people.staff, "save_transfer", {
      transfer_id: transfer,
      from_location_id: from,
      to_location_id: to,
      lines: [{ product_id: product, quantity: 10 }],
    });
    await call(client, people.staff, "send_transfer", { transfer_id: transfer });
    await shop.refresh();
    expect(await value()).toBeCloseTo(before.all, 4);
    expect(await value(from)).toBeCloseTo(before.from - 30, 4);
    expect(await value(to)).toBeCloseTo(before.to, 4);
    // The whole of it is lost on the way.
    await call(client, people.staff, "receive_transfer", {
      transfer_id: transfer,
      received: [{ product_id: product, quantity: 0 }],
    });
    await shop.refresh();
    expect(await value()).toBeCloseTo(before.all - 30, 4);
  });

  it("follows what a manager says that stock costs, from that day on", async () => {
    const product = await shop.stocked(3);
    const location = shop.tills[0]?.location ?? "";
    await shop.refresh();
    const before = await value();
    const yesterday = () =>
      shop.one(`select sum(value)::float from private.compute_stock_value(
        array[(now() at time zone 'UTC')::date - 1]) where location_id is null`);
    const past = Number(await yesterday());
    const held = Number(await company.stockOf(product, location));
    await call(company.client, company.people.manager, "revalue_stock", {
      product_id: product,
      location_id: location,
      average_cost: 5,
      note: "The invoice said five",
    });
    await shop.refresh();
    expect(await value()).toBeCloseTo(before + 2 * held, 4);
    expect(Number(await yesterday())).toBeCloseTo(past, 4);
  });

  it("is a figure although somebody scanned a barcode as the cost", async () => {
    const { people, client } = company;
    const product = await company.product();
    await client.query(
      `insert into public.stock_movements (product_id, location_id, kind, quantity, unit_cost, currency)
       values ($1, $2, 'receipt', 500, 4006381333931, 'EUR')`,
      [product, shop.tills[0]?.location],
    );
    await client.query(
      "insert into public.kpi_changes (source, at) values ('inventory', now() - interval '1 day')",
    );
    expect(await shop.refresh()).toBe(2);
    expect(await value()).toBe(99999999999999);
    await company.move(people.manager, product, "adjustment", -500);
    expect(await shop.refresh()).toBe(1);
    expect(await value()).toBeLessThan(1e6);
  });
});
