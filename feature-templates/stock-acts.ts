/** Acts on stock that its tests share, each as a person of the company. */
import { randomUUID } from "node:crypto";
import { type Actor, act } from "./acting.ts";
import type { Company } from "./company.ts";

/** A second location; answers its id. */
export async function openDepot({ client, people }: Company): Promise<string> {
  const { rows } = await act<{ id: string }>(
    client,
    people.manager,
    "insert into public.locations (code, name) values ($1, 'Depot') returning id",
    [`D${randomUUID().slice(0, 12).toUpperCase()}`],
  );
  return rows[0]?.id as string;
}

/** Takes goods in at a cost, by default at the main location. */
export async function receive(
  { client, people, location }: Company,
  productId: string,
  quantity: number,
  unitCost: number | string | null,
  { at = location, currency = null as string | null, by = people.staff as Actor } = {},
): Promise<void> {
  await act(
    client,
    by,
    `insert into public.stock_movements (product_id, location_id, kind, quantity, unit_cost, currency)
     values ($1, $2, 'receipt', $3, $4, $5)`,
    [productId, at, quantity, unitCost, currency],
  );
}

/** The point at which a product is low, and the lot in which it is ordered, as the manager sets them. */
export const setPoint = (
  { client, people }: Company,
  productId: string,
  point: number | null,
  lot: number | null = null,
) =>
  act(
    client,
    people.manager,
    `update public.stock_levels set reorder_point = $2, reorder_quantity = $3
     where product_id = $1`,
    [productId, point, lot],
  );

/** What a level says, as text without trailing zeros. */
export async function levelOf(
  { client, location }: Company,
  productId: string,
  at = location,
): Promise<{ quantity: string; reserved: string; cost: string | null; currency: string | null }> {
  const { rows } = await client.query(
    `select trim_scale(quantity)::text as quantity, trim_scale(reserved)::text as reserved,
       trim_scale(average_cost)::text as cost, cost_currency as currency
     from public.stock_levels where product_id = $1 and location_id = $2`,
    [productId, at],
  );
  return rows[0];
}

/** The rows that a query answers to somebody. */
export async function see(
  { client }: Company,
  who: Actor,
  sql: string,
  values: unknown[] = [],
): Promise<Record<string, unknown>[]> {
  return (await act(client, who, sql, values)).rows;
}
