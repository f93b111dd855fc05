import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { act, anon } from "./acting.ts";
import { type Company, foundCompany } from "./company.ts";
import { failedChecks } from "./fresh-database.ts";
import { offer, openTill, type Till } from "./till.ts";

let company: Company;
let till: Till;
beforeAll(async () => {
  company = await foundCompany();
});
afterAll(() => company?.server.stop());
beforeEach(async () => {
  till = await openTill(company);
});
afterEach(async () => {
  expect(await failedChecks(company.client, company.templates)).toEqual([]);
});

const denied = { code: "42501" };
const card = (amount: number | string) => [{ method: "card", amount }];
const hour = (offset: number) => new Date(Date.now() + offset * 3_600_000);
const linesOf = async (saleId: string) =>
  (
    await company.client.query(
      `select discount::text, net_amount::text as net, tax_amount::text as tax, total::text
       from public.sale_lines where sale_id = $1 order by line_number`,
      [saleId],
    )
  ).rows;

describe("discounts", () => {
  it("come off a line, as a rate or an amount, and stand on the receipt", async () => {
    const id = await company.product({ price: "9.99", tax_rate: "0.2" }, 9);
    const third = await offer(company, {
      applies_to: "line",
      rate: "0.333333",
      staff_may_give: true,
    });
    const five = await offer(company, {
      applies_to: "line",
      amount: 5,
      currency: "EUR",
      staff_may_give: true,
    });
    const lines = [
      { product_id: id, quantity: 1, discount_id: third },
      { product_id: id, quantity: 1, discount_id: five },
      { product_id: id, quantity: 1 },
    ];
    const sold = await till.sell({ lines, payments: card("21.64") });
    expect(await linesOf(sold.sale_id)).toEqual([
      { discount: "3.3300", net: "5.5500", tax: "1.1100", total: "6.6600" },
      { discount: "5.0000", net: "4.1600", tax: "0.8300", total: "4.9900" },
      { discount: "0.0000", net: "8.3300", tax: "1.6600", total: "9.9900" },
    ]);
    const receipt = "select document -> 'discounts' from public.receipts where sale_id = $1";
    expect(await company.one(receipt, [sold.sale_id])).toEqual([
      { line_number: 1, name: "Summer", amount: 3.33 },
      { line_number: 2, name: "Summer", amount: 5 },
    ]);
  });

  it("on the whole order are spread to the last cent before the tax", async () => {
    const [a, b] = [
      await company.product({ price: "1", tax_rate: "0.2" }, 9),
      await company.product({ price: "1", tax_rate: "0.1", price_includes_tax: false }, 9),
    ];
    const one = await offer(company, {
      applies_to: "order",
      amount: 1,
      currency: "EUR",
      staff_may_give: true,
    });
    const lines = [a, a, b].map((product_id) => ({ product_id, quantity: 1 }));
    const sold = await till.sell({ lines, discount: one, payments: card("2.07") });
    expect(await linesOf(sold.sale_id)).toEqual([
      { discount: "0.3400", net: "0.5500", tax: "0.1100", total: "0.6600" },
      { discount: "0.3300", net: "0.5600", tax: "0.1100", total: "0.6700" },
      { discount: "0.3300", net: "0.6700", tax: "0.0700", total: "0.7400" },
    ]);
  });

  it("take no more than there is", async () => {
    const id = await company.product({ price: 3 }, 9);
    const facts = { amount: 5, currency: "EUR", staff_may_give: true };
    const [onLine, onOrder] = [
      await offer(company, { ...facts, applies_to: "line" }),
      await offer(company, { ...facts, applies_to: "order" }),
    ];
    const lines = [{ product_id: id, quantity: 1, discount_id: onLine }];
    expect(await till.sell({ lines, payments: [] })).toMatchObject({ total: 0 });
    const both = [...lines, { product_id: id, quantity: 1 }];
    const sold = await till.sell({ lines: both, discount: onOrder, payments: [] });
    const given = "select array_agg(amount::float order by line_number) from public.sale_discounts";
    expect(await company.one(`${given} where sale_id = $1`, [sold.sale_id])).toEqual([3, 3]);
  });

  it.each<[string, Record<string, unknown>, "line" | "order", string]>([
    ["one that is for managers", {}, "line", "42501"],
    ["one that is over", { starts_at: hour(-2), ends_at: hour(-1) }, "line", "P0002"],
    ["one that has not begun", { starts_at: hour(1) }, "order", "P0002"],
    ["one that was ended", { active: false }, "order", "P0002"],
    ["one for whole orders on a line", { applies_to: "order" }, "line", "P0002"],
    ["one for lines on the order", { applies_to: "line" }, "order", "P0002"],
    ["one in another currency", { rate: null, amount: 1, currency: "JPY" }, "line", "P0002"],
  ])("refuse staff %s", async (_, facts, on, code) => {
    const id = await company.product({}, 5);
    const mayGive = Object.keys(facts).length > 0;
    const discount = await offer(company, {
      applies_to: on,
      rate: 0.1,
      staff_may_give: mayGive,
      ...facts,
    });
    const sale = {
      lines: [{ product_id: id, quantity: 1, ...(on === "line" && { discount_id: discount }) }],
      payments: card(9),
      ...(on === "order" && { discount }),
    };
    await expect(till.sell(sale)).rejects.toMatchObject({ code });
    const byManager = till.sell({ ...sale, who: company.people.manager });
    if (code === "42501") expect(await byManager).toMatchObject({ total: 9 });
    else await expect(byManager).rejects.toMatchObject({ code });
  });

  it("by hand stay with managers, and do not add to one on offer", async () => {
    const id = await company.product({}, 5);
    const discount_id = await offer(company, {
      applies_to: "line",
      rate: 0.1,
      staff_may_give: true,
    });
    const line = { product_id: id, quantity: 1, discount: 2 };
    await expect(till.sell({ lines: [line], payments: card(8) })).rejects.toMatchObject(denied);
    const who = company.people.manager;
    const both = till.sell({ who, lines: [{ ...line, discount_id }], payments: card(7) });
    await expect(both).rejects.toMatchObject({ code: "22023" });
    const sold = await till.sell({ who, lines: [line], payments: card(8) });
    const { rows } = await company.client.query(
      "select discount_id, name, amount from public.sale_discounts where sale_id = $1",
      [sold.sale_id],
    );
    expect(rows).toEqual([{ discount_id: null, name: null, amount: "2.0000" }]);
  });

  it("are set up by managers, and one that was given stays", async () => {
    const { client, people } = company;
    const id = await company.product({}, 5);
    const discount = await offer(company, { applies_to: "order", rate: 0.1 });
    await till.sell({
      who: people.manager,
      lines: [{ product_id: id, quantity: 1 }],
      discount,
      payments: card(9),
    });
    const remove = "delete from public.discounts where id = $1";
    await expect(act(client, people.owner, remove, [discount])).rejects.toMatchObject({
      code: "23503",
    });
    const add = `insert into public.discounts (code, name, applies_to, rate)
      values ('${randomUUID().slice(0, 8).toUpperCase()}', 'x', 'line', 0.1)`;
    for (const who of [people.staff, people.viewer, people.stranger, anon]) {
      await expect(act(client, who, add)).rejects.toMatchObject(denied);
      const raise = act(client, who, "update public.discounts set staff_may_give = true");
      if (who === anon) await expect(raise).rejects.toMatchObject(denied);
      else expect((await raise).rowCount).toBe(0);
    }
    for (const facts of [
      { rate: 0.1, amount: 1, currency: "EUR" },
      { rate: 1.1 },
      { rate: "NaN" },
      { amount: 1 },
      { amount: "NaN", currency: "EUR" },
      { rate: 0.1, starts_at: hour(2), ends_at: hour(1) },
    ]) {
      const offering = offer(company, { applies_to: "line", ...facts });
      await expect(offering).rejects.toMatchObject({ code: "23514" });
    }
  });
});

