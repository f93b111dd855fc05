import pg from "pg";
import { ScriptFailure, sendScript } from "./script.ts";
import { isProtected } from "./sql-rules.ts";

/** Where the platform keeps what the customer's own people have put there. */
const ROWS_AT_THE_PLATFORM = [
  ["auth", "users"],
  ["storage", "objects"],
] as const;

interface Relation {
  schema: string;
  name: string;
  kind: "r" | "f" | "S";
  /** Whether the role could change it. */
  owned: boolean;
}

/**
 * Why a rehearsal may not touch this database itself: the first table that has rows, a foreign
 * table, or a sequence of another role's (whose count no rollback would undo); null when nothing
 * stands there that somebody could miss. Reads only, behind a savepoint of the transaction that is
 * open, and so holds no lock afterwards. Extensions' own tables do not count.
 *
 * @throws ScriptFailure: 55P03 when a table is locked against reading.
 */
export async function findCustomerData(client: pg.Client): Promise<string | null> {
  const relations = await listRelations(client);
  const foreign = relations.find(({ kind, owned }) => kind === "f" || (kind === "S" && !owned));
  if (foreign) {
    const what = foreign.kind === "f" ? "a foreign table" : "a sequence of another role";
    return `${foreign.schema}.${foreign.name} is ${what}`;
  }
  const tables = relations.filter(({ kind }) => kind === "r");
  if (tables.length === 0) return null;
  const looks = tables.map(({ schema, name }) => {
    const quoted = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
    const told = pg.escapeLiteral(`${schema}.${name} has rows`);
    return `select ${told} as found where exists (select from only ${quoted})`;
  });
  return readBehindSavepoint(client, `${looks.join(" union all ")} limit 1`);
}

async function listRelations(client: pg.Client): Promise<Relation[]> {
  const [listed] = await sendScript(
    client,
    `select n.nspname as schema, c.relname as name, c.relkind as kind,
       pg_catalog.pg_has_role(c.relowner, 'USAGE') as owned
     from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'f', 'S') and c.relpersistence <> 't'
       and n.nspname !~ '^pg_' and not exists (
         select from pg_catalog.pg_depend d
         where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid
           and d.deptype = 'e')
     order by 1, 2`,
    { silenceMs: 75_000 },
  );
  return ((listed?.rows ?? []) as Relation[]).filter(
    ({ schema, name, kind }) =>
      !isProtected(schema) ||
      (kind === "r" && ROWS_AT_THE_PLATFORM.some(([s, n]) => s === schema && n === name)),
  );
}

const GO_BACK = "rollback to savepoint berth_look";

async function readBehindSavepoint(client: pg.Client, query: string): Promise<string | null> {
  try {
    // With row_security off, a policy that would hide rows is an error instead.
    const results = await sendScript(
      client,
      ["savepoint berth_look", "set local row_security = off", query, GO_BACK],
      { silenceMs: 75_000 },
    );
    const [row] = (results[2]?.rows ?? []) as { found: string }[];
    return row?.found ?? null;
  } catch (error) {
    // What the role may not see, it cannot call empty.
    if (!(error instanceof ScriptFailure) || error.sqlstate !== "42501") throw error;
    return "a table that the role may not read";
  }
}
