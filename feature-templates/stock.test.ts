import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { act, call, type People, service, startUntilBlocked } from "./acting.ts";
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

describe("stock", () => {
  it("is the sum of movements, which never change", async () => {
    const id = await company.product({}, 12);
    await company.move(people.staff, id, "issue", -5);
    await company.move(people.manager, id, "adjustment", -1);
    expect(await company.stockOf(id)).toBe("6");
    for (const sql of [
      "update public.stock_movements set quantity = 1",
      "delete from public.stock_movements",
      "truncate public.stock_movements",
    ]) {
      await expect(client.query(sql)).rejects.toMatchObject({ code: "23001" });
    }
  });

  it.each([
    ["staff", "adjustment", 1, "42501"],
    ["manager", "sale", -1, "42501"],
    ["manager", "transfer_in", 1, "42501"],
    ["manager", "count", 1, "42501"],
    ["viewer", "receipt", 1, "42501"],
    ["staff", "receipt", -1, "23514"],
    ["staff", "receipt", "NaN", "23514"],
    ["staff", "receipt", "1.5", "23514"],
    ["staff", "issue", -100, "23514"],
  ] as const)("refuses a %s's %s of %s", async (role, kind, quantity, code) => {
    const id = await company.product({}, 3);
    await expect(company.move(people[role], id, kind, quantity)).rejects.toMatchObject({ code });
    expect(await company.stockOf(id)).toBe("3");
  });

  it("cannot be written past its movements, not even by the service", async () => {
    const id = await company.product({}, 3);
    for (const who of [people.owner, service]) {
      for (const sql of [
        "update public.stock_levels set quantity = 99",
        `insert into public.stock_levels (product_id, location_id, quantity)
         values ('${id}', '${company.location}', 99)`,
        "delete from public.stock_levels",
        "truncate public.stock_movements",
      ]) {
        await expect(act(client, who, sql)).rejects.toMatchObject({ code: "42501" });
      }
    }
  });

  it("falls below zero only where the product says so, and is none for services", async () => {
    const lax = await company.product({ allow_oversell: true });
    await company.move(people.staff, lax, "issue", -2);
    expect(await company.stockOf(lax)).toBe("-2");
    const untracked = await company.product({ track_stock: false });
    await expect(company.move(people.staff, untracked, "receipt", 1)).rejects.toMatchObject({
      code: "23514",
    });
  });

  it("moves between locations once per transfer, and is corrected by a count", async () => {
    const id = await company.product({}, 10);
    const { rows } = await act<{ id: string }>(
      client,
      people.manager,
      "insert into public.locations (code, name) values ($1, 'Depot') returning id",
      [`D${Date.now()}`],
    );
    const depot = rows[0]?.id as string;
    const transfer = {
      transfer_id: randomUUID(),
      product_id: id,
      from_location_id: company.location,
      to_location_id: depot,
      quantity: 4,
    };
    await call(client, people.staff, "transfer_stock", transfer);
    await call(client, people.staff, "transfer_stock", transfer);
    expect([await company.stockOf(id), await company.stockOf(id, depot)]).toEqual(["6", "4"]);
    const other = call(client, people.staff, "transfer_stock", { ...transfer, quantity: 5 });
    await expect(other).rejects.toMatchObject({ code: "23505" });
    const viewers = call(client, people.viewer, "transfer_stock", transfer);
    await expect(viewers).rejects.toMatchObject({ code: "42501" });

    const count = { product_id: id, location_id: depot, counted: 3 };
    await expect(call(client, people.staff, "count_stock", count)).rejects.toMatchObject({
      code: "42501",
    });
    expect(Number(await call(client, people.manager, "count_stock", count))).toBe(-1);
    expect(Number(await call(client, people.manager, "count_stock", count))).toBe(0);
    expect(await company.stockOf(id, depot)).toBe("3");
  });

  it("locks in one order, so that two opposite transfers cannot wait for each other", async () => {
    const id = await company.product({}, 9);
    const { rows } = await client.query<{ id: string }>(
      "insert into public.locations (code, name) values ('YARD', 'Yard') returning id",
    );
    const [low, high] = [company.location, rows[0]?.id as string].sort() as [string, string];
    await client.query(
      `insert into public.stock_movements (product_id, location_id, kind, quantity)
       values ($1, $2, 'receipt', 5)`,
      [id, rows[0]?.id],
    );
    const holder = await company.server.connectBeside(client);
    const mover = await company.server.connectBeside(client);
    const lock =
      "select from public.stock_levels where product_id = $1 and location_id = $2 for update nowait";
    await holder.query("begin");
    await holder.query(lock, [id, low]);
    const { blocked, outcome } = await startUntilBlocked(client, mover, () =>
      call(mover, people.staff, "transfer_stock", {
        transfer_id: randomUUID(),
        product_id: id,
        from_location_id: high,
        to_location_id: low,
        quantity: 1,
      }),
    );
    expect(blocked).toBe(true);
    await holder.query(lock, [id, high]);
    await holder.query("commit");
    expect(await outcome).toMatchObject({ status: "fulfilled" });
    for (const each of [holder, mover]) await each.end();
  });

  it("tells what is low, to members", async () => {
    const id = await company.product({}, 2);
    await act(
      client,
      people.manager,
      "update public.stock_levels set reorder_point = 2 where product_id = $1",
      [id],
    );
    const low = "select product_id from public.low_stock where product_id = $1";
    expect((await act(client, people.viewer, low, [id])).rowCount).toBe(1);
    expect((await act(client, people.stranger, low, [id])).rowCount).toBe(0);
    await company.move(people.staff, id, "receipt", 1);
    expect((await act(client, people.viewer, low, [id])).rowCount).toBe(0);
  });

  it("takes the company's currency for a new price, and keeps categories a tree", async () => {
    const id = await company.product();
    expect(await company.one("select currency from public.products where id = $1", [id])).toBe(
      "EUR",
    );
    await expect(company.product({ price: "NaN" })).rejects.toMatchObject({ code: "23514" });

    const category = async (name: string, parent: string | null) =>
      company.one("insert into public.categories (name, parent_id) values ($1, $2) returning id", [
        name,
        parent,
      ]);
    const top = await category("Top", null);
    const middle = await category("Middle", top);
    const bottom = await category("Bottom", middle);
    const hang = "update public.categories set parent_id = $2 where id = $1";
    await expect(client.query(hang, [top, bottom])).rejects.toMatchObject({ code: "23514" });
    await expect(category("Top", null)).rejects.toMatchObject({ code: "23505" });
    await client.query(hang, [bottom, top]);
  });
});
