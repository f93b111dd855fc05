import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { act, anon, call, service } from "./acting.ts";
import { type Company, foundCompany } from "./company.ts";
import { failedChecks } from "./fresh-database.ts";
import { openTill, type Till } from "./till.ts";

let company: Company;
let product: string;
let untaxed: string;
beforeAll(async () => {
  company = await foundCompany();
  product = await company.product({ price: 12, tax_rate: "0.2" }, 100);
  untaxed = await company.product({ price: 5 }, 100);
});
afterAll(() => company?.server.stop());
afterEach(async () => {
  expect(await failedChecks(company.client, company.templates)).toEqual([]);
});

/** Two sales, a refund of a part of the first, and the second one undone. */
async function workDay(till: Till) {
  const lines = [
    { product_id: product, quantity: 2 },
    { product_id: untaxed, quantity: 1, discount: 1 },
  ];
  const first = await till.sell({
    who: company.people.manager,
    lines,
    payments: [
      { method: "card", amount: 8 },
      { method: "cash", amount: 20, tendered: 50 },
    ],
  });
  await till.moveCash(30);
  await till.moveCash(-12, { who: company.people.manager });
  const second = await till.sell({
    lines: [{ product_id: untaxed, quantity: 2 }],
    payments: [{ method: "card", amount: 10 }],
  });
  await till.refund(first.sale_id, { lines: [{ line_number: 1, quantity: 1 }] });
  await till.voidSale(second.sale_id);
}

const takings = {
  currency: "EUR",
  sales: { count: 2, net: 34, tax: 4, total: 38 },
  refunds: { count: 1, net: 10, tax: 2, total: 12 },
  voids: { count: 1, net: 10, tax: 0, total: 10 },
  balance: { net: 14, tax: 2, total: 16 },
  discounts: 1,
  taxes: [
    { rate: 0, sold_net: 14, sold_tax: 0, given_back_net: 10, given_back_tax: 0, net: 4, tax: 0 },
    {
      rate: 0.2,
      sold_net: 20,
      sold_tax: 4,
      given_back_net: 10,
      given_back_tax: 2,
      net: 10,
      tax: 2,
    },
  ],
  payments: [
    { method: "card", received: 18, repaid: 10, balance: 8 },
    { method: "cash", received: 20, repaid: 12, balance: 8 },
  ],
};
const cash = { opening: 100, received: 20, repaid: 12, put_in: 30, taken_out: 12, expected: 126 };

describe("the report at the end of a session", () => {
  it("says what was sold, given back, taxed and paid, and what the till holds", async () => {
    const till = await openTill(company);
    await workDay(till);
    const receipts = {
      register: till.code,
      from: 1,
      to: 4,
      count: 4,
      missing: [],
      gapless: true,
    };
    expect(await till.report()).toMatchObject({
      ...takings,
      register: till.code,
      closed_at: null,
      cash: { ...cash, counted: null, difference: null },
      receipts,
    });
    await till.close(125.5);
    expect(await till.report()).toMatchObject({
      ...takings,
      closed_by: company.people.staff.id,
      cash: { ...cash, counted: 125.5, difference: -0.5 },
      receipts,
    });

    // The next session begins where this one ended.
    const { people, client } = company;
    const opened = { register_id: till.register, opening_cash: 0 };
    const next = (await call(client, people.staff, "open_register", opened)) as string;
    await call(client, people.staff, "complete_sale", {
      client_token: crypto.randomUUID(),
      session_id: next,
      lines: [{ product_id: untaxed, quantity: 1 }],
      payments: [{ method: "cash", amount: 5 }],
    });
    const report = await call(client, people.staff, "end_of_day_report", { session_id: next });
    expect(report).toMatchObject({
      sales: { count: 1, total: 5 },
      receipts: { from: 5, to: 5, gapless: true },
    });
  });

  it("is whole where nothing happened", async () => {
    const till = await openTill(company);
    expect(await till.report()).toMatchObject({
      sales: { count: 0, total: 0 },
      balance: { total: 0 },
      taxes: [],
      payments: [],
      receipts: null,
      cash: { expected: 100 },
    });
  });

  it("names a receipt that is missing", async () => {
    const till = await openTill(company);
    await workDay(till);
    const { client } = company;
    await client.query("begin");
    await client.query("alter table public.receipts disable trigger receipts_refuse_change");
    await client.query("delete from public.receipts where register_id = $1 and number = 2", [
      till.register,
    ]);
    await client.query("set local request.jwt.claims = '{}'");
    await client.query("select set_config('request.jwt.claims', $1, true)", [
      JSON.stringify({ sub: company.people.owner.id }),
    ]);
    const sql = "select public.end_of_day_report($1) -> 'receipts' as receipts";
    const { rows } = await client.query(sql, [till.session]);
    await client.query("rollback");
    expect(rows[0]?.receipts).toMatchObject({ count: 3, missing: [2], gapless: false });
  });

  it("is for staff and above", async () => {
    const till = await openTill(company);
    const { people, client, location } = company;
    for (const who of [people.viewer, people.stranger, anon, service]) {
      await expect(till.report(who)).rejects.toMatchObject({ code: "42501" });
      await expect(
        call(client, who, "location_day_report", { location_id: location }),
      ).rejects.toMatchObject({ code: "42501" });
    }
    for (const who of [people.staff, people.manager, people.owner]) {
      expect(await till.report(who)).toMatchObject({ session_id: till.session });
    }
    await expect(
      call(client, people.staff, "end_of_day_report", { session_id: crypto.randomUUID() }),
    ).rejects.toMatchObject({ code: "P0002" });
  });
});

