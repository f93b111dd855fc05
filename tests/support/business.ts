/** A small business at work in a project of its own, through the templates' tables and functions. */
import { randomUUID } from "node:crypto";
import pg from "pg";
import { type Actor, act, call } from "../../feature-templates/acting.ts";
import type { SandboxProject } from "./client.ts";

/** A session in a project's database as `postgres`; a role of the API acts in it. */
export async function connectTo({ databaseUrl }: SandboxProject): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    ssl: { rejectUnauthorized: false },
  });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

export type Person = Actor & { id: string };

/** What people have done, to be done again later. */
export interface Business {
  people: Record<"owner" | "manager" | "staff" | "viewer", Person>;
  product?: string;
  sale?: Record<string, unknown>;
  sold?: unknown;
}

/** An account that the project's Auth makes for an administrator. */
export async function createAccount(project: SandboxProject): Promise<Person> {
  const answer = await fetch(`${project.url}/auth/v1/admin/users`, {
    method: "POST",
    headers: {
      apikey: project.serviceRoleKey,
      authorization: `Bearer ${project.serviceRoleKey}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ email: `${randomUUID()}@example.com`, email_confirm: true }),
  });
  if (!answer.ok) throw new Error(`No account: ${await answer.text()}`);
  const { id } = (await answer.json()) as { id: string };
  return { role: "authenticated", id };
}

const has = async (client: pg.Client, table: string) =>
  (await client.query("select to_regclass($1) is not null as there", [table])).rows[0].there;

/**
 * People of each role set up their company and work, with whatever features there are. The owner is
 * there already; `account` makes the others'.
 */
export async function openBusiness(
  client: pg.Client,
  account: () => Promise<Person>,
): Promise<Business> {
  const { rows } = await client.query("select user_id from public.members where role = 'owner'");
  const owner: Person = { role: "authenticated", id: rows[0].user_id };
  const people = {
    owner,
    manager: await account(),
    staff: await account(),
    viewer: await account(),
  };
  for (const role of ["manager", "staff", "viewer"] as const) {
    const sql = "insert into public.members (user_id, role) values ($1, $2::public.member_role)";
    await act(client, owner, sql, [people[role].id, role]);
  }
  await act(
    client,
    owner,
    "update public.company_settings set name = 'Rope & Sail', currency = 'CHF', time_zone = 'Europe/Zurich'",
  );
  await act(
    client,
    people.manager,
    "insert into public.locations (code, name) values ('SHOP', 'The shop')",
  );
  const business: Business = { people };
  if (await has(client, "public.products")) business.product = await stockUp(client, people);
  if (await has(client, "public.registers")) await sell(client, business);
  if (await has(client, "public.kpis")) await report(client, people);
  return business;
}

async function stockUp(client: pg.Client, people: Business["people"]): Promise<string> {
  const { rows } = await act<{ id: string }>(
    client,
    people.manager,
    `insert into public.products (sku, name, price, currency, tax_rate)
     values ('ROPE-1', 'Rope', 12, 'CHF', 0.2), ('SAIL-1', 'Sail', 99.5, 'CHF', 0.081) returning id`,
  );
  await act(
    client,
    people.manager,
    "insert into public.suppliers (code, name) values ('ROPERY', 'Ropery Ltd')",
  );
  const moves = [
    ["receipt", 100, 4.2],
    ["receipt", 50, 5.125],
    ["issue", -3, null],
    ["adjustment", -1, null],
  ] as const;
  for (const { id } of rows) {
    for (const [kind, quantity, cost] of moves) {
      await act(
        client,
        people.manager,
        `insert into public.stock_movements (product_id, location_id, kind, quantity, unit_cost, currency)
         select $1, id, $2::public.movement_kind, $3, $4, case when $4::numeric is null then null else 'CHF' end
         from public.locations where code = 'MAIN'`,
        [id, kind, quantity, cost],
      );
    }
  }
  return rows[0]?.id ?? "";
}

async function sell(client: pg.Client, business: Business): Promise<void> {
  const { staff } = business.people;
  const { rows } = await client.query("select id from public.registers order by code limit 1");
  const opened = { register_id: rows[0].id, opening_cash: 100 };
  const session = await call(client, staff, "open_register", opened);
  business.sale = {
    client_token: randomUUID(),
    session_id: session,
    lines: [{ product_id: business.product, quantity: 2 }],
    payments: [{ method: "cash", amount: 24 }],
  };
  business.sold = await call(client, staff, "complete_sale", business.sale);
  await call(client, staff, "complete_sale", { ...business.sale, client_token: randomUUID() });
}

async function report(client: pg.Client, people: Business["people"]): Promise<void> {
  await act(
    client,
    people.manager,
    `insert into public.reports (name, definition, shared)
     values ('Ours', '{"kpis": ["revenue"], "period": "last_7_days"}', true)`,
  );
}

/** A row as text, column by column. */
type Row = Record<string, string>;

/** All rows of the customer's tables, by table and primary key. */
export async function contents(client: pg.Client): Promise<Map<string, Map<string, Row>>> {
  const { rows: tables } = await client.query<{ name: string; key: string[] }>(`
    select c.oid::regclass::text as name, array(
      select a.attname::text from pg_index i
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
      where i.indrelid = c.oid and i.indisprimary order by a.attnum) as key
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and (n.nspname in ('public', 'private') or c.oid = 'auth.users'::regclass)
    order by 1`);
  const all = new Map<string, Map<string, Row>>();
  for (const { name, key } of tables) {
    const { rows } = await client.query<{ row: Row }>(
      `select (select jsonb_object_agg(e.key, e.value::text) from jsonb_each(to_jsonb(t)) e) as row
       from ${name} t`,
    );
    all.set(
      name,
      new Map(rows.map(({ row }) => [key.map((column) => row[column]).join(" "), row])),
    );
  }
  return all;
}
