/**
 * Templates applied to databases as a fresh Supabase project has them, for the tests of the
 * templates.
 */
import type pg from "pg";
import { filesFor, loadCatalog, type Template } from "#app/domain/catalog/index.server.ts";

export {
  type GrantMode,
  grantModes,
  type ProjectServer,
  prepareServer,
  startProjectServer,
} from "../scripts/templates/project-server.ts";

/**
 * Applies templates with all they require, in the order of a run: every schema file, then every
 * policies file, then the seeds. `at` applies them as they were released with that version, and
 * `after` what has come since.
 */
export async function applyTemplates(
  client: pg.Client,
  names: string[],
  { at, after }: { at?: string; after?: string } = {},
): Promise<Template[]> {
  const catalog = await loadCatalog(import.meta.dirname);
  const released = (name: string, version: string) => {
    const found = catalog.history(name).releases.find((one) => one.version === version);
    if (!found) throw new Error(`${name} ${version} was never released`);
    return found;
  };
  const current = catalog.order(names);
  const templates = at ? current.map(({ name }) => released(name, at)) : current;
  const applied = after ? current.flatMap(({ name }) => released(name, after).migrations) : [];
  const migrations = templates
    .flatMap((template) => filesFor(template, templates))
    .filter(({ version }) => applied.every((one) => one.version !== version));
  for (const phase of ["schema", "policies"]) {
    for (const file of migrations.filter((each) => each.phase === phase)) {
      await applyFile(client, file).catch((cause) => {
        throw new Error(`${file.path}: ${cause.message}`, { cause });
      });
    }
  }
  await applySeeds(client, templates);
  return templates;
}

/**
 * A single simple query is one transaction, unless the file may not have one. The victim of a
 * deadlock is tried again, as a run does: it left nothing.
 */
async function applyFile(client: pg.Client, { sql }: { sql: string }): Promise<void> {
  for (;;) {
    const error = await client.query(sql).then(
      () => null,
      (error: pg.DatabaseError) => error,
    );
    if (!error) return;
    if (error.code !== "40P01") throw error;
  }
}

/** Runs the templates' seeds, which must do no harm when repeated. */
export async function applySeeds(client: pg.Client, templates: Template[]): Promise<void> {
  for (const { seed } of templates) if (seed) await client.query(seed.sql);
}

/** What the templates' checks find wrong, as the health check of a run would say it. */
export async function failedChecks(client: pg.Client, templates: Template[]): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, checks } of templates) {
    if (!checks) throw new Error(`${name} has no checks`);
    await client.query("begin read only");
    const { rows } = await client.query(checks.sql);
    await client.query("commit");
    if (rows.length === 0) throw new Error(`${name} checks nothing`);
    for (const row of rows) {
      if (row.ok !== true) failed.push(`${row.check_name}: ${row.detail}`);
    }
  }
  return failed;
}
