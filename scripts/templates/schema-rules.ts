/**
 * What every template's schema must keep to, asked of PostgreSQL's own catalog. It covers the
 * schemas that templates write to, so a database with templates alone answers with nothing.
 */
import type pg from "pg";

/**
 * Whether an index finds the rows of a foreign key: a partial one that leaves out the rows without a
 * value does, since those refer to nothing.
 */
export const findsReferences = (key: string, index: string) => `(${index}.indpred is null
  or cardinality(${key}.conkey) = 1 and pg_get_expr(${index}.indpred, ${index}.indrelid) = (
    select format('(%I IS NOT NULL)', a.attname) from pg_attribute a
    where a.attrelid = ${key}.conrelid and a.attnum = ${key}.conkey[1]))`;

interface Rule {
  fix: string;
  /** The advisor that says the same of the objects which it looks at. */
  lint?: string;
  query: string;
}

/** Each query answers the objects that break its rule, as one column of text. */
const rules: Record<string, Rule> = {
  "has no row-level security": {
    fix: "Enable it, and write the table's policies.",
    lint: "rls_disabled_in_public",
    query: `
    select c.oid::regclass::text from pg_class c
    where c.relnamespace in (select oid from ours) and c.relkind in ('r', 'p')
      and not c.relrowsecurity`,
  },
  "has no primary key": {
    fix: "Add one.",
    lint: "no_primary_key",
    query: `
    select c.oid::regclass::text from pg_class c
    where c.relnamespace in (select oid from ours) and c.relkind in ('r', 'p')
      and not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary)`,
  },
  "has no comment": {
    fix: "Say with COMMENT ON what one row stands for.",
    query: `
    select c.oid::regclass::text from pg_class c
    where c.relnamespace in (select oid from ours) and c.relkind in ('r', 'p', 'v')
      and obj_description(c.oid, 'pg_class') is null`,
  },
  "is not owned by postgres": {
    fix: "Leave the owner as it is.",
    query: `
    select c.oid::regclass::text from pg_class c
    where c.relnamespace in (select oid from ours) and c.relowner <> 'postgres'::regrole`,
  },
  "is a view with its owner's rights": {
    fix: "Create it with (security_invoker = true).",
    lint: "security_definer_view",
    query: `
    select c.oid::regclass::text from pg_class c
    where c.relnamespace in (select oid from ours) and c.relkind = 'v'
      and not coalesce((select o.option_value::boolean from pg_options_to_table(c.reloptions) o
        where o.option_name = 'security_invoker'), false)`,
  },
  "is a foreign key without an index": {
    fix: "Create an index that begins with its columns.",
    lint: "unindexed_foreign_keys",
    query: `
    select con.conrelid::regclass || '.' || con.conname from pg_constraint con
    where con.connamespace in (select oid from ours) and con.contype = 'f'
      and not exists (
        select from pg_index i
        where i.indrelid = con.conrelid and i.indisvalid and ${findsReferences("con", "i")}
          and con.conkey @> (i.indkey::smallint[])[0:cardinality(con.conkey) - 1]
          and con.conkey <@ (i.indkey::smallint[])[0:cardinality(con.conkey) - 1]
      )`,
  },
  "is a second index of the same kind": {
    fix: "Drop one of the two.",
    lint: "duplicate_index",
    query: `
    select a.indexrelid::regclass::text from pg_index a
    join pg_index b on b.indrelid = a.indrelid and b.indexrelid < a.indexrelid
      and b.indkey = a.indkey and b.indclass = a.indclass
      and coalesce(pg_get_expr(b.indexprs, b.indrelid), '')
        = coalesce(pg_get_expr(a.indexprs, a.indrelid), '')
      and coalesce(pg_get_expr(b.indpred, b.indrelid), '')
        = coalesce(pg_get_expr(a.indpred, a.indrelid), '')
    join pg_class c on c.oid = a.indrelid
    where c.relnamespace in (select oid from ours)`,
  },
  "is an invalid index": {
    fix: "Drop it, and build it again.",
    query: `
    select i.indexrelid::regclass::text from pg_index i
    join pg_class c on c.oid = i.indrelid
    where c.relnamespace in (select oid from ours) and not i.indisvalid`,
  },
  "has a type that money, quantities and times must not have": {
    fix: "Write numeric(18,4) for money, numeric(18,6) for quantities, timestamptz for times, and numeric with fitting digits for other measures (a latitude: numeric(9,6)).",
    query: `
    select c.oid::regclass || '.' || a.attname from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    where c.relnamespace in (select oid from ours) and c.relkind in ('r', 'p') and a.attnum > 0
      and a.atttypid in (
        'timestamp'::regtype, 'money'::regtype, 'real'::regtype, 'float8'::regtype
      )`,
  },
  "has no fixed search_path": {
    fix: "Add set search_path = '' to it, and write schemas out.",
    lint: "function_search_path_mutable",
    query: `
    select p.oid::regprocedure::text from pg_proc p
    where p.pronamespace in (select oid from ours)
      and p.prokind <> 'a' and ('search_path=""' = any (p.proconfig)) is not true`,
  },
  "may be executed by everyone": {
    fix: "Revoke all on it from public and anon right after its creation.",
    query: `
    select p.oid::regprocedure::text from pg_proc p,
      aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) acl
    where p.pronamespace in (select oid from ours) and acl.grantee in (0, 'anon'::regrole)`,
  },
  "runs with its owner's rights and is exposed": {
    fix: "Move it into the schema private, behind a function in public with the caller's rights.",
    lint: "authenticated_security_definer_function_executable",
    query: `
    select p.oid::regprocedure::text from pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.prosecdef`,
  },
  "is open to anon or everyone": {
    fix: "Revoke all on it from public, anon, authenticated and service_role right after its creation.",
    query: `
    select c.oid::regclass::text from pg_class c,
      aclexplode(coalesce(c.relacl, acldefault(
        case c.relkind when 'S' then 's'::"char" else 'r' end, c.relowner
      ))) acl
    where c.relnamespace in (select oid from ours) and c.relkind in ('r', 'p', 'v', 'S')
      and acl.grantee in (0, 'anon'::regrole)`,
  },
  "gives the API's roles more than rows": {
    fix: "Revoke all on it first, and grant select, insert, update or delete alone.",
    query: `
    select c.oid::regclass::text from pg_class c, aclexplode(c.relacl) acl
    where c.relnamespace in (select oid from ours)
      and acl.grantee in ('anon'::regrole, 'authenticated'::regrole, 'service_role'::regrole)
      and (acl.privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE') or acl.is_grantable)`,
  },
  "is a policy for every role or for every action": {
    fix: "Write one policy for each action, to authenticated.",
    query: `
    select p.polrelid::regclass || '.' || p.polname from pg_policy p
    where 0 = any (p.polroles) or p.polcmd = '*'`,
  },
  "is a policy that overlaps another": {
    fix: "Join the two with OR into one.",
    lint: "multiple_permissive_policies",
    query: `
    select a.polrelid::regclass || '.' || a.polname from pg_policy a
    join pg_policy b on b.polrelid = a.polrelid and b.oid < a.oid
      and b.polroles && a.polroles and (b.polcmd = a.polcmd or '*' in (a.polcmd, b.polcmd))`,
  },
  "is a policy that looks something up for each row": {
    fix: "Write (select private.has_role(…)), in parentheses with select.",
    lint: "auth_rls_initplan",
    query: `
    select p.polrelid::regclass || '.' || p.polname from pg_policy p
    where regexp_replace(
      concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)),
      '\\( SELECT (auth|private)\\.[^)]*\\)( AS [a-z_]+)?\\)?', '', 'g'
    ) ~ '(auth|private)\\.[a-z_]+\\('`,
  },
  "grants an action that no policy allows, or the other way round": {
    fix: "Write the grant and the policy for the same action.",
    query: `
    select c.oid::regclass || ' ' || a.name from pg_class c
    cross join (values ('SELECT', 'r'), ('INSERT', 'a'), ('UPDATE', 'w'), ('DELETE', 'd'))
      a (name, command)
    where c.relnamespace in (select oid from ours) and c.relkind in ('r', 'p')
      and (
        has_table_privilege('authenticated', c.oid, a.name)
        or (a.name <> 'DELETE' and has_any_column_privilege('authenticated', c.oid, a.name))
      ) <> exists (
        select from pg_policy p where p.polrelid = c.oid and p.polcmd = a.command::"char"
      )`,
  },
};

