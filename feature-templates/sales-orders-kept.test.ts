import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Actor, act, call } from "./acting.ts";
import { type Company, foundCompany } from "./company.ts";
import { failedChecks } from "./fresh-database.ts";
import { openTill, type Till } from "./till.ts";

let company: Company;
let till: Till;
let product: string;
beforeAll(async () => {
  company = await foundCompany();
});
afterAll(() => company?.server.stop());
beforeEach(async () => {
  till = await openTill(company);
  product = await company.product({}, 10);
});
afterEach(async () => {
  expect(await failedChecks(company.client, company.templates)).toEqual([]);
});

const denied = { code: "42501" };
const card = (amount: number) => [{ method: "card", amount }];
const park = (facts: Record<string, unknown> = {}, who: Actor = company.people.staff) => {
  const columns = { location_id: company.location, ...facts };
  const names = Object.keys(columns);
  return act<{ id: string; number: string }>(
    company.client,
    who,
    `insert into public.orders (${names.join(", ")})
     values (${names.map((_, index) => `$${index + 1}`).join(", ")}) returning id, number`,
    Object.values(columns),
  );
};
const addLine = async (order: string, facts: Record<string, unknown> = {}) => {
  const columns = { order_id: order, product_id: product, quantity: 2, ...facts };
  const names = Object.keys(columns);
  const { rows } = await act<{ id: string }>(
    company.client,
    company.people.staff,
    `insert into public.order_lines (${names.join(", ")})
     values (${names.map((_, index) => `$${index + 1}`).join(", ")}) returning id`,
    Object.values(columns),
  );
  return rows[0]?.id as string;
};
const newOrder = async (facts = {}) =>
  (await park(facts)).rows[0] as { id: string; number: string };

describe("who may not park an order", () => {
  it("locks no counter, and learns nothing of what there is", async () => {
    const { client, people, server } = company;
    await newOrder();
    // Somebody is half-way through parking one.
    const holder = await server.connectBeside(client);
    await holder.query("begin");
    await holder.query("select private.next_document_number($1, 'order')", [company.location]);
    for (const who of [people.viewer, people.stranger]) {
      for (const location_id of [company.location, randomUUID()]) {
        await client.query("set lock_timeout = '2s'");
        await expect(park({ location_id }, who)).rejects.toMatchObject({
          ...denied,
          message: "This needs the role staff or above",
        });
      }
    }
    await client.query("reset lock_timeout");
    await holder.query("rollback");
    await holder.end();
  });
});

describe("an order", () => {
  it("is parked once per token, and a repetition takes no number", async () => {
    const token = randomUUID();
    const first = await newOrder({ client_token: token });
    const used = { code: "23505", constraint: "orders_client_token_key" };
    await expect(park({ client_token: token })).rejects.toMatchObject(used);
    const skipping = act(
      company.client,
      company.people.staff,
      `insert into public.orders (location_id, client_token) values ($1, $2)
       on conflict (client_token) do nothing`,
      [company.location, token],
    );
    await expect(skipping).rejects.toMatchObject(used);
    expect(Number((await newOrder()).number)).toBe(Number(first.number) + 1);
  });

  it("remembers who changed it, and who took lines back", async () => {
    const { client, people } = company;
    const { id } = await newOrder();
    const line = await addLine(id);
    await act(client, people.staff, "update public.orders set note = 'x' where id = $1", [id]);
    const less = "update public.order_lines set quantity = 1 where id = $1";
    await act(client, people.staff, less, [line]);
    await act(client, people.manager, "delete from public.order_lines where id = $1", [line]);
    const { rows } = await client.query(
      `select table_name, action, changed_columns, actor_id from public.activity_log
       where row_id in ($1, $2) order by id`,
      [id, line],
    );
    const byStaff = { action: "update", actor_id: people.staff.id };
    expect(rows).toEqual([
      { ...byStaff, table_name: "orders", changed_columns: ["note"] },
      { ...byStaff, table_name: "order_lines", changed_columns: ["quantity"] },
      {
        table_name: "order_lines",
        action: "delete",
        changed_columns: [],
        actor_id: people.manager.id,
      },
    ]);
  });

  it("tells what became of its sale", async () => {
    const { client, people } = company;
    const orders = [await newOrder(), await newOrder(), await newOrder()] as const;
    const sales: string[] = [];
    for (const { id } of orders) {
      await addLine(id);
      sales.push((await till.sell({ order: id, payments: card(20) })).sale_id);
    }
    await till.voidSale(sales[0] as string);
    const part = { lines: [{ line_number: 1, quantity: 1 }], payments: card(10) };
    await till.refund(sales[1] as string, part);
    const sql = `select given_back::float, voided_at is not null as voided, status
      from public.order_outcomes where order_id = any ($1) order by number`;
    const ids = [orders.map(({ id }) => id)];
    expect((await act(client, people.viewer, sql, ids)).rows).toEqual([
      { given_back: 20, voided: true, status: "completed" },
      { given_back: 10, voided: false, status: "completed" },
      { given_back: null, voided: false, status: "completed" },
    ]);
    expect((await act(client, people.stranger, sql, ids)).rowCount).toBe(0);
  });
});

