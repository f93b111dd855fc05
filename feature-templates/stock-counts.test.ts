import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Actor, act, anon, call, type People, service } from "./acting.ts";
import { type Company, foundCompany } from "./company.ts";
import { failedChecks } from "./fresh-database.ts";
import { see } from "./stock-acts.ts";

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

const outsiders = () => [people.viewer, people.stranger, anon, service];
const denied = { code: "42501" };
const closed = { code: "55000" };

describe("a stock count", () => {
  const open = async ({ id = randomUUID() as string, by = people.staff as Actor } = {}) => {
    await call(client, by, "open_stock_count", { count_id: id, location_id: company.location });
    return id;
  };
  const record = (
    count_id: string,
    product_id: string,
    counted: unknown,
    by: Actor = people.staff,
  ) => call(client, by, "record_count", { count_id, product_id, counted });
  const post = (count_id: string, by: Actor = people.manager) =>
    call(client, by, "post_stock_count", { count_id });
  const cancel = (count_id: string, by: Actor = people.manager) =>
    call(client, by, "cancel_stock_count", { count_id });

  it("is counted by staff and posted by a manager, once", async () => {
    const [rope, sail, mast] = [
      await company.product({}, 10),
      await company.product({}, 5),
      await company.product(),
    ];
    const id = await open();
    expect(await open({ id })).toBe(id);
    await record(id, rope, 7);
    expect(Number(await record(id, rope, 8))).toBe(-2);
    expect(Number(await record(id, sail, 5))).toBe(0);
    expect(Number(await record(id, mast, 1))).toBe(1);
    expect(await company.stockOf(rope)).toBe("10");
    await expect(post(id, people.staff)).rejects.toMatchObject(denied);
    expect([await post(id), await post(id)]).toEqual([2, 0]);
    expect([await company.stockOf(rope), await company.stockOf(mast)]).toEqual(["8", "1"]);
    expect(
      await see(
        company,
        people.viewer,
        `select kind, quantity::float, created_by from public.stock_movements
         where source_id = $1 order by quantity`,
        [id],
      ),
    ).toEqual([
      { kind: "count", quantity: -2, created_by: people.manager.id },
      { kind: "count", quantity: 1, created_by: people.manager.id },
    ]);
    await expect(record(id, rope, 9)).rejects.toMatchObject(closed);
    await expect(cancel(id)).rejects.toMatchObject(closed);
  });

  it("corrects by what differed when it was counted, whatever moved since", async () => {
    const rope = await company.product({}, 10);
    const id = await open();
    await record(id, rope, 9);
    await company.move(people.staff, rope, "issue", -3);
    await company.move(people.staff, rope, "receipt", 1);
    await post(id);
    expect(await company.stockOf(rope)).toBe("7");
  });

  it("is posted whole or not at all", async () => {
    const [rope, sail] = [await company.product({}, 10), await company.product({}, 5)];
    const id = await open();
    await record(id, rope, 9);
    await record(id, sail, 0);
    await company.move(people.staff, sail, "issue", -1);
    await expect(post(id)).rejects.toMatchObject({ code: "23514" });
    expect([await company.stockOf(rope), await company.stockOf(sail)]).toEqual(["10", "4"]);
    await record(id, sail, 4);
    expect(await post(id)).toBe(1);
  });

  it("ends without a trace in stock when it is cancelled, but keeps its number", async () => {
    const rope = await company.product({}, 10);
    const numberOf = (id: string) =>
      company.one<string>("select number from public.stock_counts where id = $1", [id]);
    const first = await open();
    await record(first, rope, 1);
    await cancel(first);
    await expect(post(first)).rejects.toMatchObject(closed);
    const second = await open();
    expect(Number(await numberOf(second)) - Number(await numberOf(first))).toBe(1);
    expect(await company.stockOf(rope)).toBe("10");
  });

  it.each([
    ["-1", "23514"],
    ["NaN", "23514"],
    ["0.5", "23514"],
  ])("takes no %s", async (counted, code) => {
    const rope = await company.product({}, 10);
    await expect(record(await open(), rope, counted)).rejects.toMatchObject({ code });
  });

  it("is for staff and managers, and for nobody to write past the functions", async () => {
    const rope = await company.product({}, 10);
    const id = await open();
    await record(id, rope, 9);
    for (const by of outsiders()) {
      await expect(open({ by })).rejects.toMatchObject(denied);
      await expect(record(id, rope, 1, by)).rejects.toMatchObject(denied);
      await expect(post(id, by)).rejects.toMatchObject(denied);
      await expect(cancel(id, by)).rejects.toMatchObject(denied);
    }
    await expect(cancel(id, people.staff)).rejects.toMatchObject(denied);
    for (const sql of [
      "update public.stock_counts set status = 'posted', closed_at = now()",
      "update public.stock_count_lines set counted = 99",
      "delete from public.stock_count_lines",
    ]) {
      for (const who of [people.owner, people.manager, service]) {
        await expect(act(client, who, sql)).rejects.toMatchObject(denied);
      }
    }
    const sql = "select from public.stock_count_lines where count_id = $1";
    expect(await see(company, people.viewer, sql, [id])).toHaveLength(1);
    expect(await see(company, people.stranger, sql, [id])).toHaveLength(0);
  });
});
