import { BerthError } from "#app/platform/errors.ts";

/** The binaries of the embedded PostgreSQL are not installed for this kind of machine. */
export class BinariesMissingError extends BerthError {
  constructor(platform: string, cause: unknown) {
    super("local.binaries_missing", `There is no embedded PostgreSQL for ${platform}.`, {
      found: platform,
      needed: "Linux or macOS on x64 or arm64, with the optional dependencies installed",
      fix: "Run npm install again, without --omit=optional and without --ignore-scripts.",
      cause,
    });
  }
}

/** The folder that should hold the clusters is not ours alone. */
export class UnsafeFolderError extends BerthError {
  constructor(folder: string, found: string) {
    super("local.unsafe_folder", `${folder} cannot be trusted with a database.`, {
      found,
      needed: "a folder that belongs to this account and that nobody else can write to",
      fix: `Remove ${folder} if you know where it comes from, then start again.`,
    });
  }
}

/** As root PostgreSQL needs another account to run as, and none could be found or made. */
export class NoAccountError extends BerthError {
  constructor(cause: unknown) {
    super("local.no_account", "PostgreSQL refuses to run as root, and no other account exists.", {
      found: "neither nobody nor berth-postgres in this machine's accounts",
      needed: "an unprivileged account",
      fix: "Run this as an ordinary user, or create the account: useradd --system berth-postgres",
      cause,
    });
  }
}

/** initdb or postgres ended with an error; the end of its log is in `found`. */
export class ClusterFailedError extends BerthError {
  constructor(what: "initdb" | "postgres", dataDir: string, log: string) {
    super("local.cluster_failed", `${what} failed for ${dataDir}.`, {
      found: log.trim().split("\n").slice(-12).join("\n") || "no output",
      needed: what === "initdb" ? "a new cluster" : "a running server",
      fix: "Read the lines above; they are the server's own words.",
    });
  }
}

/** Another living process runs this cluster. */
export class ClusterInUseError extends BerthError {
  constructor(dataDir: string, pid: number) {
    super("local.cluster_in_use", `Process ${pid} already runs the database in ${dataDir}.`, {
      found: `a server that another running program started (process ${pid})`,
      needed: "one program per data directory",
      fix: "Stop the other program first, or give this one another data directory.",
    });
  }
}
