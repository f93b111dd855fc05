/**
 * One query per kind of object: its qualified name and a description. Extensions' own objects are
 * covered by the extension's version.
 */

/** Schemas that count: not PostgreSQL's own, not temporary. */
const ours = (column: string) =>
  `${column} in (select oid from pg_catalog.pg_namespace
    where nspname !~ '^pg_(toast|temp)' and nspname not in ('pg_catalog', 'information_schema'))`;

const notOfExtension = (catalog: string, oid: string) =>
  `not exists (select from pg_catalog.pg_depend d where d.classid = '${catalog}'::regclass
    and d.objid = ${oid} and d.deptype = 'e')`;

/** Grants as sorted text; a null list means the defaults of its kind, which are spelt out. */
const grants = (acl: string, kind: string, owner: string) => `(
  select coalesce(string_agg(format('%s=%s%s', coalesce(r.rolname, 'public'), x.privilege_type,
    case when x.is_grantable then '*' else '' end), ',' order by r.rolname nulls first, x.privilege_type), '')
  from pg_catalog.aclexplode(coalesce(${acl}, pg_catalog.acldefault('${kind}', ${owner}))) x
  left join pg_catalog.pg_roles r on r.oid = x.grantee)`;

const relation = "format('%I.%I', n.nspname, c.relname)";
const relations = `pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  and ${ours("n.oid")} and ${notOfExtension("pg_class", "c.oid")}`;