describe("an amount spread over others", () => {
  it("adds up, in whole units, in proportion, and exceeds none of them", async () => {
    const units = fc.integer({ min: 0, max: 10_000_000 });
    const cases = fc.record({
      parts: fc.array(units, { minLength: 1, maxLength: 12 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      decimals: fc.constantFrom(0, 2, 3),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ parts, share, decimals }) => {
        const total = parts.reduce((sum, part) => sum + part, 0);
        const amount = Math.round(total * share);
        const { rows } = await company.client.query<{ spread: string[] }>(
          `select array(select (s * 10::numeric ^ $3::int)::text from unnest(private.spread_amount(
             $1::numeric / 10::numeric ^ $3::int,
             array(select p / 10::numeric ^ $3::int from unnest($2::numeric[]) p),
             1 / 10::numeric ^ $3::int
           )) s) as spread`,
          [amount, parts, decimals],
        );
        const spread = rows[0]?.spread.map(Number) as number[];
        expect(spread.reduce((sum, part) => sum + part, 0)).toBe(amount);
        spread.forEach((part, index) => {
          const over = parts[index] as number;
          expect(Number.isInteger(part) && part >= 0 && part <= over).toBe(true);
          if (total > 0) expect(Math.abs(part - (amount * over) / total)).toBeLessThan(1 + 1e-6);
        });
      }),
      { numRuns: 200 },
    );
  });
});
