import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { act, anon } from "./acting.ts";
import { type Company, foundCompany } from "./company.ts";
import { failedChecks } from "./fresh-database.ts";
import { openTill } from "./till.ts";

let company: Company;
beforeAll(async () => {
  company = await foundCompany();
});
afterAll(() => company?.server.stop());

const footer = (text: string) =>
  act(company.client, company.people.owner, "update public.pos_settings set receipt_footer = $1", [
    text,
  ]);

describe("a receipt", () => {
  it("says all that is printed, with the tax per rate of prices with and without it", async () => {
    const { client, people, location } = company;
    await act(
      client,
      people.manager,
      "update public.locations set address = 'Quay 1', postal_code = '1010', city = 'Vienna', country = 'AT'",
    );
    await footer("Come again");
    const till = await openTill(company);
    const [gross, net, book] = [
      await company.product({ name: "Rope", price: "12", tax_rate: "0.2" }, 9),
      await company.product(
        { name: "Knot", price: "0.99", tax_rate: "0.2", price_includes_tax: false },
        9,
      ),
      await company.product({ name: "Book", price: "11", tax_rate: "0.1" }, 9),
    ];
    const { rows: orders } = await act<{ id: string; number: string }>(
      client,
      people.staff,
      "insert into public.orders (location_id, label) values ($1, 'Mast') returning id, number",
      [location],
    );
    const lines = [
      { product_id: gross, quantity: 1 },
      { product_id: net, quantity: 3 },
      { product_id: book, quantity: 2 },
    ];
    const sold = await till.sell({
      order: orders[0]?.id,
      lines,
      payments: [
        { method: "voucher", amount: 20 },
        { method: "cash", amount: "17.56", tendered: 20 },
      ],
    });
    const read = "select document from public.receipts where id = $1";
    const { rows } = await act(client, people.viewer, read, [sold.receipt_id]);
    expect(rows[0]?.document).toEqual({
      kind: "sale",
      company: "My company",
      location: "Main location",
      address: "Quay 1, 1010 Vienna, AT",
      register: till.code,
      number: 1,
      order: Number(orders[0]?.number),
      sold_at: expect.any(String),
      currency: "EUR",
      net_total: 32.97,
      tax_total: 4.59,
      total: 37.56,
      lines: [
        expect.objectContaining({ description: "Rope", price_includes_tax: true, total: 12 }),
        expect.objectContaining({ description: "Knot", price_includes_tax: false, total: 3.56 }),
        expect.objectContaining({ description: "Book", price_includes_tax: true, total: 22 }),
      ],
      discounts: [],
      taxes: [
        { rate: 0.1, net: 20, tax: 2, total: 22 },
        { rate: 0.2, net: 12.97, tax: 2.59, total: 15.56 },
      ],
      payments: [
        { method: "cash", amount: 17.56, tendered: 20, change_given: 2.44 },
        { method: "voucher", amount: 20, tendered: 20, change_given: 0 },
      ],
      footer: "Come again",
    });

    // What was printed stays, whatever changes afterwards.
    await footer("Something else");
    await act(client, people.manager, "update public.products set name = 'Other'");
    expect((await act(client, people.viewer, read, [sold.receipt_id])).rows).toEqual(rows);
    expect((await act(client, people.stranger, read, [sold.receipt_id])).rows).toEqual([]);
    await expect(act(client, anon, read, [sold.receipt_id])).rejects.toMatchObject({
      code: "42501",
    });
  });

  it("has its number in the one series of its register, whatever it is for", async () => {
    const [here, there] = [await openTill(company), await openTill(company)];
    const id = await company.product({}, 99);
    const sale = {
      lines: [{ product_id: id, quantity: 1 }],
      payments: [{ method: "card", amount: 10 }],
    };
    const first = await here.sell(sale);
    const numbers = [first.receipt_number];
    numbers.push((await here.refund(first.sale_id)).receipt_number);
    // What is refused takes no number.
    await expect(here.refund(first.sale_id)).rejects.toMatchObject({ code: "23514" });
    await expect(here.sell({ ...sale, payments: [] })).rejects.toMatchObject({ code: "23514" });
    const second = await here.sell(sale);
    numbers.push(second.receipt_number, (await here.voidSale(second.sale_id)).receipt_number);
    expect(numbers).toEqual([1, 2, 3, 4]);

    // Paid back elsewhere, it is a receipt of the register that paid.
    const third = await here.sell(sale);
    expect((await there.refund(third.sale_id)).receipt_number).toBe(1);
    expect(await failedChecks(company.client, company.templates)).toEqual([]);
  });
});
