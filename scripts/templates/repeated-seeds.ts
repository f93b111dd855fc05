import type pg from "pg";
import { own } from "#app/integrations/postgres/inventory-queries.ts";
import { BerthError } from "#app/platform/errors.ts";

/**
 * Changes every text that may be changed, as a customer would: what a constraint or a trigger
 * refuses stays. Columns of keys stay too, since a seed knows its rows by them.
 */
export async function editTexts(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string; column: string }>(`
    select c.oid::regclass::text as name, quote_ident(a.attname) as column
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relkind = 'r' and ${own("c.relnamespace")} and a.attnum > 0 and not a.attisdropped
      and a.attgenerated = '' and a.attidentity = '' and a.atttypid in ('text'::regtype, 'varchar'::regtype)
      and not exists (select from pg_index i where i.indrelid = c.oid and i.indisunique
        and a.attnum = any (i.indkey))
      and not exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'f'
        and a.attnum = any (k.conkey))
    order by 1, 2`);
  for (const { name, column } of rows) {
    await client.query(`update ${name} set ${column} = ${column} || 'x'`).catch(() => undefined);
  }
}

/** A seed that can run once only. */
export class SeedFailsAgainError extends BerthError {
  readonly file: string;
  readonly line = 1;

  constructor(file: string, cause: Error) {
    const fix = "Insert only what is missing: on conflict do nothing, or where not exists.";
    const message = `${file}:1: it fails when it runs again: ${cause.message}. ${fix}`;
    super("seed_repeats", message, { fix, cause });
    this.file = file;
  }
}

/**
 * Runs a seed in one transaction; answers the tables in which it changed or removed rows.
 *
 * @throws SeedFailsAgainError
 */
export async function changedBy(
  client: pg.Client,
  seed: { path: string; sql: string },
): Promise<string[]> {
  await client.query("begin");
  try {
    await client.query(seed.sql).catch((cause) => {
      throw new SeedFailsAgainError(seed.path, cause);
    });
    const { rows } = await client.query<{ name: string }>(`
      select relid::regclass::text as name from pg_stat_xact_user_tables
      where n_tup_upd + n_tup_del > 0 and ${own("(select c.relnamespace from pg_class c where c.oid = relid)")}
      order by 1`);
    await client.query("commit");
    return rows.map(({ name }) => name);
  } catch (error) {
    await client.query("rollback");
    throw error;
  }
}
