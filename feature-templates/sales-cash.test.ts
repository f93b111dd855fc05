import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { act, anon, call, service } from "./acting.ts";
import { type Company, foundCompany } from "./company.ts";
import { applySeeds, applyTemplates, failedChecks } from "./fresh-database.ts";
import { openTill, setLimit, type Till } from "./till.ts";

let company: Company;
beforeAll(async () => {
  company = await foundCompany();
});
afterAll(() => company?.server.stop());
afterEach(async () => {
  expect(await failedChecks(company.client, company.templates)).toEqual([]);
});

const denied = { code: "42501" };

describe("cash that is put in or taken out", () => {
  let till: Till;
  beforeEach(async () => {
    till = await openTill(company, { cash: 100 });
    await setLimit(company, "staff_cash_out_limit", 0);
  });

  const movements = async () =>
    Number(
      await company.one("select count(*) from public.cash_movements where session_id = $1", [
        till.session,
      ]),
    );

  it("counts into what the till expects at closing, with who and why", async () => {
    const { people, client } = company;
    const id = await company.product({}, 5);
    await till.moveCash(50);
    await till.moveCash("-20.004", { who: people.manager });
    await till.sell({
      lines: [{ product_id: id, quantity: 2 }],
      payments: [
        { method: "cash", amount: 15, tendered: 20 },
        { method: "card", amount: 5 },
      ],
    });
    const { rows } = await act(
      client,
      people.viewer,
      `select amount, currency, reason, moved_by from public.cash_movements
       where session_id = $1 order by moved_at`,
      [till.session],
    );
    expect(rows).toEqual([
      { amount: "50.0000", currency: "EUR", reason: "Change", moved_by: people.staff.id },
      { amount: "-20.0000", currency: "EUR", reason: "Change", moved_by: people.manager.id },
    ]);
    await till.close(140);
    const closed =
      "select expected_cash, difference from public.register_sessions where id = '" +
      `${till.session}'`;
    expect((await client.query(closed)).rows).toEqual([
      { expected_cash: "145.0000", difference: "-5.0000" },
    ]);
    await expect(till.moveCash(1)).rejects.toMatchObject({ code: "55000" });
  });

  it("moves once per token, and refuses another movement under it", async () => {
    const token = randomUUID();
    const first = await till.moveCash(5, { token });
    expect(await till.moveCash(5, { token })).toBe(first);
    await expect(till.moveCash(6, { token })).rejects.toMatchObject({ code: "23505" });
    expect(await movements()).toBe(1);
  });

  it("lets staff take out no more than their limit, however small the parts", async () => {
    const { people } = company;
    await expect(till.moveCash(-1)).rejects.toMatchObject(denied);
    await setLimit(company, "staff_cash_out_limit", 30);
    await till.moveCash(-20);
    await expect(till.moveCash("-10.01")).rejects.toMatchObject(denied);
    await till.moveCash(-10);
    await expect(till.moveCash("-0.01")).rejects.toMatchObject(denied);
    await till.moveCash(-60, { who: people.manager });
    expect(await movements()).toBe(3);
  });

  it("counts the limit of staff as zero in another currency", async () => {
    const { people, client } = company;
    await setLimit(company, "staff_cash_out_limit", 30);
    await act(client, people.owner, "update public.pos_settings set currency = 'JPY'");
    await expect(till.moveCash(-1)).rejects.toMatchObject(denied);
    await act(client, people.owner, "update public.pos_settings set currency = 'EUR'");
  });

  it("never takes out more than lies there, nor nothing, nor what is no number", async () => {
    const who = company.people.owner;
    await expect(till.moveCash("-100.01", { who })).rejects.toMatchObject({ code: "23514" });
    for (const amount of [0, "0.001", "NaN"]) {
      await expect(till.moveCash(amount, { who })).rejects.toMatchObject({ code: "23514" });
    }
    await till.moveCash(-100, { who });
    expect(await movements()).toBe(1);
  });

  it("is for staff and above, through the function alone, and never changes", async () => {
    const { people, client } = company;
    await till.moveCash(1);
    const close = { session_id: till.session, counted_cash: 101 };
    const open = { register_id: till.register, opening_cash: 0 };
    for (const who of [people.viewer, people.stranger, anon, service]) {
      await expect(till.moveCash(1, { who })).rejects.toMatchObject(denied);
      await expect(call(client, who, "close_register", close)).rejects.toMatchObject(denied);
      await expect(call(client, who, "open_register", open)).rejects.toMatchObject(denied);
    }
    for (const who of [people.owner, service]) {
      for (const sql of [
        "update public.cash_movements set amount = 1000",
        "delete from public.cash_movements",
        `insert into public.cash_movements (client_token, session_id, currency, amount, reason)
         select gen_random_uuid(), id, 'EUR', 5, 'x' from public.register_sessions`,
      ]) {
        await expect(act(client, who, sql)).rejects.toMatchObject(denied);
      }
    }
    await expect(client.query("delete from public.cash_movements")).rejects.toMatchObject({
      code: "23001",
    });
    expect(await movements()).toBe(1);
  });

  it("leaves its limits to the owner", async () => {
    const { people, client } = company;
    const raise = "update public.pos_settings set staff_cash_out_limit = 1000";
    for (const who of [people.manager, people.staff, people.viewer, people.stranger]) {
      expect((await act(client, who, raise)).rowCount).toBe(0);
    }
    await expect(act(client, anon, raise)).rejects.toMatchObject(denied);
    expect((await act(client, people.owner, raise)).rowCount).toBe(1);
    await expect(
      act(client, people.owner, "insert into public.pos_settings (currency) values ('EUR')"),
    ).rejects.toMatchObject(denied);
  });
});

describe("the settings of the tills", () => {
  it("come from what the customer answered, once", async () => {
    const client = await company.server.createDatabase("2026-10");
    await client.query("set berth.pos.staff_refund_limit = '25.5'");
    await client.query("set berth.pos.receipt_footer = 'It''s yours; drop by'");
    const templates = await applyTemplates(client, ["pos"]);
    const settings = async () => {
      const sql = `select currency, staff_refund_limit, staff_cash_out_limit, receipt_footer
        from public.pos_settings`;
      return (await client.query(sql)).rows;
    };
    const answered = {
      currency: "EUR",
      staff_refund_limit: "25.5000",
      staff_cash_out_limit: "0.0000",
      receipt_footer: "It's yours; drop by",
    };
    expect(await settings()).toEqual([answered]);
    await client.query("update public.pos_settings set staff_refund_limit = 7");
    await applySeeds(client, templates);
    expect(await settings()).toEqual([{ ...answered, staff_refund_limit: "7.0000" }]);
    await client.end();
  });
});
