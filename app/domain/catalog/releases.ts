import { readFile } from "node:fs/promises";
import path from "node:path";
import semver from "semver";
import { z } from "zod";
import { TemplateFileInvalidError } from "./errors.ts";

/** The lock file's name, in the templates' folder: the checksums of every released file. */
export const LOCK_FILE = "released.lock.json";

/** Of a released version: path below the template's folder → SHA-256, in hexadecimal. */
export type ReleasedFiles = Readonly<Record<string, string>>;

const lockSchema = z.record(
  z.string(),
  z.record(
    z.string().refine((version) => semver.valid(version) === version),
    z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/)),
  ),
);

/** Template → version → its files. */
export type Lock = z.infer<typeof lockSchema>;

/**
 * What has been released from this folder; nothing where there is no lock file.
 *
 * @throws TemplateFileInvalidError where it cannot be read as one.
 */
export async function readLock(templatesFolder: string): Promise<Lock> {
  let text: string;
  try {
    text = await readFile(path.join(templatesFolder, LOCK_FILE), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
  try {
    return lockSchema.parse(JSON.parse(text));
  } catch {
    throw new TemplateFileInvalidError(
      { file: LOCK_FILE, line: 1 },
      {
        problem: "this is not a record of released files",
        fix: "Restore it as it was committed; `npm run templates -- release` alone writes it.",
      },
    );
  }
}

/** The released versions of a template, the oldest first. */
export function releasedVersions(lock: Lock, template: string): string[] {
  return semver.sort(Object.keys(lock[template] ?? {}));
}

/**
 * Where the text of a released file stands: migrations where they always stand, and what may change
 * from version to version in the folder of the release.
 */
export function releasedPath(template: string, version: string, file: string): string {
  return file.startsWith("migrations/")
    ? `${template}/${file}`
    : `${template}/releases/${version}/${file}`;
}

/** Whoever has a released template keeps it. @throws TemplateFileInvalidError */
export function requireFolders(lock: Lock, folders: readonly string[]): void {
  const lost = Object.keys(lock).find((name) => !folders.includes(name));
  if (lost === undefined) return;
  throw new TemplateFileInvalidError(
    { file: LOCK_FILE, line: 1 },
    {
      problem: `${lost} was released, and its folder is gone or has another name`,
      found: folders.join(", "),
      needed: lost,
      fix: `Restore the folder ${lost}: customers have that template.`,
    },
  );
}

/** What stands in `releases/` was written by a release. @throws TemplateFileInvalidError */
export function requireReleased(template: string, folders: readonly string[], lock: Lock): void {
  const versions = releasedVersions(lock, template);
  const stranger = folders.find((folder) => !versions.includes(folder));
  if (stranger === undefined) return;
  throw new TemplateFileInvalidError(
    { file: `${template}/releases/${stranger}`, line: 1 },
    {
      problem: `${LOCK_FILE} knows no release ${stranger} of ${template}`,
      found: stranger,
      needed: versions.join(", ") || "no release",
      fix: `Remove the folder, or restore ${LOCK_FILE} as it was committed.`,
    },
  );
}

interface Found {
  /** Path below the template's folder, as in the lock. */
  file: string;
  checksum: string;
}

/** A released version keeps its files, to the byte. @throws TemplateFileInvalidError */
export function requireUnchanged(
  template: string,
  version: string,
  released: ReleasedFiles,
  found: readonly Found[],
): void {
  const now = new Map(found.map(({ file, checksum }) => [file, checksum]));
  for (const [file, checksum] of Object.entries(released)) {
    if (now.get(file) === checksum) continue;
    throw new TemplateFileInvalidError(
      { file: releasedPath(template, version, file), line: 1 },
      {
        problem: `${template} ${version} was released with this file, which ${now.has(file) ? "has changed since" : "is gone"}`,
        found: now.get(file) ?? "no file",
        needed: checksum,
        fix: "Restore the file, and write what is to change into a new one of a later version.",
      },
    );
  }
}

/**
 * The version in the manifest is the newest: either it is released and nothing was changed or added
 * since, or it is later than all that is. @throws TemplateFileInvalidError
 */
export function requireNewest(
  template: string,
  version: string,
  line: number,
  lock: Lock,
  found: readonly Found[],
): void {
  const newest = releasedVersions(lock, template).at(-1);
  if (newest === undefined || semver.gt(version, newest)) return;
  const refuse = (file: string, at: number, problem: string) => {
    throw new TemplateFileInvalidError(
      { file: `${template}/${file}`, line: at },
      { problem, found: version, needed: `a version above ${newest}`, fix: "Raise the version." },
    );
  };
  if (version !== newest) {
    refuse("template.yaml", line, `version ${version} is not above ${newest}, which is released`);
  }
  const released = lock[template]?.[newest] ?? {};
  const other = found.find(({ file, checksum }) => released[file] !== checksum);
  if (other) {
    refuse(other.file, 1, `version ${newest} is released, and this file is not as it was then`);
  }
  const lost = Object.keys(released).find((file) => found.every((one) => one.file !== file));
  if (lost) refuse(lost, 1, `version ${newest} is released with this file, which is gone`);
}
