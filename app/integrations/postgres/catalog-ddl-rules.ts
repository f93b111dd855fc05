import { notOfExtension } from "./catalog-ddl.ts";

/** What stands on top of the structure: triggers, rules, row-level security and grants. */
export function behaviourQueries(scope: (oid: string) => string): string[] {
  const relations = `pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace and ${scope("n.oid")}
      and ${notOfExtension("pg_class", "c.oid")}`;
  return [
    `select format('statistics %s', x.stxname) as what, pg_get_statisticsobjdef(x.oid) as ddl
     from pg_catalog.pg_statistic_ext x where ${scope("x.stxnamespace")} order by 1`,

    `select format('trigger %I on %s', t.tgname, t.tgrelid::regclass) as what,
       pg_get_triggerdef(t.oid) || case t.tgenabled when 'O' then '' else format('; alter table %s %s trigger %I',
         t.tgrelid::regclass, case t.tgenabled when 'D' then 'disable' when 'R' then 'enable replica'
           else 'enable always' end, t.tgname) end as ddl
     from pg_catalog.pg_trigger t join ${relations} on c.oid = t.tgrelid
     where not t.tgisinternal and t.tgparentid = 0 order by 1`,

    `select format('rule %I on %s', r.rulename, r.ev_class::regclass) as what, pg_get_ruledef(r.oid) as ddl
     from pg_catalog.pg_rewrite r join ${relations} on c.oid = r.ev_class where r.rulename <> '_RETURN' order by 1`,

    `select format('row-level security of %s', c.oid::regclass) as what,
       concat_ws('; ', case when c.relrowsecurity then format('alter table %s enable row level security', c.oid::regclass) end,
         case when c.relforcerowsecurity then format('alter table %s force row level security', c.oid::regclass) end,
         case c.relreplident when 'f' then format('alter table %s replica identity full', c.oid::regclass)
           when 'n' then format('alter table %s replica identity nothing', c.oid::regclass)
           when 'i' then (select format('alter table %s replica identity using index %I', c.oid::regclass, ic.relname)
             from pg_catalog.pg_index i join pg_catalog.pg_class ic on ic.oid = i.indexrelid
             where i.indrelid = c.oid and i.indisreplident) end) as ddl
     from ${relations} where c.relkind in ('r', 'p')
       and (c.relrowsecurity or c.relforcerowsecurity or c.relreplident <> 'd') order by 1`,

    `select format('policy %I on %s', p.polname, p.polrelid::regclass) as what,
       format('create policy %I on %s as %s for %s to %s%s%s', p.polname, p.polrelid::regclass,
         case when p.polpermissive then 'permissive' else 'restrictive' end,
         case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
           when 'd' then 'delete' else 'all' end,
         (select string_agg(case x when 0 then 'public' else quote_ident(pg_get_userbyid(x)) end, ', ')
          from unnest(p.polroles) x),
         ' using (' || pg_get_expr(p.polqual, p.polrelid) || ')',
         ' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')') as ddl
     from pg_catalog.pg_policy p join ${relations} on c.oid = p.polrelid order by 1`,

    grants(`
      select format('schema %I', n.nspname) as object, n.nspacl as acl, n.nspowner as owner
        from pg_catalog.pg_namespace n where ${scope("n.oid")} and ${notOfExtension("pg_namespace", "n.oid")}
      union all
      select format('%s %s', case c.relkind when 'S' then 'sequence' else 'table' end, c.oid::regclass),
          c.relacl, c.relowner
        from ${relations} where c.relkind in ('r', 'p', 'v', 'm', 'S')
      union all
      select format('routine %s', p.oid::regprocedure), p.proacl, p.proowner
        from pg_catalog.pg_proc p where ${scope("p.pronamespace")} and ${notOfExtension("pg_proc", "p.oid")}
          and p.prokind <> 'a'
      union all
      select format('type %s', t.oid::regtype), t.typacl, t.typowner
        from pg_catalog.pg_type t where ${scope("t.typnamespace")} and ${notOfExtension("pg_type", "t.oid")}`),

    `select format('grants on %s.%I', c.oid::regclass, a.attname) as what,
       string_agg(format('grant %s (%I) on table %s to %s', x.privilege_type, a.attname, c.oid::regclass,
         case x.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(x.grantee)) end), '; ') as ddl
     from pg_catalog.pg_attribute a join ${relations} on c.oid = a.attrelid
     cross join lateral aclexplode(a.attacl) x where a.attnum > 0 and not a.attisdropped group by 1 order by 1`,
  ];
}

/** The grants on the schema `public` and the default privileges: what later statements start from. */
export function startingPrivileges(): string[] {
  const target = `concat_ws(' ', 'alter default privileges',
    case when d.defaclnamespace <> 0 then format('in schema %I', d.defaclnamespace::regnamespace::text::name) end)`;
  const kind = `case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'routines'
    when 'T' then 'types' when 'n' then 'schemas' end`;
  return [
    grants(`select 'schema public' as object, nspacl as acl, nspowner as owner
      from pg_catalog.pg_namespace where nspname = 'public'`),
    // Entries for all schemas replace the built-in defaults, so these are taken away first.
    `select format('default privileges on %s', ${kind}) as what,
       concat_ws('; ', case when d.defaclnamespace = 0 then
           format('%s revoke all on %s from public', ${target}, ${kind}) end,
         (select string_agg(format('%s grant %s on %s to %s%s', ${target}, g.privileges, ${kind}, g.grantee, g.option),
            '; ' order by g.grantee, g.option) from (
            select case x.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(x.grantee)) end as grantee,
              string_agg(x.privilege_type, ', ' order by x.privilege_type) as privileges,
              case when x.is_grantable then ' with grant option' else '' end as option
            from aclexplode(d.defaclacl) x group by 1, 3) g)) as ddl
     from pg_catalog.pg_default_acl d
     where pg_get_userbyid(d.defaclrole) = current_user and d.defaclobjtype in ('r', 'S', 'f', 'T', 'n')
     order by d.defaclnamespace, d.defaclobjtype`,
  ];
}

function grants(objects: string): string {
  return `select 'grants on ' || o.object as what,
      concat_ws('; ', format('revoke all on %s from public', o.object),
        (select string_agg(format('grant %s on %s to %s%s', g.privileges, o.object, g.grantee, g.option), '; '
            order by g.grantee, g.option) from (
          select case x.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(x.grantee)) end as grantee,
            string_agg(x.privilege_type, ', ' order by x.privilege_type) as privileges,
            case when x.is_grantable then ' with grant option' else '' end as option
          from aclexplode(o.acl) x where x.grantee <> o.owner group by 1, 3) g)) as ddl
    from (${objects}) o where o.acl is not null order by 1`;
}
