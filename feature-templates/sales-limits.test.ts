import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { act, call, startUntilBlocked } from "./acting.ts";
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

const refusedBy = (constraint: string) => ({ code: "23514", constraint });
const card = (amount: number | string) => [{ method: "card", amount }];

describe("a quantity finer than the unit", () => {
  it.each([
    ["goods", { track_stock: true }],
    ["services", { track_stock: false }],
  ])("is neither sold nor given back: %s", async (_, facts) => {
    const id = await company.product({ unit_code: "kg", ...facts });
    if (facts.track_stock) await company.move(company.people.staff, id, "receipt", 9);
    for (const quantity of ["0.0001", "1.0000001"]) {
      const lines = [{ product_id: id, quantity }];
      const tooFine = refusedBy("sale_lines_unit_decimals");
      await expect(till.quote({ lines })).rejects.toMatchObject(tooFine);
      await expect(till.sell({ lines, payments: card(0) })).rejects.toMatchObject(tooFine);
    }
    const lines = [{ product_id: id, quantity: "1.005" }];
    const sold = await till.sell({ lines, payments: card("10.05") });
    for (const quantity of ["0.0005", "0.5000001"]) {
      await expect(
        till.refund(sold.sale_id, { lines: [{ line_number: 1, quantity }] }),
      ).rejects.toMatchObject(refusedBy("refund_lines_unit_decimals"));
    }
    await till.refund(sold.sale_id, { lines: [{ line_number: 1, quantity: "0.505" }] });
    expect(await till.refund(sold.sale_id)).toMatchObject({ total: 5 });
  });
});

describe("a payment that does not exist in the currency", () => {
  it("is refused, at the till and on the way back", async () => {
    const id = await company.product({}, 9);
    const lines = [{ product_id: id, quantity: 1 }];
    const tooFine = refusedBy("payments_smallest_unit");
    const split = [...card("5.005"), ...card("4.995")];
    await expect(till.sell({ lines, payments: split })).rejects.toMatchObject(tooFine);
    const tendered = [{ method: "cash", amount: 10, tendered: "20.00001" }];
    await expect(till.sell({ lines, payments: tendered })).rejects.toMatchObject(tooFine);
    const sold = await till.sell({ lines, payments: card(10) });
    for (const payments of [split, [...card("5.00001"), { method: "cash" }]]) {
      await expect(till.refund(sold.sale_id, { payments })).rejects.toMatchObject(
        refusedBy("refund_payments_smallest_unit"),
      );
    }
    const halves = [...card("4.99"), ...card("5.01")];
    expect(await till.refund(sold.sale_id, { payments: halves })).toMatchObject({ total: 10 });
  });
});

describe("goods for less than the smallest coin", () => {
  it("are not sold for nothing, whereas what is free is", async () => {
    const gram = await company.product({ price: 2, unit_code: "kg" }, 9);
    const lines = [{ product_id: gram, quantity: "0.002" }];
    await expect(till.sell({ lines, payments: [] })).rejects.toMatchObject(
      refusedBy("sale_lines_worth_something"),
    );
    expect(
      await till.sell({ lines: [{ product_id: gram, quantity: "0.003" }], payments: card("0.01") }),
    ).toMatchObject({ total: 0.01 });
    const free = await company.product({ price: 0 }, 9);
    const gift = [{ product_id: free, quantity: 1 }];
    expect(await till.sell({ lines: gift, payments: [] })).toMatchObject({ total: 0 });
  });
});

describe("a fixed discount on lines", () => {
  it("is given once per product and sale, however the product is spread over lines", async () => {
    const [one, two] = [await company.product({}, 9), await company.product({}, 9)];
    const facts = { applies_to: "line", staff_may_give: true };
    const fixed = await offer(company, { ...facts, amount: 4, currency: "EUR" });
    const rate = await offer(company, { ...facts, rate: 0.1 });
    const line = (product_id: string, discount_id: string) => ({
      product_id,
      quantity: 1,
      discount_id,
    });
    const twice = [line(one, fixed), line(one, fixed)];
    await expect(till.sell({ lines: twice, payments: card(12) })).rejects.toMatchObject({
      code: "22023",
    });
    const lines = [line(one, fixed), line(two, fixed), line(one, rate), line(one, rate)];
    expect(await till.sell({ lines, payments: card(30) })).toMatchObject({ total: 30 });
  });
});

