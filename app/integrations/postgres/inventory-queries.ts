/**
 * What stands in a customer's own schemas, as rows of kind, name, definition and parent (the
 * "kind name" of the object that it goes with, or null). They run with an empty search_path, so
 * that every name comes out qualified. Valid from PostgreSQL 15 on.
 */
import { notOfExtension } from "./catalog-ddl.ts";
import { literal } from "./script.ts";
import { LEDGER_SCHEMAS, PLATFORM_SCHEMAS } from "./sql-rules.ts";

/** Whether an oid is that of a schema that is neither PostgreSQL's, Supabase's, Berth's nor an extension's. */
export const own = (oid: string) => `${oid} in (select s.oid from pg_catalog.pg_namespace s
  where s.nspname !~ '^pg_' and s.nspname <> all (array[${[...PLATFORM_SCHEMAS, ...LEDGER_SCHEMAS]
    .map(literal)
    .join(", ")}]) and ${notOfExtension("pg_namespace", "s.oid")})`;

const relation = "format('%I.%I', n.nspname, c.relname)";
const relations = `pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  and ${own("n.oid")} and ${notOfExtension("pg_class", "c.oid")}`;
const kindOf = `case c.relkind when 'v' then 'view' when 'm' then 'materialized view'
  when 'f' then 'foreign table' when 'S' then 'sequence' else 'table' end`;
/** The relation that an object goes with. */
const parent = `${kindOf} || ' ' || ${relation}`;

/** Said only of what belongs to another role than the one that applies the versions. */
const owner = (oid: string) =>
  `case when pg_get_userbyid(${oid}) <> current_user then 'owned by ' || pg_get_userbyid(${oid}) end`;

const functionKind = `case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate'
  when 'w' then 'window function' else 'function' end`;

/** The platform's tables for which a customer may write policies, by oid. */
export const openTables = `(pg_catalog.to_regclass('storage.objects'), pg_catalog.to_regclass('storage.buckets'),
  pg_catalog.to_regclass('realtime.messages'))`;

const grantee = "case x.grantee when 0 then 'public' else pg_get_userbyid(x.grantee) end";
const privileges = `string_agg(x.privilege_type || case when x.is_grantable then ' with grant option' else '' end,
  ', ' order by x.privilege_type)`;

/** To whomever but the owner, who has all there is. */
const grants = (object: string, owning: string, acl: string, goesWith: string, from: string) => `
  select 'grant' as kind, format('%s on %s', ${grantee}, ${object}) as name, ${privileges} as definition,
    ${goesWith} as parent
  from ${from} cross join lateral aclexplode(${acl}) x where x.grantee <> ${owning} group by 2, 4`;

/** Of the platform's tables, those triggers that call a function of the customer's. */
const triggers = `pg_catalog.pg_trigger t join pg_catalog.pg_class tc on tc.oid = t.tgrelid
   join pg_catalog.pg_proc p on p.oid = t.tgfoid
   where not t.tgisinternal and t.tgparentid = 0 and (${own("tc.relnamespace")} or ${own("p.pronamespace")})
     and ${notOfExtension("pg_class", "tc.oid")}`;

