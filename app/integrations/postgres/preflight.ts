import type { RunSession } from "./run-session.ts";
import { literal } from "./script.ts";

/** One line of what must hold before a run. */
export interface PreflightLine {
  name: string;
  ok: boolean;
  found: string;
  needed: string;
  fix: string;
}

interface Line {
  /** As people read it. */
  name: string;
  needed: (minimum: number) => string;
  fix: string;
}

const LINES: Readonly<Record<string, Line>> = {
  server_version: {
    name: "Server version",
    needed: (minimum) => `PostgreSQL ${minimum} or newer`,
    fix: "Upgrade the project's database in the Supabase dashboard, then retry.",
  },
  writable: {
    name: "Write access",
    needed: () => "a primary that takes writes",
    fix: "Free or add disk space if the disk is full, or copy the primary's connection string if this is a replica; then retry.",
  },
  api_roles: {
    name: "API roles",
    needed: () => "the roles anon, authenticated and service_role",
    fix: "Supply the credentials of a Supabase project: every one has these roles.",
  },
  create_in_database: {
    name: "Privilege on the database",
    needed: () => "the privilege CREATE on the database",
    fix: "Grant it to the role, or supply the credentials of the role postgres; then retry.",
  },
  create_in_public: {
    name: "Privilege on the schema public",
    needed: () => "the privilege CREATE on the schema public",
    fix: "Grant it to the role, or supply the credentials of the role postgres; then retry.",
  },
  berth_schema: {
    name: "Schema berth",
    needed: () => "no schema berth, or one that Berth's role owns",
    fix: "Rename or drop the schema if it is not Berth's, or make the role its owner; then retry.",
  },
  cli_ledger: {
    name: "Ledger of Supabase's CLI",
    needed: () => "no schema supabase_migrations, or one in which the role may write",
    fix: "Make the role the owner of supabase_migrations and its tables, then retry.",
  },
  empty_or_ours: {
    name: "Schema public",
    needed: () => "no tables in public before the first migration",
    fix: "Move or drop the tables if nobody needs them here, or use a new project; then retry.",
  },
};

/**
 * What must hold before a run: server version, a writable primary, the roles and privileges that
 * templates need, ledger schemas that are absent or ours, and no foreign tables before the first
 * version. Reads only.
 */
export async function preflight(
  session: RunSession,
  options: { minimumPostgres: number },
): Promise<PreflightLine[]> {
  const rows = await session.check(preflightSql(options.minimumPostgres));
  const hasStrangers = rows.some(({ check_name: check, ok }) => check === TABLES && !ok);
  // Asked only where there are tables: a fresh database is judged in one round trip.
  const areOurs = hasStrangers && (await session.ledger()).length > 0;
  return rows.map(({ check_name: check, ok, detail }) => {
    const line = LINES[check];
    if (!line) throw new Error(`Nobody has words for the check ${check}.`);
    const { name, needed, fix } = line;
    const holds = ok || (check === TABLES && areOurs);
    return { name, ok: holds, found: detail ?? "", needed: needed(options.minimumPostgres), fix };
  });
}

/** Tables in `public`: somebody else's, unless the ledger has a version. */
const TABLES = "empty_or_ours";

function preflightSql(minimum: number): string {
  const owned = (schema: string) => `(select pg_catalog.pg_has_role(nspowner, 'USAGE')
    from pg_catalog.pg_namespace where nspname = ${literal(schema)})`;
  return `
    select 'server_version' as check_name,
      current_setting('server_version_num')::int >= ${minimum} * 10000 as ok,
      'PostgreSQL ' || current_setting('server_version') as detail
    union all
    select 'writable', not pg_is_in_recovery() and current_setting('default_transaction_read_only') = 'off',
      case when pg_is_in_recovery() then 'a replica'
        when current_setting('default_transaction_read_only') = 'on' then 'a read-only database'
        else 'a writable primary' end
    union all
    select 'api_roles', count(*) = 3, coalesce(string_agg(rolname, ', ' order by rolname), 'none')
      from pg_roles where rolname in ('anon', 'authenticated', 'service_role')
    union all
    select 'create_in_database', ok, 'the role ' || current_user || case when ok then ' may' else ' may not' end
        || ' create in the database ' || current_database()
      from (select has_database_privilege(current_database(), 'CREATE') as ok) may
    union all
    select 'create_in_public', ok, 'the role ' || current_user || case when ok then ' may' else ' may not' end
        || ' create in the schema public'
      from (select coalesce(bool_or(has_schema_privilege(oid, 'CREATE')), false) as ok
            from pg_namespace where nspname = 'public') may
    union all
    select 'berth_schema', coalesce(${owned("berth")}, true),
      coalesce((select 'the schema belongs to the role ' || pg_get_userbyid(nspowner)
                from pg_namespace where nspname = 'berth'), 'none')
    union all
    select 'cli_ledger',
      coalesce(has_schema_privilege((select oid from pg_namespace where nspname = 'supabase_migrations'), 'CREATE,USAGE'), true)
      and coalesce(has_table_privilege(to_regclass('supabase_migrations.schema_migrations'), 'INSERT'), true),
      coalesce((select 'the schema belongs to the role ' || pg_get_userbyid(nspowner)
                from pg_namespace where nspname = 'supabase_migrations'), 'none')
    union all
    select '${TABLES}', count(*) = 0,
      case when count(*) = 0 then 'no tables' when count(*) = 1 then 'the table ' || min(relname)
        else count(*) || ' tables, first ' || min(relname) end
      from pg_class c
      where relnamespace = (select oid from pg_namespace where nspname = 'public') and relkind in ('r', 'p')
        and not exists (select from pg_depend where objid = c.oid and deptype = 'e')`;
}
