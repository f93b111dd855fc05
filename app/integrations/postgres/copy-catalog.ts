import type pg from "pg";
import { structureQueries } from "./catalog-ddl.ts";
import { behaviourQueries, startingPrivileges } from "./catalog-ddl-rules.ts";
import { literal, redactServerText, rollback, ScriptFailure, sendScript } from "./script.ts";
import { PLATFORM_SCHEMAS } from "./sql-rules.ts";

/** One object of a catalog: in words, and as the statement that makes it (null: there is none). */
export interface CatalogObject {
  what: string;
  ddl: string | null;
}

/**
 * Which schemas are copied. `platform`: those that Supabase brings along, as far as a customer's
 * own objects can stand on them. `all`: everything but PostgreSQL's own.
 */
export type CatalogScope = "platform" | "all";

/** Statements that are tried in one transaction: each new relation holds a lock until its end. */
const BATCH = 200;

/** How often what failed for want of another object is tried. */
const PASSES = 20;

const SILENCE_MS = 75_000;

const scopes: Readonly<Record<CatalogScope, (oid: string) => string>> = {
  platform: (oid) => `${oid} in (select oid from pg_catalog.pg_namespace
    where nspname = any (array[${[...PLATFORM_SCHEMAS].map(literal).join(", ")}])
      and nspname !~ '^pg_' and nspname <> 'information_schema')`,
  all: (oid) => `${oid} in (select oid from pg_catalog.pg_namespace
    where nspname !~ '^pg_' and nspname <> 'information_schema')`,
};

/**
 * Reads the catalog of the connected database as statements, in one read-only snapshot and one
 * round trip. Left out: rows, event triggers, comments, and default privileges of other roles.
 *
 * @throws ScriptFailure, ConnectionLostError
 */
export async function readCatalog(
  client: pg.Client,
  scope: CatalogScope,
): Promise<CatalogObject[]> {
  const inScope = scopes[scope];
  const queries = [
    ...structureQueries(inScope),
    ...(scope === "all" ? behaviourQueries(inScope) : []),
    ...startingPrivileges(),
  ];
  const results = await readOnly(client, queries);
  return results.flatMap(({ rows }) => rows as CatalogObject[]);
}

/**
 * Runs queries in one read-only snapshot whose printed definitions depend on nobody's settings.
 *
 * @throws ScriptFailure (the transaction is left), ConnectionLostError
 */
export async function readOnly(
  client: pg.Client,
  queries: readonly string[],
): Promise<pg.QueryResult[]> {
  const opening = [
    "begin transaction isolation level repeatable read read only",
    "set local search_path to ''",
    "set local timezone to 'UTC'",
    "set local datestyle to 'ISO, YMD'",
    "set local intervalstyle to 'postgres'",
    "set local extra_float_digits to 1",
    "set local quote_all_identifiers to off",
  ];
  try {
    const results = await sendScript(client, [...opening, ...queries, "commit"], {
      silenceMs: SILENCE_MS,
    });
    return results.slice(opening.length, -1);
  } catch (error) {
    if (error instanceof ScriptFailure) await rollback(client);
    throw error;
  }
}

/** The rows of one query. @throws ScriptFailure, ConnectionLostError */
export async function ask<Row>(client: pg.Client, query: string): Promise<Row[]> {
  const [result] = await sendScript(client, query, { silenceMs: SILENCE_MS });
  return (result?.rows ?? []) as Row[];
}

/**
 * Makes the objects in the connected database. What fails for want of another object is tried
 * again after the rest, until a pass makes nothing new, at most twenty times.
 *
 * @returns What could not be made, in words, with the server's reason.
 * @throws ScriptFailure, ConnectionLostError
 */
export async function writeCatalog(
  client: pg.Client,
  objects: readonly CatalogObject[],
): Promise<string[]> {
  await sendScript(client, SETUP, { silenceMs: SILENCE_MS });
  const missing = objects
    .filter((object) => object.ddl === null)
    .map(({ what }) => `${what}: objects of this kind are not copied`);
  let waiting: { what: string; ddl: string; reason: string }[] = objects.flatMap(({ what, ddl }) =>
    ddl === null ? [] : [{ what, ddl, reason: "" }],
  );
  let before = Infinity;
  for (let pass = 0; pass < PASSES && waiting.length > 0 && waiting.length < before; pass += 1) {
    before = waiting.length;
    waiting = await attemptAll(client, waiting);
  }
  await sendScript(client, RESET, { silenceMs: SILENCE_MS });
  return [...missing, ...waiting.map(({ what, reason }) => `${what}: ${reason}`)];
}

/** One pass; answers what failed. */
async function attemptAll(client: pg.Client, objects: { what: string; ddl: string }[]) {
  const failed: { what: string; ddl: string; reason: string }[] = [];
  for (let start = 0; start < objects.length; start += BATCH) {
    const batch = objects.slice(start, start + BATCH);
    const array = `array[${batch.map(({ ddl }) => literal(ddl)).join(", ")}]::pg_catalog.text[]`;
    const rows = await ask<{ place: number; state: string; reason: string }>(
      client,
      `select * from pg_temp.attempt(${array})`,
    );
    for (const row of rows) {
      const object = batch[row.place - 1];
      if (object) failed.push({ ...object, reason: redactServerText(row.reason, row.state) });
    }
  }
  return failed;
}

const RESET = ["reset client_min_messages", "reset check_function_bodies", "reset search_path"];

/** Tries statements one by one, each in a subtransaction; the search_path qualifies nothing. */
const SETUP = [
  "set client_min_messages to warning",
  "set check_function_bodies to off",
  "set search_path to ''",
  `create or replace function pg_temp.attempt(statements pg_catalog.text[])
     returns table (place pg_catalog.int4, state pg_catalog.text, reason pg_catalog.text)
     language plpgsql as $attempt$ begin
       for i in 1 .. pg_catalog.cardinality(statements) loop
         begin
           execute statements[i];
         exception when others then
           place := i; state := sqlstate; reason := sqlerrm;
           return next;
         end;
       end loop;
     end $attempt$`,
];
