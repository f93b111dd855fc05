import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Company, foundCompany } from "./company.ts";
import { failedChecks } from "./fresh-database.ts";
import { openTill, refundsOf, setLimit, type Till } from "./till.ts";

let company: Company;
let till: Till;
let product: string;
beforeAll(async () => {
  company = await foundCompany();
});
afterAll(() => company?.server.stop());
beforeEach(async () => {
  till = await openTill(company);
  product = await company.product({ price: "10", tax_rate: "0.2" }, 10);
  await setLimit(company, "staff_refund_limit", 0);
});
afterEach(async () => {
  expect(await failedChecks(company.client, company.templates)).toEqual([]);
});

const denied = { code: "42501" };
const tooMuch = { code: "23514", constraint: "refund_lines_not_above_sold" };
const sellThree = (
  payments: { method: string; amount: number }[] = [{ method: "cash", amount: 30 }],
) => till.sell({ lines: [{ product_id: product, quantity: 3 }], payments });
const totals = (saleId: string) => refundsOf(company, saleId);

describe("voids", () => {
  it("undo a whole sale by the payments that it had", async () => {
    const sold = await sellThree([
      { method: "cash", amount: 10 },
      { method: "card", amount: 20 },
    ]);
    const token = randomUUID();
    const undone = await till.voidSale(sold.sale_id, { token });
    expect(undone).toMatchObject({ kind: "void", receipt_number: 2, total: 30 });
    expect(await till.voidSale(sold.sale_id, { token })).toEqual(undone);
    expect(await totals(sold.sale_id)).toEqual([{ kind: "void", net: 25, tax: 5, total: 30 }]);
    expect(await company.stockOf(product)).toBe("10");
    const paid =
      "select method, amount::float from public.refund_payments where refund_id = $1 order by 1";
    expect((await company.client.query(paid, [undone.refund_id])).rows).toEqual([
      { method: "card", amount: 20 },
      { method: "cash", amount: 10 },
    ]);
    await till.close(100);
    const difference = "select difference::float from public.register_sessions where id = $1";
    expect(await company.one(difference, [till.session])).toBe(0);
  });

  it("take a manager, and happen once", async () => {
    const sold = await sellThree();
    await setLimit(company, "staff_refund_limit", 1000);
    const { staff, owner } = company.people;
    await expect(till.voidSale(sold.sale_id, { who: staff })).rejects.toMatchObject(denied);
    await till.voidSale(sold.sale_id, { who: owner });
    await expect(till.voidSale(sold.sale_id)).rejects.toMatchObject({ code: "55000" });
    await expect(till.refund(sold.sale_id)).rejects.toMatchObject(tooMuch);
  });

  it("are refused after a refund, after closing, and on another day of the company", async () => {
    const refused = { code: "55000" };
    const [refunded, yesterday, late] = [await sellThree(), await sellThree(), await sellThree()];
    await till.refund(refunded.sale_id, { lines: [{ line_number: 1, quantity: 1 }] });
    await expect(till.voidSale(refunded.sale_id)).rejects.toMatchObject(refused);

    // Rows never change; for a sale of yesterday the guard is put aside.
    await company.client.query(`
      begin;
      alter table public.sales disable trigger sales_refuse_change;
      update public.sales set sold_at = sold_at - interval '1 day' where id = '${yesterday.sale_id}';
      alter table public.sales enable trigger sales_refuse_change;
      commit;
    `);
    await expect(till.voidSale(yesterday.sale_id)).rejects.toMatchObject(refused);
    await till.close(180);
    await expect(till.voidSale(late.sale_id)).rejects.toMatchObject(refused);
    expect(await totals(late.sale_id)).toEqual([]);
  });

  it("and refunds of one sale exclude each other", async () => {
    const { client, server } = company;
    const sold = await sellThree();
    const other = await openTill(company);
    const [one, two] = [await server.connectBeside(client), await server.connectBeside(client)];
    const outcomes = await Promise.allSettled([
      till.voidSale(sold.sale_id, { by: one }),
      other.refund(sold.sale_id, { by: two }),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await totals(sold.sale_id)).toHaveLength(1);
    expect(await company.stockOf(product)).toBe("10");
    for (const each of [one, two]) await each.end();
  });
});
