import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import {
  LOCK_FILE,
  loadCatalog,
  readLock,
  releasedPath,
  type Template,
} from "#app/domain/catalog/index.server.ts";
import { sha256 } from "#app/domain/catalog/template-file.ts";

/** A released version: what was written down of it. */
export interface Released {
  version: string;
  files: string[];
}

/**
 * Records the current version of a template: its checksums in the lock file, and copies of what may
 * differ in the next version. The lock is written last, so a crash before it has released nothing.
 *
 * @throws what `loadCatalog` throws; Error where this version is released already.
 */
export async function releaseTemplate(folder: string, name: string): Promise<Released> {
  const catalog = await loadCatalog(folder);
  const template = catalog.get(name);
  const { version } = template;
  if (catalog.history(name).isReleased) {
    throw new Error(`${name} ${version} is released already. Raise the version in its manifest.`);
  }
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
