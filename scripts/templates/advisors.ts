/**
 * The rules that Supabase's database advisors have too, by the names of their lints
 * (https://supabase.com/docs/guides/database/database-advisors), as far as a catalog can tell. Each
 * is at least as strict as theirs. Left out are those that need a life of the database
 * (unused_index, table_bloat, extension_versions_outdated) or the project's own settings.
 */

/** A rule that a database breaks or keeps to. */
export interface Rule {
  name: string;
  /** What is wrong with the object, as the end of a sentence. */
  says: string;
  fix: string;
  /**
   * Answers the objects that break the rule, as one column of text, from the catalog and from what
   * `schema-rules.ts` puts before it: `ours`, `relations`, `tables`, `grants`, `functions`,
   * `policies`.
   */
  query: string;
}

/** The schema that PostgREST exposes. */
export const EXPOSED = "'public'::regnamespace";

/** Relations of these kinds that the API's roles may read. */
const readable = (kinds: string) => `
  select distinct c.oid::regclass::text from relations c
  cross join (values ('anon'), ('authenticated')) as api (role)
  where c.relnamespace = ${EXPOSED} and c.relkind in (${kinds})
    and has_any_column_privilege(api.role, c.oid, 'SELECT')`;

/**
 * Whether an index finds the rows of a foreign key: a partial one that leaves out the rows without a
 * value does, since those refer to nothing.
 */
const findsReferences = `(i.indpred is null
  or cardinality(k.conkey) = 1 and pg_get_expr(i.indpred, i.indrelid) = (
    select format('(%I IS NOT NULL)', a.attname) from pg_attribute a
    where a.attrelid = k.conrelid and a.attnum = k.conkey[1]))`;

/** A condition that is missing, or that holds for every row. */
const always = (condition: string) =>
  `coalesce(replace(${condition}, ' ', ''), 'true') in ('true', '(true)', '1=1', '(1=1)')`;
const using = "pg_get_expr(p.polqual, p.polrelid)";
const withCheck = "pg_get_expr(p.polwithcheck, p.polrelid)";

/** A call that a policy should make once per query. */
const LOOKUP = `((auth|private)\\.("[^"]+"|\\w+)|current_setting)\\(`;

const exposedWithOwnersRights = `select p.oid::regprocedure::text from functions p
  where p.pronamespace = ${EXPOSED} and p.prosecdef`;
const moveToPrivate =
  "Move it into the schema private, behind a function in public with the caller's rights.";