describe("the report of a location's day", () => {
  it("adds up its tills, and begins and ends with the company's day", async () => {
    const { client, people, one } = company;
    const location = await one<string>(
      "insert into public.locations (code, name) values ('DAY', 'Day') returning id",
    );
    for (const id of [product, untaxed]) {
      await client.query(
        `insert into public.stock_movements (product_id, location_id, kind, quantity)
         values ($1, $2, 'receipt', 100)`,
        [id, location],
      );
    }
    const tills = [await openTill(company, { location }), await openTill(company, { location })];
    for (const till of tills) await workDay(till);
    const report = (day?: string) =>
      call(client, people.staff, "location_day_report", {
        location_id: location,
        ...(day && { day }),
      });
    const today = await one<string>("select timezone('UTC', now())::date::text");
    const both = {
      sales: { count: 4, total: 76 },
      refunds: { count: 2, total: 24 },
      voids: { count: 2, total: 20 },
      balance: { net: 28, tax: 4, total: 32 },
    };
    expect(await report(today)).toMatchObject({
      day: today,
      time_zone: "UTC",
      currencies: [{ currency: "EUR", ...both }],
      sessions: [{ cash: { expected: 126 } }, { cash: { expected: 126 } }],
    });
    const codes = tills.map(({ code }) => code).sort();
    expect(await report(today)).toMatchObject({
      receipts: codes.map((register) => ({ register, from: 1, to: 4, gapless: true })),
    });

    // Noon of today is another day's end on one side of the world, and its beginning on the other.
    await client.query(`
      begin;
      alter table public.sales disable trigger sales_refuse_change;
      update public.sales set sold_at = timestamptz '${today} 12:30+00'
      where session_id = '${tills[0]?.session}';
      update public.sales set sold_at = timestamptz '${today} 11:30+00'
      where session_id = '${tills[1]?.session}';
      alter table public.sales enable trigger sales_refuse_change;
      commit;
    `);
    await act(client, people.owner, "update public.company_settings set time_zone = 'Etc/GMT-12'");
    const tomorrow = await one<string>("select ($1::date + 1)::text", [today]);
    for (const day of [today, tomorrow]) {
      expect(await report(day)).toMatchObject({
        time_zone: "Etc/GMT-12",
        currencies: [{ sales: { count: 2, total: 38 } }],
      });
    }
    await act(client, people.owner, "update public.company_settings set time_zone = 'UTC'");
    expect(await report("2001-01-01")).toMatchObject({
      sessions: [],
      currencies: [],
      receipts: [],
    });
  });
});
