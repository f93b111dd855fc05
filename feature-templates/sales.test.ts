import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Actor, act, call, type People, service, startUntilBlocked } from "./acting.ts";
import { type Company, foundCompany } from "./company.ts";
import { failedChecks } from "./fresh-database.ts";

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

describe("sales", () => {
  let register: string;
  let session: string;
  beforeEach(async () => {
    ({ register, session } = await openTill());
  });

  interface Sold {
    sale_id: string;
    receipt_number: number;
    total: number;
  }

  /** A new register with an open session. */
  async function openTill() {
    const code = randomUUID().slice(0, 18).toUpperCase();
    const till = await company.one(
      "insert into public.registers (location_id, code, name) values ($1, $2, 'Till') returning id",
      [company.location, code],
    );
    const opened = { register_id: till, opening_cash: 100 };
    const opening = await call(client, people.staff, "open_register", opened);
    return { register: till, session: opening as string };
  }

  async function sell(
    who: Actor,
    lines: object[],
    payments: object[],
    { token = randomUUID() as string, at = session, by = client } = {},
  ): Promise<Sold> {
    const sale = { client_token: token, session_id: at, lines, payments };
    return (await call(by, who, "complete_sale", sale)) as Sold;
  }

  it("sells once per token, moves stock, and numbers receipts without gaps", async () => {
    const id = await company.product({ price: "12.00", tax_rate: "0.2" }, 10);
    const lines = [{ product_id: id, quantity: 2 }];
    const payments = [
      { method: "card", amount: 14 },
      { method: "cash", amount: 10, tendered: 20 },
    ];
    const token = randomUUID();
    const first = await sell(people.staff, lines, payments, { token });
    expect(first).toMatchObject({ receipt_number: 1, total: 24 });
    expect(await sell(people.staff, lines, payments, { token })).toEqual(first);
    expect(await company.stockOf(id)).toBe("8");
    await expect(
      sell(people.staff, [{ product_id: id, quantity: 1 }], payments, { token }),
    ).rejects.toMatchObject({ code: "23505" });

    const { rows } = await act(client, people.viewer, "select * from public.sales where id = $1", [
      first.sale_id,
    ]);
    expect(rows).toMatchObject([
      { net_total: "20.0000", tax_total: "4.0000", total: "24.0000", sold_by: people.staff.id },
    ]);
    expect(
      await company.one("select document from public.receipts where sale_id = $1", [first.sale_id]),
    ).toMatchObject({
      number: 1,
      company: "My company",
      lines: [{ quantity: 2 }],
      payments: [{ method: "card" }, { change_given: 10 }],
    });

    // A refused sale uses no number and leaves nothing behind.
    await expect(sell(people.staff, lines, [])).rejects.toMatchObject({ code: "23514" });
    expect(await company.stockOf(id)).toBe("8");
    expect((await sell(people.staff, lines, payments)).receipt_number).toBe(2);
  });

  it("works out tax on top where prices are without it, in the currency's units", async () => {
    const id = await company.product(
      { price: "0.3333", price_includes_tax: false, tax_rate: "0.19", unit_code: "kg" },
      9,
    );
    const sold = await sell(
      people.staff,
      [{ product_id: id, quantity: "2.5" }],
      [{ method: "card", amount: "0.99" }],
    );
    const { rows } = await client.query(
      "select net_total, tax_total from public.sales where id = $1",
      [sold.sale_id],
    );
    expect(rows).toEqual([{ net_total: "0.8300", tax_total: "0.1600" }]);
  });

  it.each<[string, (id: string) => [object[], object[]], string]>([
    [
      "more than there is",
      (id) => [[{ product_id: id, quantity: 6 }], [{ method: "card", amount: 60 }]],
      "23514",
    ],
    [
      "a price of one's own",
      (id) => [[{ product_id: id, quantity: 1, unit_price: 1 }], [{ method: "card", amount: 1 }]],
      "42501",
    ],
    [
      "a discount of one's own",
      (id) => [[{ product_id: id, quantity: 1, discount: 9 }], [{ method: "card", amount: 1 }]],
      "42501",
    ],
    [
      "too little money",
      (id) => [[{ product_id: id, quantity: 1 }], [{ method: "cash", amount: 9 }]],
      "23514",
    ],
    [
      "change for a card",
      (id) => [[{ product_id: id, quantity: 1 }], [{ method: "card", amount: 10, tendered: 20 }]],
      "23514",
    ],
    [
      "money that is no number",
      (id) => [[{ product_id: id, quantity: 1 }], [{ method: "cash", amount: "NaN" }]],
      "23514",
    ],
    [
      "a negative payment",
      (id) => [
        [{ product_id: id, quantity: 1 }],
        [
          { method: "cash", amount: 20 },
          { method: "card", amount: -10 },
        ],
      ],
      "23514",
    ],
    ["a quantity that is no number", (id) => [[{ product_id: id, quantity: "NaN" }], []], "22023"],
    ["a negative quantity", (id) => [[{ product_id: id, quantity: -1 }], []], "22023"],
    ["no lines", () => [[], []], "22023"],
    ["an unknown product", () => [[{ product_id: randomUUID(), quantity: 1 }], []], "P0002"],
  ])("refuses staff %s, whole", async (_, request, code) => {
    const id = await company.product({}, 5);
    await expect(sell(people.staff, ...request(id))).rejects.toMatchObject({ code });
    expect(await company.stockOf(id)).toBe("5");
    expect(
      await company.one("select count(*) from public.sales where session_id = $1", [session]),
    ).toBe("0");
  });

  it("lets a manager set prices, but nobody below staff sell, nor anyone write sales", async () => {
    const id = await company.product({}, 5);
    const lines = [{ product_id: id, quantity: 1, unit_price: 8, discount: 1 }];
    const payments = [{ method: "cash", amount: 7 }];
    expect(await sell(people.manager, lines, payments)).toMatchObject({ total: 7 });
    for (const who of [people.viewer, people.stranger, service]) {
      await expect(sell(who, lines, payments)).rejects.toMatchObject({ code: "42501" });
    }
    for (const who of [people.owner, service]) {
      for (const sql of [
        "update public.sales set total = 0",
        "delete from public.payments",
        "insert into public.receipts (register_id, number, sale_id, document) select register_id, number + 1, sale_id, document from public.receipts",
        "update public.registers set last_receipt_number = 0",
      ]) {
        await expect(act(client, who, sql)).rejects.toMatchObject({ code: "42501" });
      }
    }
    await expect(client.query("delete from public.sale_lines")).rejects.toMatchObject({
      code: "23001",
    });
  });

  it("closes a session with a count, after which it answers only what was sold", async () => {
    const id = await company.product({}, 5);
    const lines = [{ product_id: id, quantity: 1 }];
    const token = randomUUID();
    const payments = [{ method: "cash", amount: 10, tendered: 50 }];
    const sold = await sell(people.staff, lines, payments, { token });
    const open = { register_id: register, opening_cash: 0 };
    await expect(call(client, people.staff, "open_register", open)).rejects.toMatchObject({
      code: "55000",
    });
    const close = { session_id: session, counted_cash: 108 };
    await call(client, people.staff, "close_register", close);
    const { rows } = await client.query(
      "select expected_cash, difference, closed_by from public.register_sessions where id = $1",
      [session],
    );
    expect(rows).toEqual([
      { expected_cash: "110.0000", difference: "-2.0000", closed_by: people.staff.id },
    ]);
    expect(await sell(people.staff, lines, payments, { token })).toEqual(sold);
    for (const again of [
      () => sell(people.staff, lines, payments),
      () => call(client, people.staff, "close_register", close),
    ]) {
      await expect(again()).rejects.toMatchObject({ code: "55000" });
    }
    await call(client, people.staff, "open_register", open);
  });

  it("locks stock in one order, so that two tills cannot wait for each other", async () => {
    const ids = [await company.product({}, 9), await company.product({}, 9)].sort();
    const [first, second] = ids as [string, string];
    const [holder, till] = [
      await company.server.connectBeside(client),
      await company.server.connectBeside(client),
    ];
    const lock = "select from public.stock_levels where product_id = $1 for update nowait";
    await holder.query("begin");
    await holder.query(lock, [first]);
    const lines = [second, first].map((id) => ({ product_id: id, quantity: 1 }));
    const payments = [{ method: "card", amount: 20 }];
    const { blocked, outcome } = await startUntilBlocked(client, till, () =>
      sell(people.staff, lines, payments, { by: till }),
    );
    expect(blocked).toBe(true);
    // The sale waits for the first product, and must not hold the second one meanwhile.
    await holder.query(lock, [second]);
    await holder.query("commit");
    expect(await outcome).toMatchObject({ status: "fulfilled" });
    for (const each of [holder, till]) await each.end();
  });

  it("neither oversells nor breaks the numbers when many sell at once", async () => {
    const [scarce, plenty] = [await company.product({}, 25), await company.product({}, 1000)];
    const lines = [scarce, plenty].map((id) => ({ product_id: id, quantity: 1 }));
    const payments = [{ method: "card", amount: 20 }];
    const tills = [session, (await openTill()).session];
    const clients = await Promise.all(
      Array.from({ length: 6 }, () => company.server.connectBeside(client)),
    );
    const shared = randomUUID();
    // All send one sale under the same token, then each five of its own, at two tills and with
    // the lines in either order.
    const outcomes = await Promise.allSettled(
      clients.map(async (by, index) => {
        await sell(people.staff, lines, payments, { token: shared, by });
        const own = index % 3 === 0 ? lines : lines.toReversed();
        const at = tills[index % 2] as string;
        for (let n = 0; n < 5; n += 1) await sell(people.staff, own, payments, { at, by });
      }),
    );
    for (const each of clients) await each.end();
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") expect(outcome.reason.message).toMatch(/Not enough stock/);
    }
    expect(await company.stockOf(scarce)).toBe("0");
    expect(await company.stockOf(plenty)).toBe("975");
    const { rows } = await client.query(
      `select array_agg(r.number::int order by r.number) as numbers, count(*)::int
       from public.receipts r join public.sales s on s.id = r.sale_id
       where s.session_id = any ($1) group by r.register_id`,
      [tills],
    );
    expect(rows).toHaveLength(2);
    expect(rows.reduce((sum, row) => sum + row.count, 0)).toBe(25);
    for (const { numbers, count } of rows) {
      expect(numbers).toEqual(Array.from({ length: count }, (_, index) => index + 1));
    }
  });
});
