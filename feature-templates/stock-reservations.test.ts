import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Actor, act, anon, call, type People, service } from "./acting.ts";
import { type Company, foundCompany } from "./company.ts";
import { failedChecks } from "./fresh-database.ts";
import { levelOf, openDepot, see } from "./stock-acts.ts";

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

const reserve = (
  productId: string,
  quantity: unknown,
  more: object = {},
  who: Actor | null = null,
) =>
  call(client, who ?? people.staff, "reserve_stock", {
    product_id: productId,
    location_id: company.location,
    quantity,
    reserved_for: "Order 7",
    ...more,
  }) as Promise<string>;

/** Lets a reservation's time run out, which no role of the API can. */
const expire = (id: string) =>
  client.query(
    "update public.reservations set expires_at = now() - interval '1 second' where id = $1",
    [id],
  );

const statusOf = (id: string) =>
  company.one("select status from public.reservations where id = $1", [id]);

describe("a reservation", () => {
  it("holds stock back until it is released", async () => {
    const id = await company.product({}, 10);
    const reservation = await reserve(id, 6);
    expect(await levelOf(company, id)).toMatchObject({ quantity: "10", reserved: "6" });
    const tooMuch = { code: "23514" };
    await expect(reserve(id, 5)).rejects.toMatchObject(tooMuch);
    await expect(company.move(people.staff, id, "issue", -5)).rejects.toMatchObject(tooMuch);
    await company.move(people.staff, id, "issue", -4);

    const release = { reservation_id: reservation };
    expect(await call(client, people.staff, "release_reservation", release)).toBe("released");
    expect(await call(client, people.staff, "release_reservation", release)).toBe("released");
    expect(await levelOf(company, id)).toMatchObject({ quantity: "6", reserved: "0" });
    await company.move(people.staff, id, "issue", -6);
  });

  it("turns into an issue, once", async () => {
    const id = await company.product({}, 5);
    const reservation = await reserve(id, 5);
    const fulfil = { reservation_id: reservation, note: "Picked up" };
    const movement = await call(client, people.staff, "fulfil_reservation", fulfil);
    expect(await call(client, people.staff, "fulfil_reservation", fulfil)).toBe(movement);
    expect(await levelOf(company, id)).toMatchObject({ quantity: "0", reserved: "0" });
    expect(
      await see(
        company,
        people.viewer,
        `select kind, quantity::float, note, created_by from public.stock_movements
         where source_id = $1`,
        [reservation],
      ),
    ).toEqual([{ kind: "issue", quantity: -5, note: "Picked up", created_by: people.staff.id }]);
    const late = call(client, people.staff, "release_reservation", { reservation_id: reservation });
    await expect(late).rejects.toMatchObject({ code: "55000" });
  });

  it("is made once per id", async () => {
    const id = await company.product({}, 5);
    const reservation_id = randomUUID();
    await reserve(id, 3, { reservation_id });
    expect(await reserve(id, 3, { reservation_id })).toBe(reservation_id);
    await expect(reserve(id, 2, { reservation_id })).rejects.toMatchObject({ code: "23505" });
    expect(await levelOf(company, id)).toMatchObject({ reserved: "3" });
  });

  it("is refused under the id of one that holds nothing any more", async () => {
    const id = await company.product({}, 9);
    const ends: [string, (reservation: string) => Promise<unknown>][] = [
      [
        "released",
        (reservation_id) => call(client, people.staff, "release_reservation", { reservation_id }),
      ],
      [
        "fulfilled",
        (reservation_id) => call(client, people.staff, "fulfil_reservation", { reservation_id }),
      ],
      ["expired", expire],
    ];
    for (const [status, end] of ends) {
      const reservation_id = randomUUID();
      await reserve(id, 1, { reservation_id });
      await end(reservation_id);
      await expect(reserve(id, 1, { reservation_id })).rejects.toMatchObject({
        code: "55000",
        message: expect.stringContaining(status),
      });
    }
    await call(client, people.staff, "release_expired_reservations", {});
  });

  it("goes to a sale whole, and only in its turn where less is left than was promised", async () => {
    const id = await company.product({}, 10);
    const take = async (reservation: string, quantity: number, more: object = {}) => {
      const given = { product: id, location: company.location, source: randomUUID(), ...more };
      await client.query("begin");
      try {
        await client.query("select private.take_reservation($1, $2, $3, $4, $5)", [
          reservation,
          given.product,
          given.location,
          quantity,
          given.source,
        ]);
        await client.query(
          `insert into public.stock_movements (product_id, location_id, kind, quantity, source_id)
           values ($1, $2, 'sale', $3, $4)`,
          [id, company.location, -quantity, given.source],
        );
        await client.query("commit");
      } catch (error) {
        await client.query("rollback");
        throw error;
      }
      return given.source;
    };
    const [first, second, third] = [
      await reserve(id, 4),
      await reserve(id, 4),
      await reserve(id, 2),
    ];
    for (const wrong of [{ product: await company.product() }, { location: randomUUID() }]) {
      await expect(take(first, 1, wrong)).rejects.toMatchObject({ code: "22023" });
    }
    const counted = { product_id: id, location_id: company.location, counted: 6 };
    await call(client, people.manager, "count_stock", counted);
    // Four of the six were promised to the first: two are left for the second, none for the third.
    const inTurn = { constraint: "reservations_in_turn" };
    await expect(take(third, 2)).rejects.toMatchObject(inTurn);
    const fulfil = (reservation_id: string) =>
      call(client, people.staff, "fulfil_reservation", { reservation_id });
    await expect(fulfil(second)).rejects.toMatchObject(inTurn);
    // Above what was kept for it, a sale takes only what is free.
    const more = { constraint: "stock_levels_keep_reserved" };
    await expect(take(first, 5)).rejects.toMatchObject(more);
    const sale = await take(first, 4);
    const taken =
      "select taken_for from public.reservations where id = $1 and status = 'fulfilled'";
    expect(await company.one(taken, [first])).toBe(sale);
    await expect(take(first, 1)).rejects.toMatchObject({ code: "55000" });
    await take(second, 1);
    expect(await levelOf(company, id)).toMatchObject({ quantity: "1", reserved: "2" });
    await company.move(people.staff, id, "receipt", 1);
    await fulfil(third);
    expect(await levelOf(company, id)).toMatchObject({ quantity: "0", reserved: "0" });
  });

  it("gives way once it has expired, to a reservation as to an issue", async () => {
    const soon = { expires_at: new Date(Date.now() + 3_600_000).toISOString() };
    const id = await company.product({}, 5);
    const first = await reserve(id, 5, soon);
    await expire(first);
    const available =
      "select available::float from public.stock_availability where product_id = $1";
    expect(await see(company, people.viewer, available, [id])).toEqual([{ available: 5 }]);
    const late = call(client, people.staff, "fulfil_reservation", { reservation_id: first });
    await expect(late).rejects.toMatchObject({ code: "55000" });
    const second = await reserve(id, 5, soon);
    expect([await statusOf(first), await statusOf(second)]).toEqual(["expired", "open"]);
    await expire(second);
    await company.move(people.staff, id, "issue", -5);
    expect(await statusOf(second)).toBe("expired");
    const past = { expires_at: new Date(Date.now() - 1000).toISOString() };
    await expect(reserve(id, 1, past)).rejects.toMatchObject({ code: "22023" });
  });

  it("is released by the clock when staff or the service ask for it", async () => {
    const id = await company.product({}, 9);
    const release = (who: Actor) => call(client, who, "release_expired_reservations", {});
    for (const who of [people.staff, service]) {
      const expired = await reserve(id, 2);
      const kept = await reserve(id, 1);
      await expire(expired);
      expect(await release(who)).toBe(1);
      expect(await release(who)).toBe(0);
      expect([await statusOf(expired), await statusOf(kept)]).toEqual(["expired", "open"]);
    }
    for (const who of [people.viewer, people.stranger, anon]) {
      await expect(release(who)).rejects.toMatchObject({ code: "42501" });
    }
  });

  it("keeps stock from sales and transfers, but not from what is counted", async () => {
    const id = await company.product({}, 5);
    const reservation = await reserve(id, 4);
    const sale = client.query(
      `insert into public.stock_movements (product_id, location_id, kind, quantity)
       values ($1, $2, 'sale', -2)`,
      [id, company.location],
    );
    await expect(sale).rejects.toMatchObject({ constraint: "stock_levels_keep_reserved" });
    const transfer = call(client, people.staff, "transfer_stock", {
      transfer_id: randomUUID(),
      product_id: id,
      from_location_id: company.location,
      to_location_id: await openDepot(company),
      quantity: 2,
    });
    await expect(transfer).rejects.toMatchObject({ constraint: "stock_levels_keep_reserved" });

    const other = await reserve(id, 1);
    const count = { product_id: id, location_id: company.location, counted: 4 };
    expect(Number(await call(client, people.manager, "count_stock", count))).toBe(-1);
    // There is less than was promised now: the first to be served is, the last is not.
    await call(client, people.staff, "fulfil_reservation", { reservation_id: reservation });
    const last = call(client, people.staff, "fulfil_reservation", { reservation_id: other });
    await expect(last).rejects.toMatchObject({ constraint: "stock_levels_not_negative" });
    expect(await statusOf(other)).toBe("open");
  });

  it("may promise more than is there where the product may be oversold", async () => {
    const id = await company.product({ allow_oversell: true }, 1);
    const reservation = await reserve(id, 3);
    await company.move(people.staff, id, "issue", -1);
    await call(client, people.staff, "fulfil_reservation", { reservation_id: reservation });
    expect(await levelOf(company, id)).toMatchObject({ quantity: "-3", reserved: "0" });
  });

  it.each([
    ["0", "23514"],
    ["-1", "23514"],
    ["1.5", "23514"],
    ["NaN", "23514"],
  ])("is refused for %s", async (quantity, code) => {
    const id = await company.product({ allow_oversell: true }, 5);
    await expect(reserve(id, quantity)).rejects.toMatchObject({ code });
    expect(await levelOf(company, id)).toMatchObject({ reserved: "0" });
  });

  it("is refused for services and for products with variants", async () => {
    const untracked = await company.product({ track_stock: false });
    await expect(reserve(untracked, 1)).rejects.toMatchObject({ code: "23514" });
    const parent = await company.product();
    await company.product({ parent_id: parent, options: '{"size": "S"}' });
    await expect(reserve(parent, 1)).rejects.toMatchObject({ code: "23514" });
  });

  it("belongs to staff: viewers see it, strangers do not, and nobody writes it past the functions", async () => {
    const id = await company.product({}, 5);
    const reservation = await reserve(id, 2);
    for (const who of [people.viewer, people.stranger, anon, service]) {
      await expect(reserve(id, 1, {}, who)).rejects.toMatchObject({ code: "42501" });
      for (const name of ["release_reservation", "fulfil_reservation"]) {
        const acting = call(client, who, name, { reservation_id: reservation });
        await expect(acting).rejects.toMatchObject({ code: "42501" });
      }
    }
    for (const who of [people.owner, people.manager, service]) {
      for (const sql of [
        "update public.reservations set quantity = 1",
        "delete from public.reservations",
        "update public.stock_levels set reserved = 0",
        `insert into public.reservations (product_id, location_id, quantity, reserved_for)
         values ('${id}', '${company.location}', 1, 'Me')`,
      ]) {
        await expect(act(client, who, sql)).rejects.toMatchObject({ code: "42501" });
      }
    }
    const sql = "select id from public.reservations where id = $1";
    expect(await see(company, people.viewer, sql, [reservation])).toHaveLength(1);
    expect(await see(company, people.stranger, sql, [reservation])).toHaveLength(0);
  });
});
