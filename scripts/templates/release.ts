import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import semver from "semver";
import {
  LOCK_FILE,
  type Lock,
  loadCatalog,
  readLock,
  type Template,
} from "#app/domain/catalog/index.server.ts";
import { sha256 } from "#app/domain/catalog/template-file.ts";
import { BerthError } from "#app/platform/errors.ts";
import { exclusively } from "./exclusive.ts";

/** Names the process that is writing a release. */
const OWNER_FILE = ".release";
/** The lock as a release will leave it: written before the copies, and renamed at the end. */
const NEXT_LOCK = `.${LOCK_FILE}`;
/** In `releases/`, what is being written or removed. Nobody reads a hidden name. */
const UNFINISHED = ".unfinished";

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
 * Undoes a release that was killed before it stood in the lock: its copies go where the lock that it
 * was about to write says nothing else than today's and this release, of files that are as they
 * were. Others stay, for somebody to look at: their version may be released, and its entry lost.
 *
 * @throws TemplateFileInvalidError where the lock cannot be read.
 */
export async function undoKilledRelease(folder: string, name: string): Promise<void> {
  if (!(await readdir(folder)).includes(name)) return;
  await exclusively(path.join(folder, OWNER_FILE), async () => {
    const lock = await readLock(folder);
    const next = await readNextLock(folder);
    const releases = path.join(folder, name, "releases");
    for (const version of await readdir(releases).catch(() => [])) {
      const sums = next[name]?.[version];
      if (!sums || lock[name]?.[version]) continue;
      if (!isDeepStrictEqual(next, withRelease(lock, name, version, sums))) continue;
      if (!(await isUnchanged(path.join(folder, name), sums))) continue;
      // A kill in the midst leaves nothing that looks like a release.
      await rm(path.join(releases, UNFINISHED), { recursive: true, force: true });
      await rename(path.join(releases, version), path.join(releases, UNFINISHED));
      await rm(path.join(releases, UNFINISHED), { recursive: true });
      await rm(path.join(folder, NEXT_LOCK));
    }
  });
}

/** What a killed release was about to write; nothing where there is none, or half a one. */
const readNextLock = (folder: string): Promise<Lock> =>
  readFile(path.join(folder, NEXT_LOCK), "utf8")
    .then(JSON.parse)
    .catch(() => ({}));

type Sums = Lock[string][string];

const withRelease = (lock: Lock, name: string, version: string, sums: Sums): Lock => ({
  ...lock,
  [name]: { ...lock[name], [version]: sums },
});

async function isUnchanged(template: string, sums: Sums): Promise<boolean> {
  for (const [file, sum] of Object.entries(sums)) {
    const text = await textIn(template, file).catch(() => null);
    if (text === null || sha256(text) !== sum) return false;
  }
  return true;
}

/** A file as the catalogue reads it: the line ends of a checkout do not count. */
const textIn = async (folder: string, file: string) =>
  (await readFile(path.join(folder, file), "utf8")).replaceAll("\r\n", "\n");

/**
 * Records the current version of a template: its checksums in the lock file, and copies of what may
 * differ in the next version. What is written is what was checked: the catalogue's texts. The lock
 * is put in place last, so a kill before it has released nothing, and `undoKilledRelease` clears up.
 *
 * @throws NotReleasableError, and what `loadCatalog` throws.
 */
export async function releaseTemplate(folder: string, name: string): Promise<Released> {
  const template = await requireReleasable(folder, name);
  const { version } = template;
  const texts = await readTexts(folder, template);
  const sums = Object.fromEntries(texts.map(({ file, text }) => [file, sha256(text)]));
  requireChecked(template, sums);
  await exclusively(path.join(folder, OWNER_FILE), async () => {
    const lock = await readLock(folder);
    if (lock[name]?.[version]) {
      throw new NotReleasableError(name, version, "is released already", "Raise its version.");
    }
    const next = path.join(folder, NEXT_LOCK);
    const text = JSON.stringify(withRelease(lock, name, version, sums), null, 2);
    await writeFile(next, `${text}\n`);
    await writeCopies(folder, template, texts);
    await rename(next, path.join(folder, LOCK_FILE));
  });
  return { version, files: Object.keys(sums) };
}

interface Text {
  /** Path below the template's folder. */
  file: string;
  text: string;
}

function readTexts(folder: string, template: Template): Promise<Text[]> {
  return Promise.all(
    namesOf(template).map(async (file) => ({
      file,
      text: await textIn(path.join(folder, template.name), file),
    })),
  );
}

/** The files are still those that the catalogue read, and the check judged. */
function requireChecked(template: Template, sums: Readonly<Record<string, string>>): void {
  const { name, version, checksum } = template;
  const { "template.yaml": manifest, ...others } = sums;
  const now = Object.entries(others).map(([file, sum]) => [`${name}/${file}`, sum]);
  if (sha256(JSON.stringify([manifest, ...now])) === checksum) return;
  const changed = filesOf(template).find((file) => sums[below(name, file.path)] !== file.checksum);
  const found = `is not what was checked: ${changed?.path ?? `${name}/template.yaml`} has changed since`;
  throw new NotReleasableError(name, version, found, "Release it again, which checks it again.");
}

/** They appear together, by one rename. */
async function writeCopies(folder: string, { name, version }: Template, texts: readonly Text[]) {
  const releases = path.join(folder, name, "releases");
  // A killed release may have left it.
  const made = path.join(releases, UNFINISHED);
  await rm(made, { recursive: true, force: true });
  await mkdir(made, { recursive: true });
  for (const { file, text } of texts) {
    if (!file.startsWith("migrations/")) await writeFile(path.join(made, file), text);
  }
  await rename(made, path.join(releases, version));
}

const filesOf = ({ migrations, seed, checks, uninstall }: Template) =>
  [...migrations, seed, checks, uninstall].filter((file) => file !== null);

const below = (name: string, file: string) => file.slice(name.length + 1);

/** A template's files, by their paths below its folder. */
const namesOf = (template: Template) => [
  "template.yaml",
  ...filesOf(template).map(({ path: file }) => below(template.name, file)),
];
