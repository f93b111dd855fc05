/**
 * Supabase's database advisors, by the names of their lints
 * (https://supabase.com/docs/guides/database/database-advisors), as far as a catalog can tell. Left
 * out are those that need a life of the database (unused_index, table_bloat,
 * extension_versions_outdated) or the project's own settings.
 */
import type pg from "pg";
import { notOfExtension } from "#app/integrations/postgres/catalog-ddl.ts";
import { own } from "#app/integrations/postgres/inventory-queries.ts";
import { findsReferences } from "./schema-rules.ts";

interface Advisor {
  lint: string;
  /** What is wrong with the object, as the end of a sentence. */
  says: string;
  fix: string;
  /** Answers the objects that break the rule, as one column of text. */
  query: string;
}

const tables =
  "pg_class c where c.relnamespace in (select oid from ours) and c.relkind in ('r', 'p')";
/** Schemas that PostgREST exposes. */
const exposed = "('public'::regnamespace, 'graphql_public'::regnamespace)";
const apiRoles = "(values ('anon'), ('authenticated')) as api (role)";
const policyText = `concat(pg_get_expr(p.polqual, p.polrelid), ' ',
  pg_get_expr(p.polwithcheck, p.polrelid))`;
/** Policies on the templates' own tables, and on those of the platform that are open to them. */
const policies = `pg_policy p join pg_class c on c.oid = p.polrelid and (c.relnamespace in (select oid from ours)
  or c.oid in ('storage.objects'::regclass, 'storage.buckets'::regclass))`;
const policy = "p.polrelid::regclass || '.' || p.polname";

const definerExecutable = (role: string): Advisor => ({
  lint: `${role}_security_definer_function_executable`,
  says: `is a function with its owner's rights that ${role} may call through the API`,
  fix: "Move it into the schema private, behind a function in public with the caller's rights.",
  query: `select p.oid::regprocedure::text from pg_proc p
    where p.pronamespace in ${exposed} and p.prosecdef
      and has_function_privilege('${role}', p.oid, 'EXECUTE')`,
});

