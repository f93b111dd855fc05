import type pg from "pg";
import { LEDGER_SCHEMAS } from "#app/integrations/postgres/sql-rules.ts";

/** A row of a schema that is not the templates'; its key where it is a row of the ledger's. */
interface Row {
  table: string;
  key: string;
  digest: string;
}

/** Buckets are rows that a template may add. */
const OPEN = "storage.buckets";

/** The rows of Supabase's own schemas and of the ledger's, as they are now. */
export async function platformRows(admin: pg.Client): Promise<Row[]> {
  const { rows: tables } = await admin.query<{ name: string; key: string | null }>(`
    select format('%I.%I', n.nspname, c.relname) as name, (select a.attname::text from pg_attribute a
      where a.attrelid = c.oid and a.attname in ('version', 'path') and not a.attisdropped
        and n.nspname in (${[...LEDGER_SCHEMAS].map((each) => `'${each}'`).join(", ")}) limit 1) as key
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname in ('auth', 'storage', 'berth', 'supabase_migrations')
      and c.oid <> to_regclass('${OPEN}')`);
  const queries = tables.map(
    ({ name, key }) =>
      `select '${name}' as table, ${key ? `t.${key}::text` : "''"} as key, md5(t::text) as digest from ${name} t`,
  );
  return (await admin.query<Row>(queries.join(" union all "))).rows;
}

/**
 * The tables in which rows differ, beyond those that the runner writes about a step: the rows of the
 * ledger that go by the step's key, or by its file.
 */
export function changedTables(
  before: readonly Row[],
  after: readonly Row[],
  keys: readonly string[],
): string[] {
  const others = (rows: readonly Row[]) =>
    new Map(
      rows
        .filter((row) => row.key === "" || !keys.includes(row.key))
        .map((row) => [`${row.table} ${row.key} ${row.digest}`, row.table]),
    );
  const [was, is] = [others(before), others(after)];
  const changed = [
    ...[...was].filter(([row]) => !is.has(row)),
    ...[...is].filter(([row]) => !was.has(row)),
  ];
  return [...new Set(changed.map(([, table]) => table))].sort();
}
