/** A company that follows figures, with or without the templates that compute them. */
import { randomUUID } from "node:crypto";
import type pg from "pg";
import type { Template } from "#app/domain/catalog/index.server.ts";
import { type Actor, act, type People } from "./acting.ts";
import type { ProjectServer } from "./fresh-database.ts";
import { joinProjectServer } from "./shared-server.ts";

export interface Office {
  server: ProjectServer;
  client: pg.Client;
  people: People;
  templates: Template[];
  /** The id of the location that the seed made. */
  location: string;
  /** The rows of a query, asked as `postgres`. */
  rows<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** The single value that a query answers, asked as `postgres`. */
  one<T = string>(sql: string, values?: unknown[]): Promise<T>;
  /** A key figure, made by the manager; answers its key. */
  kpi(facts?: { unit?: string; aggregation?: string }): Promise<string>;
  /** A report, made by somebody; answers its id. */
  report(who: Actor, definition: object, shared?: boolean): Promise<string>;
}

/** Founds one in the shared server; its `server.stop` removes it. */
export async function foundOffice(names: string[]): Promise<Office> {
  const server = await joinProjectServer();
  const { client, people, templates } = await server.createCompany(names);
  return equip(server, client, templates, people);
}

/** What the tests ask of a company whose database and people are there already. */
export async function equip(
  server: ProjectServer,
  client: pg.Client,
  templates: Template[],
  people: People,
): Promise<Office> {
  const rows: Office["rows"] = async (sql, values = []) => (await client.query(sql, values)).rows;
  const one: Office["one"] = async (sql, values = []) => {
    const answer = await client.query({ text: sql, values, rowMode: "array" });
    return answer.rows[0]?.[0];
  };
  return {
    server,
    client,
    people,
    templates,
    location: await one("select id from public.locations"),
    rows,
    one,
    async kpi({ unit = "count", aggregation = "sum" } = {}) {
      const key = `k_${randomUUID().replaceAll("-", "_")}`;
      const sql =
        "insert into public.kpis (key, name, unit, aggregation) values ($1, 'Figure', $2, $3)";
      await act(client, people.manager, sql, [key, unit, aggregation]);
      return key;
    },
    async report(who, definition, shared = false) {
      const sql =
        "insert into public.reports (name, definition, shared) values ('Report', $1, $2) returning id";
      const made = await act<{ id: string }>(client, who, sql, [definition, shared]);
      return made.rows[0]?.id as string;
    },
  };
}
