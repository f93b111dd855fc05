import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import semver from "semver";
import { TemplateFileInvalidError } from "./errors.ts";
import { type LocatedManifest, parseManifest } from "./manifest.ts";
import type { Parameter } from "./parameters.ts";
import {
  type Lock,
  type ReleasedFiles,
  releasedPath,
  releasedVersions,
  requireNewest,
  requireReleased,
  requireUnchanged,
} from "./releases.ts";
import type { AuthSettings, Bucket, Manifest } from "./schema.ts";
import { readMigration, readPlainFile, sha256, type TemplateFile } from "./template-file.ts";

export interface Template {
  name: string;
  version: string;
  title: string;
  description: string;
  category: string;
  /** Templates that must be there too, with ranges of versions as npm writes them. */
  requires: { name: string; range: string }[];
  /** Templates that it makes use of where they are there. */
  optional: { name: string; range: string }[];
  /** Templates beside which it must not stand. */
  conflicts: { name: string; range: string; reason: string }[];
  /** The plans that include it. */
  plans: string[];
  /** The lowest major version of PostgreSQL that can run it. */
  minimumPostgres: number;
  storage: Bucket[];
  auth: AuthSettings;
  /** What is asked of the customer. */
  parameters: Parameter[];
  /** The function that the worker calls when something is due. */
  due: string | null;
  /** In order of version. */
  migrations: TemplateFile[];
  seed: TemplateFile | null;
  checks: TemplateFile | null;
  /** Takes the template away again; never run by Berth. */
  uninstall: TemplateFile | null;
  /** SHA-256 over the manifest and every file, in hexadecimal. */
  checksum: string;
}

/** A template and all versions of it that were released. */
export interface TemplateHistory {
  /** The oldest first; the newest may be the template itself. */
  releases: Template[];
  isReleased: boolean;
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
 * Reads one template's folder, and what was released of it.
 *
 * @throws ManifestInvalidError, TemplateFileInvalidError, SqlSyntaxError, ForbiddenStatementError.
 */
export async function readTemplate(
  templatesFolder: string,
  folder: string,
  lock: Lock,
): Promise<ReadTemplate & TemplateHistory> {
  await refuseStrangers(templatesFolder, folder);
  requireReleased(folder, (await list(templatesFolder, `${folder}/releases`)).sort(), lock);
  const releases: Template[] = [];
  for (const version of releasedVersions(lock, folder)) {
    const files = lock[folder]?.[version] as ReleasedFiles;
    const locate = (file: string) => releasedPath(folder, version, file);
    const released = await readVersion(templatesFolder, folder, locate, Object.keys(files));
    requireUnchanged(folder, version, files, released.found);
    releases.push(released.template);
  }

  const migrations = (await list(templatesFolder, `${folder}/migrations`)).sort();
  const current = await readVersion(templatesFolder, folder, (file) => `${folder}/${file}`, [
    ...migrations.map((name) => `migrations/${name}`),
    ...plainFiles.map((phase) => `${phase}.sql`),
  ]);
  const { template, lineOf } = current;
  // Of a released version the lock has told what is gone.
  if (template.migrations.length === 0) {
    throw new TemplateFileInvalidError(
      { file: `${folder}/migrations`, line: 1 },
      { problem: "the template has no migration", fix: "Add one." },
    );
  }
  requireNewest(folder, template.version, lineOf(["version"]), lock, current.found);
  return { ...current, releases, isReleased: releases.at(-1)?.version === template.version };
}

const plainFiles = ["seed", "checks", "uninstall"] as const;

/** Reads one version of a template, whose files stand where `locate` says. */
async function readVersion(
  templatesFolder: string,
  folder: string,
  locate: (file: string) => string,
  files: readonly string[],
): Promise<ReadTemplate & { found: { file: string; checksum: string }[] }> {
  const read = (file: string) => readText(templatesFolder, locate(file));
  const manifestFile = locate("template.yaml");
  const manifestText = await read("template.yaml");
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
  if (semver.prerelease(manifest.version)) {
    throw new TemplateFileInvalidError(
      { file: manifestFile, line: lineOf(["version"]) },
      {
        problem: `${manifest.version} is a prerelease, which no range of another template takes in`,
        found: manifest.version,
        needed: "three numbers, like 1.0.0",
        fix: "Leave out what follows the three numbers.",
      },
    );
  }

  const migrations: TemplateFile[] = [];
  for (const file of files.filter((name) => name.startsWith("migrations/"))) {
    const text = await read(file);
    if (text === null) continue;
    const migration = await readMigration(`${folder}/${file}`, text);
    requireKnown(migration, manifest);
    migrations.push(limited(migration, manifest));
  }
  const plain = async (phase: (typeof plainFiles)[number]) => {
    const sql = files.includes(`${phase}.sql`) ? await read(`${phase}.sql`) : null;
    if (sql === null) return null;
    return limited(await readPlainFile(`${folder}/${phase}.sql`, sql, phase), manifest);
  };
  const seed = await plain("seed");
  const checks = await plain("checks");
  const uninstall = await plain("uninstall");

  const all = [...migrations, seed, checks, uninstall].filter((file) => file !== null);
  const { postgres, timeouts: _, due = null, ...facts } = manifest;
  const template: Template = {
    ...facts,
    minimumPostgres: postgres,
    due,
    migrations,
    seed,
    checks,
    uninstall,
    checksum: sha256(
      JSON.stringify([sha256(manifestText), ...all.map((file) => [file.path, file.checksum])]),
    ),
  };
  const found = [
    { file: "template.yaml", checksum: sha256(manifestText) },
    ...all.map(({ path: file, checksum }) => ({ file: file.slice(folder.length + 1), checksum })),
  ];
  return { template, manifestFile, lineOf, found };
}

/** A file that names no limit of its own has the manifest's. */
function limited(file: TemplateFile, { timeouts }: Manifest): TemplateFile {
  const limit = file.phase === "uninstall" ? undefined : timeouts[file.phase];
  return { ...file, timeoutMs: file.timeoutMs ?? limit ?? null };
}

/** @throws TemplateFileInvalidError for a file that serves a template which the manifest does not name */
function requireKnown({ path: file, when }: TemplateFile, { optional }: Manifest): void {
  if (when === null || optional.some(({ name }) => name === when)) return;
  throw new TemplateFileInvalidError(
    { file, line: 1 },
    {
      problem: `the file serves ${when}, which the manifest does not name under optional`,
      found: when,
      needed: optional.map(({ name }) => name).join(", ") || "a template under optional",
      fix: `Add ${when} to optional in template.yaml, or correct the directive.`,
    },
  );
}

const known = new Set([
  "template.yaml",
  "migrations",
  "releases",
  ...plainFiles.map((phase) => `${phase}.sql`),
]);

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
