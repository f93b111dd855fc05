/**
 * Queries that write a catalog down as the statements which make it again. Each answers rows of
 * `what` (the object in words) and `ddl`; null where a copy is not to be had. They run with an
 * empty search_path, so that every name comes out qualified. Valid from PostgreSQL 15 on.
 */

/** Objects that are no part of an extension, nor functions of a range type: those come along. */
export const notOfExtension = (
  catalog: "pg_class" | "pg_proc" | "pg_type" | "pg_namespace",
  oid: string,
) =>
  `not exists (select from pg_catalog.pg_depend e where e.classid = 'pg_catalog.${catalog}'::regclass
    and e.objid = ${oid} and e.deptype in ('e', '${catalog === "pg_proc" ? "i" : "e"}'))`;

const relation = "format('%I.%I', n.nspname, c.relname)";

/** The clause of a column's own collation, where it has one. */
const collation = (own: string, typeOid: string) =>
  `coalesce((select format(' collate %I.%I', x.nspname, l.collname) from pg_catalog.pg_collation l
    join pg_catalog.pg_namespace x on x.oid = l.collnamespace
    where l.oid = ${own} and l.oid <> (select typcollation from pg_catalog.pg_type where oid = ${typeOid})), '')`;

const sequenceOptions =
  "format('increment by %s minvalue %s maxvalue %s start with %s cache %s%s', " +
  "s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache, case when s.seqcycle then ' cycle' else '' end)";

const columns = `(select string_agg(format('%I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
    ${collation("a.attcollation", "a.atttypid")},
    case when a.attgenerated <> '' then format(' generated always as (%s) %s',
        pg_get_expr(d.adbin, d.adrelid), case a.attgenerated when 's' then 'stored' else 'virtual' end)
      when s.seqrelid is not null then format(' generated %s as identity (sequence name %s %s)',
        case a.attidentity when 'a' then 'always' else 'by default' end, s.seqrelid::regclass,
        ${sequenceOptions})
      else '' end,
    case when a.attnotnull then ' not null' else '' end), ', ' order by a.attnum)
  from pg_catalog.pg_attribute a
  left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  left join pg_catalog.pg_depend i on a.attidentity <> '' and i.refobjid = a.attrelid
    and i.refobjsubid = a.attnum and i.refclassid = 'pg_catalog.pg_class'::regclass
    and i.classid = 'pg_catalog.pg_class'::regclass and i.deptype = 'i'
  left join pg_catalog.pg_sequence s on s.seqrelid = i.objid
  where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)`;

const options = "coalesce(' with (' || nullif(array_to_string(c.reloptions, ', '), '') || ')', '')";

