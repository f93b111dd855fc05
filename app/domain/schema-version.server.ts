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

/** Nobody has migrated this database yet. */
class SchemaMissingError extends BerthError {
  constructor(cause: unknown) {
    super("schema_missing", "Berth's database is not set up yet. Run `npm run migrate`.", {
      fix: "Run `npm run migrate`, then start again.",
      cause,
    });
  }
}

class DatabaseLoginRefusedError extends BerthError {
  constructor(where: string, cause: unknown) {
    super(
      "database_login_refused",
      `PostgreSQL refuses the user or the password of DATABASE_URL (${where}). Correct it; if the log-in does not exist yet or was given a new password, run \`npm run migrate\`.`,
      { fix: "Correct DATABASE_URL, or run `npm run migrate`.", cause },
    );
  }
}

class DatabaseNotFoundError extends BerthError {
  constructor(where: string, cause: unknown) {
    super(
      "database_not_found",
      `There is no database of the name in DATABASE_URL (${where}). Correct it, or create the database and run \`npm run migrate\`.`,
      { fix: "Correct DATABASE_URL, or create the database.", cause },
    );
  }
}

/** The connection string's user, host and database. */
function withoutPassword(db: Db): string {
  const { protocol, username, host, pathname } = new URL(db.$client.options.connectionString ?? "");
  return `${protocol}//${username}@${host}${pathname}`;
}

/** A sentence in place of PostgreSQL's error, where a person can do something about it. */
function explain(db: Db, error: unknown): unknown {
  const reason = error instanceof Error && error.cause ? error.cause : error;
  const code = reason instanceof Error && "code" in reason ? reason.code : undefined;
  switch (code) {
    case "42883": // the function is missing
    case "22023": // the actor's role is missing
      return new SchemaMissingError(error);
    case "28P01":
      return new DatabaseLoginRefusedError(withoutPassword(db), error);
    case "3D000":
      return new DatabaseNotFoundError(withoutPassword(db), error);
    default:
      return error;
  }
}

/**
 * A newer schema is fine: migrations only add, so that two releases can run side by side.
 * @throws SchemaTooOldError, SchemaMissingError, DatabaseLoginRefusedError, DatabaseNotFoundError
 */
export async function requireCurrentSchema(db: Db, actor: Actor): Promise<void> {
  const { rows } = await asActor(db, actor, (tx) =>
    tx.execute<{ version: number }>(sql`select berth_schema_version() as version`),
  ).catch((error) => {
    throw explain(db, error);
  });
  const found = rows[0]?.version ?? 0;
  if (found < journal.entries.length) throw new SchemaTooOldError(found, journal.entries.length);
}
