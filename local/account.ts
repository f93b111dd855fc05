import { execFile } from "node:child_process";
import { chown, lstat } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { NoAccountError } from "./errors.ts";

const run = promisify(execFile);

/** The unprivileged account that PostgreSQL runs as when this process is root. */
export interface Account {
  uid: number;
  gid: number;
}

async function lookUp(name: string): Promise<Account> {
  const [uid, gid] = await Promise.all([run("id", ["-u", name]), run("id", ["-g", name])]);
  return { uid: Number.parseInt(uid.stdout, 10), gid: Number.parseInt(gid.stdout, 10) };
}

async function findOrCreate(): Promise<Account> {
  for (const name of ["nobody", "berth-postgres"]) {
    const account = await lookUp(name).catch(() => null);
    if (account && account.uid !== 0) return account;
  }
  try {
    await run("useradd", ["--system", "--no-create-home", "berth-postgres"]);
    return await lookUp("berth-postgres");
  } catch (cause) {
    throw new NoAccountError(cause);
  }
}

let known: Promise<Account> | undefined;

/**
 * The account to run PostgreSQL as: null for an ordinary user (its own account will do), else
 * `nobody`, or a system account made for the purpose. Throws NoAccountError.
 */
export async function serverAccount(): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null;
  known ??= findOrCreate();
  return known;
}

/** Gives a file or folder to the account that PostgreSQL runs as; nothing to do when it is ours. */
export async function giveTo(account: Account | null, file: string): Promise<void> {
  if (account) await chown(file, account.uid, account.gid);
}

/**
 * Whether `account` can pass through every existing folder from the root down to `folder`.
 * Folders that do not exist yet are ours to make, and are left out.
 */
export async function canTraverse(account: Account | null, folder: string): Promise<boolean> {
  if (!account) return true;
  const absolute = path.resolve(folder);
  const { root } = path.parse(absolute);
  let current = root;
  for (const part of ["", ...absolute.slice(root.length).split(path.sep)]) {
    current = path.join(current, part);
    const stat = await lstat(current).catch(() => null);
    if (!stat) return true;
    if (stat.isSymbolicLink()) continue;
    const bit = stat.uid === account.uid ? 0o100 : stat.gid === account.gid ? 0o010 : 0o001;
    if ((stat.mode & bit) === 0) return false;
  }
  return true;
}