describe("cash", () => {
  it("is never so much that a session could not be closed", async () => {
    const { client, people } = company;
    await expect(till.moveCash("1000000000")).rejects.toMatchObject(
      refusedBy("cash_movements_amount_bounded"),
    );
    const id = await company.product({ price: "1000000000", track_stock: false });
    const lines = [{ product_id: id, quantity: 1 }];
    const bounded = refusedBy("payments_cash_bounded");
    for (const payments of [
      [{ method: "cash", amount: "1000000000" }],
      [{ method: "cash", amount: 1, tendered: "1000000000" }, ...card("999999999")],
    ]) {
      await expect(till.sell({ lines, payments })).rejects.toMatchObject(bounded);
    }
    await till.sell({ lines, payments: card("1000000000") });
    await till.close(100);
    const open = { register_id: till.register, opening_cash: "1000000000" };
    await expect(call(client, people.staff, "open_register", open)).rejects.toMatchObject({
      code: "22023",
    });
  });
});

describe("a token that two tills send at once", () => {
  it("is answered to the second as one that was used", async () => {
    const { client, server } = company;
    const other = await openTill(company);
    const id = await company.product({}, 9);
    const sold = await till.sell({
      lines: [{ product_id: id, quantity: 2 }],
      payments: card(20),
    });
    const part = { lines: [{ line_number: 1, quantity: 1 }], payments: card(10) };
    const sale = { lines: [{ product_id: id, quantity: 1 }], payments: card(10) };
    const acts = {
      sale: (at: Till, token: string, by: Company["client"]) => at.sell({ ...sale, token, by }),
      refund: (at: Till, token: string, by: Company["client"]) =>
        at.refund(sold.sale_id, { ...part, token, by }),
    };
    for (const [kind, run] of Object.entries(acts)) {
      const [first, second] = [
        await server.connectBeside(client),
        await server.connectBeside(client),
      ];
      // The stock is held, so that the first till stands still with its row written.
      const holder = await server.connectBeside(client);
      await holder.query("begin");
      await holder.query("select from public.stock_levels where product_id = $1 for update", [id]);
      const token = randomUUID();
      const one = await startUntilBlocked<unknown>(client, first, () => run(till, token, first));
      const two = await startUntilBlocked<unknown>(client, second, () => run(other, token, second));
      expect([one.blocked, two.blocked]).toEqual([true, true]);
      await holder.query("commit");
      expect(await one.outcome).toMatchObject({ status: "fulfilled" });
      expect(await two.outcome).toMatchObject({
        status: "rejected",
        reason: { code: "23505", message: `The token ${token} was used for another ${kind}` },
      });
      for (const each of [first, second, holder]) await each.end();
    }
  });

  it("moves cash once", async () => {
    const { client, people, server } = company;
    const [other, token] = [await openTill(company), randomUUID()];
    const beside = await server.connectBeside(client);
    const move = `insert into public.cash_movements (client_token, session_id, currency, amount, reason)
      values ($1, $2, 'EUR', 5, 'Change')`;
    // Another till is half-way through its act.
    const first = await server.connectBeside(client);
    await first.query("begin");
    await first.query(move, [token, other.session]);
    const two = await startUntilBlocked(client, beside, () =>
      act(beside, people.staff, "select public.move_cash($1, $2, 5, 'Change')", [
        token,
        till.session,
      ]),
    );
    expect(two.blocked).toBe(true);
    await first.query("commit");
    expect(await two.outcome).toMatchObject({
      status: "rejected",
      reason: { code: "23505", message: `The token ${token} was used for another movement` },
    });
    for (const each of [first, beside]) await each.end();
  });
});