export const inventoryQueries: readonly string[] = [
  `select 'schema' as kind, quote_ident(n.nspname) as name, concat_ws(', ', ${owner("n.nspowner")}) as definition,
     null as parent
   from pg_catalog.pg_namespace n where ${own("n.oid")} and n.nspname <> 'public'`,

  `select 'extension' as kind, quote_ident(extname) as name, 'installed' as definition, null as parent
   from pg_catalog.pg_extension`,

  `select ${kindOf} as kind, ${relation} as name, concat_ws(', ',
       case c.relpersistence when 'u' then 'unlogged' end,
       case c.relkind when 'p' then 'partitioned by ' || pg_get_partkeydef(c.oid) end,
       (select string_agg(case when c.relispartition
          then format('partition of %s %s', h.inhparent::regclass, pg_get_expr(c.relpartbound, c.oid))
          else format('child of %s', h.inhparent::regclass) end, ', ' order by h.inhseqno)
        from pg_catalog.pg_inherits h where h.inhrelid = c.oid),
       'with ' || array_to_string(c.reloptions, ', '), ${owner("c.relowner")},
       case when c.relkind in ('r', 'p') then case c.relreplident when 'f' then 'replica identity full'
         when 'n' then 'replica identity nothing' when 'i' then 'replica identity by an index' end end,
       case when c.relkind in ('v', 'm') then btrim(regexp_replace(pg_get_viewdef(c.oid), '\\s+', ' ', 'g'), ' ;') end) as definition,
     'schema ' || quote_ident(n.nspname) as parent
   from ${relations} where c.relkind in ('r', 'p', 'v', 'm', 'f')`,

  `select 'row-level security' as kind, ${relation} as name, concat_ws(', ',
       case when c.relrowsecurity then 'on' else 'off' end, case when c.relforcerowsecurity then 'forced' end) as definition,
     ${parent} as parent
   from ${relations} where c.relkind in ('r', 'p')`,

  `select 'column' as kind, format('%s.%I', ${relation}, a.attname) as name,
     concat_ws(' ', format_type(a.atttypid, a.atttypmod),
       (select 'collate ' || a.attcollation::regcollation from pg_catalog.pg_type t
        where t.oid = a.atttypid and a.attcollation not in (0, t.typcollation)),
       case when a.attnotnull then 'not null' end,
       case a.attidentity when 'a' then 'generated always as identity'
         when 'd' then 'generated by default as identity' end,
       case when a.attgenerated <> '' then format('generated always as (%s)', pg_get_expr(d.adbin, d.adrelid))
         else 'default ' || pg_get_expr(d.adbin, d.adrelid) end) as definition,
     ${parent} as parent
   from ${relations}
   join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
   left join pg_catalog.pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
   where c.relkind in ('r', 'p', 'f')`,

  `select 'constraint' as kind, format('%s.%I', ${relation}, k.conname) as name,
     pg_get_constraintdef(k.oid) as definition, ${parent} as parent
   from pg_catalog.pg_constraint k join ${relations} on c.oid = k.conrelid
   where k.contype in ('p', 'u', 'f', 'c', 'x')`,

  `select 'index' as kind, format('%I.%I', x.nspname, ic.relname) as name,
     pg_get_indexdef(i.indexrelid) || case when i.indisvalid then '' else ' (invalid)' end as definition,
     ${parent} as parent
   from pg_catalog.pg_index i join ${relations} on c.oid = i.indrelid
   join pg_catalog.pg_class ic on ic.oid = i.indexrelid
   join pg_catalog.pg_namespace x on x.oid = ic.relnamespace
   where not exists (select from pg_catalog.pg_constraint k
     where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))`,

  `select ${functionKind} as kind, p.oid::regprocedure::text as name, concat_ws(', ',
       'arguments (' || pg_get_function_arguments(p.oid) || ')', 'returns ' || pg_get_function_result(p.oid),
       'language ' || l.lanname, case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end,
       case when p.proisstrict then 'strict' end, case when p.proleakproof then 'leakproof' end,
       case when p.prosecdef then 'security definer' else 'security invoker' end,
       case p.proparallel when 's' then 'parallel safe' when 'r' then 'parallel restricted' end, 'set ' || array_to_string(p.proconfig, ', '), ${owner("p.proowner")}) as definition,
     'schema ' || quote_ident(p.pronamespace::regnamespace::text::name) as parent
   from pg_catalog.pg_proc p join pg_catalog.pg_language l on l.oid = p.prolang
   where ${own("p.pronamespace")} and ${notOfExtension("pg_proc", "p.oid")}`,

  // A body may hold what nobody should read in a report: its hash tells as much.
  `select 'body' as kind, p.oid::regprocedure::text as name,
     md5(coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)) as definition,
     ${functionKind} || ' ' || p.oid::regprocedure as parent
   from pg_catalog.pg_proc p where ${own("p.pronamespace")} and ${notOfExtension("pg_proc", "p.oid")}
     and p.prokind <> 'a'`,

  // Arguments may hold a key for somebody else's service: their hash tells as much.
  `select 'trigger' as kind, format('%I on %s', t.tgname, t.tgrelid::regclass) as name,
     case when t.tgnargs = 0 then pg_get_triggerdef(t.oid)
       else regexp_replace(pg_get_triggerdef(t.oid), '\\(''.*''\\)$', '(…)') end
     || case t.tgenabled when 'O' then '' when 'D' then ' (disabled)'
       else ' (enabled ' || t.tgenabled::text || ')' end as definition,
     (select ${parent} from ${relations} where c.oid = t.tgrelid) as parent
   from ${triggers}`,

  `select 'arguments' as kind, format('%I on %s', t.tgname, t.tgrelid::regclass) as name,
     md5(t.tgargs) as definition, format('trigger %I on %s', t.tgname, t.tgrelid::regclass) as parent
   from ${triggers} and t.tgnargs > 0`,

  `select 'event trigger' as kind, quote_ident(e.evtname) as name, concat_ws(' ', 'on', e.evtevent,
       'when tag in (' || array_to_string(e.evttags, ', ') || ')', 'function', e.evtfoid::regprocedure,
       'enabled ' || e.evtenabled::text) as definition, null as parent
   from pg_catalog.pg_event_trigger e join pg_catalog.pg_proc p on p.oid = e.evtfoid
   where ${own("p.pronamespace")} and ${notOfExtension("pg_proc", "p.oid")}`,

  `select 'rule' as kind, format('%I on %s', r.rulename, ${relation}) as name, pg_get_ruledef(r.oid) as definition,
     ${parent} as parent
   from pg_catalog.pg_rewrite r join ${relations} on c.oid = r.ev_class where r.rulename <> '_RETURN'`,

  `select 'policy' as kind, format('%I on %s', p.polname, ${relation}) as name, concat_ws(' ',
       case when p.polpermissive then 'permissive' else 'restrictive' end, 'for',
       case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
         when 'd' then 'delete' else 'all' end,
       'to ' || (select string_agg(case r when 0 then 'public' else pg_get_userbyid(r) end, ', '
          order by pg_get_userbyid(r)) from unnest(p.polroles) r),
       'using (' || pg_get_expr(p.polqual, p.polrelid) || ')',
       'with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')') as definition,
     case when ${own("n.oid")} then ${parent} end as parent
   from pg_catalog.pg_policy p join pg_catalog.pg_class c on c.oid = p.polrelid
   join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where (${own("n.oid")} or c.oid in ${openTables}) and ${notOfExtension("pg_class", "c.oid")}`,

  `select 'type' as kind, t.oid::regtype::text as name, case t.typtype
       when 'e' then 'enum (' || (select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder)
         from pg_catalog.pg_enum e where e.enumtypid = t.oid) || ')'
       when 'd' then concat_ws(' ', 'domain over', format_type(t.typbasetype, t.typtypmod),
         case when t.typnotnull then 'not null' end, 'default ' || t.typdefault,
         (select string_agg(pg_get_constraintdef(k.oid), ' ' order by k.conname)
          from pg_catalog.pg_constraint k where k.contypid = t.oid and k.contype = 'c'))
       when 'r' then (select 'range of ' || r.rngsubtype::regtype from pg_catalog.pg_range r where r.rngtypid = t.oid)
       else 'row (' || (select string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', '
           order by a.attnum)
         from pg_catalog.pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped) || ')'
     end as definition,
     'schema ' || quote_ident(t.typnamespace::regnamespace::text::name) as parent
   from pg_catalog.pg_type t where ${own("t.typnamespace")} and ${notOfExtension("pg_type", "t.oid")}
     and (t.typtype in ('e', 'd', 'r')
       or exists (select from pg_catalog.pg_class k where k.oid = t.typrelid and k.relkind = 'c'))`,

  `select 'sequence' as kind, ${relation} as name, concat_ws(', ', s.seqtypid::regtype::text,
       format('start %s', s.seqstart), format('by %s', s.seqincrement), format('from %s to %s', s.seqmin, s.seqmax),
       format('cache %s', s.seqcache), case when s.seqcycle then 'cycle' end, 'of ' || o.of, ${owner("c.relowner")}) as definition,
     coalesce('table ' || o.table, 'schema ' || quote_ident(n.nspname)) as parent
   from pg_catalog.pg_sequence s join ${relations} on c.oid = s.seqrelid
   left join lateral (select d.refobjid::regclass::text as table, format('%s.%I', d.refobjid::regclass, a.attname) as of
     from pg_catalog.pg_depend d join pg_catalog.pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
     where d.objid = c.oid and d.classid = 'pg_catalog.pg_class'::regclass
       and d.refclassid = 'pg_catalog.pg_class'::regclass and d.deptype in ('a', 'i')) o on true`,

  `select 'statistics' as kind, format('%I.%I', x.stxnamespace::regnamespace::text::name, x.stxname) as name,
     pg_get_statisticsobjdef(x.oid) as definition, ${parent} as parent
   from pg_catalog.pg_statistic_ext x join ${relations} on c.oid = x.stxrelid`,

  `select 'publication' as kind, format('%I of %s', p.pubname, ${relation}) as name, concat_ws(' ', 'published',
       (select 'columns ' || string_agg(a.attname, ', ' order by a.attname) from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attnum = any (r.prattrs)),
       'where ' || pg_get_expr(r.prqual, r.prrelid)) as definition, ${parent} as parent
   from pg_catalog.pg_publication p join pg_catalog.pg_publication_rel r on r.prpubid = p.oid
   join ${relations} on c.oid = r.prrelid`,

  grants(
    "'schema ' || quote_ident(n.nspname)",
    "n.nspowner",
    "coalesce(n.nspacl, acldefault('n', n.nspowner))",
    "'schema ' || quote_ident(n.nspname)",
    `(select * from pg_catalog.pg_namespace n where ${own("n.oid")}) n`,
  ),
  grants(
    relation,
    "c.relowner",
    "coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::\"char\", c.relowner))",
    parent,
    `${relations} and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')`,
  ),
  grants(
    `format('%s.%I', ${relation}, a.attname)`,
    "c.relowner",
    "a.attacl",
    parent,
    `${relations} join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped`,
  ),
  grants(
    "p.oid::regprocedure::text",
    "p.proowner",
    "coalesce(p.proacl, acldefault('f', p.proowner))",
    `${functionKind} || ' ' || p.oid::regprocedure`,
    `(select * from pg_catalog.pg_proc p where ${own("p.pronamespace")} and ${notOfExtension("pg_proc", "p.oid")}) p`,
  ),
  grants(
    "t.oid::regtype::text",
    "t.typowner",
    "coalesce(t.typacl, acldefault('T', t.typowner))",
    "'type ' || t.oid::regtype",
    `(select * from pg_catalog.pg_type t where ${own("t.typnamespace")} and t.typtype in ('e', 'd', 'r')
      and ${notOfExtension("pg_type", "t.oid")}) t`,
  ),

  `select 'default privileges' as kind, format('%s on %s in %s', ${grantee},
       case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'routines'
         when 'T' then 'types' else 'schemas' end,
       case d.defaclnamespace when 0 then 'all schemas' else d.defaclnamespace::regnamespace::text end) as name,
     ${privileges} as definition, null as parent
   from pg_catalog.pg_default_acl d cross join lateral aclexplode(d.defaclacl) x
   where pg_get_userbyid(d.defaclrole) = current_user and (d.defaclnamespace = 0 or ${own("d.defaclnamespace")})
     and x.grantee <> d.defaclrole group by 2`,
];
