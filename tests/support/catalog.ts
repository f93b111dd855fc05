/**
 * Everything that a run may leave in a customer's database, as text that can be compared. Object
 * ids, times and run ids are left out: they differ between two right runs.
 */
import type pg from "pg";
import { catalogQueries } from "./catalog-queries.ts";

/** By kind of object, by its name: a description in words. */
export type CatalogSnapshot = Record<string, Record<string, string>>;

/**
 * Reads the catalog of the connected database, all schemas but PostgreSQL's own, in one
 * repeatable-read transaction. `rowCounts` adds the number of rows of each table in these
 * schemas (default: public), which shows a seed that ran twice.
 */
export async function snapshotCatalog(
  client: pg.ClientBase,
  options: { rowCounts?: string[] } = {},
): Promise<CatalogSnapshot> {
  const snapshot: CatalogSnapshot = {};
  await client.query("begin transaction isolation level repeatable read read only");
  try {
    // Definitions are printed relative to the search_path: an empty one qualifies every name.
    await client.query("set local search_path to ''");
    for (const [kind, sql] of Object.entries(catalogQueries)) {
      snapshot[kind] = await readKind(client, sql);
    }
    snapshot.ledger = await readLedgers(client);
    snapshot["row counts"] = await countRows(client, options.rowCounts ?? ["public"]);
  } finally {
    await client.query("rollback");
  }
  return snapshot;
}

async function readKind(client: pg.ClientBase, sql: string): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string; definition: string }>(sql);
  const found: Record<string, string> = {};
  for (const { name, definition } of rows) {
    if (name in found) throw new Error(`The catalog query names ${name} twice.`);
    found[name] = definition;
  }
  return found;
}

/** The ledgers' rows without times and runs; `berth.unfinished` must be empty after a run. */
const LEDGERS = {
  "berth.ledger": "version, template, template_version, checksum",
  "berth.unfinished": "version, checksum",
  "supabase_migrations.schema_migrations": "version, name, statements",
  "supabase_migrations.seed_files": "path, hash",
};

async function readLedgers(client: pg.ClientBase): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [table, columns] of Object.entries(LEDGERS)) {
    const exists = await client.query("select to_regclass($1) is not null as there", [table]);
    if (!exists.rows[0].there) continue;
    const key = columns.split(",")[0];
    const { rows } = await client.query(
      `select x.${key} as name, to_jsonb(x)::text as row from (select ${columns} from ${table}) x`,
    );
    for (const { name, row } of rows) found[`${table} ${name}`] = row;
  }
  return found;
}

async function countRows(
  client: pg.ClientBase,
  schemas: string[],
): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name
     from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname = any ($1) order by 1`,
    [schemas],
  );
  const found: Record<string, string> = {};
  for (const { name } of rows) {
    found[name] = (await client.query(`select count(*) as n from ${name}`)).rows[0].n;
  }
  return found;
}

/** One line per object that is missing on a side or differs; empty when both are equal. */
export function diffCatalogs(a: CatalogSnapshot, b: CatalogSnapshot): string[] {
  const lines: string[] = [];
  for (const kind of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const [first, second] = [a[kind] ?? {}, b[kind] ?? {}];
    for (const name of [...new Set([...Object.keys(first), ...Object.keys(second)])].sort()) {
      const [x, y] = [first[name], second[name]];
      if (x === y) continue;
      if (y === undefined) lines.push(`${kind} ${name}: only in the first`);
      else if (x === undefined) lines.push(`${kind} ${name}: only in the second`);
      else lines.push(`${kind} ${name}: ${x} <> ${y}`);
    }
  }
  return lines;
}
