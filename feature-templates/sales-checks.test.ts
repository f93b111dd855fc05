import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Company, foundCompany } from "./company.ts";
import { failedChecks } from "./fresh-database.ts";
import { openTill } from "./till.ts";

let company: Company;
beforeAll(async () => {
  company = await foundCompany();
});
afterAll(() => company?.server.stop());

interface Plan {
  "Relation Name"?: string;
  "Parent Relationship"?: string;
  Plans?: Plan[];
}

const records = [
  "sales",
  "sale_lines",
  "payments",
  "receipts",
  "refunds",
  "refund_lines",
  "refund_payments",
  "cash_movements",
  "stock_movements",
];

/** The tables of records that a plan reads once per row of another one. */
function readPerRow(plan: Plan, perRow = false): string[] {
  const inside = perRow || plan["Parent Relationship"] === "SubPlan";
  const name = plan["Relation Name"] ?? "";
  return [
    ...(inside && records.includes(name) ? [name] : []),
    ...(plan.Plans ?? []).flatMap((each) => readPerRow(each, inside)),
  ];
}

describe("the checks of pos", () => {
  it("add each table up once, however many sales there are", async () => {
    const checks = company.templates.find(({ name }) => name === "pos")?.checks?.sql as string;
    const { rows } = await company.client.query(`explain (format json) ${checks}`);
    const plan = rows[0]["QUERY PLAN"][0].Plan as Plan;
    expect(JSON.stringify(plan)).toContain('"Relation Name":"sale_lines"');
    expect(readPerRow(plan)).toEqual([]);
  });

  it("find what does not add up, each in its own words", async () => {
    const { client } = company;
    const till = await openTill(company);
    const id = await company.product({}, 9);
    const sold = await till.sell({
      lines: [{ product_id: id, quantity: 4 }],
      payments: [{ method: "cash", amount: 40 }],
    });
    const part = { lines: [{ line_number: 1, quantity: 1 }] };
    const { refund_id } = await till.refund(sold.sale_id, part);
    await till.close(130);
    expect(await failedChecks(client, company.templates)).toEqual([]);
    const checks = company.templates.find(({ name }) => name === "pos")?.checks?.sql as string;
    /** What is found after a change that the guards of the table would refuse. */
    const found = async (table: string, change: string) => {
      await client.query("begin");
      await client.query(`alter table public.${table} disable trigger user`);
      await client.query(change.replace("*", `public.${table}`));
      await client.query(`alter table public.${table} enable trigger user`);
      const { rows } = await client.query(checks);
      await client.query("rollback");
      return rows.filter(({ ok }) => ok !== true).map(({ check_name }) => check_name);
    };
    const [ofSale, ofRefund] = [`sale_id = '${sold.sale_id}'`, `refund_id = '${refund_id}'`];
    const dearer = "update * set net_amount = net_amount + 1, total = total + 1 where";
    const cash = "pos: closed sessions expected the cash that moved";
    expect(await found("sale_lines", `${dearer} ${ofSale}`)).toEqual([
      "pos: every sale is the sum of its lines",
    ]);
    expect(await found("payments", `delete from * where ${ofSale}`)).toEqual([
      "pos: every sale is paid exactly",
      cash,
    ]);
    expect(await found("refund_payments", `delete from * where ${ofRefund}`)).toEqual([
      "pos: every refund is paid back exactly",
      cash,
    ]);
    expect(await found("refund_lines", `delete from * where ${ofRefund}`)).toEqual([
      "pos: every refund is the sum of its lines",
    ]);
    expect(await found("receipts", `delete from * where ${ofRefund}`)).toEqual([
      "pos: receipts are numbered without gaps",
      "pos: every refund has its receipt",
    ]);
    const goods = `delete from * where source_id = '${refund_id}'`;
    expect(await found("stock_movements", goods)).toEqual([
      "pos: goods given back are back in stock",
    ]);
  });
});
