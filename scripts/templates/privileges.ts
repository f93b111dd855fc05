import type pg from "pg";

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