describe("stock that is reserved for a customer", () => {
  const reserve = (quantity: number) =>
    call(company.client, company.people.staff, "reserve_stock", {
      product_id: product,
      location_id: company.location,
      quantity,
      reserved_for: "Ada",
    }) as Promise<string>;
  const state = (id: string) =>
    company.one(
      `select r.status || ' ' || trim_scale(s.reserved) from public.reservations r
       join public.stock_levels s using (product_id, location_id) where r.id = $1`,
      [id],
    );

  it("is sold to that customer alone, and the reservation ends with the sale", async () => {
    const id = await reserve(9);
    const line = { product_id: product, quantity: 9 };
    await expect(till.sell({ lines: [line], payments: card(90) })).rejects.toMatchObject({
      constraint: "stock_levels_keep_reserved",
    });
    const lines = [{ ...line, reservation_id: id }];
    await expect(till.sell({ lines, payments: card(1) })).rejects.toMatchObject({ code: "23514" });
    expect(await state(id)).toBe("open 9");
    const token = randomUUID();
    const sold = await till.sell({ lines, payments: card(90), token });
    expect(await till.sell({ lines, payments: card(90), token })).toEqual(sold);
    expect(await state(id)).toBe("fulfilled 0");
    expect(await company.stockOf(product)).toBe("1");
    await expect(till.sell({ lines, payments: card(90) })).rejects.toMatchObject({ code: "55000" });
  });

  it("is sold with the order whose line names it, with more of the same", async () => {
    const reservation_id = await reserve(6);
    const { id } = await newOrder();
    await addLine(id, { quantity: 7, reservation_id });
    await till.sell({ order: id, payments: card(70) });
    expect(await state(reservation_id)).toBe("fulfilled 0");
    expect(await company.stockOf(product)).toBe("3");
  });

  it("is free again where the customer takes less", async () => {
    const id = await reserve(9);
    const lines = [{ product_id: product, quantity: 4, reservation_id: id }];
    await till.sell({ lines, payments: card(40) });
    expect(await state(id)).toBe("fulfilled 0");
    await till.sell({ lines: [{ product_id: product, quantity: 6 }], payments: card(60) });
  });

  it("is not taken for another product, elsewhere, nor after its end", async () => {
    const id = await reserve(4);
    const other = await company.product({}, 9);
    const elsewhere = await company.one(
      "insert into public.locations (code, name) values ($1, 'Elsewhere') returning id",
      [randomUUID().slice(0, 12).toUpperCase()],
    );
    const sell = (product_id: string, reservation_id = id, at = till) =>
      at.sell({
        lines: [{ product_id, quantity: 4, reservation_id }],
        payments: card(40),
      });
    await expect(sell(other)).rejects.toMatchObject({ code: "22023" });
    const there = await openTill(company, { location: elsewhere });
    await expect(sell(product, id, there)).rejects.toMatchObject({ code: "22023" });
    await expect(sell(product, randomUUID())).rejects.toMatchObject({ code: "P0002" });
    expect(await state(id)).toBe("open 4");
    await company.client.query(
      "update public.reservations set expires_at = now() - interval '1 hour' where id = $1",
      [id],
    );
    await expect(sell(product)).rejects.toMatchObject({ code: "55000" });
  });
});
