import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { TemplateFileInvalidError } from "./errors.ts";
import { type LocatedManifest, parseManifest } from "./manifest.ts";
import { readMigration, readPlainFile, sha256, type TemplateFile } from "./template-file.ts";

export interface Template {
  name: string;
  version: string;
  title: string;
  description: string;
  category: string;
  /** Templates that must be there too, with ranges of versions as npm writes them. */
  requires: { name: string; range: string }[];
  /** The plans that include it. */
  plans: string[];
  /** The lowest major version of PostgreSQL that can run it. */
  minimumPostgres: number;
  /** In order of version. */
  migrations: TemplateFile[];
  seed: TemplateFile | null;
  checks: TemplateFile | null;
  /** SHA-256 over the manifest and every file, in hexadecimal. */
  checksum: string;
}

/** A template with the places that errors about its dependencies point at. */
export interface ReadTemplate {
  template: Template;
  manifestFile: string;
  lineOf: LocatedManifest["lineOf"];
}

/** Real schemas are a tenth of this; a dump put here by mistake is not. */
const maxFileBytes = 1_000_000;

/**
 * Reads one template's folder.
 *
 * @throws ManifestInvalidError, TemplateFileInvalidError, SqlSyntaxError, ForbiddenStatementError.
 */
export async function readTemplate(templatesFolder: string, folder: string): Promise<ReadTemplate> {
  const read = (file: string) => readText(templatesFolder, file);
  await refuseStrangers(templatesFolder, folder);

  const manifestFile = `${folder}/template.yaml`;
  const manifestText = await read(manifestFile);
  if (manifestText === null) {
    throw new TemplateFileInvalidError(
      { file: manifestFile, line: 1 },
      {
        problem: "the manifest is missing",
        fix: `Write it, or move the folder ${folder} away.`,
      },
    );
  }
  const { manifest, lineOf } = parseManifest(manifestText, manifestFile);
  if (manifest.name !== folder) {
    throw new TemplateFileInvalidError(
      { file: manifestFile, line: lineOf(["name"]) },
      {
        problem: "a template has the name of its folder",
        found: manifest.name,
        needed: folder,
        fix: "Change the name, or rename the folder.",
      },
    );
  }

  const migrations: TemplateFile[] = [];
  for (const name of (await list(templatesFolder, `${folder}/migrations`)).sort()) {
    const file = `${folder}/migrations/${name}`;
    migrations.push(await readMigration(file, (await read(file)) ?? ""));
  }
  if (migrations.length === 0) {
    throw new TemplateFileInvalidError(
      { file: `${folder}/migrations`, line: 1 },
      { problem: "the template has no migration", fix: "Add one." },
    );
  }
  const plain = async (phase: "seed" | "checks") => {
    const sql = await read(`${folder}/${phase}.sql`);
    return sql === null ? null : readPlainFile(`${folder}/${phase}.sql`, sql, phase);
  };
  const seed = await plain("seed");
  const checks = await plain("checks");

  const files = [...migrations, ...(seed ? [seed] : []), ...(checks ? [checks] : [])];
  const { postgres, ...facts } = manifest;
  const template: Template = {
    ...facts,
    minimumPostgres: postgres,
    migrations,
    seed,
    checks,
    checksum: sha256(
      JSON.stringify([sha256(manifestText), ...files.map((f) => [f.path, f.checksum])]),
    ),
  };
  return { template, manifestFile, lineOf };
}

const known = new Set(["template.yaml", "migrations", "seed.sql", "checks.sql"]);

/** A file under a wrong name would never be applied, and nobody would be told. */
async function refuseStrangers(templatesFolder: string, folder: string): Promise<void> {
  const stranger = (await list(templatesFolder, folder)).find((name) => !known.has(name));
  if (stranger === undefined) return;
  throw new TemplateFileInvalidError(
    { file: `${folder}/${stranger}`, line: 1 },
    {
      problem: "a template's folder holds nothing of this name",
      found: stranger,
      needed: [...known].join(", "),
      fix: "Correct its name, or move it away.",
    },
  );
}

async function list(templatesFolder: string, folder: string): Promise<string[]> {
  try {
    const names = await readdir(path.join(templatesFolder, folder));
    // Desktops leave files like .DS_Store behind.
    return names.filter((name) => !name.startsWith("."));
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

/** Whether there is nothing of that name, or not of the kind that was asked for. */
function isAbsent(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? "");
}

/** A file's text, or null when there is none. */
async function readText(templatesFolder: string, file: string): Promise<string | null> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path.join(templatesFolder, file));
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
  if (bytes.length > maxFileBytes) {
    throw new TemplateFileInvalidError(
      { file, line: 1 },
      {
        problem: `the file has ${bytes.length} bytes`,
        needed: `at most ${maxFileBytes}`,
        fix: "Split it, or load large data in another way.",
      },
    );
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    // Git may check files out with other line ends; the checksum must not depend on that.
    return text.replaceAll("\r\n", "\n");
  } catch {
    throw new TemplateFileInvalidError(
      { file, line: 1 },
      { problem: "the file is not UTF-8", fix: "Save it as UTF-8." },
    );
  }
}
