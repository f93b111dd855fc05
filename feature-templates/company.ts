/** A company to act in: a project with every template, people of each role, and goods. */
import { randomUUID } from "node:crypto";
import type pg from "pg";
import type { Template } from "#app/domain/catalog/index.server.ts";
import { type Actor, act, type People } from "./acting.ts";
import type { ProjectServer } from "./fresh-database.ts";
import { joinProjectServer } from "./shared-server.ts";

export interface Company {
  server: ProjectServer;
  client: pg.Client;
  people: People;
  templates: Template[];
  /** The id of the location that the seed made. */
  location: string;
  /** The single value that a query answers, asked as `postgres`. */
  one<T = string>(sql: string, values?: unknown[]): Promise<T>;
  /** A product for 10 EUR unless told otherwise, made by the manager; answers its id. */
  product(facts?: Record<string, unknown>, stock?: number): Promise<string>;
  /** A movement of stock at the main location. */
  move(who: Actor, productId: string, kind: string, quantity: unknown): Promise<unknown>;
  /** The level of stock, without trailing zeros. */
  stockOf(productId: string, locationId?: string): Promise<string>;
}

/** Founds a company in the shared server; its `server.stop` removes it. */
export async function foundCompany(): Promise<Company> {
  const server = await joinProjectServer();
  const { client, people, templates } = await server.createCompany(["pos", "analytics"]);

  const one = async <T>(sql: string, values: unknown[] = []) => {
    const { rows } = await client.query({ text: sql, values, rowMode: "array" });
    return rows[0]?.[0] as T;
  };
  const location = await one<string>("select id from public.locations");

  const move: Company["move"] = (who, productId, kind, quantity) =>
    act(
      client,
      who,
      `insert into public.stock_movements (product_id, location_id, kind, quantity)
       values ($1, $2, $3, $4)`,
      [productId, location, kind, quantity],
    );

  return {
    server,
    client,
    people,
    templates,
    location,
    one,
    move,
    async product(facts = {}, stock = 0) {
      const columns = { sku: `P-${randomUUID()}`, name: "Rope", price: 10, ...facts };
      const names = Object.keys(columns);
      const { rows } = await act<{ id: string }>(
        client,
        people.manager,
        `insert into public.products (${names.join(", ")})
         values (${names.map((_, index) => `$${index + 1}`).join(", ")}) returning id`,
        Object.values(columns),
      );
      const id = rows[0]?.id as string;
      if (stock > 0) await move(people.staff, id, "receipt", stock);
      return id;
    },
    stockOf: (productId, locationId = location) =>
      one(
        `select trim_scale(quantity) from public.stock_levels
         where product_id = $1 and location_id = $2`,
        [productId, locationId],
      ),
  };
}
