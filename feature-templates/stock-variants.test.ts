import type pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { act, type People, startUntilBlocked } from "./acting.ts";
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

const variant = (parent_id: string | null, options: unknown) =>
  company.product({ parent_id, options: JSON.stringify(options) });

describe("variants", () => {
  it("have stock each, and their parent none", async () => {
    const parent = await company.product();
    const small = await variant(parent, { size: "S", colour: "red" });
    await company.move(people.staff, small, "receipt", 4);
    expect(await company.stockOf(small)).toBe("4");
    const onParent = company.move(people.staff, parent, "receipt", 1);
    await expect(onParent).rejects.toMatchObject({
      code: "23514",
      constraint: "stock_movements_product_without_variants",
    });
  });

  it("have options that tell them apart", async () => {
    const parent = await company.product();
    await variant(parent, { size: "S", colour: "red" });
    await variant(parent, { size: "S", colour: "blue" });
    const again = variant(parent, { colour: "red", size: "S" });
    await expect(again).rejects.toMatchObject({ code: "23505" });
    await variant(await company.product(), { size: "S", colour: "red" });
  });

  it.each([
    ["no options", null],
    ["an empty object", {}],
    ["a list", ["S"]],
    ["a number", { size: 7 }],
    ["a list of texts as a value", { size: ["S"] }],
    ["an object as a value", { size: { is: "S" } }],
    ["an empty value", { size: "" }],
    ["a blank value", { size: " " }],
    ["an empty name", { "": "S" }],
    ["a long value", { size: "x".repeat(61) }],
    ["too much", Object.fromEntries([..."abcdefghijklmnopqrst"].map((k) => [k, "x".repeat(60)]))],
  ])("are refused with %s", async (_, options) => {
    const parent = await company.product();
    await expect(variant(parent, options)).rejects.toMatchObject({ code: "23514" });
  });

  it("make no chains, in either direction, and no product its own", async () => {
    const parent = await company.product();
    const child = await variant(parent, { size: "S" });
    await expect(variant(child, { size: "M" })).rejects.toMatchObject({
      constraint: "products_no_variants_of_variants",
    });
    const other = await company.product();
    const hang = "update public.products set parent_id = $2, options = $3 where id = $1";
    for (const [id, under] of [
      [parent, other],
      [other, other],
    ]) {
      const hanging = act(client, people.manager, hang, [id, under, { size: "L" }]);
      await expect(hanging).rejects.toMatchObject({ code: "23514" });
    }
    const orphan = variant("00000000-0000-4000-8000-000000000000", { size: "S" });
    await expect(orphan).rejects.toMatchObject({ code: "23503" });
    await expect(variant(null, { size: "S" })).rejects.toMatchObject({ code: "23514" });
  });

  it("are not made of a product with stock, nor lose their parent", async () => {
    const stocked = await company.product({}, 3);
    await expect(variant(stocked, { size: "S" })).rejects.toMatchObject({
      constraint: "products_parent_without_stock",
    });
    await company.move(people.staff, stocked, "issue", -3);
    await variant(stocked, { size: "S" });
    const remove = act(client, people.manager, "delete from public.products where id = $1", [
      stocked,
    ]);
    await expect(remove).rejects.toMatchObject({ code: "23503" });
  });

  it("wait for a movement under way on their parent, and are refused by it", async () => {
    const parent = await company.product();
    const mover = await company.server.connectBeside(client);
    await mover.query("begin");
    await mover.query(
      `insert into public.stock_movements (product_id, location_id, kind, quantity)
       values ($1, $2, 'receipt', 1)`,
      [parent, company.location],
    );
    const maker = await company.server.connectBeside(client);
    const { blocked, outcome } = await startUntilBlocked(mover, maker, () =>
      act(
        maker,
        people.manager,
        `insert into public.products (sku, name, parent_id, options)
         values ('RACE-S', 'Race', $1, '{"size": "S"}')`,
        [parent],
      ),
    );
    await mover.query("commit");
    expect(blocked).toBe(true);
    expect(await outcome).toMatchObject({
      reason: { constraint: "products_parent_without_stock" },
    });
    for (const each of [mover, maker]) await each.end();
  });

  it("tell nobody outside what there is", async () => {
    const parent = await company.product({}, 3);
    const insert = `insert into public.products (sku, name, parent_id, options)
      values ('SPY', 'Spy', $1, '{"size": "S"}')`;
    for (const who of [people.stranger, people.viewer, people.staff]) {
      await expect(act(client, who, insert, [parent])).rejects.toMatchObject({ code: "42501" });
    }
    const issue = company.move(people.stranger, parent, "issue", -1000);
    await expect(issue).rejects.toMatchObject({
      code: "42501",
      message: expect.not.stringContaining("P-"),
    });
  });
});
