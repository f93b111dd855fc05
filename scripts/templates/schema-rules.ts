/**
 * What every template's schema must keep to, asked of PostgreSQL's own catalog. A database with
 * templates alone answers with nothing.
 */
import type pg from "pg";
import { notOfExtension } from "#app/integrations/postgres/catalog-ddl.ts";
import { openTables, own } from "#app/integrations/postgres/inventory-queries.ts";
import { advisors, EXPOSED, type Rule } from "./advisors.ts";

/** What the rules ask: the templates' own objects, and policies on the platform's open tables. */
const SCOPE = `with
  ours as (select s.oid from pg_namespace s where ${own("s.oid")}),
  relations as (select c.* from pg_class c
    where c.relnamespace in (select oid from ours) and ${notOfExtension("pg_class", "c.oid")}),
  tables as (select * from relations where relkind in ('r', 'p')),
  grants as (
    select c.oid, c.relkind, c.relowner, acl.* from relations c,
      aclexplode(coalesce(c.relacl, acldefault(
        case c.relkind when 'S' then 's'::"char" else 'r' end, c.relowner))) acl
    union all
    select c.oid, c.relkind, c.relowner, acl.* from relations c
      join pg_attribute a on a.attrelid = c.oid and not a.attisdropped, aclexplode(a.attacl) acl),
  functions as (select p.* from pg_proc p
    where p.pronamespace in (select oid from ours) and ${notOfExtension("pg_proc", "p.oid")}),
  policies as (select p.*, p.polrelid::regclass || '.' || p.polname as title,
      concat(pg_get_expr(p.polqual, p.polrelid), ' ', pg_get_expr(p.polwithcheck, p.polrelid)) as conditions
    from pg_policy p
    where p.polrelid in (select oid from tables) or p.polrelid in ${openTables})`;

/** The rules that are the templates' own; all others are the advisors' too. */
const ownRules: readonly Rule[] = [
  {
    name: "no_comment",
    says: "has no comment",
    fix: "Say with COMMENT ON what one row stands for.",
    query: `select c.oid::regclass::text from relations c
      where c.relkind in ('r', 'p', 'v') and obj_description(c.oid, 'pg_class') is null`,
  },
  {
    name: "other_owner",
    says: "is not owned by postgres",
    fix: "Leave the owner as it is.",
    // An index has the owner of its table.
    query: `select c.oid::regclass::text from relations c
      where c.relowner <> 'postgres'::regrole and c.relkind not in ('i', 'I')`,
  },
  {
    name: "invalid_index",
    says: "is an invalid index",
    fix: "Drop it, and build it again.",
    query: `select i.indexrelid::regclass::text from pg_index i
      join relations c on c.oid = i.indrelid where not i.indisvalid`,
  },
  {
    name: "unfit_type",
    says: "has a type that money, quantities and times must not have",
    fix: "Write numeric(18,4) for money, numeric(18,6) for quantities, timestamptz for times, and numeric with fitting digits for other measures (a latitude: numeric(9,6)).",
    query: `select c.oid::regclass || '.' || a.attname from tables c
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
      where a.atttypid in (
        'timestamp'::regtype, 'money'::regtype, 'real'::regtype, 'float8'::regtype)`,
  },
  {
    // Of those that are exposed with their owner's rights the advisors speak.
    name: "function_open_to_everyone",
    says: "may be executed by everyone",
    fix: "Revoke all on it from public and anon right after its creation.",
    query: `select p.oid::regprocedure::text from functions p,
        aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) acl
      where acl.grantee in (0, 'anon'::regrole)
        and not (p.prosecdef and p.pronamespace = ${EXPOSED})`,
  },
  {
    name: "relation_open_to_everyone",
    says: "is open to anon or everyone",
    fix: "Revoke all on it from public, anon, authenticated and service_role right after its creation.",
    query: `select g.oid::regclass::text from grants g
      where g.relkind in ('r', 'p', 'v', 'S') and g.grantee in (0, 'anon'::regrole)`,
  },
  {
    name: "more_than_rows",
    says: "gives the API's roles more than rows",
    fix: "Revoke all on it first, and grant select, insert, update or delete alone.",
    query: `select g.oid::regclass::text from grants g
      where g.grantee in ('anon'::regrole, 'authenticated'::regrole, 'service_role'::regrole)
        and g.grantee <> g.relowner
        and (g.privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE') or g.is_grantable)`,
  },
  {
    name: "broad_policy",
    says: "is a policy for every role or for every action",
    fix: "Write one policy for each action, to authenticated.",
    query: "select p.title from policies p where 0 = any (p.polroles) or p.polcmd = '*'",
  },
  {
    name: "grant_without_policy",
    says: "grants an action that no policy allows, or the other way round",
    fix: "Write the grant and the policy for the same action.",
    query: `select c.oid::regclass || ' ' || a.name from tables c
      cross join (values ('SELECT', 'r'), ('INSERT', 'a'), ('UPDATE', 'w'), ('DELETE', 'd'))
        a (name, command)
      where (
          has_table_privilege('authenticated', c.oid, a.name)
          or (a.name <> 'DELETE' and has_any_column_privilege('authenticated', c.oid, a.name))
        ) <> exists (
          select from pg_policy p where p.polrelid = c.oid and p.polcmd = a.command::"char")`,
  },
];

/** Every rule about schemas, each of them once. */
export const schemaRules: readonly Rule[] = [...advisors, ...ownRules];

/** An object that breaks a rule. */
export interface Breach {
  rule: string;
  object: string;
  /** What is wrong with it, and what to do. */
  sentence: string;
}

/** Every breach in a database, in the order of the rules. */
export async function breachesOf(client: pg.Client): Promise<Breach[]> {
  const breaches: Breach[] = [];
  for (const { name: rule, says, fix, query } of schemaRules) {
    const { rows } = await client.query<{ object: string }>(
      `${SCOPE} select distinct object from (${query}) as found (object) order by 1`,
    );
    breaches.push(
      ...rows.map(({ object }) => ({ rule, object, sentence: `${object} ${says}. ${fix}` })),
    );
  }
  return breaches;
}
