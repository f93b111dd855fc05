import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { act, call, type People, service } from "./acting.ts";
import { type Company, foundCompany } from "./company.ts";
import { failedChecks } from "./fresh-database.ts";
import { levelOf, openDepot, receive, see } from "./stock-acts.ts";

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

const costsOf = (productId: string) =>
  see(
    company,
    people.viewer,
    `select kind::text, trim_scale(quantity)::text as quantity,
       trim_scale(unit_cost)::text as cost, currency
     from public.stock_movements where product_id = $1 order by id`,
    [productId],
  );

describe("the moving average", () => {
  it("follows receipts with a cost, and values what is there", async () => {
    const id = await company.product();
    await receive(company, id, 10, 2);
    await receive(company, id, 30, 4, { currency: "EUR" });
    expect(await levelOf(company, id)).toMatchObject({ quantity: "40", cost: "3.5" });
    await company.move(people.staff, id, "issue", -15);
    await receive(company, id, 5, null);
    expect(await levelOf(company, id)).toMatchObject({ quantity: "30", cost: "3.5" });
    await receive(company, id, 3, 1);
    expect(
      await see(
        company,
        people.viewer,
        "select * from public.stock_valuation where product_id = $1",
        [id],
      ),
    ).toEqual([
      {
        product_id: id,
        location_id: company.location,
        quantity: "33.000000",
        average_cost: "3.272727",
        value: "108.0000",
        currency: "EUR",
      },
    ]);
    expect(await costsOf(id)).toEqual([
      { kind: "receipt", quantity: "10", cost: "2", currency: "EUR" },
      { kind: "receipt", quantity: "30", cost: "4", currency: "EUR" },
      { kind: "issue", quantity: "-15", cost: "3.5", currency: "EUR" },
      { kind: "receipt", quantity: "5", cost: null, currency: null },
      { kind: "receipt", quantity: "3", cost: "1", currency: "EUR" },
    ]);
  });

  it("is what goes out, whatever the one who takes it says", async () => {
    const id = await company.product();
    await receive(company, id, 10, 2);
    await act(
      client,
      people.manager,
      `insert into public.stock_movements
         (product_id, location_id, kind, quantity, unit_cost, currency)
       values ($1, $2, 'issue', -1, 99, 'EUR'), ($1, $2, 'adjustment', -1, 99, 'EUR')`,
      [id, company.location],
    );
    await call(client, people.manager, "count_stock", {
      product_id: id,
      location_id: company.location,
      counted: 7,
    });
    expect((await costsOf(id)).slice(1).map(({ cost }) => cost)).toEqual(["2", "2", "2"]);
    expect(await levelOf(company, id)).toMatchObject({ quantity: "7", cost: "2" });
  });

  it("is kept at zero and below, and begins anew with what fills it up", async () => {
    const id = await company.product({ allow_oversell: true });
    await receive(company, id, 2, 5);
    await company.move(people.staff, id, "issue", -2);
    expect(await levelOf(company, id)).toMatchObject({ quantity: "0", cost: "5" });
    await company.move(people.staff, id, "issue", -4);
    expect(await levelOf(company, id)).toMatchObject({ quantity: "-4", cost: "5" });
    expect(
      await see(
        company,
        people.viewer,
        "select value from public.stock_valuation where product_id = $1",
        [id],
      ),
    ).toEqual([{ value: "-20.0000" }]);
    await receive(company, id, 10, 8);
    expect(await levelOf(company, id)).toMatchObject({ quantity: "6", cost: "8" });
  });

  it("is unknown until a cost is told, and then that of everything there", async () => {
    const id = await company.product({}, 4);
    await company.move(people.staff, id, "issue", -1);
    expect(await levelOf(company, id)).toMatchObject({ cost: null, currency: null });
    await receive(company, id, 1, 7);
    expect(await levelOf(company, id)).toMatchObject({ quantity: "4", cost: "7" });
    expect((await costsOf(id))[1]).toMatchObject({ cost: null, currency: null });
  });

  it("counts each row of one statement, also several of the same product", async () => {
    const id = await company.product();
    await act(
      client,
      people.staff,
      `insert into public.stock_movements (product_id, location_id, kind, quantity, unit_cost)
       values ($1, $2, 'receipt', 1, 1), ($1, $2, 'receipt', 1, 2), ($1, $2, 'receipt', 2, 4),
         ($1, $2, 'issue', -1, null), ($1, $2, 'receipt', 3, 0)`,
      [id, company.location],
    );
    expect((await costsOf(id)).map(({ cost }) => cost)).toEqual(["1", "2", "4", "2.75", "0"]);
    expect(await levelOf(company, id)).toMatchObject({ quantity: "6", cost: "1.375" });
  });

  it("goes along with a transfer, of either kind", async () => {
    const depot = await openDepot(company);
    const id = await company.product();
    await receive(company, id, 10, 6);
    await receive(company, id, 4, 3, { at: depot });
    await call(client, people.staff, "transfer_stock", {
      transfer_id: randomUUID(),
      product_id: id,
      from_location_id: company.location,
      to_location_id: depot,
      quantity: 2,
    });
    expect(await levelOf(company, id, depot)).toMatchObject({ quantity: "6", cost: "4" });

    const transfer_id = randomUUID();
    await call(client, people.staff, "save_transfer", {
      transfer_id,
      from_location_id: company.location,
      to_location_id: depot,
      lines: [{ product_id: id, quantity: 2 }],
    });
    await call(client, people.staff, "send_transfer", { transfer_id });
    // What comes in at the origin meanwhile changes nothing about what is under way.
    await receive(company, id, 6, 60);
    expect(
      await see(company, people.viewer, "select value, currency from public.stock_in_transit"),
    ).toEqual([{ value: "12.0000", currency: "EUR" }]);
    await call(client, people.staff, "receive_transfer", { transfer_id });
    expect(await levelOf(company, id, depot)).toMatchObject({ quantity: "8", cost: "4.5" });
  });

  it("is in the company's currency, and begins anew when that changes", async () => {
    const id = await company.product();
    await receive(company, id, 10, 2);
    const foreign = receive(company, id, 1, 2, { currency: "USD" });
    await expect(foreign).rejects.toMatchObject({
      constraint: "stock_movements_cost_in_home_currency",
    });
    const set = "update public.company_settings set currency = $1";
    await act(client, people.owner, set, ["CHF"]);
    await company.move(people.staff, id, "issue", -1);
    expect((await costsOf(id))[1]).toMatchObject({ cost: "2", currency: "EUR" });
    await receive(company, id, 1, 3);
    expect(await levelOf(company, id)).toMatchObject({
      quantity: "10",
      cost: "3",
      currency: "CHF",
    });
    await act(client, people.owner, set, ["EUR"]);
  });

  it.each([
    ["-1", "23514"],
    ["NaN", "23514"],
  ])("is not led astray by a cost of %s", async (cost, code) => {
    const id = await company.product();
    await receive(company, id, 10, 2);
    await expect(receive(company, id, 1, cost)).rejects.toMatchObject({ code });
    expect(await levelOf(company, id)).toMatchObject({ quantity: "10", cost: "2" });
  });

  it("is written by nobody", async () => {
    for (const who of [people.owner, people.manager, service]) {
      for (const sql of [
        "update public.stock_levels set average_cost = 1, cost_currency = 'EUR'",
        "update public.stock_opening_costs set average_cost = 1",
        "update public.stock_movements set unit_cost = 1",
      ]) {
        await expect(act(client, who, sql)).rejects.toMatchObject({ code: "42501" });
      }
    }
    expect(await see(company, people.stranger, "select from public.stock_valuation")).toEqual([]);
  });
});
