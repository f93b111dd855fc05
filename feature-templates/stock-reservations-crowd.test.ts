import type pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { act, call, type People } from "./acting.ts";
import { type Company, foundCompany } from "./company.ts";
import { failedChecks } from "./fresh-database.ts";
import { levelOf } from "./stock-acts.ts";

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

describe("fifty at once", () => {
  const together = async (attempt: (session: pg.Client, turn: number) => Promise<unknown>) => {
    const sessions = await Promise.all(
      Array.from({ length: 8 }, () => company.server.connectBeside(client)),
    );
    const outcomes: PromiseSettledResult<unknown>[] = [];
    let turn = 0;
    await Promise.all(
      sessions.map(async (session) => {
        while (turn < 50) {
          turn += 1;
          const [outcome] = await Promise.allSettled([attempt(session, turn)]);
          if (outcome) outcomes.push(outcome);
        }
      }),
    );
    for (const session of sessions) await session.end();
    return outcomes;
  };

  it("reserve or issue the last unit: exactly one gets it", async () => {
    const id = await company.product({}, 1);
    const outcomes = await together((session, turn) =>
      turn % 3 === 0
        ? act(
            session,
            people.staff,
            `insert into public.stock_movements (product_id, location_id, kind, quantity)
             values ($1, $2, 'issue', -1)`,
            [id, company.location],
          )
        : call(session, people.staff, "reserve_stock", {
            product_id: id,
            location_id: company.location,
            quantity: 1,
            reserved_for: `Attempt ${turn}`,
          }),
    );
    expect(outcomes).toHaveLength(50);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "23514" });
    }
    const level = await levelOf(company, id);
    expect(Number(level.quantity) - Number(level.reserved)).toBe(0);
  });

  it("fulfil the same reservation: it is one issue", async () => {
    const id = await company.product({}, 5);
    const reservation_id = await call(client, people.staff, "reserve_stock", {
      product_id: id,
      location_id: company.location,
      quantity: 2,
      reserved_for: "Order 7",
    });
    const outcomes = await together((session) =>
      call(session, people.staff, "fulfil_reservation", { reservation_id }),
    );
    expect(new Set(outcomes.map((each) => each.status === "fulfilled" && each.value)).size).toBe(1);
    expect(await levelOf(company, id)).toMatchObject({ quantity: "3", reserved: "0" });
  });
});
