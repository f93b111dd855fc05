import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { act } from "./acting.ts";
import { type Company, foundCompany } from "./company.ts";
import { failedChecks } from "./fresh-database.ts";
import { openTill, setLimit, type Till } from "./till.ts";

let company: Company;
let till: Till;
beforeAll(async () => {
  company = await foundCompany();
});
afterAll(() => company?.server.stop());
beforeEach(async () => {
  till = await openTill(company, { cash: 100_000 });
});
afterEach(async () => {
  expect(await failedChecks(company.client, company.templates)).toEqual([]);
});

const one = { lines: [{ line_number: 1, quantity: 1 }] };
const card = (amount: number | string) => [{ method: "card", amount }];

describe("a part of a line", () => {
  it("comes to its share of what was paid, to the cent", async () => {
    const id = await company.product({ price: 1, tax_rate: "0.2" }, 9);
    const lines = [{ product_id: id, quantity: 2 }];
    const sold = await till.sell({ lines, payments: card(2) });
    expect(await till.refund(sold.sale_id, one)).toMatchObject({ total: 1 });
    expect(await till.refund(sold.sale_id, one)).toMatchObject({ total: 1 });
  });

  it("is the share to half a cent in any order of parts, and none is below zero", async () => {
    const goods = new Map<string, string>();
    const cases = fc.record({
      price: fc.integer({ min: 1, max: 400 }),
      rate: fc.constantFrom("0", "0.07", "0.2", "0.5", "0.99"),
      inside: fc.boolean(),
      parts: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 2, maxLength: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ price, rate, inside, parts }) => {
        const key = `${price} ${rate} ${inside}`;
        const facts = { tax_rate: rate, price_includes_tax: inside, track_stock: false };
        const id = goods.get(key) ?? (await company.product({ ...facts, price: price / 100 }));
        goods.set(key, id);
        const sold = parts.reduce((sum, part) => sum + part, 0);
        const lines = [{ product_id: id, quantity: sold }];
        const { total } = await till.quote({ lines });
        const sale = await till.sell({ lines, payments: card(total) });
        let [given, paid] = [0, 0];
        for (const quantity of parts) {
          const part = { lines: [{ line_number: 1, quantity }] };
          const refund = await till.refund(sale.sale_id, part);
          given += quantity;
          paid += Math.round(refund.total * 100);
          // A half, and what numbers of the machine lose on the way.
          expect(Math.abs(paid - (total * 100 * given) / sold)).toBeLessThan(0.5 + 1e-6);
        }
        expect(paid).toBe(Math.round(total * 100));
        const rest = `select s.net_total - sum(r.net_total) || ' ' || s.tax_total - sum(r.tax_total)
          from public.sales s join public.refunds r on r.sale_id = s.id
          where s.id = $1 group by s.id`;
        expect(await company.one(rest, [sale.sale_id])).toMatch(/^0\.0+ 0\.0+$/);
      }),
      { numRuns: 60 },
    );
  });
});

describe("staff without a limit", () => {
  it("refund nothing, not even a sale of nothing", async () => {
    const id = await company.product({ price: 0 }, 9);
    const sold = await till.sell({ lines: [{ product_id: id, quantity: 1 }], payments: [] });
    const { staff } = company.people;
    await expect(till.refund(sold.sale_id, { who: staff })).rejects.toMatchObject({
      code: "42501",
    });
    await setLimit(company, "staff_refund_limit", 1);
    expect(await till.refund(sold.sale_id, { who: staff })).toMatchObject({ total: 0 });
    await setLimit(company, "staff_refund_limit", 0);
  });
});

describe("goods that take no stock any more", () => {
  const change = (sql: string, values: unknown[]) =>
    act(company.client, company.people.manager, sql, values);
  const changes: [string, string, (id: string) => Promise<unknown>][] = [
    [
      "since they became a service",
      "piece",
      (id) => change("update public.products set track_stock = false where id = $1", [id]),
    ],
    [
      "since they got variants",
      "piece",
      (id) =>
        change(
          `insert into public.products (sku, name, currency, parent_id, options)
           values ($1, 'Red rope', 'EUR', $2, '{"colour": "red"}')`,
          [`P-${randomUUID()}`, id],
        ),
    ],
    [
      "since they are counted in whole pieces",
      "kg",
      (id) => change("update public.products set unit_code = 'piece' where id = $1", [id]),
    ],
  ];
  it.each(changes)(
    "are paid back all the same, by refund and by void: %s",
    async (_, unit, then) => {
      const id = await company.product({ unit_code: unit }, 10);
      const quantity = unit === "kg" ? "2.5" : 5;
      const lines = [{ product_id: id, quantity }];
      const total = Number(quantity) * 10;
      const sales = [
        await till.sell({ lines, payments: card(total) }),
        await till.sell({ lines, payments: card(total) }),
      ] as const;
      const left = 10 - 2 * Number(quantity);
      if (left > 0) await company.move(company.people.staff, id, "issue", -left);
      await then(id);
      const answer = { total, not_restocked: [1] };
      expect(await till.refund(sales[0].sale_id)).toMatchObject(answer);
      expect(await till.voidSale(sales[1].sale_id)).toMatchObject(answer);
      expect(await company.stockOf(id)).toBe("0");
    },
  );

  it("are named among those that were meant to stay away, and services are not", async () => {
    const [goods, service] = [
      await company.product({}, 9),
      await company.product({ track_stock: false }),
    ];
    const lines = [goods, goods, service].map((product_id) => ({ product_id, quantity: 1 }));
    const sold = await till.sell({ lines, payments: card(30) });
    const refund = await till.refund(sold.sale_id, {
      lines: [{ line_number: 1 }, { line_number: 2, restock: false }, { line_number: 3 }],
    });
    expect(refund).toMatchObject({ total: 30, not_restocked: [2] });
    expect(await company.stockOf(goods)).toBe("8");
  });
});
