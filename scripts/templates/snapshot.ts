import type pg from "pg";
import {
  diffInventories,
  type InventoryLine,
  readInventory,
} from "#app/integrations/postgres/inventory.ts";
import { own } from "#app/integrations/postgres/inventory-queries.ts";
import { privileges } from "./privileges.ts";

/** Everything that templates made in a database, comments included, without rows. */
export type Snapshot = InventoryLine[];

/** What a project's defaults say differs by its age; templates must end up the same all the same. */
const OF_THE_PROJECT = new Set(["default privileges", "extension", "event trigger"]);

export async function snapshotOf(client: pg.Client): Promise<Snapshot> {
  const inventory = await readInventory(client);
  const { rows } = await client.query<{ name: string; definition: string }>(`
    select pg_describe_object(d.classoid, d.objoid, d.objsubid) as name, d.description as definition
    from pg_description d
    cross join pg_identify_object(d.classoid, d.objoid, d.objsubid) o
    where exists (select from pg_namespace s where s.nspname = coalesce(o.schema, o.name) and ${own("s.oid")})
      or d.classoid in ('pg_policy'::regclass, 'pg_trigger'::regclass)
    order by 1`);
  const comments = rows.map((row) => ({ kind: "comment", parent: null, ...row }));
  // Grants as they come out in the end, those to the owner included.
  const rights = (await privileges(client)).map((name) => ({
    kind: "privilege",
    name,
    definition: "",
    parent: null,
  }));
  return [...inventory.filter(({ kind }) => !OF_THE_PROJECT.has(kind)), ...comments, ...rights];
}

/** How many differences are told; the rest is a number. */
const TOLD = 8;

/** How a database differs from what it should be like, in one text; null where it does not. */
export function differences(expected: Snapshot, found: Snapshot): string | null {
  const all = diffInventories(expected, found).filter(({ implied }) => !implied);
  if (all.length === 0) return null;
  const more = all.length > TOLD ? `; ${all.length - TOLD} more` : "";
  return all
    .slice(0, TOLD)
    .map(({ text }) =>
      text
        .replace("by the ledger's versions", "there")
        .replace("the ledger's versions make", "there it is"),
    )
    .join("; ")
    .concat(more);
}

/** A number and a hash for each table of the templates: another one where any row is another. */
export async function rowsOf(client: pg.Client): Promise<Map<string, string>> {
  const { rows: tables } = await client.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c
     where c.relkind = 'r' and ${own("c.relnamespace")} order by 1`,
  );
  const found = new Map<string, string>();
  for (const { name } of tables) {
    const { rows } = await client.query<{ digest: string }>(
      `select count(*) || ' ' || coalesce(md5(string_agg(md5(t::text), '' order by md5(t::text))), '') as digest
       from ${name} t`,
    );
    found.set(name, rows[0]?.digest ?? "");
  }
  return found;
}
