import { sql } from "drizzle-orm";
import { BerthError } from "#app/platform/errors.ts";
import { type Actor, asActor, type Db } from "#db/index.ts";
import journal from "../../migrations/meta/_journal.json" with { type: "json" };

/** Berth's own database lacks migrations that this release needs. */
class SchemaTooOldError extends BerthError {
  constructor(found: number, needed: number) {
    super("schema_too_old", "Berth's database is older than this release. Run `npm run migrate`.", {
      found: `${found} migrations`,
      needed: `${needed} migrations`,
      fix: "Run `npm run migrate`, then start again.",
    });
  }
}

/**
 * A newer schema is fine: migrations only add, so that two releases can run side by side.
 * @throws SchemaTooOldError
 */
export async function requireCurrentSchema(db: Db, actor: Actor): Promise<void> {
  const { rows } = await asActor(db, actor, (tx) =>
    tx.execute<{ version: number }>(sql`select berth_schema_version() as version`),
  );
  const found = rows[0]?.version ?? 0;
  if (found < journal.entries.length) throw new SchemaTooOldError(found, journal.entries.length);
}
