import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import semver from "semver";
import {
  LOCK_FILE,
  loadCatalog,
  readLock,
  releasedPath,
  type Template,
} from "#app/domain/catalog/index.server.ts";
import { sha256 } from "#app/domain/catalog/template-file.ts";
import { BerthError } from "#app/platform/errors.ts";

/** A version cannot be released as it is. */
export class NotReleasableError extends BerthError {
  constructor(name: string, version: string, found: string, fix: string) {
    super("template_not_releasable", `${name} ${version} ${found}. ${fix}`, { found, fix });
  }
}

/** A released version: what was written down of it. */
export interface Released {
  version: string;
  files: string[];
}

/**
 * The current version of a template, which was not released yet and stands on nothing unreleased.
 *
 * @throws NotReleasableError, and what `loadCatalog` throws.
 */
export async function requireReleasable(folder: string, name: string): Promise<Template> {
  const catalog = await loadCatalog(folder);
  const template = catalog.get(name);
  const { version, requires } = template;
  if (catalog.history(name).isReleased) {
    const fix = `Raise the version in ${name}/template.yaml.`;
    throw new NotReleasableError(name, version, "is released already", fix);
  }
  for (const { name: other, range } of requires) {
    const { releases } = catalog.history(other);
    if (releases.some((release) => semver.satisfies(release.version, range))) continue;
    const found = `requires ${other} ${range}, of which no version is released`;
    throw new NotReleasableError(name, version, found, `Release ${other} first.`);
  }
  return template;
}

/**
 * Records the current version of a template: its checksums in the lock file, and copies of what may
 * differ in the next version. The lock is written last, so a crash before it has released nothing.
 *
 * @throws NotReleasableError, and what `loadCatalog` throws.
 */
export async function releaseTemplate(folder: string, name: string): Promise<Released> {
  const template = await requireReleasable(folder, name);
  const { version } = template;
  const files: Record<string, string> = {};
  for (const file of namesOf(template)) {
    const text = await readFile(path.join(folder, name, file), "utf8");
    // As the catalogue reads it: the line ends of a checkout do not count.
    const unified = text.replaceAll("\r\n", "\n");
    files[file] = sha256(unified);
    if (file.startsWith("migrations/")) continue;
    const copy = path.join(folder, releasedPath(name, version, file));
    await mkdir(path.dirname(copy), { recursive: true });
    await writeFile(copy, unified);
  }
  const lock = await readLock(folder);
  lock[name] = { ...lock[name], [version]: files };
  const target = path.join(folder, LOCK_FILE);
  await writeFile(`${target}.new`, `${JSON.stringify(lock, null, 2)}\n`);
  await rename(`${target}.new`, target);
  return { version, files: Object.keys(files) };
}

/** A template's files, by their paths below its folder. */
function namesOf({ name, migrations, seed, checks, uninstall }: Template): string[] {
  const files = [...migrations, seed, checks, uninstall].filter((file) => file !== null);
  return ["template.yaml", ...files.map(({ path: file }) => file.slice(name.length + 1))];
}
