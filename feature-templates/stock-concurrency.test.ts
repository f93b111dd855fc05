import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { act, call } from "./acting.ts";
import { type Company, foundCompany } from "./company.ts";
import { failedChecks } from "./fresh-database.ts";
import { openDepot, receive, see } from "./stock-acts.ts";

let company: Company;
beforeAll(async () => {
  company = await foundCompany();
});
afterAll(() => company?.server.stop());

/** The same few acts in another order for each session, so that all of them meet. */
async function work(session: pg.Client, number: number, goods: string[], places: string[]) {
  const { staff, manager } = company.people;
  const refused: string[] = [];
  const tried = async (acting: Promise<unknown>) => {
    const [outcome] = await Promise.allSettled([acting]);
    if (outcome?.status === "rejected") refused.push(outcome.reason.code);
    return outcome?.status === "fulfilled" ? outcome.value : undefined;
  };
  for (let turn = 0; turn < 30; turn += 1) {
    const mixed = number * 7 + turn * 5;
    const product_id = goods[mixed % goods.length];
    const side = mixed % 2;
    const [from, to] = [places[side], places[1 - side]];
    const here = { product_id, location_id: from };
    const between = { from_location_id: from, to_location_id: to };
    switch (turn % 5) {
      case 0:
        await tried(
          act(
            session,
            staff,
            `insert into public.stock_movements
               (product_id, location_id, kind, quantity, unit_cost) values ($1, $2, 'receipt', 3, $3)`,
            [product_id, from, (mixed % 90) + 0.37],
          ),
        );
        break;
      case 1:
        await tried(
          call(session, staff, "transfer_stock", {
            transfer_id: randomUUID(),
            product_id,
            ...between,
            quantity: 1,
          }),
        );
        break;
      case 2: {
        const wanted = { ...here, quantity: 2, reserved_for: `Session ${number}` };
        const reservation_id = await tried(call(session, staff, "reserve_stock", wanted));
        if (reservation_id && mixed % 3) {
          await tried(call(session, staff, "fulfil_reservation", { reservation_id }));
        }
        break;
      }
      case 3: {
        const transfer_id = randomUUID();
        const lines = goods.map((product_id) => ({ product_id, quantity: 1 }));
        if (mixed % 3) lines.reverse();
        await tried(call(session, staff, "save_transfer", { transfer_id, ...between, lines }));
        const number = await tried(call(session, staff, "send_transfer", { transfer_id }));
        if (number) await tried(call(session, staff, "receive_transfer", { transfer_id }));
        break;
      }
      case 4: {
        const count_id = randomUUID();
        await tried(call(session, staff, "open_stock_count", { count_id, location_id: from }));
        for (const product_id of goods) {
          await tried(call(session, staff, "record_count", { count_id, product_id, counted: 20 }));
        }
        await tried(call(session, manager, "post_stock_count", { count_id }));
        break;
      }
    }
  }
  return refused;
}

describe("six people at once", () => {
  it("never wait for each other in a circle, and leave books and averages that agree", async () => {
    const places = [company.location, await openDepot(company)];
    const goods = [await company.product(), await company.product(), await company.product()];
    for (const product of goods) {
      for (const at of places) await receive(company, product, 20, 2, { at });
    }
    const sessions = await Promise.all(
      Array.from({ length: 6 }, () => company.server.connectBeside(company.client)),
    );
    const refused = await Promise.all(
      sessions.map((session, number) => work(session, number, goods, places)),
    );
    for (const session of sessions) await session.end();
    // What is refused is refused for want of stock, and nothing for a deadlock (40P01).
    expect(new Set(refused.flat())).toEqual(new Set(refused.flat().length ? ["23514"] : []));
    expect(await failedChecks(company.client, company.templates)).toEqual([]);

    const numbers = (table: string, place: string) => `
      select count(*) = max(number) and min(number) = 1 and count(distinct number) = count(*) as whole
      from public.${table} where number is not null group by ${place}`;
    for (const sql of [
      numbers("transfers", "from_location_id"),
      numbers("stock_counts", "location_id"),
    ]) {
      expect(await see(company, company.people.viewer, sql)).toEqual([
        { whole: true },
        { whole: true },
      ]);
    }
    const used = "select distinct kind::text from public.stock_movements order by 1";
    expect(await see(company, company.people.viewer, used)).toEqual(
      ["count", "issue", "receipt", "transfer_in", "transfer_out"].map((kind) => ({ kind })),
    );
  });
});
