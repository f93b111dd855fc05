import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Company, foundCompany } from "./company.ts";
import { failedChecks } from "./fresh-database.ts";
import { openTill, type Sold, type Till } from "./till.ts";

let company: Company;
beforeAll(async () => {
  company = await foundCompany();
});
afterAll(() => company?.server.stop());

const SALES = 1_000;
const CONNECTIONS = 24;
const TILLS = 5;
/** Of these there is too little for everyone. */
const SCARCE = 60;
const PLENTY = 10_000;

interface Attempt {
  token: string;
  till: Till;
  lines: { product_id: string; quantity: number }[];
  payments: { method: string; amount: number }[];
}

describe("a thousand sales at once", () => {
  it("neither oversell nor break the receipts, whatever is repeated or cut off", async () => {
    const { client, people, server } = company;
    const scarce = [await company.product({}, SCARCE), await company.product({}, SCARCE)];
    const plenty = [await company.product({}, PLENTY), await company.product({}, PLENTY)];
    plenty.push(await company.product({}, PLENTY));
    const products = [...scarce, ...plenty];
    const tills: Till[] = [];
    for (let n = 0; n < TILLS; n += 1) tills.push(await openTill(company));

    const attempts = Array.from({ length: SALES }, (_, n): Attempt => {
      // Three products in every order; every third sale wants what is scarce.
      const wanted = n % 3 === 0 ? [...scarce, plenty[n % 2] as string] : plenty;
      const from = Math.floor(n / 3) % 3;
      const chosen = [...wanted.slice(from), ...wanted.slice(0, from)];
      const lines = chosen.map((product_id, index) => ({ product_id, quantity: 1 + (index % 2) }));
      const token = randomUUID();
      const till = tills[n % TILLS] as Till;
      return { token, till, lines, payments: [{ method: "card", amount: 40 }] };
    });

    const answers = new Map<string, Sold[]>();
    const sell = async (by: pg.Client, { till, token, ...sale }: Attempt) => {
      try {
        const sold = await till.sell({ ...sale, token, by });
        answers.set(token, [...(answers.get(token) ?? []), sold]);
      } catch (error) {
        expect(error).toMatchObject({ constraint: "stock_levels_not_negative" });
      }
    };

    let next = 0;
    const cutOff: Attempt[] = [];
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async (_, index) => {
        const by = await server.connectBeside(client);
        while (next < attempts.length) {
          const n = next;
          next += 1;
          const attempt = attempts[n] as Attempt;
          if (n % 25 === 7) {
            cutOff.push(attempt);
            await sendAndVanish(by, people.staff.id, attempt, index % 2 === 0);
          }
          // A till that had no answer asks again; now and then another one asks the same.
          await sell(by, attempt);
          if (n % 10 === 3) await sell(by, attempts[n - 2] as Attempt);
        }
        await by.end();
      }),
    );
    expect(cutOff).toHaveLength(SALES / 25);

    // Whoever was told of a sale was told the same each time, and of the only one there is.
    const { rows: sales } = await client.query<{ id: string; client_token: string }>(
      "select id, client_token from public.sales",
    );
    const byToken = new Map(sales.map(({ id, client_token }) => [client_token, id]));
    expect(byToken.size).toBe(sales.length);
    expect([...answers.keys()].sort()).toEqual([...byToken.keys()].sort());
    for (const [token, told] of answers) {
      for (const sold of told) {
        expect(sold).toEqual(told[0]);
        expect(sold.sale_id).toBe(byToken.get(token));
      }
    }

    // Every sale that could be was made: what is left of the scarce ones suffices for no other.
    const left: number[] = [];
    for (const id of scarce) left.push(Number(await company.stockOf(id)));
    expect(Math.min(...left)).toBeGreaterThanOrEqual(0);
    expect(Math.min(...left)).toBeLessThan(2);
    expect(sales.length).toBeGreaterThan((SALES * 2) / 3);
    expect(sales.length).toBeLessThan(SALES);

    const { rows: stock } = await client.query(
      `select l.quantity = (
           select sum(m.quantity) from public.stock_movements m
           where m.product_id = l.product_id and m.location_id = l.location_id
         ) as ledger,
         l.quantity = $2 - (
           select sum(i.quantity) from public.sale_lines i where i.product_id = l.product_id
         ) + case when l.product_id = any ($1) then 0 else $3 end as sold
       from public.stock_levels l`,
      [scarce, SCARCE, PLENTY - SCARCE],
    );
    expect(stock).toEqual(products.map(() => ({ ledger: true, sold: true })));

    const { rows: series } = await client.query<{ numbers: number[] }>(
      `select array_agg(number::int order by number) as numbers from public.receipts
       group by register_id`,
    );
    expect(series).toHaveLength(TILLS);
    expect(series.flatMap(({ numbers }) => numbers)).toHaveLength(sales.length);
    for (const { numbers } of series) {
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    }
    const late = `select count(*) from public.receipts a
      join public.receipts b on b.register_id = a.register_id and b.number = a.number + 1
      where b.issued_at < a.issued_at`;
    expect(await company.one(late)).toBe("0");
    expect(await failedChecks(client, company.templates)).toEqual([]);
  });
});

/**
 * Sends a whole sale in one message and goes away before its answer: by hanging up, whereupon the
 * server may still complete it, or by having the session ended in the midst of it.
 */
async function sendAndVanish(
  beside: pg.Client,
  person: string,
  { token, till, lines, payments }: Attempt,
  hangUp: boolean,
) {
  const lost = await company.server.connectBeside(beside);
  lost.on("error", () => undefined);
  const { rows } = await lost.query<{ pid: number }>("select pg_backend_pid() as pid");
  const quoted = [token, till.session, JSON.stringify(lines), JSON.stringify(payments)].map(
    (text) => pg.escapeLiteral(text),
  );
  const claims = JSON.stringify({ role: "authenticated", sub: person });
  const sending = lost.query(`
    begin;
    set local role authenticated;
    select set_config('request.jwt.claims', ${pg.escapeLiteral(claims)}, true);
    select public.complete_sale(${quoted.join(", ")});
    commit;
  `);
  const ended = sending.catch(() => undefined);
  if (hangUp) {
    await new Promise((resolve) => setImmediate(resolve));
    (
      lost as unknown as { connection: { stream: { destroy(): void } } }
    ).connection.stream.destroy();
  } else {
    await beside.query("select pg_terminate_backend($1)", [rows[0]?.pid]);
  }
  await ended;
}