export const advisors: readonly Rule[] = [
  {
    name: "unindexed_foreign_keys",
    says: "is a foreign key without an index",
    fix: "Create an index that begins with its columns, in their order.",
    query: `select k.conrelid::regclass || '.' || k.conname from pg_constraint k
      where k.connamespace in (select oid from ours) and k.contype = 'f' and not exists (
        select from pg_index i where i.indrelid = k.conrelid and i.indisvalid and ${findsReferences}
          and (i.indkey::smallint[])[0:cardinality(k.conkey) - 1] = k.conkey)`,
  },
  {
    name: "auth_users_exposed",
    says: "is a view that shows auth.users to the API's roles",
    fix: "Read public.profiles instead.",
    query: `${readable("'v', 'm'")} and exists (
        select from pg_rewrite r join pg_depend d on d.objid = r.oid
          and d.classid = 'pg_rewrite'::regclass and d.refobjid = 'auth.users'::regclass
        where r.ev_class = c.oid)`,
  },
  {
    name: "auth_rls_initplan",
    says: "is a policy that looks something up for each row",
    fix: "Write (select private.has_role(…)), in parentheses with select; the same for auth.uid(), auth.jwt() and current_setting().",
    query: `select p.title from policies p
      where regexp_replace(p.conditions, 'SELECT ${LOOKUP}[^)]*\\)', '', 'gi') ~* '${LOOKUP}'`,
  },
  {
    name: "no_primary_key",
    says: "has no primary key",
    fix: "Add one.",
    query: `select c.oid::regclass::text from tables c
      where not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary)`,
  },
  {
    // Theirs looks at permissive ones alone.
    name: "multiple_permissive_policies",
    says: "is a policy that overlaps another",
    fix: "Join the two with OR into one.",
    query: `select a.title from policies a
      join policies b on b.polrelid = a.polrelid and b.oid < a.oid
        and (b.polcmd = a.polcmd or '*' in (a.polcmd, b.polcmd))
        and (b.polroles && a.polroles or 0 = any (a.polroles || b.polroles))`,
  },
  {
    name: "policy_exists_rls_disabled",
    says: "has policies, but row-level security is off",
    fix: "Enable row-level security.",
    query: `select c.oid::regclass::text from tables c
      where not c.relrowsecurity and exists (select from pg_policy p where p.polrelid = c.oid)`,
  },
  {
    // Theirs leaves out what is not exposed.
    name: "rls_disabled_in_public",
    says: "has no row-level security",
    fix: "Enable it, and write the table's policies.",
    query: `select c.oid::regclass::text from tables c
      where not c.relrowsecurity and not exists (select from pg_policy p where p.polrelid = c.oid)`,
  },
  {
    name: "rls_enabled_no_policy",
    says: "is exposed, and has row-level security but no policy",
    fix: "Write its policies, or keep the table in the schema private.",
    query: `select c.oid::regclass::text from tables c where c.relnamespace = ${EXPOSED}
      and c.relrowsecurity and not exists (select from pg_policy p where p.polrelid = c.oid)`,
  },
  {
    // Of theirs, the two must be equal to the letter.
    name: "duplicate_index",
    says: "is a second index of the same kind",
    fix: "Drop one of the two.",
    query: `select a.indexrelid::regclass::text from pg_index a
      join pg_index b on b.indrelid = a.indrelid and b.indexrelid < a.indexrelid
        and b.indkey = a.indkey and b.indclass = a.indclass
        and coalesce(pg_get_expr(b.indexprs, b.indrelid), '')
          = coalesce(pg_get_expr(a.indexprs, a.indrelid), '')
        and coalesce(pg_get_expr(b.indpred, b.indrelid), '')
          = coalesce(pg_get_expr(a.indpred, a.indrelid), '')
      join relations c on c.oid = a.indrelid`,
  },
  {
    name: "security_definer_view",
    says: "is a view with its owner's rights",
    fix: "Create it with (security_invoker = true).",
    query: `select c.oid::regclass::text from relations c where c.relkind = 'v'
      and not coalesce((select o.option_value::boolean from pg_options_to_table(c.reloptions) o
        where o.option_name = 'security_invoker'), false)`,
  },
  {
    // Theirs takes any path that is fixed.
    name: "function_search_path_mutable",
    says: "has no fixed, empty search_path",
    fix: "Add set search_path = '' to it, and write schemas out.",
    query: `select p.oid::regprocedure::text from functions p
      where p.prokind <> 'a' and ('search_path=""' = any (p.proconfig)) is not true`,
  },
  {
    name: "extension_in_public",
    says: "is an extension in the schema public",
    fix: "Create it with schema extensions.",
    query: `select e.extname::text from pg_extension e where e.extnamespace = ${EXPOSED}`,
  },
  {
    name: "rls_references_user_metadata",
    says: "is a policy that trusts user metadata, which people write themselves",
    fix: "Use a table of members, or app metadata.",
    query: "select p.title from policies p where p.conditions ~* 'user_meta_?data'",
  },
  {
    name: "materialized_view_in_api",
    says: "is a materialized view that the API's roles may read",
    fix: "Keep it in the schema private, behind a view or function with the reader's rights.",
    query: readable("'m'"),
  },
  {
    name: "foreign_table_in_api",
    says: "is a foreign table that the API's roles may read",
    fix: "Keep it in the schema private.",
    query: readable("'f'"),
  },
  {
    name: "unsupported_reg_types",
    says: "has a type that an upgrade of PostgreSQL cannot carry over",
    fix: "Store the object's name as text.",
    query: `select c.oid::regclass || '.' || a.attname from relations c join pg_attribute a on a.attrelid = c.oid
      where c.relkind in ('r', 'p', 'm') and a.attnum > 0 and not a.attisdropped
        and a.atttypid in ('regcollation'::regtype,
          'regconfig'::regtype, 'regdictionary'::regtype, 'regnamespace'::regtype,
          'regoper'::regtype, 'regoperator'::regtype, 'regproc'::regtype, 'regprocedure'::regtype)`,
  },
  {
    name: "fkey_to_auth_unique",
    says: "is a foreign key to a unique column of auth that is not its primary key",
    fix: "Refer to auth.users (id).",
    query: `select k.conrelid::regclass || '.' || k.conname from pg_constraint k
      join pg_class t on t.oid = k.confrelid and t.relnamespace = 'auth'::regnamespace
      where k.connamespace in (select oid from ours) and k.contype = 'f'
        and not exists (select from pg_index i where i.indexrelid = k.conindid and i.indisprimary)`,
  },
  {
    name: "rls_policy_always_true",
    says: "is a policy that lets everybody of its roles write",
    fix: "Say in its condition who may do so.",
    // Without WITH CHECK, an update is judged by USING.
    query: `select p.title from policies p where p.polpermissive and (
      p.polcmd = 'a' and ${always(withCheck)}
      or p.polcmd in ('w', 'd', '*') and ${always(using)}
      or p.polcmd in ('w', '*') and p.polwithcheck is not null and ${always(withCheck)})`,
  },
  {
    name: "public_bucket_allows_listing",
    says: "is a policy that lets everybody list the files of a public bucket",
    fix: "Drop it: the files of a public bucket need no policy to be read by their address.",
    query: `select p.title || ' on ' || b.name from policies p cross join storage.buckets b
      where p.polrelid = 'storage.objects'::regclass and p.polcmd in ('r', '*') and b.public
        and (${always(using)} or ${using} ~ ('bucket_id = ''' || b.id || '''')
          and ${using} !~* '(select|auth\\.|private\\.)')`,
  },
  {
    name: "anon_security_definer_function_executable",
    says: "is a function with its owner's rights that anon may call through the API",
    fix: moveToPrivate,
    query: `${exposedWithOwnersRights} and has_function_privilege('anon', p.oid, 'EXECUTE')`,
  },
  {
    // Theirs waits for the grant.
    name: "authenticated_security_definer_function_executable",
    says: "runs with its owner's rights and is exposed",
    fix: moveToPrivate,
    query: `${exposedWithOwnersRights} and not has_function_privilege('anon', p.oid, 'EXECUTE')`,
  },
];
