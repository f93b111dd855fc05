/** Makes the runner's steps out of SQL, for tests. */
import { createHash } from "node:crypto";
import { effectsOf } from "../../app/integrations/postgres/effects.ts";
import { strongLocksOf } from "../../app/integrations/postgres/effects-file.ts";
import type { SqlStep } from "../../app/integrations/postgres/ledger.ts";
import { splitStatements } from "../../app/integrations/postgres/parse.ts";

/** A step of this SQL; the parser's wall is not asked, so that tests can hand in what it refuses. */
export async function sqlStep(
  version: string,
  sql: string,
  options: Partial<SqlStep> = {},
): Promise<SqlStep> {
  const file = options.file ?? `base/migrations/${version}_test.sql`;
  const located = await splitStatements(sql, file);
  const statements = located.map(({ sql, line }) => ({ sql, line }));
  return {
    kind: "migration",
    version,
    name: "test",
    file,
    sql,
    checksum: createHash("sha256").update(sql).digest("hex"),
    template: "base",
    templateVersion: "1.0.0",
    transactional: true,
    strongLocks: strongLocksOf(effectsOf(located)),
    statements,
    ...options,
  };
}
