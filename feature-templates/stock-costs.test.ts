import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Actor, act, anon, call, type People, service } from "./acting.ts";
import { type Company, foundCompany } from "./company.ts";
import { failedChecks } from "./fresh-database.ts";
import { levelOf, openDepot, receive, see } from "./stock-acts.ts";

let company: Company;
let client: pg.Client;
let people: People;
let depot: string;
beforeAll(async () => {
  company = await foundCompany();
  ({ client, people } = company);
  depot = await openDepot(company);
});
afterAll(() => company?.server.stop());

// Whatever happened, the books must be right.
afterEach(async () => {
  expect(await failedChecks(client, company.templates)).toEqual([]);
});

const denied = { code: "42501" };

describe("a wrong cost", () => {
  const revalue = (product_id: string, average_cost: unknown, by: Actor = people.manager) =>
    call(client, by, "revalue_stock", {
      product_id,
      location_id: company.location,
      average_cost,
      note: "Typed wrongly",
    });

  it("is put right by a manager, on record, and known to the proof of the books", async () => {
    const id = await company.product();
    await receive(company, id, 500, 4);
    await receive(company, id, 500, 400);
    await company.move(people.staff, id, "issue", -500);
    expect(Number(await revalue(id, "4"))).toBe(-99000);
    await receive(company, id, 500, 6);
    expect(await levelOf(company, id)).toMatchObject({ quantity: "1000", cost: "5" });
    const sql = `select quantity::float, previous_cost::float, average_cost::float, currency, note,
        created_by
      from public.stock_revaluations where product_id = $1`;
    expect(await see(company, people.viewer, sql, [id])).toEqual([
      {
        quantity: 500,
        previous_cost: 202,
        average_cost: 4,
        currency: "EUR",
        note: "Typed wrongly",
        created_by: people.manager.id,
      },
    ]);
    expect(await see(company, people.stranger, sql, [id])).toEqual([]);
    await client.query("update public.stock_levels set average_cost = 1 where product_id = $1", [
      id,
    ]);
    expect(await call(client, people.manager, "recompute_stock", {})).toBe(1);
    expect(await levelOf(company, id)).toMatchObject({ cost: "5" });
  });

  it("is a manager's to put right, within limits, and for good", async () => {
    const id = await company.product({}, 1);
    for (const by of [people.staff, people.viewer, people.stranger, anon, service]) {
      await expect(revalue(id, 1, by)).rejects.toMatchObject(denied);
    }
    for (const [cost, code] of [
      ["-1", "23514"],
      ["NaN", "23514"],
      ["1e13", "22003"],
    ]) {
      await expect(revalue(id, cost)).rejects.toMatchObject({ code });
    }
    await revalue(id, 2);
    for (const sql of [
      "update public.stock_revaluations set note = 'x'",
      "delete from public.stock_revaluations",
    ]) {
      await expect(act(client, people.owner, sql)).rejects.toMatchObject(denied);
      await expect(client.query(sql)).rejects.toMatchObject({ message: /./ });
    }
  });

  it("in an old currency never takes over an average, and is restated by a manager", async () => {
    const id = await company.product();
    await receive(company, id, 10, 5);
    await act(client, people.owner, "update public.company_settings set currency = 'USD'");
    await receive(company, id, 100, 6, { at: depot });
    const transfer = () =>
      call(client, people.staff, "transfer_stock", {
        transfer_id: randomUUID(),
        product_id: id,
        from_location_id: company.location,
        to_location_id: depot,
        quantity: 1,
      });
    await transfer();
    const dollars = { quantity: "101", cost: "6", currency: "USD" };
    expect(await levelOf(company, id, depot)).toMatchObject(dollars);
    const restate = (by: Actor, rate: unknown = 1.2, from_currency = "EUR") =>
      call(client, by, "restate_stock_costs", { from_currency, rate, note: "Now in dollars" });
    await expect(restate(people.staff)).rejects.toMatchObject(denied);
    for (const rate of [0, -1, "NaN", "Infinity"]) {
      await expect(restate(people.manager, rate)).rejects.toMatchObject({ code: "22023" });
    }
    await expect(restate(people.manager, 1, "USD")).rejects.toMatchObject({ code: "22023" });
    expect(await restate(people.manager)).toBeGreaterThan(0);
    expect(await restate(people.manager)).toBe(0);
    const level = { quantity: "9", cost: "6", currency: "USD" };
    expect(await levelOf(company, id)).toMatchObject(level);
    await transfer();
    expect(await levelOf(company, id, depot)).toMatchObject({ ...dollars, quantity: "102" });
    await act(client, people.owner, "update public.company_settings set currency = 'EUR'");
    await restate(people.manager, 1, "USD");
  });

  it("keeps all its decimals on a transfer", async () => {
    const id = await company.product({ unit_code: "g" });
    await receive(company, id, 1, "0.0001");
    await receive(company, id, 3, 0);
    await call(client, people.staff, "transfer_stock", {
      transfer_id: randomUUID(),
      product_id: id,
      from_location_id: company.location,
      to_location_id: depot,
      quantity: 4,
    });
    expect(await levelOf(company, id, depot)).toMatchObject({ cost: "0.000025" });
  });
});
