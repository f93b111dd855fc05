/** Standing at a till: what the tests of the point of sale do over and over. */
import { randomUUID } from "node:crypto";
import type pg from "pg";
import { type Actor, act, call } from "./acting.ts";
import type { Company } from "./company.ts";

export interface Sold {
  sale_id: string;
  receipt_id: string;
  receipt_number: number;
  total: number;
  currency: string;
}

interface Refunded {
  refund_id: string;
  kind: string;
  receipt_number: number;
  total: number;
}

interface Line {
  product_id: string;
  quantity: number | string;
  unit_price?: number;
  discount?: number;
  discount_id?: string;
  reservation_id?: string;
}

interface Payment {
  method: string;
  amount?: number | string;
  tendered?: number | string;
}

interface Act {
  who?: Actor;
  token?: string;
  by?: pg.Client;
}

interface SaleRequest extends Act {
  lines?: Line[];
  payments: Payment[];
  order?: string;
  discount?: string;
}

interface RefundRequest extends Act {
  lines?: { line_number: number; quantity?: number | string; restock?: boolean }[];
  payments?: Payment[];
  at?: string;
}

/** Arguments as the API sends them: what was not said is left out. */
const given = (values: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

/** A new register of a company with an open session, and what is done there, by staff if untold. */
export async function openTill(
  company: Company,
  { cash = 100, location = company.location }: { cash?: number; location?: string } = {},
) {
  const { client, people } = company;
  const code = randomUUID().slice(0, 18).toUpperCase();
  const sql =
    "insert into public.registers (location_id, code, name) values ($1, $2, 'Till') returning id";
  const { rows } = await act<{ id: string }>(client, people.manager, sql, [location, code]);
  const register = rows[0]?.id as string;
  const opened = { register_id: register, opening_cash: cash };
  const session = (await call(client, people.staff, "open_register", opened)) as string;

  return {
    code,
    register,
    session,
    sell({ who = people.staff, token = randomUUID(), by = client, ...sale }: SaleRequest) {
      return call(
        by,
        who,
        "complete_sale",
        given({
          client_token: token,
          session_id: session,
          lines: sale.lines,
          payments: sale.payments,
          order_id: sale.order,
          discount_id: sale.discount,
        }),
      ) as Promise<Sold>;
    },
    /** What a sale comes to. */
    async quote(sale: Omit<SaleRequest, "payments">) {
      const asked = {
        session_id: session,
        lines: sale.lines,
        order_id: sale.order,
        discount_id: sale.discount,
      };
      const quote = call(client, sale.who ?? people.staff, "quote_sale", given(asked));
      return (await quote) as { total: number; lines: { total: number }[] };
    },
    refund(saleId: string, { who = people.manager, ...refund }: RefundRequest = {}) {
      return call(
        refund.by ?? client,
        who,
        "refund_sale",
        given({
          client_token: refund.token ?? randomUUID(),
          session_id: refund.at ?? session,
          sale_id: saleId,
          reason: "Does not fit",
          payments: refund.payments ?? [{ method: "cash" }],
          lines: refund.lines,
        }),
      ) as Promise<Refunded>;
    },
    voidSale(
      saleId: string,
      { who = people.manager, token = randomUUID(), by = client }: Act = {},
    ) {
      const values = { client_token: token, sale_id: saleId, reason: "Rung up twice" };
      return call(by, who, "void_sale", values) as Promise<Refunded>;
    },
    moveCash(amount: number | string, { who = people.staff, token = randomUUID() }: Act = {}) {
      const values = { client_token: token, session_id: session, amount, reason: "Change" };
      return call(client, who, "move_cash", values) as Promise<string>;
    },
    async close(counted: number) {
      const values = { session_id: session, counted_cash: counted };
      await call(client, people.staff, "close_register", values);
    },
    report(who: Actor = people.staff) {
      return call(client, who, "end_of_day_report", { session_id: session });
    },
  };
}

export type Till = Awaited<ReturnType<typeof openTill>>;

/** A discount made by the manager; answers its id. */
export async function offer(company: Company, facts: Record<string, unknown>): Promise<string> {
  const columns = { code: randomUUID().slice(0, 18).toUpperCase(), name: "Summer", ...facts };
  const names = Object.keys(columns);
  const { rows } = await act<{ id: string }>(
    company.client,
    company.people.manager,
    `insert into public.discounts (${names.join(", ")})
     values (${names.map((_, index) => `$${index + 1}`).join(", ")}) returning id`,
    Object.values(columns),
  );
  return rows[0]?.id as string;
}

/** Sets a limit of staff, which only the owner may. */
export const setLimit = (company: Company, limit: string, amount: number) =>
  act(company.client, company.people.owner, `update public.pos_settings set ${limit} = $1`, [
    amount,
  ]);

/** The totals of what was given back for a sale, oldest first. */
export async function refundsOf(
  { client }: Company,
  saleId: string,
): Promise<{ kind: string; net: number; tax: number; total: number }[]> {
  const sql = `select net_total::float as net, tax_total::float as tax, total::float, kind
    from public.refunds where sale_id = $1 order by refunded_at`;
  return (await client.query(sql, [saleId])).rows;
}