const advisors: readonly Advisor[] = [
  {
    lint: "unindexed_foreign_keys",
    says: "is a foreign key without an index",
    fix: "Create an index that begins with its columns.",
    query: `select k.conrelid::regclass || '.' || k.conname from pg_constraint k
      where k.connamespace in (select oid from ours) and k.contype = 'f' and not exists (
        select from pg_index i where i.indrelid = k.conrelid and i.indisvalid
          and ${findsReferences("k", "i")}
          and k.conkey @> (i.indkey::smallint[])[0:cardinality(k.conkey) - 1]
          and k.conkey <@ (i.indkey::smallint[])[0:cardinality(k.conkey) - 1])`,
  },
  {
    lint: "auth_users_exposed",
    says: "is a view that shows auth.users to the API's roles",
    fix: "Read public.profiles instead.",
    query: `select distinct c.oid::regclass::text from pg_class c
      join pg_rewrite r on r.ev_class = c.oid join pg_depend d on d.objid = r.oid
        and d.classid = 'pg_rewrite'::regclass and d.refobjid = 'auth.users'::regclass
      cross join ${apiRoles}
      where c.relnamespace in ${exposed} and c.relkind in ('v', 'm')
        and has_any_column_privilege(api.role, c.oid, 'SELECT')`,
  },
  {
    lint: "auth_rls_initplan",
    says: "is a policy that asks who the caller is for each row",
    fix: "Write (select auth.uid()) instead of auth.uid(), and the same for auth.jwt() and current_setting().",
    query: `select ${policy} from ${policies}
      where regexp_replace(${policyText},
          'SELECT (auth\\.[a-z]+\\(\\)|current_setting\\([^)]*\\))', '', 'gi')
        ~* '(auth\\.(uid|jwt|role|email)\\(\\)|current_setting\\()'`,
  },
  {
    lint: "no_primary_key",
    says: "has no primary key",
    fix: "Add one.",
    query: `select c.oid::regclass::text from ${tables}
      and not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary)`,
  },
  {
    lint: "multiple_permissive_policies",
    says: "has several permissive policies for one role and action",
    fix: "Join them with OR into one.",
    query: `select a.polrelid::regclass::text from pg_policy a
      join pg_policy b on b.polrelid = a.polrelid and b.oid < a.oid and a.polpermissive and b.polpermissive
        and (b.polcmd = a.polcmd or '*' in (a.polcmd, b.polcmd))
        and (b.polroles && a.polroles or 0 = any (a.polroles || b.polroles))
      join pg_class c on c.oid = a.polrelid where c.relnamespace in (select oid from ours)`,
  },
  {
    lint: "policy_exists_rls_disabled",
    says: "has policies, but row-level security is off",
    fix: "Enable row-level security.",
    query: `select c.oid::regclass::text from ${tables} and not c.relrowsecurity
      and exists (select from pg_policy p where p.polrelid = c.oid)`,
  },
  {
    lint: "rls_enabled_no_policy",
    says: "is exposed, and has row-level security but no policy",
    fix: "Write its policies, or keep the table in the schema private.",
    query: `select c.oid::regclass::text from ${tables} and c.relnamespace in ${exposed}
      and c.relrowsecurity and not exists (select from pg_policy p where p.polrelid = c.oid)`,
  },
  {
    lint: "duplicate_index",
    says: "is an index that another one equals",
    fix: "Drop one of the two.",
    query: `select a.indexrelid::regclass::text from pg_index a
      join pg_index b on b.indrelid = a.indrelid and b.indexrelid < a.indexrelid
        and regexp_replace(pg_get_indexdef(b.indexrelid), '^CREATE (UNIQUE )?INDEX \\S+ ', '')
          = regexp_replace(pg_get_indexdef(a.indexrelid), '^CREATE (UNIQUE )?INDEX \\S+ ', '')
      join pg_class c on c.oid = a.indrelid where c.relnamespace in (select oid from ours)`,
  },
  {
    lint: "security_definer_view",
    says: "is a view with its owner's rights",
    fix: "Create it with (security_invoker = true).",
    query: `select c.oid::regclass::text from pg_class c
      where c.relnamespace in (select oid from ours) and c.relkind = 'v'
        and not coalesce((select o.option_value::boolean from pg_options_to_table(c.reloptions) o
          where o.option_name = 'security_invoker'), false)`,
  },
  {
    lint: "function_search_path_mutable",
    says: "is a function without a fixed search_path",
    fix: "Add set search_path = '' to it.",
    query: `select p.oid::regprocedure::text from pg_proc p
      where p.pronamespace in (select oid from ours) and p.prokind <> 'a'
        and ${notOfExtension("pg_proc", "p.oid")}
        and not coalesce(array_to_string(p.proconfig, ',') ~ '(^|,)search_path=', false)`,
  },
  {
    lint: "rls_disabled_in_public",
    says: "is exposed without row-level security",
    fix: "Enable row-level security, and write its policies.",
    query: `select c.oid::regclass::text from ${tables} and c.relnamespace in ${exposed}
      and not c.relrowsecurity`,
  },
  {
    lint: "extension_in_public",
    says: "is an extension in the schema public",
    fix: "Create it with schema extensions.",
    query: `select e.extname::text from pg_extension e where e.extnamespace = 'public'::regnamespace`,
  },
  {
    lint: "rls_references_user_metadata",
    says: "is a policy that trusts user metadata, which people write themselves",
    fix: "Use a table of members, or app metadata.",
    query: `select ${policy} from ${policies} where ${policyText} ~* 'user_meta_?data'`,
  },
  {
    lint: "materialized_view_in_api",
    says: "is a materialized view that the API's roles may read",
    fix: "Keep it in the schema private, behind a view or function with the reader's rights.",
    query: `select distinct c.oid::regclass::text from pg_class c cross join ${apiRoles}
      where c.relnamespace in ${exposed} and c.relkind = 'm'
        and has_any_column_privilege(api.role, c.oid, 'SELECT')`,
  },
  {
    lint: "foreign_table_in_api",
    says: "is a foreign table that the API's roles may read",
    fix: "Keep it in the schema private.",
    query: `select distinct c.oid::regclass::text from pg_class c cross join ${apiRoles}
      where c.relnamespace in ${exposed} and c.relkind = 'f'
        and has_any_column_privilege(api.role, c.oid, 'SELECT')`,
  },
  {
    lint: "unsupported_reg_types",
    says: "has a type that an upgrade of PostgreSQL cannot carry over",
    fix: "Store the object's name as text.",
    query: `select c.oid::regclass || '.' || a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
      where c.relnamespace in (select oid from ours) and c.relkind in ('r', 'p', 'm')
        and a.attnum > 0 and not a.attisdropped and a.atttypid in ('regcollation'::regtype,
          'regconfig'::regtype, 'regdictionary'::regtype, 'regnamespace'::regtype,
          'regoper'::regtype, 'regoperator'::regtype, 'regproc'::regtype, 'regprocedure'::regtype)`,
  },
  {
    lint: "fkey_to_auth_unique",
    says: "is a foreign key to a unique column of auth that is not its primary key",
    fix: "Refer to auth.users (id).",
    query: `select k.conrelid::regclass || '.' || k.conname from pg_constraint k
      join pg_class t on t.oid = k.confrelid and t.relnamespace = 'auth'::regnamespace
      where k.connamespace in (select oid from ours) and k.contype = 'f'
        and not exists (select from pg_index i where i.indexrelid = k.conindid and i.indisprimary)`,
  },
  {
    lint: "rls_policy_always_true",
    says: "is a policy that lets everybody of its roles write",
    fix: "Say in its condition who may do so.",
    query: `select ${policy} from ${policies} where p.polpermissive and p.polcmd <> 'r'
      and (pg_get_expr(p.polqual, p.polrelid) = 'true' or pg_get_expr(p.polwithcheck, p.polrelid) = 'true')`,
  },
  {
    lint: "public_bucket_allows_listing",
    says: "is a policy that lets everybody list the files of a public bucket",
    fix: "Drop it: the files of a public bucket need no policy to be read by their address.",
    query: `select p.polname || ' on ' || b.name from pg_policy p
      cross join storage.buckets b
      where p.polrelid = 'storage.objects'::regclass and p.polcmd in ('r', '*') and b.public
        and pg_get_expr(p.polqual, p.polrelid) ~ ('bucket_id = ''' || b.id || '''')
        and pg_get_expr(p.polqual, p.polrelid) !~* '(select|auth\\.|private\\.)'`,
  },
  definerExecutable("anon"),
  definerExecutable("authenticated"),
];

/** What the advisors would say of a database: the lint, and a sentence about each object. */
export async function advice(
  client: pg.Client,
): Promise<{ lint: string; object: string; sentence: string }[]> {
  const found: { lint: string; object: string; sentence: string }[] = [];
  for (const { lint, says, fix, query } of advisors) {
    const { rows } = await client.query<{ broken: string }>(
      `with ours as (select s.oid from pg_namespace s where ${own("s.oid")})
       select distinct broken from (${query}) as found (broken) order by 1`,
    );
    found.push(
      ...rows.map(({ broken: object }) => ({
        lint,
        object,
        sentence: `${object} ${says}. ${fix}`,
      })),
    );
  }
  return found;
}
