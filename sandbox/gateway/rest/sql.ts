import pg from "pg";
import type { Typed } from "./catalog.ts";
import type { RowQuery } from "./request.ts";

/** A name as SQL writes it. */
export const quote = (name: string) => pg.escapeIdentifier(name);

/** Values that a statement binds. */
export class Values {
  readonly list: unknown[] = [];

  /** Binds a value; the answer is its place in the statement. */
  bind(value: unknown): string {
    this.list.push(value);
    return `$${this.list.length}`;
  }
}

/** The columns to answer, of what is called `from`. */
export const outputOf = (query: RowQuery, from: string) =>
  query.select?.map((name) => `${from}.${quote(name)}`).join(", ") ?? `${from}.*`;

/** The conditions; their values take the types of their columns. */
export function whereOf(query: RowQuery, from: string, values: Values): string {
  const list = query.filters.map(
    ({ column, value }) => `${from}.${quote(column)} = ${values.bind(value)}`,
  );
  return list.length > 0 ? `where ${list.join(" and ")}` : "";
}

/** Order and page. */
export function pageOf(query: RowQuery, from: string): string {
  const order = query.order.map(({ column, words }) => `${from}.${quote(column)} ${words}`);
  return [
    order.length > 0 ? `order by ${order.join(", ")}` : "",
    query.limit === null ? "" : `limit ${query.limit}`,
    query.offset > 0 ? `offset ${query.offset}` : "",
  ].join(" ");
}

/**
 * The rows of a JSON text, an object or a list of them, in the types of these columns. Without
 * columns the rows are there all the same.
 */
export function rowsOf(json: string, list: boolean, columns: readonly Typed[]): string {
  if (columns.length === 0) {
    return list
      ? `select from json_array_elements(${json}::json)`
      : `select from (select ${json}::json) _`;
  }
  const types = columns.map(({ name, type }) => `${quote(name)} ${type}`).join(", ");
  return `select * from json_to_record${list ? "set" : ""}(${json}::json) as _ (${types})`;
}

/** What a statement calls a row, and what it calls the values that it writes: unlike any name of a project's. */
export const ROW = "pgrst_row";
export const GIVEN = "pgrst_given";

/** All of `what` as one JSON text, and their number; `one`: the first of them itself. */
export const gather = (what: string, one: boolean) =>
  `coalesce((json_agg(${what})${one ? " -> 0" : ""})::text, ${one ? "'null'" : "'[]'"}) as body,
   count(*)::int as count`;

/** What every statement answers in one row. */
export interface Outcome {
  body: string;
  count: number;
  total: number | null;
}
