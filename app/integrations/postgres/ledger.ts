import type pg from "pg";
import {
  fenceUpsert,
  GUARD,
  type LedgerKey,
  LOCK_CLASS,
  type RunIdentity,
  STEP_LOCK,
} from "./guard.ts";
import { literal, rollback, ScriptFailure, sendScript } from "./script.ts";

/** One file as it goes to a customer's database. */
export interface SqlStep {
  kind: "migration" | "seed";
  /** 14 digits; seeds are told apart by their template instead. */
  version: string;
  name: string;
  /** Path below the templates' folder, with forward slashes. */
  file: string;
  sql: string;
  /** SHA-256 of the file, in hex. */
  checksum: string;
  template: string;
  templateVersion: string;
  transactional: boolean;
  /** Longest time for each statement, in milliseconds; absent for the run's own limit. */
  timeoutMs?: number;
  /** What it locks against writers: by name, and how many more that only the catalog can name. */
  strongLocks?: { tables: { schema: string; name: string }[]; others: number };
  statements: { sql: string; line: number }[];
}

/** A version that either half of the ledger knows; null where that half is silent. */
export interface LedgerRow {
  version: string;
  name: string | null;
  template: string | null;
  templateVersion: string | null;
  checksum: string | null;
  runId: string | null;
  appliedAt: Date | null;
}

/** What keys of seeds in `berth.ledger` begin with. */
export const SEED_KEY = "seed:";

/** The key of a file in `berth.ledger`: its version, or `seed:<template>`. */
export function ledgerKeyOf(file: Pick<SqlStep, "kind" | "template" | "version">): string {
  return file.kind === "seed" ? `${SEED_KEY}${file.template}` : file.version;
}

/** What identifies a step in `berth.ledger`. */
export function ledgerKey(step: SqlStep): LedgerKey {
  const { kind, checksum, templateVersion } = step;
  return { kind, key: ledgerKeyOf(step), checksum, templateVersion };
}

/** Takes beforehand the locks that recording a step takes. */
export function lockLedger({ kind }: SqlStep): string {
  const theirs = kind === "seed" ? "seed_files" : "schema_migrations";
  return `lock table berth.ledger, supabase_migrations.${theirs} in row exclusive mode`;
}

/**
 * Statements that record a step, run in the step's own transaction. Names are qualified and the
 * search_path is empty by then, so that nothing a file defined can stand in for them.
 */
export function ledgerStatements(step: SqlStep, identity: RunIdentity): string[] {
  const { key } = ledgerKey(step);
  const entry =
    "insert into berth.ledger (version, template, template_version, checksum, run_id) values (" +
    [key, step.template, step.templateVersion, step.checksum, identity.runId]
      .map(literal)
      .join(", ") +
    ")";
  if (step.kind === "seed") {
    const replace = (column: string) => `${column} = excluded.${column}`;
    const columns = ["template", "template_version", "checksum", "run_id", "applied_at"];
    return [
      `${entry} on conflict (version) do update set ${columns.map(replace).join(", ")}`,
      `insert into supabase_migrations.seed_files (path, hash) values (${literal(step.file)}, ` +
        `${literal(step.checksum)}) on conflict (path) do update set hash = excluded.hash`,
    ];
  }
  const texts = step.statements.map((statement) => literal(statement.sql)).join(", ");
  return [
    entry,
    "insert into supabase_migrations.schema_migrations (version, statements, name) values (" +
      `${literal(step.version)}, array[${texts}]::pg_catalog.text[], ${literal(step.name)})`,
  ];
}

/** Takes both schemas and all their tables from everybody but the owner; not every role is there. */
const CLOSE_SCHEMAS = `
        others := pg_catalog.concat_ws(', ', 'public', pg_catalog.to_regrole('anon'),
          pg_catalog.to_regrole('authenticated'), pg_catalog.to_regrole('service_role'));
        execute 'revoke all on schema berth, supabase_migrations from ' || others;
        execute 'revoke all on all tables in schema berth, supabase_migrations from ' || others;`;

/**
 * Creates Berth's schema and Supabase's ledger where they are missing, and raises the fence. The
 * tables of `supabase_migrations` are those of Supabase's CLI. Ours have bounded columns: a row
 * that always fits a page needs no TOAST table, which is half the cost of making one. Idempotent;
 * runs under the run lock, in one transaction.
 *
 * @throws ScriptFailure: BR003 when a larger token stands there; 42P06, 42P07 or 23505 when the
 * CLI created the same table at the same moment, which a second call resolves.
 */
