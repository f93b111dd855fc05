import type pg from "pg";

/** What a look into the database, without a single write, has found. */
export interface DatabaseFacts {
  /** As PostgreSQL's `server_version_num`: 170004 is 17.4. */
  versionNumber: number;
  /** What the role may not do, in words; empty if nothing is missing. */
  missing: string[];
  /** Versions in Berth's ledger, or `null` if there is no ledger of the role's own. */
  ledgerVersions: number | null;
  /** Versions in Supabase's ledger that Berth's does not hold. */
  foreignMigrations: { count: number; first: string | null };
  /** Objects in the schema public that belong to no extension: some of them by name, and all counted. */
  publicObjects: { count: number; some: string[] };
}

/** A table's oid, or null: `to_regclass` would fail where the role may not look into the schema. */
const table = (schema: string, name: string) =>
  `(select oid from pg_class where relname = '${name}' and relkind in ('r', 'p')
     and relnamespace = to_regnamespace('${schema}'))`;

// Every has_…_privilege of an object that is missing is null, hence `is not true`.
const privileges = `
  with wanted(what, held) as (values
    ('create schemas in this database', has_database_privilege(current_database(), 'CREATE')),
    ('create objects in the schema public',
      has_schema_privilege(to_regnamespace('public')::oid, 'CREATE')),
    ('use the schema auth', has_schema_privilege(to_regnamespace('auth')::oid, 'USAGE')),
    ('refer to auth.users', has_table_privilege(${table("auth", "users")}, 'REFERENCES')),
    ('create triggers on auth.users', has_table_privilege(${table("auth", "users")}, 'TRIGGER')),
    ('use the schema storage', has_schema_privilege(to_regnamespace('storage')::oid, 'USAGE')),
    ('insert into storage.buckets', has_table_privilege(${table("storage", "buckets")}, 'INSERT')),
    ('write in the schema berth', to_regnamespace('berth') is null
      or has_schema_privilege(to_regnamespace('berth')::oid, 'CREATE')),
    ('write in the schema supabase_migrations', to_regnamespace('supabase_migrations') is null
      or has_schema_privilege(to_regnamespace('supabase_migrations')::oid, 'CREATE')),
    ('grant to anon, authenticated and service_role', 3 =
      (select count(*) from pg_roles where rolname in ('anon', 'authenticated', 'service_role')))
  )
  select what from wanted where held is not true`;

// A sequence of its own counts, one that belongs to a column does not. A function for event
// triggers is left out: Supabase's own option to enable row-level security puts one there.
const objects = `
  with found(kind, name, class, id) as (
    select case relkind when 'v' then 'view' when 'm' then 'materialized view'
             when 'S' then 'sequence' when 'f' then 'foreign table' else 'table' end,
           relname, 'pg_class'::regclass, oid
      from pg_class
     where relnamespace = to_regnamespace('public')
       and (relkind in ('r', 'p', 'v', 'm', 'f') or relkind = 'S' and not exists (
             select from pg_depend d
              where d.classid = 'pg_class'::regclass and d.objid = pg_class.oid
                and d.deptype in ('a', 'i')))
    union all
    select 'function', proname, 'pg_proc'::regclass, oid
      from pg_proc
     where pronamespace = to_regnamespace('public') and prorettype <> 'event_trigger'::regtype
    union all
    select 'type', typname, 'pg_type'::regclass, t.oid
      from pg_type t left join pg_class c on c.oid = t.typrelid
     where typnamespace = to_regnamespace('public')
       and (typtype in ('e', 'd', 'r') or typtype = 'c' and c.relkind = 'c')
  )
  select kind || ' ' || name as name, count(*) over ()::int as count
    from found
   where not exists (
         select from pg_depend d
          where d.classid = found.class and d.objid = found.id and d.deptype = 'e')
   order by kind <> 'table', name
   limit 4`;

const ledger = table("berth", "ledger");
const supabaseLedger = table("supabase_migrations", "schema_migrations");

const ledgers = `
  select current_setting('server_version_num')::int as version,
         pg_has_role((select relowner from pg_class where oid = ${ledger}), 'MEMBER') is true as ours,
         has_table_privilege(${supabaseLedger}, 'SELECT') is true
           and has_schema_privilege(to_regnamespace('supabase_migrations')::oid, 'USAGE') as supabase`;

/** Names come from the customer's database: bounded, and without anything that is not plain text. */
function plain(name: string): string {
  return name.replace(/[^\p{L}\p{N} _.-]/gu, "?").slice(0, 80);
}

/**
 * Looks into a customer's database in one read-only transaction.
 * @throws pg.DatabaseError, or what ended the connection
 */
export async function probeDatabase(client: pg.Client): Promise<DatabaseFacts> {
  await client.query(
    "begin read only; set local search_path = pg_catalog; set local lock_timeout = '2s'",
  );
  try {
    const { rows: missing } = await client.query<{ what: string }>(privileges);
    const { rows: inPublic } = await client.query<{ name: string; count: number }>(objects);
    const { rows: known } = await client.query<{
      version: number;
      ours: boolean;
      supabase: boolean;
    }>(ledgers);
    const [present] = known;
    if (!present) throw new Error("the server answered a query for one row with none");

    const count = "count(*)::int as count";
    let ledgerVersions: number | null = null;
    if (present.ours) {
      const { rows } = await client.query<{ count: number }>(`select ${count} from berth.ledger`);
      ledgerVersions = rows[0]?.count ?? 0;
    }
    let foreign: { count: number; first: string | null } = { count: 0, first: null };
    if (present.supabase) {
      const unknown = present.ours
        ? "where version not in (select version from berth.ledger where version is not null)"
        : "";
      const { rows } = await client.query<{ count: number; first: string | null }>(
        `select ${count}, min(version) as first from supabase_migrations.schema_migrations ${unknown}`,
      );
      foreign = rows[0] ?? foreign;
    }
    return {
      versionNumber: present.version,
      missing: missing.map(({ what }) => what),
      ledgerVersions,
      foreignMigrations: { count: foreign.count, first: foreign.first && plain(foreign.first) },
      publicObjects: {
        count: inPublic[0]?.count ?? 0,
        some: inPublic.map(({ name }) => plain(name)),
      },
    };
  } finally {
    await client.query("rollback").catch(() => {});
  }
}
