import type { PoolClient } from "pg";
import { RestRefusal } from "./errors.ts";

/** A column or an argument: its name and its type as SQL writes it. */
export interface Typed {
  name: string;
  type: string;
}

/** A table or view of the schema public. */
export interface Relation {
  name: string;
  columns: Typed[];
  primaryKey: string[];
}

/** A function of the schema public, chosen by the names of its arguments. */
export interface Routine {
  name: string;
  args: Typed[];
  volatile: boolean;
  returns: "nothing" | "value" | "row";
  set: boolean;
}

/** Finds a table or view. Throws RestRefusal (PGRST205). */
export async function findRelation(sql: PoolClient, name: string): Promise<Relation> {
  const { rows } = await sql.query<Relation>(
    `select c.relname as name,
       (select coalesce(json_agg(json_build_object('name', a.attname,
            'type', format_type(a.atttypid, a.atttypmod)) order by a.attnum), '[]')
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
       (select coalesce(json_agg(a.attname order by array_position(i.indkey::int2[], a.attnum)), '[]')
        from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
        where i.indrelid = c.oid and i.indisprimary) as "primaryKey"
     from pg_class c
     where c.relnamespace = 'public'::regnamespace and c.relname = $1
       and c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition`,
    [name],
  );
  if (rows[0]) return rows[0];
  const message = `Could not find the table 'public.${name}' in the schema cache`;
  throw new RestRefusal(404, "PGRST205", message);
}

/** The relation's columns of these names. Throws RestRefusal (PGRST204). */
export function columnsOf(relation: Relation, names: readonly string[]): Typed[] {
  return names.map((name) => {
    const column = relation.columns.find((each) => each.name === name);
    if (column) return column;
    const message = `Could not find the '${name}' column of '${relation.name}' in the schema cache`;
    throw new RestRefusal(400, "PGRST204", message);
  });
}

interface Candidate {
  args: (Typed & { required: boolean })[];
  volatile: boolean;
  returns: Routine["returns"];
  set: boolean;
}

/** Arguments without a name, and VARIADIC ones, are left to PostgREST itself. */
const CANDIDATES = `
  select p.provolatile = 'v' as volatile, p.proretset as set,
    case when p.prorettype = 'void'::regtype then 'nothing'
      when t.typtype = 'c' or p.prorettype = 'record'::regtype
        or p.proargmodes::text[] && '{t,b,o}' then 'row' else 'value' end as returns,
    (select coalesce(json_agg(json_build_object('name', a.name, 'type', format_type(a.type, null),
         'required', a.place <= p.pronargs - p.pronargdefaults) order by a.place), '[]')
     from (select u.name, u.type, row_number() over (order by u.n) as place
       from unnest(p.proargnames, coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargmodes)
         with ordinality as u (name, type, mode, n)
       where u.type is not null and coalesce(u.mode, 'i') in ('i', 'b')) a) as args
  from pg_proc p join pg_type t on t.oid = p.prorettype
  where p.pronamespace = 'public'::regnamespace and p.proname = $1 and p.prokind = 'f'
    and p.provariadic = 0
    and (p.pronargs = 0 or '' <> all (coalesce(p.proargnames[1:p.pronargs], '{""}')))`;

const signature = (name: string, { args }: Candidate) =>
  `public.${name}(${args.map((arg) => `${arg.name} => ${arg.type}`).join(", ")})`;

/** What a call gives: a JSON text, and the names that it gives to a candidate's parameters. */
export interface Given {
  text: string;
  names(parameters: ReadonlySet<string>): string[];
  /** Named in the address: a body could be meant for a nameless argument, too. */
  inAddress: boolean;
}

function noRoutine(name: string, given: Given): RestRefusal {
  const names = given.names(new Set()).sort();
  const none = names.length === 0 ? " without parameters" : null;
  const list = names.join(", ");
  const searched = none ?? ` with parameter${names.length > 1 ? "s" : ""} ${list}`;
  const nameless = given.inAddress ? "" : " or with a single unnamed json/jsonb parameter";
  const message = `Could not find the function public.${name}${none ?? `(${list})`} in the schema cache`;
  return new RestRefusal(404, "PGRST202", message, {
    details: `Searched for the function public.${name}${searched}${nameless}, but no matches were found in the schema cache.`,
  });
}

/**
 * Finds the function that takes arguments of the names that are given. Throws RestRefusal (PGRST202,
 * PGRST203).
 */
export async function findRoutine(sql: PoolClient, name: string, given: Given): Promise<Routine> {
  const { rows } = await sql.query<Candidate>(CANDIDATES, [name]);
  const fitting = rows.filter(({ args }) => {
    const parameters = new Set(args.map((arg) => arg.name));
    const names = new Set(given.names(parameters));
    const known = [...names].every((each) => parameters.has(each));
    return known && args.every((arg) => !arg.required || names.has(arg.name));
  });
  if (fitting.length > 1) {
    const list = fitting.map((each) => signature(name, each)).join(", ");
    const message = `Could not choose the best candidate function between: ${list}`;
    throw new RestRefusal(300, "PGRST203", message, {
      hint: "Try renaming the parameters or the function itself in the database so function overloading can be resolved",
    });
  }
  const [found] = fitting;
  if (!found) throw noRoutine(name, given);
  const names = new Set(given.names(new Set(found.args.map((arg) => arg.name))));
  const args = found.args.filter((arg) => names.has(arg.name));
  return { name, args, volatile: found.volatile, returns: found.returns, set: found.set };
}
