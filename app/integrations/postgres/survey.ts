import type pg from "pg";
import { notOfExtension } from "./catalog-ddl.ts";
import { openTables, own } from "./inventory-queries.ts";
import { LEDGER_READ, type LedgerRow, parseLedger, READ_LEDGER, SEED_KEY } from "./ledger.ts";
import { rollback, ScriptFailure, sendScript } from "./script.ts";
import { isProtected } from "./sql-rules.ts";

/** What a plan is made from: what stands in a customer's database at one instant. */
export interface DatabaseSurvey {
  /** As the server writes it: "17.6", or "17.6 (Ubuntu …)". */
  serverVersion: string;
  serverMajor: number;
  /** Every version that either half of the ledger knows, oldest first. */
  ledger: LedgerRow[];
  /** Versions that Berth's half of the ledger has, and Supabase's does not: no step can use them. */
  unlisted: string[];
  /** No version in the ledger, and nothing of the customer's own. */
  isFresh: boolean;
  /** Every table and view as "schema.name", in all schemas but the server's own; sorted. */
  existing: string[];
  /** Each of their indexes, as "schema.name", with its table: who drops one locks both. */
  indexes: Record<string, string>;
  /** Foreign keys between tables: who drops one locks both. */
  references: { name: string; from: string; columns: string[]; to: string; targets: string[] }[];
}

const SILENCE_MS = 75_000;

/** Whether the customer has anything but tables: functions, views, sequences, types, policies. */
const READ_TRACES = `select
  exists (select from pg_catalog.pg_class c where c.relkind in ('v', 'm', 'S', 'c')
    and ${own("c.relnamespace")} and ${notOfExtension("pg_class", "c.oid")})
  or exists (select from pg_catalog.pg_proc p
    where ${own("p.pronamespace")} and ${notOfExtension("pg_proc", "p.oid")})
  or exists (select from pg_catalog.pg_type t where t.typtype in ('e', 'd', 'r')
    and ${own("t.typnamespace")} and ${notOfExtension("pg_type", "t.oid")})
  or exists (select from pg_catalog.pg_policy p where p.polrelid in ${openTables}) as "hasTraces"`;

const READ_RELATIONS = `
  select n.nspname as schema, c.relname as name, c.relkind in ('i', 'I') as "isIndex",
    c.relkind in ('r', 'p', 'f') as "isTable",
    exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
      and d.objid = c.oid and d.deptype = 'e') as "isExtensions",
    t.relname as table
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join pg_catalog.pg_index i on i.indexrelid = c.oid
  left join pg_catalog.pg_class t on t.oid = i.indrelid
  where c.relkind in ('r', 'p', 'v', 'm', 'f', 'i', 'I')
    and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'`;

const columnsOf = (table: string, keys: string) => `(select pg_catalog.array_agg(attname::text)
  from pg_catalog.pg_attribute where attrelid = ${table} and attnum = any (${keys}))`;
const nameOf = (table: string) => `(select n.nspname || '.' || c.relname from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = ${table})`;

const READ_REFERENCES = `
  select conname as name, ${nameOf("conrelid")} as "from", ${columnsOf("conrelid", "conkey")} as columns,
    ${nameOf("confrelid")} as "to", ${columnsOf("confrelid", "confkey")} as targets
  from pg_catalog.pg_constraint where contype = 'f' order by 2, 1`;

interface RelationRow {
  schema: string;
  name: string;
  isIndex: boolean;
  isTable: boolean;
  isExtensions: boolean;
  table: string | null;
}

/**
 * Looks at a customer's database in one read-only snapshot and one round trip.
 *
 * @throws ScriptFailure where the ledger cannot be read, or is not of its shape; ConnectionLostError.
 */
export async function surveyDatabase(client: pg.Client): Promise<DatabaseSurvey> {
  const script = [
    "begin isolation level repeatable read read only",
    READ_LEDGER,
    `select ${LEDGER_READ} as ledger,
       pg_catalog.current_setting('server_version') as version,
       pg_catalog.current_setting('server_version_num')::int / 10000 as major`,
    READ_RELATIONS,
    READ_REFERENCES,
    READ_TRACES,
    "commit",
  ];
  const results = await sendScript(client, script, { silenceMs: SILENCE_MS }).catch(
    async (error: unknown) => {
      if (error instanceof ScriptFailure) await rollback(client);
      throw error;
    },
  );
  const facts = results[2]?.rows[0] as { ledger: string; version: string; major: number };
  const traces = results[5]?.rows[0] as { hasTraces: boolean };
  const relations = (results[3]?.rows ?? []) as RelationRow[];
  const rows = parseLedger(facts.ledger);
  const ledger = rows.map(({ isListed: _, ...row }): LedgerRow => row);
  const ofCustomer = relations.filter(
    ({ schema, isTable, isExtensions }) => isTable && !isExtensions && !isProtected(schema),
  );
  return {
    serverVersion: facts.version,
    serverMajor: facts.major,
    ledger,
    // Seeds have their own list there.
    unlisted: rows.flatMap(({ version, isListed }) =>
      isListed || version.startsWith(SEED_KEY) ? [] : [version],
    ),
    isFresh: ledger.length === 0 && ofCustomer.length === 0 && !traces.hasTraces,
    existing: relations
      .filter(({ isIndex }) => !isIndex)
      .map(({ schema, name }) => `${schema}.${name}`)
      .sort(),
    indexes: Object.fromEntries(
      relations
        .filter(({ isIndex }) => isIndex)
        .map(({ schema, name, table }) => [`${schema}.${name}`, `${schema}.${table}`]),
    ),
    references: (results[4]?.rows ?? []) as DatabaseSurvey["references"],
  };
}
