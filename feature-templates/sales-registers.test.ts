import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { act, call } from "./acting.ts";
import { type Company, foundCompany } from "./company.ts";
import { failedChecks } from "./fresh-database.ts";
import { openTill, type Till } from "./till.ts";

let company: Company;
let till: Till;
let product: string;
let elsewhere: string;
beforeAll(async () => {
  company = await foundCompany();
});
afterAll(() => company?.server.stop());
beforeEach(async () => {
  till = await openTill(company);
  product = await company.product({}, 10);
  elsewhere = await company.one(
    "insert into public.locations (code, name) values ($1, 'Elsewhere') returning id",
    [randomUUID().slice(0, 12).toUpperCase()],
  );
});
afterEach(async () => {
  expect(await failedChecks(company.client, company.templates)).toEqual([]);
});

const closed = { code: "55000" };
const sellTwo = () =>
  till.sell({
    lines: [{ product_id: product, quantity: 2 }],
    payments: [{ method: "card", amount: 20 }],
  });
const set = (change: string, values: unknown[] = []) =>
  act(
    company.client,
    company.people.manager,
    `update public.registers set ${change} where id = '${till.register}'`,
    values,
  );
const open = () => {
  const values = { register_id: till.register, opening_cash: 0 };
  return call(company.client, company.people.staff, "open_register", values);
};

describe("a register", () => {
  it("stays where it is while it is open, and moves afterwards", async () => {
    await expect(set("location_id = $1", [elsewhere])).rejects.toMatchObject(closed);
    await till.close(100);
    expect((await set("location_id = $1", [elsewhere])).rowCount).toBe(1);
  });

  it("keeps its code once it has given receipts, and may get another name", async () => {
    const code = randomUUID().slice(0, 18).toUpperCase();
    expect((await set("code = $1", [code])).rowCount).toBe(1);
    await sellTwo();
    await expect(set("code = $1", ["REG-9"])).rejects.toMatchObject({ code: "23001" });
    expect((await set("name = 'By the door'")).rowCount).toBe(1);
  });

  it("stands in the record of changes, without its receipts", async () => {
    await sellTwo();
    await set("name = 'By the door', active = true");
    const { rows } = await company.client.query(
      `select action, changed_columns, actor_id from public.activity_log
       where table_name = 'registers' and row_id = $1 order by id`,
      [till.register],
    );
    const actor_id = company.people.manager.id;
    expect(rows).toEqual([
      { action: "insert", changed_columns: [], actor_id },
      { action: "update", changed_columns: ["name"], actor_id },
    ]);
  });

  it("that was ended sells and refunds nothing more, but is counted and closed", async () => {
    const sold = await sellTwo();
    await set("active = false");
    await expect(sellTwo()).rejects.toMatchObject(closed);
    await expect(till.refund(sold.sale_id)).rejects.toMatchObject(closed);
    await expect(till.voidSale(sold.sale_id)).rejects.toMatchObject(closed);
    await till.moveCash(-100, { who: company.people.manager });
    await till.close(0);
    await expect(open()).rejects.toMatchObject({ code: "P0002" });
  });

  it("does not open at a location that was ended", async () => {
    await till.close(100);
    await set("location_id = $1", [elsewhere]);
    const end = "update public.locations set active = $2 where id = $1";
    await act(company.client, company.people.manager, end, [elsewhere, false]);
    await expect(open()).rejects.toMatchObject({ code: "P0002" });
    await act(company.client, company.people.manager, end, [elsewhere, true]);
    expect(await open()).toEqual(expect.any(String));
  });
});

describe("goods that are given back", () => {
  const places = () =>
    company.client.query(
      `select kind, location_id = $2 as at_sale, (
         select m.location_id = r.location_id and m.occurred_at = r.refunded_at
         from public.stock_movements m where m.source_id = r.id
       ) as with_goods
       from public.refunds r where r.sale_id in (
         select sale_id from public.sale_lines where product_id = $1
       ) order by refunded_at`,
      [product, company.location],
    );

  it("by a void go to where they were sold, by a refund to where they are brought", async () => {
    const [voided, refunded] = [await sellTwo(), await sellTwo()];
    // A till may have been moved with its session open before version 1.1.0 refused that.
    await company.client.query(`
      begin;
      alter table public.registers disable trigger registers_keep;
      update public.registers set location_id = '${elsewhere}' where id = '${till.register}';
      alter table public.registers enable trigger registers_keep;
      commit;
    `);
    await till.voidSale(voided.sale_id);
    expect(await company.stockOf(product)).toBe("8");
    await till.refund(refunded.sale_id);
    expect(await company.stockOf(product)).toBe("8");
    expect(await company.stockOf(product, elsewhere)).toBe("2");
    expect((await places()).rows).toEqual([
      { kind: "void", at_sale: true, with_goods: true },
      { kind: "refund", at_sale: false, with_goods: true },
    ]);
  });

  it("have one time in all records of their act, as sold ones have", async () => {
    const sold = await sellTwo();
    const { rows } = await company.client.query(
      `select s.sold_at = p.paid_at as paid, s.sold_at = m.occurred_at as moved,
         s.sold_at = r.issued_at as issued
       from public.sales s
       join public.payments p on p.sale_id = s.id
       join public.stock_movements m on m.source_id = s.id
       join public.receipts r on r.sale_id = s.id
       where s.id = $1`,
      [sold.sale_id],
    );
    expect(rows).toEqual([{ paid: true, moved: true, issued: true }]);
  });
});