/** What breaks a rule. */
export interface Breach {
  object: string;
  rule: string;
  fix: string;
  lint: string | null;
}

/** Every breach, in the order of the rules. */
export async function breachesOf(client: pg.Client): Promise<Breach[]> {
  const breaches: Breach[] = [];
  for (const [rule, { query, fix, lint = null }] of Object.entries(rules)) {
    const { rows } = await client.query({
      text: `with ours as (
          select oid from pg_namespace where nspname in ('public', 'private')
        ) select distinct broken from (${query}) as found (broken) order by 1`,
      rowMode: "array",
    });
    breaches.push(...rows.map(([object]) => ({ object, rule, fix, lint })));
  }
  return breaches;
}

/** Every breach, as "object: rule", in a stable order. */
export async function schemaBreaches(client: pg.Client): Promise<string[]> {
  return (await breachesOf(client)).map(({ object, rule }) => `${object}: ${rule}`).sort();
}

/** Who may do what with every object of the templates, one line per privilege. */
export async function privileges(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(`
    with objects (name, acl) as (
      select 'relation ' || c.oid::regclass, coalesce(c.relacl, acldefault(
        case c.relkind when 'S' then 's'::"char" else 'r' end, c.relowner))
      from pg_class c
      where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace)
        and c.relkind in ('r', 'p', 'v', 'm', 'S')
      union all
      select 'column ' || c.oid::regclass || '.' || a.attname, a.attacl
      from pg_attribute a join pg_class c on c.oid = a.attrelid
      where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace)
      union all
      select 'function ' || p.oid::regprocedure, coalesce(p.proacl, acldefault('f', p.proowner))
      from pg_proc p
      where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
      union all
      select 'type ' || t.oid::regtype, coalesce(t.typacl, acldefault('T', t.typowner))
      from pg_type t
      where t.typnamespace in ('public'::regnamespace, 'private'::regnamespace)
        and t.typtype in ('e', 'd')
      union all
      select 'schema ' || n.nspname, n.nspacl from pg_namespace n where n.nspname = 'private'
    )
    select o.name || ' ' || acl.privilege_type || ' '
      || case acl.grantee when 0 then 'PUBLIC' else acl.grantee::regrole::text end as line
    from objects o, aclexplode(o.acl) acl
    where acl.grantee <> 'postgres'::regrole
    order by 1`);
  return rows.map((row) => row.line);
}
