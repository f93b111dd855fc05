import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { act } from "./acting.ts";
import { type Company, foundCompany } from "./company.ts";
import { failedChecks } from "./fresh-database.ts";
import { offer, openTill, type Till } from "./till.ts";

let company: Company;
beforeAll(async () => {
  company = await foundCompany();
});
afterAll(() => company?.server.stop());

const rates = ["0", "0.055", "0.1", "0.2", "0.077"];
const prices = ["1", "7.77", "0.335", "19", "100.5"];
/** Products of one currency, one per tax rate and with tax inside or on top. */
interface Shelf {
  till: Till;
  products: string[];
  lineDiscount: string;
  orderRate: string;
  orderAmount: string;
}

async function stockShelf(currency: string): Promise<Shelf> {
  const { client, people } = company;
  await act(client, people.owner, "update public.company_settings set currency = $1", [currency]);
  const goods = rates.flatMap((tax_rate, index) =>
    [true, false].map((price_includes_tax) => ({
      tax_rate,
      price_includes_tax,
      unit_code: "kg",
      allow_oversell: true,
      price: prices[index],
    })),
  );
  const products: string[] = [];
  for (const facts of goods) products.push(await company.product(facts));
  const facts = { staff_may_give: true };
  return {
    till: await openTill(company, { cash: 10_000_000 }),
    products,
    lineDiscount: await offer(company, { ...facts, applies_to: "line", rate: "0.15" }),
    orderRate: await offer(company, { ...facts, applies_to: "order", rate: "0.123457" }),
    orderAmount: await offer(company, { ...facts, applies_to: "order", amount: 7, currency }),
  };
}

const requests = fc.record({
  lines: fc.array(
    fc.record({
      product: fc.integer({ min: 0, max: 9 }),
      grams: fc.integer({ min: 1, max: 25_000 }),
      discounted: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  discount: fc.constantFrom(undefined, "orderRate" as const, "orderAmount" as const),
  cashShare: fc.double({ min: 0, max: 1, noNaN: true }),
  /** In which order of thousandths the first line comes back. */
  parts: fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 3 }),
});

describe.each([
  ["EUR", 2],
  ["JPY", 0],
  ["KWD", 3],
])("amounts in %s", (currency, decimals) => {
  it("add up wherever they are written: sale, lines, payments, receipt, refunds", async () => {
    const shelf = await stockShelf(currency);
    const unit = 10 ** decimals;
    const inUnits = (amount: unknown) => {
      const units = Number((Number(amount) * unit).toFixed(6));
      expect([amount, Number.isInteger(units)]).toEqual([amount, true]);
      return units;
    };
    const sum = (rows: Record<string, unknown>[], column: string) =>
      rows.reduce((total, row) => total + inUnits(row[column]), 0);

    await fc.assert(
      fc.asyncProperty(requests, async ({ lines: asked, discount, cashShare, parts }) => {
        // Less than what the smallest coin buys is not sold.
        const lines = asked.map((line) => {
          const price = Number(prices[Math.floor(line.product / 2)]);
          return { ...line, grams: Math.max(line.grams, Math.ceil(1000 / (price * unit))) };
        });
        const sale = {
          lines: lines.map(({ product, grams, discounted }) => ({
            product_id: shelf.products[product] as string,
            quantity: String(grams / 1000),
            ...(discounted && { discount_id: shelf.lineDiscount }),
          })),
          ...(discount && { discount: shelf[discount] }),
        };
        const due = inUnits((await shelf.till.quote(sale)).total);
        const cash = Math.round(due * cashShare);
        const payments = [
          { method: "cash", amount: cash / unit, tendered: (cash + 5) / unit },
          { method: "card", amount: (due - cash) / unit },
        ].filter(({ amount }) => amount > 0);
        const sold = await shelf.till.sell({ ...sale, payments });

        const rowsOf = async (sql: string, id = sold.sale_id) =>
          (await company.client.query(sql, [id])).rows;
        const items = await rowsOf("select * from public.sale_lines where sale_id = $1 order by 2");
        const [total] = await rowsOf("select * from public.sales where id = $1");
        const [receipt] = await rowsOf("select document from public.receipts where sale_id = $1");
        const paid = await rowsOf("select * from public.payments where sale_id = $1");
        const { taxes } = receipt.document;
        for (const [ours, column] of [
          [taxes, "total"],
          [items, "total"],
          [paid, "amount"],
        ] as const) {
          expect(sum(ours, column)).toBe(due);
        }
        expect(inUnits(total.total)).toBe(due);
        expect(sum(taxes, "net")).toBe(inUnits(total.net_total));
        expect(sum(taxes, "tax")).toBe(inUnits(total.tax_total));
        for (const item of items) {
          const rate = Number(item.tax_rate);
          const base = Number(item.price_includes_tax ? item.total : item.net_amount);
          const tax = item.price_includes_tax ? base - base / (1 + rate) : base * rate;
          expect(Math.abs(Number(item.tax_amount) - tax)).toBeLessThanOrEqual(0.5 / unit + 1e-9);
          const gross = inUnits(base) + inUnits(item.discount);
          const price = Number(item.quantity) * Number(item.unit_price) * unit;
          expect(Math.abs(gross - price)).toBeLessThanOrEqual(0.5 + 1e-6);
        }

        // Some of the first line comes back in parts, then whatever is left of the sale.
        const whole = lines[0]?.grams as number;
        let left = whole;
        for (const part of parts.map((share) => Math.ceil((share * whole) / 1000))) {
          if (part >= left) break;
          left -= part;
          await shelf.till.refund(sold.sale_id, {
            lines: [{ line_number: 1, quantity: String(part / 1000) }],
          });
        }
        await shelf.till.refund(sold.sale_id);
        const back = await rowsOf("select * from public.refunds where sale_id = $1");
        for (const column of ["net_total", "tax_total", "total"]) {
          expect(sum(back, column)).toBe(inUnits(total[column]));
        }
        for (const { id } of back) {
          const [slip] = await rowsOf(
            "select document from public.receipts where refund_id = $1",
            id,
          );
          expect(sum(slip.document.taxes, "total")).toBe(inUnits(slip.document.total));
          expect(sum(slip.document.payments, "amount")).toBe(inUnits(slip.document.total));
        }
      }),
      { numRuns: 60 },
    );
    expect(await failedChecks(company.client, company.templates)).toEqual([]);
  });
});