export async function prepareSchemas(client: pg.Client, identity: RunIdentity): Promise<void> {
  await sendScript(
    client,
    [
      "begin",
      "set local client_min_messages = warning",
      `do $berth_prepare$ declare others text; raised integer; begin
        if not pg_catalog.pg_try_advisory_xact_lock(${LOCK_CLASS}, ${STEP_LOCK}) then
          raise exception using errcode = '${GUARD.stepInFlight}', message = 'a step is in flight';
        end if;
        if pg_catalog.to_regclass('berth.unfinished') is null then
          create schema if not exists berth;
          create table if not exists berth.fence (
            id boolean primary key default true check (id),
            token bigint not null,
            run_id varchar(40) not null,
            taken_at timestamptz not null default pg_catalog.now()
          );
          create table if not exists berth.ledger (
            version varchar(60) primary key,
            template varchar(60) not null,
            template_version varchar(256) not null,
            checksum varchar(64) not null,
            run_id varchar(40) not null,
            applied_at timestamptz not null default pg_catalog.now()
          );
          create table if not exists berth.unfinished (
            version varchar(60) primary key,
            checksum varchar(64) not null,
            run_id varchar(40) not null,
            existing oid,
            started_at timestamptz not null default pg_catalog.now()
          );
        end if;
        if pg_catalog.to_regclass('supabase_migrations.schema_migrations') is null then
          create schema if not exists supabase_migrations;
          create table supabase_migrations.schema_migrations (
            version text not null primary key, statements text[], name text
          );
        elsif (select count(*) from pg_catalog.pg_attribute
            where attrelid = 'supabase_migrations.schema_migrations'::pg_catalog.regclass
              and attname in ('statements', 'name') and not attisdropped) < 2 then
          alter table supabase_migrations.schema_migrations add column if not exists statements text[];
          alter table supabase_migrations.schema_migrations add column if not exists name text;
        end if;
        if pg_catalog.to_regclass('supabase_migrations.seed_files') is null then
          create table supabase_migrations.seed_files (path text not null primary key, hash text not null);
        end if;
        ${CLOSE_SCHEMAS}
        ${fenceUpsert(identity)};
        get diagnostics raised = row_count;
        if raised <> 1 then
          raise exception using errcode = '${GUARD.fenced}', message = 'fenced';
        end if;
      end $berth_prepare$`,
      "commit",
    ],
    { silenceMs: 75_000 },
  );
}

/**
 * The ledger's tables may not be there, and a query that names a missing table fails: the block
 * asks first, and leaves its answer in a setting of this transaction.
 */
export const READ_LEDGER = `do $berth_survey$
  declare berth text; supabase text; found text;
  begin
    berth := case when pg_catalog.to_regclass('berth.ledger') is null
      then '(select null::text version, null::text template, null::text template_version,
        null::text checksum, null::text run_id, null::timestamptz applied_at where false)'
      else 'berth.ledger' end;
    supabase := case when pg_catalog.to_regclass('supabase_migrations.schema_migrations') is null
      then '(select null::text version where false)'
      else 'supabase_migrations.schema_migrations' end;
    execute 'select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
        ''version'', coalesce(b.version, s.version), ''name'', pg_catalog.to_jsonb(s) ->> ''name'',
        ''template'', b.template, ''templateVersion'', b.template_version,
        ''checksum'', b.checksum, ''runId'', b.run_id, ''appliedAt'', b.applied_at, ''isListed'', s.version is not null)
        order by b.applied_at nulls first, coalesce(b.version, s.version))
      from ' || berth || ' b full join ' || supabase || ' s on s.version = b.version'
    into found;
    perform pg_catalog.set_config('berth.survey', coalesce(found, '[]'), true);
  end $berth_survey$`;

/** Where {@link READ_LEDGER} has left its answer. */
export const LEDGER_READ = "pg_catalog.current_setting('berth.survey')";

/** A version as the server answers it, and whether Supabase's half of the ledger lists it. */
type ListedRow = LedgerRow & { isListed: boolean };

/** The answer of {@link READ_LEDGER}. */
export function parseLedger(answer: string): ListedRow[] {
  const rows = JSON.parse(answer) as (Omit<ListedRow, "appliedAt"> & {
    appliedAt: string | null;
  })[];
  return rows.map(({ appliedAt, ...row }) => ({
    ...row,
    appliedAt: appliedAt === null ? null : new Date(appliedAt),
  }));
}

/** Every version that the database's ledger knows, oldest first; empty before prepare(). */
export async function readLedger(client: pg.Client): Promise<LedgerRow[]> {
  const script = ["begin read only", READ_LEDGER, `select ${LEDGER_READ} as ledger`, "commit"];
  const results = await sendScript(client, script, { silenceMs: 75_000 }).catch(
    async (error: unknown) => {
      if (error instanceof ScriptFailure) await rollback(client);
      throw error;
    },
  );
  const row = results[2]?.rows[0] as { ledger: string };
  return parseLedger(row.ledger).map(({ isListed: _, ...row }) => row);
}

/** Which of these keys Berth's ledger does not have; all of them where there is no ledger. */
export async function missingVersions(client: pg.Client, keys: string[]): Promise<string[]> {
  if (keys.length === 0) return [];
  const ledger = await readLedger(client);
  const known = new Set(ledger.filter((row) => row.checksum !== null).map((row) => row.version));
  return keys.filter((key) => !known.has(key));
}