/** What comes first, and is the same for each kind of copy. `scope` tells which schemas, by oid. */
export function structureQueries(scope: (oid: string) => string): string[] {
  const relations = (kinds: string) => `pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace and ${scope("n.oid")}
    where c.relkind in (${kinds}) and ${notOfExtension("pg_class", "c.oid")}`;
  const types = `pg_catalog.pg_type t
    join pg_catalog.pg_namespace n on n.oid = t.typnamespace and ${scope("n.oid")}
    where ${notOfExtension("pg_type", "t.oid")}`;
  const constraints = (kinds: string, condition: string) => `
    select format('constraint %I of %s', k.conname, k.conrelid::regclass) as what,
      format('alter table %s add constraint %I %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid)) as ddl
    from pg_catalog.pg_constraint k, ${relations("'r', 'p'")} and k.conrelid = c.oid
      and k.contype in (${kinds}) and ${condition} order by 1`;
  return [
    `select format('schema %I', n.nspname) as what, format('create schema if not exists %I', n.nspname) as ddl
     from pg_catalog.pg_namespace n
     where (${scope("n.oid")} or n.nspname = 'public') and ${notOfExtension("pg_namespace", "n.oid")}
     order by 1`,

    `select format('extension %I', x.extname) as what,
       format('create extension if not exists %I with schema %I', x.extname, n.nspname) as ddl
     from pg_catalog.pg_extension x join pg_catalog.pg_namespace n on n.oid = x.extnamespace
     where x.extname <> 'plpgsql' order by 1`,

    `select format('type %s', t.oid::regtype) as what, case t.typtype
       when 'e' then format('create type %I.%I as enum (%s)', n.nspname, t.typname,
         (select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder)
          from pg_catalog.pg_enum e where e.enumtypid = t.oid))
       when 'd' then format('create domain %I.%I as %s%s%s%s', n.nspname, t.typname,
         format_type(t.typbasetype, t.typtypmod), ${collation("t.typcollation", "t.typbasetype")},
         coalesce(' default ' || t.typdefault, ''), case when t.typnotnull then ' not null' else '' end)
       when 'r' then (select format('create type %I.%I as range (subtype = %s, multirange_type_name = %s)',
           n.nspname, t.typname, r.rngsubtype::regtype, r.rngmultitypid::regtype)
         from pg_catalog.pg_range r where r.rngtypid = t.oid) end as ddl
     from ${types} and t.typtype in ('e', 'd', 'r') order by 1`,

    `select format('type %s', ${relation}) as what, format('create type %s as (%s)', ${relation}, ${columns}) as ddl
     from ${relations("'c'")} order by 1`,

    `select format('constraint %I of %s', k.conname, k.contypid::regtype) as what,
       format('alter domain %s add constraint %I %s', k.contypid::regtype, k.conname, pg_get_constraintdef(k.oid)) as ddl
     from pg_catalog.pg_constraint k, ${types} and k.contypid = t.oid and k.contype = 'c' order by 1`,

    `select format('sequence %s', ${relation}) as what,
       format('create sequence %s as %s %s', ${relation}, s.seqtypid::regtype, ${sequenceOptions}) as ddl
     from pg_catalog.pg_sequence s, ${relations("'S'")} and s.seqrelid = c.oid
       and not exists (select from pg_catalog.pg_depend d where d.objid = c.oid
         and d.classid = 'pg_catalog.pg_class'::regclass and d.deptype = 'i') order by 1`,

    `select format('table %s', ${relation}) as what, case when c.relkind <> 'f' then
       format('create %stable %s (%s)%s%s', case c.relpersistence when 'u' then 'unlogged ' else '' end,
         ${relation}, ${columns},
         case c.relkind when 'p' then ' partition by ' || pg_get_partkeydef(c.oid) else '' end, ${options}) end as ddl
     from ${relations("'r', 'p', 'f'")} order by 1`,

    `select format('%s %s', case p.prokind when 'p' then 'procedure' else 'function' end,
         p.oid::regprocedure) as what,
       case when p.prokind <> 'a' then pg_get_functiondef(p.oid) end as ddl
     from pg_catalog.pg_proc p where ${scope("p.pronamespace")} and ${notOfExtension("pg_proc", "p.oid")} order by 1`,

    `select format('default of %s.%I', ${relation}, a.attname) as what,
       format('alter table only %s alter column %I set default %s', ${relation}, a.attname,
         pg_get_expr(d.adbin, d.adrelid)) as ddl
     from pg_catalog.pg_attrdef d
     join pg_catalog.pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum and a.attgenerated = '', ${relations("'r', 'p', 'v'")} and d.adrelid = c.oid order by 1`,

    `select format('owner of %s', ${relation}) as what,
       format('alter sequence %s owned by %s.%I', ${relation}, a.attrelid::regclass, a.attname) as ddl
     from pg_catalog.pg_depend d
     join pg_catalog.pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid, ${relations("'S'")} and d.objid = c.oid and d.classid = 'pg_catalog.pg_class'::regclass
       and d.refclassid = 'pg_catalog.pg_class'::regclass and d.deptype = 'a' order by 1`,

    `select format('view %s', ${relation}) as what,
       format('create %sview %s%s as %s%s', case c.relkind when 'm' then 'materialized ' else '' end, ${relation},
         ${options}, rtrim(pg_get_viewdef(c.oid), ';'), case c.relkind when 'm' then ' with no data' else '' end) as ddl
     from ${relations("'v', 'm'")} order by 1`,

    constraints("'p', 'u', 'x', 'c'", "true"),

    // "on only" would leave an index invalid for ever: its partitions are attached later.
    `select format('index %s', ${relation}) as what,
       case c.relkind when 'I' then regexp_replace(pg_get_indexdef(c.oid), ' ON ONLY ', ' ON ')
         else pg_get_indexdef(c.oid) end as ddl
     from pg_catalog.pg_index i, ${relations("'i', 'I'")} and i.indexrelid = c.oid and i.indisvalid
       and not exists (select from pg_catalog.pg_constraint k where k.conindid = c.oid and k.contype in ('p', 'u', 'x'))
     order by c.relkind desc, 1`,

    `select format('partition %s', ${relation}) as what,
       case when c.relispartition then format('alter table %s attach partition %s %s', h.inhparent::regclass,
           ${relation}, pg_get_expr(c.relpartbound, c.oid))
         else format('alter table %s inherit %s', ${relation}, h.inhparent::regclass) end as ddl
     from pg_catalog.pg_inherits h, ${relations("'r', 'p'")} and h.inhrelid = c.oid order by 1, h.inhseqno`,

    // Those of partitions come with their parent's.
    constraints("'f'", "k.conparentid = 0"),

    `select format('publication %I', p.pubname) as what, case when not p.puballtables then
       format('create publication %I with (publish = %L, publish_via_partition_root = %s)', p.pubname,
         concat_ws(', ', case when pubinsert then 'insert' end, case when pubupdate then 'update' end,
           case when pubdelete then 'delete' end, case when pubtruncate then 'truncate' end), case when p.pubviaroot then 'true' else 'false' end) end as ddl
     from pg_catalog.pg_publication p order by 1`,

    `select format('%s in publication %I', ${relation}, p.pubname) as what,
       format('alter publication %I add table %s%s%s', p.pubname, ${relation},
         (select format(' (%s)', string_agg(quote_ident(a.attname), ', ')) from pg_catalog.pg_attribute a
          where a.attrelid = c.oid and a.attnum = any (r.prattrs) having count(*) > 0),
         ' where (' || pg_get_expr(r.prqual, r.prrelid) || ')') as ddl
     from pg_catalog.pg_publication p join pg_catalog.pg_publication_rel r on r.prpubid = p.oid, ${relations("'r', 'p'")} and r.prrelid = c.oid order by 1`,
  ];
}
