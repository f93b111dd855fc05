import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { act, anon, service } from "./acting.ts";
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
const cash = (amount: number) => [{ method: "cash", amount }];
const sellThree = (payments: { method: string; amount: number }[] = cash(30)) =>
  till.sell({ lines: [{ product_id: product, quantity: 3 }], payments });
const totals = (saleId: string) => refundsOf(company, saleId);

describe("refunds", () => {
  it("give back parts of a line, the last one the remainder, with receipts in one series", async () => {
    const { client, people } = company;
    const price = "3.3333";
    const odd = await company.product({ price, tax_rate: "0.19" }, 10);
    const lines = [{ product_id: odd, quantity: 3 }];
    const sold = await till.sell({ lines, payments: cash(10) });
    const part = { lines: [{ line_number: 1, quantity: 1 }] };
    const first = await till.refund(sold.sale_id, part);
    expect(first).toMatchObject({ kind: "refund", receipt_number: 2, total: 3.33 });
    expect((await till.sell({ lines, payments: cash(10) })).receipt_number).toBe(3);
    await till.refund(sold.sale_id, part);
    expect(await till.refund(sold.sale_id)).toMatchObject({ receipt_number: 5 });
    expect(await totals(sold.sale_id)).toEqual([
      { kind: "refund", net: 2.8, tax: 0.53, total: 3.33 },
      { kind: "refund", net: 2.8, tax: 0.54, total: 3.34 },
      { kind: "refund", net: 2.8, tax: 0.53, total: 3.33 },
    ]);
    await expect(till.refund(sold.sale_id)).rejects.toMatchObject(tooMuch);

    const receipt = "select document from public.receipts where refund_id = $1";
    const { rows } = await act(client, people.viewer, receipt, [first.refund_id]);
    expect(rows[0]?.document).toMatchObject({
      kind: "refund",
      number: 2,
      sale: { register: till.code, number: 1 },
      reason: "Does not fit",
      total: 3.33,
      lines: [{ line_number: 1, quantity: 1, total: 3.33 }],
      taxes: [{ rate: 0.19, net: 2.8, tax: 0.53, total: 3.33 }],
      payments: [{ method: "cash", amount: 3.33 }],
    });
  });

  it("put goods back into stock, unless they are not fit for it or never came from there", async () => {
    const { client } = company;
    const service = await company.product({ track_stock: false });
    const lines = [
      { product_id: product, quantity: 3 },
      { product_id: service, quantity: 1 },
    ];
    const sold = await till.sell({ lines, payments: cash(40) });
    expect(await company.stockOf(product)).toBe("7");
    await till.refund(sold.sale_id, { lines: [{ line_number: 1, quantity: 1, restock: false }] });
    expect(await company.stockOf(product)).toBe("7");
    const rest = await till.refund(sold.sale_id);
    expect(await company.stockOf(product)).toBe("9");
    const moved = "select kind, quantity::float from public.stock_movements where source_id = $1";
    expect((await client.query(moved, [rest.refund_id])).rows).toEqual([
      { kind: "return", quantity: 2 },
    ]);
    const restocked = "select restocked from public.refund_lines where refund_id = $1 order by 1";
    expect((await client.query(restocked, [rest.refund_id])).rows).toEqual([
      { restocked: false },
      { restocked: true },
    ]);
  });

  it("happen once per token, even after the session was closed", async () => {
    const sold = await sellThree();
    const token = randomUUID();
    const part = { token, lines: [{ line_number: 1, quantity: 1 }] };
    const first = await till.refund(sold.sale_id, part);
    await till.close(120);
    expect(await till.refund(sold.sale_id, part)).toEqual(first);
    await expect(till.refund(sold.sale_id, { token })).rejects.toMatchObject({ code: "23505" });
    await expect(till.refund(sold.sale_id)).rejects.toMatchObject({ code: "55000" });
    expect(await totals(sold.sale_id)).toHaveLength(1);
  });

  it("come out of the cash of the till that pays, which must have it", async () => {
    const sold = await sellThree();
    const other = await openTill(company, { cash: 20 });
    const short = { code: "23514", constraint: "register_sessions_cash_not_negative" };
    await expect(other.refund(sold.sale_id)).rejects.toMatchObject(short);
    await other.refund(sold.sale_id, { lines: [{ line_number: 1, quantity: 2 }] });
    await other.close(0);
    await till.close(130);
    const expected = "select expected_cash::float from public.register_sessions where id = $1";
    expect(await company.one(expected, [other.session])).toBe(0);
    expect(await company.one(expected, [till.session])).toBe(130);
  });

  it("never exceed what was sold, however many tills race for it", async () => {
    const { client, server } = company;
    const lines = [{ product_id: product, quantity: 7 }];
    const sold = await till.sell({ lines, payments: cash(70) });
    const tills = [till, await openTill(company), await openTill(company)];
    const clients = await Promise.all(
      Array.from({ length: 12 }, () => server.connectBeside(client)),
    );
    const part = { lines: [{ line_number: 1, quantity: 1 }] };
    const token = randomUUID();
    // Each gives back one at its till, and then one more; four of them send the same one at once.
    const outcomes = await Promise.all(
      clients.map(async (by, index) => {
        const at = tills[index % 3] as Till;
        const own = await Promise.allSettled([at.refund(sold.sale_id, { ...part, by })]);
        const shared = index < 4 && { token };
        const again = till.refund(sold.sale_id, { ...part, by, ...shared });
        return [...own, ...(await Promise.allSettled([again]))];
      }),
    );
    for (const each of clients) await each.end();
    for (const outcome of outcomes.flat()) {
      if (outcome.status === "rejected") expect(outcome.reason).toMatchObject(tooMuch);
    }
    const paid = await totals(sold.sale_id);
    expect(paid).toHaveLength(7);
    expect(paid.reduce((sum, { total }) => sum + total, 0)).toBe(70);
    expect(await company.stockOf(product)).toBe("10");
  });

  it.each<[string, object, string]>([
    ["more than was sold", { lines: [{ line_number: 1, quantity: 4 }] }, "23514"],
    ["a line that is not there", { lines: [{ line_number: 2, quantity: 1 }] }, "P0002"],
    ["a line without a number", { lines: [{ quantity: 1 }] }, "P0002"],
    ["nothing of a line", { lines: [{ line_number: 1, quantity: 0 }] }, "23514"],
    ["less than nothing", { lines: [{ line_number: 1, quantity: -1 }] }, "23514"],
    ["what is no number", { lines: [{ line_number: 1, quantity: "NaN" }] }, "23514"],
    [
      "a line twice",
      {
        lines: [
          { line_number: 1, quantity: 1 },
          { line_number: 1, quantity: 1 },
        ],
      },
      "22023",
    ],
    ["no lines", { lines: [] }, "22023"],
    ["too little money", { payments: cash(29) }, "23514"],
    [
      "money in both directions",
      {
        payments: [
          { method: "card", amount: 40 },
          { method: "cash", amount: -10 },
        ],
      },
      "23514",
    ],
    [
      "two payments that both get the rest",
      { payments: [{ method: "cash" }, { method: "card" }] },
      "23514",
    ],
    ["an unknown way to pay", { payments: [{ method: "gold" }] }, "23514"],
  ])("are refused, whole, for %s", async (_, request, code) => {
    const sold = await sellThree();
    await expect(till.refund(sold.sale_id, request)).rejects.toMatchObject({ code });
    expect(await totals(sold.sale_id)).toEqual([]);
    expect(await company.stockOf(product)).toBe("7");
    await expect(till.refund(randomUUID(), request)).rejects.toMatchObject({ code: "P0002" });
  });

  it("take a manager, or staff within their limit for the sale and the ways it was paid", async () => {
    const who = company.people.staff;
    const one = { who, lines: [{ line_number: 1, quantity: 1 }] };
    const sold = await sellThree([
      { method: "cash", amount: 5 },
      { method: "card", amount: 25 },
    ]);
    const byCard = { ...one, payments: [{ method: "card" }] };
    await expect(till.refund(sold.sale_id, byCard)).rejects.toMatchObject(denied);
    await setLimit(company, "staff_refund_limit", 20);
    await expect(till.refund(sold.sale_id, one)).rejects.toMatchObject(denied);
    await till.refund(sold.sale_id, byCard);
    const split = [{ method: "cash", amount: 5 }, { method: "card" }];
    await till.refund(sold.sale_id, { ...one, payments: split });
    await expect(till.refund(sold.sale_id, byCard)).rejects.toMatchObject(denied);
    await till.refund(sold.sale_id);
    expect(await totals(sold.sale_id)).toHaveLength(3);
  });

  it("show to members alone, and are written by functions alone", async () => {
    const { client, people } = company;
    const sold = await sellThree();
    await till.refund(sold.sale_id, { lines: [{ line_number: 1, quantity: 1 }] });
    for (const who of [people.viewer, people.stranger, anon, service]) {
      await expect(till.refund(sold.sale_id, { who })).rejects.toMatchObject(denied);
      await expect(till.voidSale(sold.sale_id, { who })).rejects.toMatchObject(denied);
    }
    for (const table of ["refunds", "refund_lines", "refund_payments"]) {
      const read = `select from public.${table}`;
      expect((await act(client, people.viewer, read)).rowCount).toBeGreaterThan(0);
      expect((await act(client, people.stranger, read)).rowCount).toBe(0);
      await expect(act(client, anon, read)).rejects.toMatchObject(denied);
      for (const who of [people.owner, service]) {
        for (const sql of [
          `delete from public.${table}`,
          `insert into public.${table} select * from public.${table}`,
        ]) {
          await expect(act(client, who, sql)).rejects.toMatchObject(denied);
        }
      }
      await expect(client.query(`delete from public.${table}`)).rejects.toMatchObject({
        code: "23001",
      });
    }
    await expect(
      client.query(
        "insert into public.receipts (register_id, number, document) values ($1, 99, '{}')",
        [till.register],
      ),
    ).rejects.toMatchObject({ code: "23514", constraint: "receipts_for_one_act" });
  });
});
