/** A shop with two tills, and sales at any moment; for the tests of what is computed from them. */
import type pg from "pg";
import { equip, type Office } from "./analytics-company.ts";
import { type Company, foundCompany } from "./company.ts";

export interface Shop extends Office {
  company: Company;
  /** At the main location and at a second one. */
  tills: { location: string; session: string }[];
  /** A sale at a moment, as `complete_sale` leaves it; answers its id. */
  sell(
    at: string,
    net: number,
    how?: { where?: number; product?: string; by?: pg.Client; currency?: string },
  ): Promise<string>;
  /** Money back for a sale, and the goods where a product is given. */
  giveBack(
    sale: string,
    at: string,
    net: number,
    kind?: "refund" | "void",
    product?: string,
  ): Promise<void>;
  /** A product of which 100 were bought for so much at each location; answers its id. */
  stocked(cost: number): Promise<string>;
  /** Answers how many days were computed. */
  refresh(by?: pg.Client, days?: number): Promise<number>;
  /** What is recorded for a day: key figure → value, of the company unless a location is given. */
  valuesOn(day: string, location?: string | null): Promise<Record<string, string>>;
  /** Every value that the tills' figures have, with its parts. */
  computed(): Promise<Record<string, unknown>[]>;
}

/** Opens one in the shared server; its `server.stop` removes it. */
export async function openShop(): Promise<Shop> {
  const company = await foundCompany();
  const { client } = company;
  const office = await equip(company.server, client, company.templates, company.people);
  const branch = await company.one(
    "insert into public.locations (code, name) values ('B', 'Branch') returning id",
  );
  const tills: Shop["tills"] = [];
  for (const location of [company.location, branch]) {
    const session = await company.one(
      `with till as (
         insert into public.registers (location_id, code, name) values ($1, $2, 'Till') returning id
       )
       insert into public.register_sessions (register_id, currency, opening_cash)
       select id, 'EUR', 0 from till returning id`,
      [location, `T${tills.length}`],
    );
    tills.push({ location, session });
  }
  const till = (index: number) => tills[index] as (typeof tills)[number];
  const moved = `insert into public.stock_movements (product_id, location_id, kind, quantity, source_id)
                 values ($1, $2, $3, $4, $5)`;

  return {
    ...office,
    company,
    tills,
    async sell(at, net, { where = 0, product = "", by = client, currency = "EUR" } = {}) {
      const { location, session } = till(where);
      const { rows } = await by.query(
        `insert into public.sales (client_token, request_hash, session_id, location_id, currency,
           net_total, tax_total, total, sold_at)
         values (gen_random_uuid(), sha256('x'), $1, $2, $3, $4, 0, $4, $5) returning id`,
        [session, location, currency, net, at],
      );
      const sale = rows[0].id as string;
      if (product) await by.query(moved, [product, location, "sale", -1, sale]);
      return sale;
    },
    async giveBack(sale, at, net, kind = "refund", product = "") {
      const [refund] = await office.rows<{ id: string; location_id: string }>(
        `insert into public.refunds (client_token, request_hash, sale_id, session_id, location_id,
           kind, reason, currency, net_total, tax_total, total, refunded_at)
         select gen_random_uuid(), sha256('x'), s.id, s.session_id, s.location_id, $2, 'Test',
           s.currency, $3, 0, $3, $4 from public.sales s where s.id = $1
         returning id, location_id`,
        [sale, kind, net, at],
      );
      if (product)
        await client.query(moved, [product, refund?.location_id, "return", 1, refund?.id]);
    },
    async stocked(cost) {
      const product = await company.product();
      for (const { location } of tills) {
        await client.query(
          `insert into public.stock_movements (product_id, location_id, kind, quantity, unit_cost,
             currency)
           values ($1, $2, 'receipt', 100, $3, 'EUR')`,
          [product, location, cost],
        );
      }
      return product;
    },
    async refresh(by = client, days = 1000) {
      const { rows } = await by.query("select private.refresh_kpis($1) as days", [days]);
      return rows[0].days;
    },
    async valuesOn(day, location = null) {
      const rows = await office.rows<{ key: string; value: string }>(
        `select k.key, trim_scale(s.value)::text as value
         from public.kpi_snapshots s join public.kpis k on k.id = s.kpi_id
         where s.day = $1 and s.location_id is not distinct from $2 order by 1`,
        [day, location],
      );
      return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
    },
    computed: () =>
      office.rows(
        `select k.key, s.location_id, s.day::text, s.value, s.currency, s.numerator, s.denominator
         from public.kpi_snapshots s join public.kpis k on k.id = s.kpi_id
         where s.source = 'pos' order by 1, 3, 2`,
      ),
  };
}
