import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Catalog } from "#app/domain/catalog/index.server.ts";
import { parseManifest } from "#app/domain/catalog/manifest.ts";
import type { PostgresVersion } from "#local/cluster.ts";
import { type Finding, finding, SeenFindings } from "./findings.ts";
import { checkInDatabases } from "./in-databases.ts";
import { lintFindings } from "./lint.ts";
import { loadAll } from "./load.ts";
import { lockFindings } from "./lock-rules.ts";
import { nameFindings, ownersOf } from "./names.ts";
import { startProjectServer } from "./project-server.ts";
import { settingFindings } from "./setting-rules.ts";
import { Timings } from "./timings.ts";

/** The versions of PostgreSQL that templates are tried on. */
const TESTED: readonly PostgresVersion[] = [17, 15];

/** What a check found, and how long each of its parts took. */
export interface Checked {
  /** Templates that were checked. */
  names: string[];
  findings: Finding[];
  steps: Timings;
  files: Timings;
  databases: Timings;
}

export interface CheckOptions {
  /** Whether databases are made; without them only what the texts tell is judged. */
  versions?: readonly PostgresVersion[];
}

/**
 * Checks the templates of a folder: all of them, or those named and what they stand on. Rules that
 * need a database are judged where the texts have none to complain of.
 *
 * @throws UnknownTemplateError for a name that is no template's.
 */
export async function checkTemplates(
  folder: string,
  names: readonly string[] = [],
  { versions = TESTED }: CheckOptions = {},
): Promise<Checked> {
  const root = path.resolve(folder);
  const [steps, files, databases] = [new Timings(), new Timings(), new Timings()];
  const { catalog, findings } = await steps.of("read and parse", () => loadAll(root));
  const done = (checked: readonly string[]) => ({
    names: [...checked],
    findings,
    steps,
    files,
    databases,
  });
  if (!catalog) return done(names);
  const wanted = names.length > 0 ? names : catalog.templates.map(({ name }) => name);
  const closure = catalog.order([...wanted]).map(({ name }) => name);
  const checked = names.length > 0 ? closure : wanted;

  findings.push(...(await steps.of("rules", () => checkTexts(root, catalog, checked))));
  await steps.of("lint (squawk)", async () => {
    for (const name of checked) {
      const template = catalog.get(name);
      const sql = [...template.migrations, ...(template.seed ? [template.seed] : [])];
      findings.push(...(await lintFindings(root, catalog, template, sql)));
    }
  });
  if (findings.length > 0) return done(checked);

  const seen = new SeenFindings();
  await Promise.all(
    versions.map((version) =>
      steps.of(`databases of PostgreSQL ${version}`, async () => {
        const server = await steps.of(`start PostgreSQL ${version}`, () =>
          startProjectServer(version),
        );
        const bench = { version, server, catalog, findings: seen, files, databases };
        await checkInDatabases(bench, wanted).finally(() => server.stop());
      }),
    ),
  );
  findings.push(...seen.all());
  return done(checked);
}

/** The rules that the texts of the files alone can break. */
async function checkTexts(
  root: string,
  catalog: Catalog,
  names: readonly string[],
): Promise<Finding[]> {
  const owners = await ownersOf(catalog);
  const findings: Finding[] = [];
  for (const name of names) {
    const template = catalog.get(name);
    const { migrations, seed, checks, uninstall } = template;
    const lasting = [...migrations, seed, checks].filter((file) => file !== null);
    const file = `${name}/template.yaml`;
    const manifest = parseManifest(await readFile(path.join(root, file), "utf8"), file);
    findings.push(
      ...settingFindings(template, [...lasting, ...(uninstall ? [uninstall] : [])], {
        file,
        lineOf: manifest.lineOf,
      }),
      ...nameFindings(catalog, template, lasting, owners),
      ...lockFindings(catalog, template, migrations),
    );
    if (TESTED.every((version) => version < template.minimumPostgres)) {
      findings.push(
        finding({
          rule: "postgres_untested",
          file,
          line: manifest.lineOf(["postgres"]),
          what: `${name} needs PostgreSQL ${template.minimumPostgres}`,
          why: `it would never be tried: there are ${[...TESTED].sort().join(" and ")}`,
          fix: `Write a version up to ${Math.max(...TESTED)}.`,
        }),
      );
    }
    if (!checks) {
      findings.push(
        finding({
          rule: "no_checks",
          file,
          line: 1,
          what: `${name} has no checks.sql`,
          why: "nobody would notice that it does not work",
          fix: "Add one query that answers check_name, ok and detail.",
        }),
      );
    }
  }
  return findings;
}