export const catalogQueries: Readonly<Record<string, string>> = {
  schema: `select nspname as name, format('owner %s', pg_get_userbyid(nspowner)) as definition
    from pg_catalog.pg_namespace where ${ours("oid")}`,

  extension: `select extname as name, format('%s in %s', extversion, extnamespace::regnamespace) as definition
    from pg_catalog.pg_extension`,

  relation: `select ${relation} as name,
      format('%s owner %s rls %s/%s persistence %s options %s replica %s %s', c.relkind,
        pg_get_userbyid(c.relowner), c.relrowsecurity, c.relforcerowsecurity, c.relpersistence,
        c.reloptions, c.relreplident,
        case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid)
          when c.relispartition then pg_get_expr(c.relpartbound, c.oid)
          when c.relkind = 'p' then pg_get_partkeydef(c.oid) end) as definition
    from ${relations} where c.relkind in ('r', 'p', 'v', 'm', 'f', 'c')`,

  inheritance: `select format('%s of %s', i.inhrelid::regclass, i.inhparent::regclass) as name,
      i.inhseqno::text as definition
    from pg_catalog.pg_inherits i join ${relations} on c.oid = i.inhrelid`,

  sequence: `select ${relation} as name,
      format('owner %s type %s start %s by %s from %s to %s cache %s cycle %s of %s',
        pg_get_userbyid(c.relowner), s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax,
        s.seqcache, s.seqcycle, (select string_agg(pg_describe_object(refclassid, refobjid, refobjsubid), ',')
          from pg_catalog.pg_depend where objid = c.oid and classid = 'pg_class'::regclass
            and deptype in ('a', 'i'))) as definition
    from ${relations} join pg_catalog.pg_sequence s on s.seqrelid = c.oid`,

  column: `select format('%s.%I', ${relation}, a.attname) as name,
      format('%s %s not null %s default %s identity %s generated %s collation %s storage %s statistics %s grants %s',
        row_number() over (partition by c.oid order by a.attnum), format_type(a.atttypid, a.atttypmod),
        a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated,
        nullif(a.attcollation, 0)::regcollation, a.attstorage, a.attstattarget, (select string_agg(x::text, ',' order by x::text)
          from unnest(a.attacl) x)) as definition
    from ${relations}
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_catalog.pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relkind in ('r', 'p', 'v', 'm', 'f', 'c')`,

  constraint: `select format('%s.%I', coalesce(nullif(k.conrelid, 0)::regclass::text,
        k.contypid::regtype::text), k.conname) as name,
      format('%s validated %s', pg_get_constraintdef(k.oid), k.convalidated) as definition
    from pg_catalog.pg_constraint k where ${ours("k.connamespace")}
      and ${notOfExtension("pg_class", "k.conrelid")}`,

  index: `select ${relation} as name,
      format('%s valid %s ready %s live %s', pg_get_indexdef(c.oid), i.indisvalid, i.indisready, i.indislive)
        as definition
    from ${relations} join pg_catalog.pg_index i on i.indexrelid = c.oid`,

  function: `select p.oid::regprocedure::text as name,
      format('owner %s %s', pg_get_userbyid(p.proowner),
        case when p.prokind in ('a', 'w')
          then format('aggregate %s', (select to_jsonb(a) - 'aggfnoid' from pg_catalog.pg_aggregate a where a.aggfnoid = p.oid))
          else pg_get_functiondef(p.oid) end) as definition
    from pg_catalog.pg_proc p where ${ours("p.pronamespace")} and ${notOfExtension("pg_proc", "p.oid")}`,

  trigger: `select format('%s.%I', t.tgrelid::regclass, t.tgname) as name,
      format('%s enabled %s', pg_get_triggerdef(t.oid), t.tgenabled) as definition
    from pg_catalog.pg_trigger t join ${relations} on c.oid = t.tgrelid where not t.tgisinternal`,

  "event trigger": `select evtname as name, format('%s %s %s %s', evtevent, evtfoid::regproc, evtenabled, evttags)
      as definition from pg_catalog.pg_event_trigger`,

  policy: `select format('%s.%I', p.polrelid::regclass, p.polname) as name,
      format('%s permissive %s to %s using %s check %s', p.polcmd, p.polpermissive,
        (select string_agg(coalesce(r.rolname, 'public'), ',' order by r.rolname)
          from unnest(p.polroles) x left join pg_catalog.pg_roles r on r.oid = x),
        pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) as definition
    from pg_catalog.pg_policy p`,

  rule: `select format('%s.%I', r.ev_class::regclass, r.rulename) as name,
      format('%s enabled %s', pg_get_ruledef(r.oid), r.ev_enabled) as definition
    from pg_catalog.pg_rewrite r join ${relations} on c.oid = r.ev_class where r.rulename <> '_RETURN'`,

  type: `select t.oid::regtype::text as name,
      format('%s owner %s base %s not null %s default %s labels %s range %s', t.typtype,
        pg_get_userbyid(t.typowner), nullif(t.typbasetype, 0)::regtype, t.typnotnull, t.typdefault,
        (select string_agg(e.enumlabel, ',' order by e.enumsortorder) from pg_catalog.pg_enum e where e.enumtypid = t.oid),
        (select r.rngsubtype::regtype from pg_catalog.pg_range r where r.rngtypid = t.oid)) as definition
    from pg_catalog.pg_type t where ${ours("t.typnamespace")} and t.typtype in ('e', 'd', 'r', 'm')
      and ${notOfExtension("pg_type", "t.oid")}`,

  statistics: `select format('%I.%I', x.stxnamespace::regnamespace::text, x.stxname) as name,
      pg_get_statisticsobjdef(x.oid) as definition
    from pg_catalog.pg_statistic_ext x where ${ours("x.stxnamespace")}`,

  operator: `select o.oid::regoperator::text as name, o.oprcode::text as definition
    from pg_catalog.pg_operator o where ${ours("o.oprnamespace")} and ${notOfExtension("pg_operator", "o.oid")}`,

  publication: `select pubname as name,
      format('owner %s all %s %s%s%s%s: %s', pg_get_userbyid(pubowner), puballtables, pubinsert, pubupdate,
        pubdelete, pubtruncate, (select string_agg(format('%s %s %s', r.prrelid::regclass, r.prattrs,
          pg_get_expr(r.prqual, r.prrelid)), ',' order by r.prrelid::regclass::text)
          from pg_catalog.pg_publication_rel r where r.prpubid = p.oid)) as definition
    from pg_catalog.pg_publication p`,

  grants: `
    select format('schema %s', nspname) as name, ${grants("nspacl", "n", "nspowner")} as definition
      from pg_catalog.pg_namespace where ${ours("oid")}
    union all
    select format('%s %s', case c.relkind when 'S' then 'sequence' else 'table' end, ${relation}),
        case c.relkind when 'S' then ${grants("c.relacl", "s", "c.relowner")}
          else ${grants("c.relacl", "r", "c.relowner")} end
      from ${relations} where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    union all
    select format('function %s', p.oid::regprocedure), ${grants("p.proacl", "f", "p.proowner")}
      from pg_catalog.pg_proc p where ${ours("p.pronamespace")} and ${notOfExtension("pg_proc", "p.oid")}
    union all
    select format('type %s', t.oid::regtype), ${grants("t.typacl", "T", "t.typowner")}
      from pg_catalog.pg_type t where ${ours("t.typnamespace")} and t.typtype in ('e', 'd', 'r')`,

  "default privileges": `select format('%s in %s for %s', pg_get_userbyid(d.defaclrole),
        coalesce(nullif(d.defaclnamespace, 0)::regnamespace::text, 'all schemas'), d.defaclobjtype) as name,
      ${grants("d.defaclacl", "r", "d.defaclrole")} as definition
    from pg_catalog.pg_default_acl d`,

  comment: `select pg_describe_object(c.classoid, c.objoid, c.objsubid) as name,
      string_agg(c.description, '; ') as definition
    from pg_catalog.pg_description c
    where c.objoid >= 16384 and not exists (select from pg_catalog.pg_depend d
      where d.classid = c.classoid and d.objid = c.objoid and d.deptype = 'e')
    group by 1`,
};
