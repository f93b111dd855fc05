import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Actor, act, anon, call, service, startUntilBlocked } from "./acting.ts";
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
const closed = { code: "55000" };

/** A new order of the staff; answers its id and number. */
async function park(label = "Table 5", location = company.location) {
  const { rows } = await act<{ id: string; number: string }>(
    company.client,
    company.people.staff,
    "insert into public.orders (location_id, label) values ($1, $2) returning id, number",
    [location, label],
  );
  return rows[0] as { id: string; number: string };
}

const addLine = (
  order: string,
  product: string,
  quantity: number,
  who?: Actor,
  by?: Company["client"],
) =>
  act(
    by ?? company.client,
    who ?? company.people.staff,
    "insert into public.order_lines (order_id, product_id, quantity) values ($1, $2, $3)",
    [order, product, quantity],
  );

const card = (amount: number) => [{ method: "card", amount }];

describe("orders", () => {
  it("are parked, edited and sold, and then point at their sale", async () => {
    const { client, people } = company;
    const [soup, bread] = [await company.product({}, 9), await company.product({ price: 3 }, 9)];
    const { id, number } = await park();
    await addLine(id, soup, 2);
    await addLine(id, bread, 1);
    await act(
      client,
      people.staff,
      "update public.order_lines set quantity = 3 where product_id = $1",
      [bread],
    );
    await act(client, people.staff, "update public.orders set note = 'No salt' where id = $1", [
      id,
    ]);
    expect(await till.quote({ order: id })).toMatchObject({ total: 29 });
    expect(await company.stockOf(soup)).toBe("9");

    const sold = await till.sell({ order: id, payments: card(29) });
    expect(await company.stockOf(soup)).toBe("7");
    const { rows } = await act(client, people.viewer, "select * from public.orders where id = $1", [
      id,
    ]);
    expect(rows).toMatchObject([
      { number, status: "completed", sale_id: sold.sale_id, closed_by: people.staff.id },
    ]);
    const lines = "select quantity from public.sale_lines where sale_id = $1 order by line_number";
    expect((await client.query(lines, [sold.sale_id])).rows).toEqual([
      { quantity: "2.000000" },
      { quantity: "3.000000" },
    ]);
  });

  it("are numbered per location, without a gap for those that failed", async () => {
    const { client, people } = company;
    const elsewhere = await company.one(
      "insert into public.locations (code, name) values ($1, 'Elsewhere') returning id",
      [randomUUID().slice(0, 12).toUpperCase()],
    );
    const numbers = [(await park("A", elsewhere)).number];
    await expect(park("", elsewhere)).rejects.toMatchObject({ code: "23514" });
    await expect(
      act(client, people.viewer, "insert into public.orders (location_id) values ($1)", [
        elsewhere,
      ]),
    ).rejects.toMatchObject(denied);
    for (const label of ["B", "C"]) numbers.push((await park(label, elsewhere)).number);
    expect(numbers).toEqual(["1", "2", "3"]);
  });

  it("are sold once, even by two tills at the same moment", async () => {
    const { client, server } = company;
    const product = await company.product({}, 9);
    const { id } = await park();
    await addLine(id, product, 1);
    const other = await openTill(company);
    const [first, second] = [
      await server.connectBeside(client),
      await server.connectBeside(client),
    ];
    // The stock is held, so that the first till stands still in the middle of its sale.
    const holder = await server.connectBeside(client);
    await holder.query("begin");
    await holder.query("select from public.stock_levels where product_id = $1 for update", [
      product,
    ]);
    const one = await startUntilBlocked(client, first, () =>
      till.sell({ order: id, payments: card(10), by: first }),
    );
    const two = await startUntilBlocked(client, second, () =>
      other.sell({ order: id, payments: card(10), by: second }),
    );
    expect([one.blocked, two.blocked]).toEqual([true, true]);
    await holder.query("commit");
    expect(await one.outcome).toMatchObject({ status: "fulfilled" });
    expect(await two.outcome).toMatchObject({ status: "rejected", reason: closed });
    expect(await company.stockOf(product)).toBe("8");
    for (const each of [first, second, holder]) await each.end();
  });

  it("take no line while they are being sold", async () => {
    const { client, server } = company;
    const product = await company.product({}, 9);
    const { id } = await park();
    await addLine(id, product, 1);
    const [seller, waiter] = [
      await server.connectBeside(client),
      await server.connectBeside(client),
    ];
    const holder = await server.connectBeside(client);
    await holder.query("begin");
    await holder.query("select from public.stock_levels where product_id = $1 for update", [
      product,
    ]);
    const sale = await startUntilBlocked(client, seller, () =>
      till.sell({ order: id, payments: card(10), by: seller }),
    );
    const line = await startUntilBlocked(client, waiter, () =>
      addLine(id, product, 5, undefined, waiter),
    );
    expect(line.blocked).toBe(true);
    await holder.query("commit");
    expect(await sale.outcome).toMatchObject({ status: "fulfilled" });
    expect(await line.outcome).toMatchObject({ status: "rejected", reason: closed });
    for (const each of [seller, waiter, holder]) await each.end();
  });

  it("stay as they are once completed or cancelled", async () => {
    const { client, people } = company;
    const product = await company.product({}, 9);
    const [sold, dropped] = [await park(), await park()];
    for (const { id } of [sold, dropped]) await addLine(id, product, 1);
    await till.sell({ order: sold.id, payments: card(10) });
    await call(client, people.staff, "cancel_order", { order_id: dropped.id });
    for (const { id } of [sold, dropped]) {
      for (const sql of [
        "update public.orders set label = 'x' where id = $1",
        "update public.order_lines set quantity = 2 where order_id = $1",
        "delete from public.order_lines where order_id = $1",
      ]) {
        for (const who of [people.owner, service]) {
          await expect(act(client, who, sql, [id])).rejects.toMatchObject(closed);
        }
      }
      await expect(addLine(id, product, 1)).rejects.toMatchObject(closed);
      await expect(till.sell({ order: id, payments: card(10) })).rejects.toMatchObject(closed);
      await expect(
        call(client, people.staff, "cancel_order", { order_id: id }),
      ).rejects.toMatchObject(closed);
    }
    expect(await company.stockOf(product)).toBe("8");
  });

  it("answer the same token with the same sale, and the refused sale leaves them open", async () => {
    const product = await company.product({}, 1);
    const { id } = await park();
    await addLine(id, product, 2);
    await expect(till.sell({ order: id, payments: card(20) })).rejects.toMatchObject({
      code: "23514",
    });
    await company.move(company.people.staff, product, "receipt", 1);
    const token = randomUUID();
    const sold = await till.sell({ order: id, payments: card(20), token });
    expect(await till.sell({ order: id, payments: card(20), token })).toEqual(sold);
    const other = { lines: [{ product_id: product, quantity: 2 }], payments: card(20), token };
    await expect(till.sell(other)).rejects.toMatchObject({ code: "23505" });
  });

  it("are sold with other lines where the till sends some, and with their discount", async () => {
    const product = await company.product({}, 9);
    const { id } = await park();
    await addLine(id, product, 1);
    const discount = await offer(company, { applies_to: "order", rate: 0.5, staff_may_give: true });
    await act(
      company.client,
      company.people.staff,
      "update public.orders set discount_id = $2 where id = $1",
      [id, discount],
    );
    const lines = [{ product_id: product, quantity: 4 }];
    expect(await till.sell({ order: id, lines, payments: card(20) })).toMatchObject({ total: 20 });
    expect(await company.stockOf(product)).toBe("5");
  });

  it.each<[string, () => Promise<unknown>, string]>([
    ["one that does not exist", () => till.sell({ order: randomUUID(), payments: [] }), "P0002"],
    [
      "one without lines",
      async () => till.sell({ order: (await park()).id, payments: [] }),
      "22023",
    ],
    [
      "one of another location",
      async () => {
        const elsewhere = await company.one(
          "insert into public.locations (code, name) values ($1, 'Elsewhere') returning id",
          [randomUUID().slice(0, 12).toUpperCase()],
        );
        return till.sell({ order: (await park("X", elsewhere)).id, payments: [] });
      },
      "22023",
    ],
  ])("refuse to be sold: %s", async (_, sell, code) => {
    await expect(sell()).rejects.toMatchObject({ code });
  });

  it("are for staff and above; none deletes one, nor writes what functions write", async () => {
    const { client, people } = company;
    const product = await company.product({}, 9);
    const { id } = await park();
    await addLine(id, product, 1);
    for (const who of [people.viewer, people.stranger, anon]) {
      await expect(addLine(id, product, 1, who)).rejects.toMatchObject(denied);
      await expect(call(client, who, "cancel_order", { order_id: id })).rejects.toMatchObject(
        denied,
      );
      await expect(till.sell({ who, order: id, payments: card(10) })).rejects.toMatchObject(denied);
      await expect(till.quote({ who, order: id })).rejects.toMatchObject(denied);
      const edit = act(client, who, "update public.order_lines set quantity = 9");
      if (who === anon) await expect(edit).rejects.toMatchObject(denied);
      else expect((await edit).rowCount).toBe(0);
    }
    expect((await act(client, people.stranger, "select from public.orders")).rowCount).toBe(0);
    for (const who of [people.owner, service]) {
      for (const sql of [
        "delete from public.orders",
        "update public.orders set status = 'completed'",
        "update public.orders set number = 7",
        "insert into public.orders (location_id, number) select id, 99 from public.locations",
      ]) {
        await expect(act(client, who, sql)).rejects.toMatchObject(denied);
      }
    }
  });
});
