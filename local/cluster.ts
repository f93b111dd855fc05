/**
 * PostgreSQL servers of the embedded binaries, for developers' machines and tests: TCP on
 * 127.0.0.1 only, no unix socket, scram-sha-256. Runs as root too, by way of an unprivileged
 * account, since PostgreSQL itself refuses root.
 */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import {
  access,
  chmod,
  copyFile,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Account, giveTo, serverAccount } from "./account.ts";
import { ClusterFailedError } from "./errors.ts";
import { clearTheWay, forgetOwner, readPostmasterFile, recordOwner } from "./orphan.ts";
import { type PostgresVersion, postgresBinaries } from "./root.ts";

export { copyCluster } from "./copy.ts";
export { clusterRoot, type PostgresVersion } from "./root.ts";

/** A running server. */
export interface Cluster {
  port: number;
  dataDir: string;
  /** The postmaster's process id. */
  pid: number;
  /** A connection string for the superuser; the database is `postgres` unless one is named. */
  superuserUrl(database?: string): string;
  /** Ends the server; `fast` (the default) ends sessions in order, `immediate` like a crash. */
  stop(mode?: "fast" | "immediate"): Promise<void>;
  /** Resolves when the server has ended, for whatever reason. */
  exited: Promise<void>;
}

/** Longest wait for a server to accept connections; recovery after a crash counts in. */
const START_TIMEOUT_MS = 60_000;
/** A server that has not ended in order after this time is ended like a crash. */
const STOP_TIMEOUT_MS = 20_000;
/** A log that has grown beyond this is begun anew at the next start. */
const LOG_LIMIT_BYTES = 5_000_000;

const exists = (file: string) =>
  access(file).then(
    () => true,
    () => false,
  );

