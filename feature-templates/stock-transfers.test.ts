import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Actor, act, anon, call, type People, service } from "./acting.ts";
import { type Company, foundCompany } from "./company.ts";
import { failedChecks } from "./fresh-database.ts";
import { openDepot, receive, see } from "./stock-acts.ts";

let company: Company;
let client: pg.Client;
let people: People;
let depot: string;
beforeAll(async () => {
  company = await foundCompany();
  ({ client, people } = company);
});
beforeEach(async () => {
  depot = await openDepot(company);
});
afterAll(() => company?.server.stop());

// Whatever happened, the books must be right.
afterEach(async () => {
  expect(await failedChecks(client, company.templates)).toEqual([]);
});

const outsiders = () => [people.viewer, people.stranger, anon, service];
const denied = { code: "42501" };
const closed = { code: "55000" };

describe("a transfer", () => {
  const draft = async (
    lines: object[],
    { id = randomUUID() as string, by = people.staff as Actor } = {},
  ) => {
    await call(client, by, "save_transfer", {
      transfer_id: id,
      from_location_id: company.location,
      to_location_id: depot,
      lines,
    });
    return id;
  };
  const send = (id: string, by: Actor = people.staff, session = client) =>
    call(session, by, "send_transfer", { transfer_id: id });
  const arrive = (id: string, received?: object[], by: Actor = people.staff) =>
    call(client, by, "receive_transfer", { transfer_id: id, ...(received ? { received } : {}) });
  const cancel = (id: string, by: Actor = people.staff) =>
    call(client, by, "cancel_transfer", { transfer_id: id });
  const stocks = async (id: string) => [
    Number(await company.stockOf(id)),
    Number((await company.stockOf(id, depot)) ?? 0),
  ];

  it("leaves at sending and arrives at receipt, numbered and with its differences", async () => {
    const rope = await company.product({}, 10);
    const sail = await company.product({}, 5);
    const id = await draft([{ product_id: rope, quantity: 1 }]);
    await draft(
      [
        { product_id: rope, quantity: 4 },
        { product_id: sail, quantity: 2 },
      ],
      { id },
    );
    expect(await stocks(rope)).toEqual([10, 0]);
    const number = Number(await send(id));
    expect(Number(await send(id))).toBe(number);
    expect(await stocks(rope)).toEqual([6, 0]);
    const transit = "select quantity::float from public.stock_in_transit where product_id = $1";
    expect(await see(company, people.viewer, transit, [rope])).toEqual([{ quantity: 4 }]);
    await expect(draft([], { id })).rejects.toMatchObject({ code: "22023" });
    await expect(draft([{ product_id: rope, quantity: 1 }], { id })).rejects.toMatchObject(closed);

    expect(Number(await arrive(id, [{ product_id: rope, quantity: 3 }]))).toBe(number);
    expect(Number(await arrive(id))).toBe(number);
    expect([await stocks(rope), await stocks(sail)]).toEqual([
      [6, 3],
      [3, 2],
    ]);
    expect(await see(company, people.viewer, transit, [rope])).toEqual([]);
    const lines = `select received_quantity::float as received, difference::float
      from public.transfer_lines where transfer_id = $1 order by difference`;
    expect(await see(company, people.viewer, lines, [id])).toEqual([
      { received: 3, difference: -1 },
      { received: 2, difference: 0 },
    ]);
    await expect(cancel(id, people.manager)).rejects.toMatchObject(closed);
  });

  it("comes back when a manager cancels it under way; a draft just ends", async () => {
    const rope = await company.product({}, 10);
    const lines = [{ product_id: rope, quantity: 4 }];
    const sent = await draft(lines);
    await send(sent);
    await expect(cancel(sent)).rejects.toMatchObject(denied);
    await cancel(sent, people.manager);
    await cancel(sent, people.manager);
    expect(await stocks(rope)).toEqual([10, 0]);
    await expect(arrive(sent)).rejects.toMatchObject(closed);

    const unsent = await draft(lines);
    await expect(arrive(unsent)).rejects.toMatchObject(closed);
    await cancel(unsent);
    await expect(send(unsent)).rejects.toMatchObject(closed);
    expect(await stocks(rope)).toEqual([10, 0]);
  });

  it("leaves whole or not at all, and a number that it did not take is the next one's", async () => {
    const rope = await company.product({}, 10);
    const sail = await company.product({}, 1);
    const tooMuch = await draft([
      { product_id: rope, quantity: 4 },
      { product_id: sail, quantity: 2 },
    ]);
    const first = Number(await send(await draft([{ product_id: rope, quantity: 1 }])));
    await expect(send(tooMuch)).rejects.toMatchObject({ code: "23514" });
    expect(await stocks(rope)).toEqual([9, 0]);
    const second = Number(await send(await draft([{ product_id: rope, quantity: 1 }])));
    expect(second).toBe(first + 1);
  });

  it.each([
    ["a quantity of nothing", [{ quantity: 0 }], "23514"],
    ["a quantity that is no number", [{ quantity: "NaN" }], "23514"],
    ["half a piece", [{ quantity: 0.5 }], "23514"],
    ["no quantity", [{}], "23502"],
    ["a product twice", [{ quantity: 1 }, { quantity: 2 }], "23505"],
    ["no lines", [], "22023"],
  ])("is refused with %s", async (_, lines, code) => {
    const rope = await company.product({}, 10);
    const saving = draft(lines.map((line) => ({ product_id: rope, ...line })));
    await expect(saving).rejects.toMatchObject({ code });
  });

  it("is received only as what was sent", async () => {
    const rope = await company.product({}, 10);
    const id = await draft([{ product_id: rope, quantity: 2 }]);
    await send(id);
    const other = await company.product();
    for (const received of [
      [{ product_id: other, quantity: 1 }],
      [{ product_id: rope }],
      [
        { product_id: rope, quantity: 1 },
        { product_id: rope, quantity: 1 },
      ],
    ]) {
      await expect(arrive(id, received)).rejects.toMatchObject({ code: "22023" });
    }
    const negative = arrive(id, [{ product_id: rope, quantity: -1 }]);
    await expect(negative).rejects.toMatchObject({ code: "23514" });
    await arrive(id, [{ product_id: rope, quantity: 0 }]);
    expect(await stocks(rope)).toEqual([8, 0]);
  });

  it("leaves its differences in the ledger, and only a manager receives more than was sent", async () => {
    const [rope, sail] = [await company.product(), await company.product()];
    for (const product of [rope, sail]) await receive(company, product, 10, 5);
    const id = await draft([
      { product_id: rope, quantity: 10 },
      { product_id: sail, quantity: 4 },
    ]);
    const number = await send(id);
    const received = [
      { product_id: rope, quantity: 7 },
      { product_id: sail, quantity: 5 },
    ];
    await expect(arrive(id, received)).rejects.toMatchObject(denied);
    expect(await stocks(rope)).toEqual([0, 0]);
    await arrive(id, received, people.manager);
    expect([await stocks(rope), await stocks(sail)]).toEqual([
      [0, 7],
      [6, 5],
    ]);
    const ledger = `select m.kind::text, m.quantity::float, m.note, l.difference::float
      from public.transfer_lines l join public.stock_movements m on m.source_id = l.id
      where l.transfer_id = $1 and l.product_id = $2 order by m.id`;
    const of = async (product: string) => see(company, people.viewer, ledger, [id, product]);
    const note = `Transfer ${number} arrived with 7`;
    expect(await of(rope)).toEqual([
      { kind: "transfer_out", quantity: -10, note: null, difference: -3 },
      { kind: "transfer_in", quantity: 10, note: null, difference: -3 },
      { kind: "adjustment", quantity: -3, note, difference: -3 },
    ]);
    expect((await of(sail)).map(({ quantity }) => quantity)).toEqual([-4, 4, 1]);
  });

  it("is sent in opposite directions at once without a deadlock, numbers without gaps", async () => {
    const products = [await company.product(), await company.product()];
    const places = [depot, await openDepot(company)];
    for (const product of products) {
      for (const at of places) await receive(company, product, 30, null, { at });
    }
    const sessions = await Promise.all(
      Array.from({ length: 6 }, () => company.server.connectBeside(client)),
    );
    const numbers: number[][] = [[], []];
    await Promise.all(
      sessions.map(async (session, index) => {
        const side = index % 2;
        for (let turn = 0; turn < 5; turn += 1) {
          const lines = products.map((product_id) => ({ product_id, quantity: 1 }));
          const id = randomUUID();
          await call(session, people.staff, "save_transfer", {
            transfer_id: id,
            from_location_id: places[side],
            to_location_id: places[1 - side],
            lines: turn % 2 ? lines : lines.reverse(),
          });
          numbers[side]?.push(Number(await send(id, people.staff, session)));
          await call(session, people.staff, "receive_transfer", { transfer_id: id });
        }
      }),
    );
    for (const session of sessions) await session.end();
    for (const taken of numbers) {
      expect(taken.sort((a, b) => a - b)).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
    }
    for (const product of products) expect(await company.stockOf(product, depot)).toBe("30");
  });

  it("is for staff to make, for viewers to see, and for nobody to write past the functions", async () => {
    const rope = await company.product({}, 10);
    const lines = [{ product_id: rope, quantity: 1 }];
    const id = await draft(lines);
    for (const by of outsiders()) {
      await expect(draft(lines, { by })).rejects.toMatchObject(denied);
      await expect(send(id, by)).rejects.toMatchObject(denied);
      await expect(arrive(id, undefined, by)).rejects.toMatchObject(denied);
      await expect(cancel(id, by)).rejects.toMatchObject(denied);
    }
    for (const sql of [
      "update public.transfers set status = 'received'",
      "update public.transfer_lines set quantity = 99",
      "delete from public.transfers",
      "delete from public.transfer_lines",
    ]) {
      for (const who of [people.owner, people.manager, service]) {
        await expect(act(client, who, sql)).rejects.toMatchObject(denied);
      }
    }
    const sql = "select from public.transfer_lines where transfer_id = $1";
    expect(await see(company, people.viewer, sql, [id])).toHaveLength(1);
    expect(await see(company, people.stranger, sql, [id])).toHaveLength(0);
  });
});
