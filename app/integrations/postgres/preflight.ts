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

const ADVICE: Readonly<Record<string, { needed: (minimum: number) => string; fix: string }>> = {
  server_version: {
    needed: (minimum) => `PostgreSQL ${minimum} or newer`,
    fix: "Upgrade the project's database in the Supabase dashboard.",
  },
  writable: {
    needed: () => "a primary that accepts writes",
    fix: "Free or add disk space in the Supabase dashboard; a full disk makes the database read-only.",
  },
  api_roles: {
    needed: () => "the roles anon, authenticated and service_role",
    fix: "Give the database of a Supabase project.",
  },
  create_in_database: {
    needed: () => "the privilege CREATE on the database",
    fix: "Connect as the role postgres of the project.",
  },
  create_in_public: {
    needed: () => "the privilege CREATE on the schema public",
    fix: "Connect as the role postgres of the project.",
  },
  berth_schema: {
    needed: () => "no schema berth, or one that the role owns",
    fix: "Rename or drop the schema berth, if it is not Berth's.",
  },
  cli_ledger: {
    needed: () => "no schema supabase_migrations, or one in which the role may write",
    fix: "Connect as the role that owns supabase_migrations.",
  },
  empty_or_ours: {
    needed: () => "no tables in public before the first migration",
    fix: "Use a new project, or remove the tables.",
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
  const ledger = await session.ledger();
  const rows = await session.check(preflightSql(options.minimumPostgres, ledger.length > 0));
  return rows.map(({ check_name: name, ok, detail }) => ({
    name,
    ok,
    found: detail ?? "",
    needed: ADVICE[name]?.needed(options.minimumPostgres) ?? "",
    fix: ADVICE[name]?.fix ?? "",
  }));
}

function preflightSql(minimum: number, hasLedger: boolean): string {
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
    select 'create_in_database', has_database_privilege(current_database(), 'CREATE'),
      'role ' || current_user || ' in database ' || current_database()
    union all
    select 'create_in_public', coalesce(bool_or(has_schema_privilege(oid, 'CREATE')), false),
      'role ' || current_user
      from pg_namespace where nspname = 'public'
    union all
    select 'berth_schema', coalesce(${owned("berth")}, true),
      case ${owned("berth")} when true then 'ours' when false then 'owned by another role' else 'none' end
    union all
    select 'cli_ledger',
      coalesce(has_schema_privilege((select oid from pg_namespace where nspname = 'supabase_migrations'), 'CREATE,USAGE'), true)
      and coalesce(has_table_privilege(to_regclass('supabase_migrations.schema_migrations'), 'INSERT'), true),
      case when to_regclass('supabase_migrations.schema_migrations') is null then 'none' else 'present' end
    union all
    select 'empty_or_ours', ${hasLedger} or count(*) = 0,
      case when count(*) = 0 then 'no tables'
        else count(*) || ' tables, first ' || min(relname) end
      from pg_class c
      where relnamespace = (select oid from pg_namespace where nspname = 'public') and relkind in ('r', 'p')
        and not exists (select from pg_depend where objid = c.oid and deptype = 'e')`;
}
