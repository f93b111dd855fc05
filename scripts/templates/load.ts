import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import {
  type Catalog,
  loadCatalog,
  ManifestInvalidError,
  readLock,
} from "#app/domain/catalog/index.server.ts";
import { parseManifest } from "#app/domain/catalog/manifest.ts";
import { readTemplate } from "#app/domain/catalog/read.ts";
import { readMigration, readPlainFile } from "#app/domain/catalog/template-file.ts";
import { asFinding, type Finding } from "./findings.ts";

/**
 * Reads every template, file by file, so that all broken files show and not the first alone. The
 * catalogue is there where it would load in production too.
 */
export async function loadAll(
  folder: string,
): Promise<{ catalog: Catalog | null; findings: Finding[] }> {
  const findings: Finding[] = [];
  const note = (error: unknown) => {
    for (const found of allOf(error)) {
      const isKnown = findings.some(
        ({ rule, file, line, message }) =>
          message === found.message ||
          (rule === found.rule && file === found.file && line === found.line && file !== null),
      );
      if (!isKnown) findings.push(found);
    }
  };
  const lock = await readLock(folder).catch((error) => {
    note(error);
    return {};
  });
  for (const name of await foldersIn(folder)) {
    await readFiles(folder, name, note);
    await readTemplate(folder, name, lock).catch(note);
  }
  const catalog = await loadCatalog(folder).catch((error) => {
    note(error);
    return null;
  });
  return { catalog, findings };
}

/** A manifest's error holds all of its problems. */
function allOf(error: unknown): Finding[] {
  if (!(error instanceof ManifestInvalidError)) return [asFinding(error)];
  const { code: rule, file } = error;
  return error.problems.map(({ line, problem, fix }) => ({
    rule,
    file,
    line,
    message: `${file}:${line}: ${problem}. ${fix}`,
    seen: [],
  }));
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => name)
    .sort();
}

async function readFiles(
  folder: string,
  name: string,
  note: (error: unknown) => void,
): Promise<void> {
  // What cannot be read at all is said by whoever reads the template as a whole.
  const textOf = (file: string) =>
    readFile(path.join(folder, file), "utf8").then(
      (text) => text.replaceAll("\r\n", "\n"),
      () => null,
    );
  const manifest = await textOf(`${name}/template.yaml`);
  try {
    if (manifest !== null) parseManifest(manifest, `${name}/template.yaml`);
  } catch (error) {
    note(error);
  }
  const migrations = await readdir(path.join(folder, name, "migrations")).catch(() => []);
  for (const file of migrations.filter((each) => !each.startsWith(".")).sort()) {
    const sql = await textOf(`${name}/migrations/${file}`);
    if (sql !== null) await readMigration(`${name}/migrations/${file}`, sql).catch(note);
  }
  for (const phase of ["seed", "checks", "uninstall"] as const) {
    const sql = await textOf(`${name}/${phase}.sql`);
    if (sql !== null) await readPlainFile(`${name}/${phase}.sql`, sql, phase).catch(note);
  }
}
