import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { act, call, type People, startUntilBlocked } from "./acting.ts";
import { type Company, foundCompany } from "./company.ts";
import { failedChecks } from "./fresh-database.ts";
import { openDepot } from "./stock-acts.ts";

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

const _denied = { code: "42501" };
const openCount = async (id: string = randomUUID()) => {
  const where = { count_id: id, location_id: company.location };
  await call(client, people.staff, "open_stock_count", where);
  return id;
};
const record = (count_id: string, product_id: string, counted: number, session = client) =>
  call(session, people.staff, "record_count", { count_id, product_id, counted });
const post = (count_id: string) => call(client, people.manager, "post_stock_count", { count_id });
const correctedSince = { constraint: "stock_count_lines_level_not_corrected" };

describe("two corrections of one level", () => {
  it("do not correct twice when two counts found the same", async () => {
    const rope = await company.product({}, 10);
    const [first, second] = [await openCount(), await openCount()];
    await record(first, rope, 8);
    await record(second, rope, 8);
    await post(first);
    await expect(post(second)).rejects.toMatchObject(correctedSince);
    expect(await company.stockOf(rope)).toBe("8");
    await record(second, rope, 8);
    expect(await post(second)).toBe(0);
  });

  it.each(["count_stock", "adjustment"])("do not correct twice after %s", async (how) => {
    const rope = await company.product({}, 10);
    const id = await openCount();
    await record(id, rope, 8);
    if (how === "adjustment") await company.move(people.manager, rope, "adjustment", -2);
    else {
      const counted = { product_id: rope, location_id: company.location, counted: 8 };
      await call(client, people.manager, how, counted);
    }
    await expect(post(id)).rejects.toMatchObject(correctedSince);
    await record(id, rope, 7);
    await company.move(people.staff, rope, "issue", -1);
    expect(await post(id)).toBe(1);
    expect(await company.stockOf(rope)).toBe("6");
  });

  it("take turns with a movement that is not finished", async () => {
    const rope = await company.product({}, 10);
    const id = await openCount();
    const other = await company.server.connectBeside(client);
    await client.query("begin");
    await client.query(
      `insert into public.stock_movements (product_id, location_id, kind, quantity)
       values ($1, $2, 'sale', -1)`,
      [rope, company.location],
    );
    const counting = await startUntilBlocked(client, other, () => record(id, rope, 9, other));
    await client.query("commit");
    expect(counting.blocked).toBe(true);
    const outcome = (await counting.outcome) as PromiseFulfilledResult<unknown>;
    expect(Number(outcome.value)).toBe(0);
    await other.end();
  });

  it("begin with one count when it is opened twice at once", async () => {
    const other = await company.server.connectBeside(client);
    const id = randomUUID();
    const claims = JSON.stringify({ role: "authenticated", sub: people.staff.id });
    await client.query("begin");
    await client.query("select set_config('request.jwt.claims', $1, true)", [claims]);
    const { rows } = await client.query("select public.open_stock_count($1, $2) as number", [
      id,
      company.location,
    ]);
    const again = { count_id: id, location_id: company.location };
    const opening = await startUntilBlocked(client, other, () =>
      call(other, people.staff, "open_stock_count", again),
    );
    await client.query("commit");
    expect(opening.blocked).toBe(true);
    expect(await opening.outcome).toEqual({ status: "fulfilled", value: rows[0].number });
    const next = await openCount();
    const number = "select number from public.stock_counts where id = $1";
    expect(Number(await company.one(number, [next]))).toBe(Number(rows[0].number) + 1);
    await other.end();
  });
});

describe("a product in use", () => {
  const underWay = async (product_id: string, quantity: number) => {
    const transfer_id = randomUUID();
    await call(client, people.staff, "save_transfer", {
      transfer_id,
      from_location_id: company.location,
      to_location_id: depot,
      lines: [{ product_id, quantity }],
    });
    await call(client, people.staff, "send_transfer", { transfer_id });
    return transfer_id;
  };
  const change = (id: string, what: string) =>
    act(client, people.manager, `update public.products set ${what} where id = $1`, [id]);
  const variant = (parent_id: string) => company.product({ parent_id, options: '{"size": "M"}' });
  const uses: [string, (id: string) => Promise<unknown>][] = [
    ["has stock", () => Promise.resolve()],
    ["is under way", (id) => underWay(id, 2)],
    [
      "is being counted",
      async (id) => {
        await company.move(people.staff, id, "issue", -2);
        await record(await openCount(), id, 1);
      },
    ],
  ];

  it.each(uses)("stays what it is while it %s", async (_, use) => {
    const id = await company.product({ unit_code: "kg" }, 2);
    await use(id);
    for (const acting of [
      () => variant(id),
      () => change(id, "track_stock = false"),
      () => change(id, "unit_code = 'piece'"),
      () => act(client, people.manager, "update public.units set decimals = 2 where code = 'kg'"),
    ]) {
      await expect(acting()).rejects.toMatchObject({
        code: "23514",
        message: expect.stringMatching(/^Product P-\S+ (has stock|is under way|is being counted)/),
      });
    }
    await change(id, "unit_code = 'l', name = 'Cord'");
    await act(client, people.manager, "update public.units set decimals = 3 where code = 'kg'");
  });

  it("is free again once nothing of it is left", async () => {
    const id = await company.product({ unit_code: "kg" }, 2);
    const transfer_id = await underWay(id, 2);
    await call(client, people.staff, "receive_transfer", { transfer_id });
    const counted = { product_id: id, location_id: depot, counted: 0 };
    await call(client, people.manager, "count_stock", counted);
    await change(id, "unit_code = 'piece'");
    await change(id, "track_stock = false");
    await change(id, "track_stock = true");
    await variant(id);
  });

  it("that changed under 1.0.0 still takes back what left, and goes to zero", async () => {
    const id = await company.product({ unit_code: "kg" });
    await company.move(people.staff, id, "receipt", 1.5);
    const transfer_id = await underWay(id, 0.5);
    await client.query("alter table public.products disable trigger products_guard_in_use");
    await change(id, "unit_code = 'piece', track_stock = false");
    await client.query("alter table public.products enable trigger products_guard_in_use");
    const refused = company.move(people.staff, id, "receipt", 1);
    await expect(refused).rejects.toMatchObject({ code: "23514" });
    const unfounded = company.move(people.staff, id, "return", 1);
    await expect(unfounded).rejects.toMatchObject({ code: "23514" });
    await call(client, people.manager, "cancel_transfer", { transfer_id });
    await client.query(
      `insert into public.stock_movements (product_id, location_id, kind, quantity, source_id)
       values ($1, $2, 'return', 0.25, $3)`,
      [id, company.location, randomUUID()],
    );
    expect(await company.stockOf(id)).toBe("1.75");
    const count = await openCount();
    await record(count, id, 0);
    expect(await post(count)).toBe(1);
    expect(await company.stockOf(id)).toBe("0");
  });

  it("is held while it changes: a movement waits, and then it is refused", async () => {
    const id = await company.product();
    const other = await company.server.connectBeside(client);
    await client.query("begin");
    await client.query("update public.products set track_stock = false where id = $1", [id]);
    const moving = await startUntilBlocked(client, other, () =>
      act(
        other,
        people.staff,
        `insert into public.stock_movements (product_id, location_id, kind, quantity)
         values ($1, $2, 'receipt', 1)`,
        [id, company.location],
      ),
    );
    await client.query("commit");
    expect(moving.blocked).toBe(true);
    expect(await moving.outcome).toMatchObject({ status: "rejected", reason: { code: "23514" } });
    await other.end();
  });
});