/** PostgreSQL must not see our settings (PG*), nor our locale, nor a folder it cannot enter. */
function spawnOptions(account: Account | null, cwd: string): SpawnOptions {
  const env = { PATH: process.env.PATH ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
  // The framework's types demand NODE_ENV in every environment; a database has no use for it.
  return { cwd, env: env as NodeJS.ProcessEnv & typeof env, ...account };
}

async function runInitdb(
  directory: string,
  o: { superuser: string; password: string; version?: PostgresVersion; initdbArguments?: string[] },
): Promise<void> {
  const account = await serverAccount();
  const { version = 17 } = o;
  const { initdb } = await postgresBinaries(version);
  const passwordFile = `${directory}.password`;
  await writeFile(passwordFile, `${o.password}\n`, { mode: 0o600 });
  try {
    await giveTo(account, passwordFile);
    const args = [
      `--pgdata=${directory}`,
      `--username=${o.superuser}`,
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
      // The builtin provider, new in 17, needs neither ICU nor a locale of the machine.
      ...(version >= 17 ? ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] : []),
      // The folder is renamed into place when complete, and a power cut only costs a new initdb.
      "--no-sync",
      ...(o.initdbArguments ?? []),
    ];
    const child = spawn(initdb, args, {
      ...spawnOptions(account, directory),
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (code !== 0) throw new ClusterFailedError("initdb", directory, output);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/**
 * Creates a cluster (UTF8, locale C.UTF-8, scram-sha-256), or does nothing when `dataDir` holds
 * one already. `settings` go into its postgresql.conf. The folder appears complete or not at
 * all. Throws ClusterFailedError with initdb's words.
 */
export async function initCluster(o: {
  dataDir: string;
  superuser: string;
  password: string;
  version?: PostgresVersion;
  settings?: Record<string, string>;
  initdbArguments?: string[];
}): Promise<void> {
  if (await exists(path.join(o.dataDir, "PG_VERSION"))) return;
  const unfinished = `${o.dataDir}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  await giveTo(await serverAccount(), unfinished);
  await runInitdb(unfinished, o);
  const lines = Object.entries(o.settings ?? {}).map(
    ([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`,
  );
  const file = await open(path.join(unfinished, "postgresql.conf"), "a");
  await file.write(lines.join(""));
  await file.close();
  await rename(unfinished, o.dataDir);
}

/** The server reads its key only from a file that is its own, or root's and closed. */
async function installCertificate(
  dataDir: string,
  tls: { certFile: string; keyFile: string },
  account: Account | null,
): Promise<string[]> {
  const files = { ssl_cert_file: "server.crt", ssl_key_file: "server.key" };
  await copyFile(tls.certFile, path.join(dataDir, files.ssl_cert_file));
  await copyFile(tls.keyFile, path.join(dataDir, files.ssl_key_file));
  for (const name of Object.values(files)) {
    const file = path.join(dataDir, name);
    await chmod(file, 0o600);
    await giveTo(account, file);
  }
  return ["-c", "ssl=on", ...Object.entries(files).flatMap(([k, v]) => ["-c", `${k}=${v}`])];
}

async function openLog(logFile: string) {
  const size = await stat(logFile).then(
    (s) => s.size,
    () => 0,
  );
  if (size > LOG_LIMIT_BYTES) await truncate(logFile);
  const handle = await open(logFile, "a", 0o600);
  return { handle, offset: size > LOG_LIMIT_BYTES ? 0 : size };
}

/** Waits until the server says in postmaster.pid that it is ready; false when it ended first. */
async function becomesReady(child: ChildProcess, dataDir: string): Promise<boolean> {
  const end = Date.now() + START_TIMEOUT_MS;
  while (child.pid && child.exitCode === null && child.signalCode === null) {
    const file = await readPostmasterFile(dataDir);
    if (file && file.pid === child.pid && file.ready) return true;
    if (Date.now() > end) {
      child.kill("SIGQUIT");
      return false;
    }
    await sleep(10);
  }
  return false;
}

/**
 * Starts a server on 127.0.0.1 and waits until it accepts connections. The server logs into
 * `logFile` (default: beside the data directory). An orphan left on the same directory is
 * stopped first. Throws ClusterInUseError, ClusterFailedError with the end of the server's log.
 */
export async function startCluster(o: {
  dataDir: string;
  port: number;
  superuser: string;
  password: string;
  version?: PostgresVersion;
  tls?: { certFile: string; keyFile: string };
  settings?: Record<string, string>;
  logFile?: string;
}): Promise<Cluster> {
  const dataDir = path.resolve(o.dataDir);
  const account = await serverAccount();
  const { postgres } = await postgresBinaries(o.version ?? 17);
  await clearTheWay(dataDir);
  const settings = {
    ...o.settings,
    port: `${o.port}`,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
  };
  const args = ["-D", dataDir, ...(o.tls ? await installCertificate(dataDir, o.tls, account) : [])];
  for (const [name, value] of Object.entries(settings)) args.push("-c", `${name}=${value}`);

  const logFile = o.logFile ?? `${dataDir}.log`;
  for (let attempt = 1; ; attempt += 1) {
    const log = await openLog(logFile);
    const child = spawn(postgres, args, {
      ...spawnOptions(account, dataDir),
      stdio: ["ignore", log.handle.fd, log.handle.fd],
      // Out of the terminal's process group: Ctrl-C must reach the database last, through stop().
      detached: true,
    });
    const exited = new Promise<void>((resolve) => {
      child.once("error", () => resolve());
      child.once("exit", () => resolve());
    });
    await log.handle.close();
    await recordOwner(dataDir);
    if (await becomesReady(child, dataDir)) return running(o, dataDir, child, exited);
    await exited;
    const words = (await readFile(logFile)).subarray(log.offset).toString("utf8");
    // Children of a killed server take a moment to notice; their memory blocks the next start.
    if (attempt < 20 && words.includes("still in use")) {
      await sleep(250);
      continue;
    }
    throw new ClusterFailedError("postgres", dataDir, words);
  }
}

function running(
  o: { port: number; superuser: string; password: string },
  dataDir: string,
  child: ChildProcess,
  exited: Promise<void>,
): Cluster {
  const login = `${encodeURIComponent(o.superuser)}:${encodeURIComponent(o.password)}`;
  return {
    port: o.port,
    dataDir,
    pid: child.pid as number,
    exited,
    superuserUrl: (database = "postgres") =>
      `postgresql://${login}@127.0.0.1:${o.port}/${encodeURIComponent(database)}`,
    async stop(mode = "fast") {
      child.kill(mode === "fast" ? "SIGINT" : "SIGQUIT");
      const giveUp = setTimeout(() => child.kill("SIGQUIT"), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(giveUp);
      await forgetOwner(dataDir);
    },
  };
}

function portIsFree(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(null));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => {
      const address = server.address();
      const free = typeof address === "object" && address ? address.port : null;
      server.close(() => resolve(free));
    });
  });
}

/**
 * A TCP port that is free on 127.0.0.1 just now: the first one from `from` upwards, or any
 * when none is named. Somebody else can take it before its user does; callers retry.
 */
export async function freePort(from?: number): Promise<number> {
  for (let port = from ?? 0; port <= 65_535; port += 1) {
    const free = await portIsFree(port);
    if (free !== null) return free;
  }
  throw new RangeError(`No TCP port from ${from} upwards is free on 127.0.0.1.`);
}
