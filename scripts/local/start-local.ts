import { chmod, mkdir, stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseEnv } from "#app/platform/env.ts";
import type { Cluster } from "#local/cluster.ts";
import { migrate } from "../migrate.ts";
import { buildWhenNeeded } from "./build.ts";
import { type Child, type ChildSpec, lastWords, startChild } from "./child.ts";
import { startDatabase, stopLeftOverDatabase } from "./database.ts";
import { DATABASE_NAME, localEnvironments, ORGANIZATION } from "./environment.ts";
import { readJson, writeSecretJson } from "./files.ts";
import { localKeys } from "./keys.ts";
import { takeLock } from "./lock.ts";
import { choosePorts, type Ports } from "./ports.ts";
import { openRecords } from "./records.ts";
import { seedLocal } from "./seed.ts";

/** The content of `.data/local.json`. */
export interface LocalInfo {
  url: string;
  mailUrl: string;
  /** Berth's own database, as its superuser. */
  databaseUrl: string;
  apiKey: string;
  accounts: { role: string; email: string; password: string }[];
  supabase: { managementUrl: string; accessToken: string; organizationSlug: string };
}

/** A worker of a running local installation. */
export interface WorkerHandle {
  readonly pid: number;
  /** Resolves when it has ended for good. */
  readonly ended: Promise<void>;
  /** SIGTERM; it finishes or hands back what it holds. */
  stop(): Promise<void>;
  /** SIGKILL, as `kill -9` does it. It is not started again. */
  kill(): Promise<void>;
}

export interface StartLocalOptions {
  /** Everything that is kept lies here; `.data` for a person. */
  dataDir: string;
  /** The repository. */
  root: string;
  /** Wishes; "any" takes whatever is free. */
  ports?: Partial<Ports> | "any";
  /** Told what happens, one sentence at a time. */
  log: (message: string) => void;
  /** More entries of OUTBOUND_ALLOW_ORIGINS. */
  extraOrigins?: string[];
  /** How many workers to start; 1 unless given. */
  workers?: number;
  /** Overrides of the processes' environment. */
  env?: { web?: Record<string, string>; worker?: Record<string, string> };
  /** Hot reload in place of a build. */
  dev?: boolean;
  /**
   * Nobody reads the data after the stop, as in tests: nothing is flushed to the disk, and the stop
   * does not wait for work under way. Every process ends all the same.
   */
  throwaway?: boolean;
  /** Breaks a start off: what had started is ended, and startLocal throws the signal's reason. */
  signal?: AbortSignal;
}

/** A running local installation. */
export interface Local {
  info: LocalInfo;
  ports: Ports;
  workers: WorkerHandle[];
  /** Starts one more worker; `env` overrides what the others got. */
  startWorker(env?: Record<string, string>): WorkerHandle;
  /** Starts the web process and the workers again, for changed sources. */
  reload(): Promise<void>;
  /** Ends everything: web and workers, then sandbox and mail, then the database. */
  stop(): Promise<void>;
}

/** Somebody else runs on this data directory. `info` is null while they are still starting. */
export class AlreadyRunningError extends Error {
  override name = "AlreadyRunningError";
  readonly info: LocalInfo | null;

  constructor(info: LocalInfo | null) {
    super("Berth is already running here.");
    this.info = info;
  }
}

/** What the running holder of the lock wrote, or null while it is still starting. */
async function infoOfHolder(dataDir: string): Promise<LocalInfo | null> {
  const file = path.join(dataDir, "local.json");
  const [lock, info] = await Promise.all(
    [path.join(dataDir, "lock.json"), file].map((name) => stat(name).catch(() => null)),
  );
  if (!lock || !info || info.mtimeMs < lock.mtimeMs) return null;
  return await readJson<LocalInfo>(file);
}

async function waitForAnswer(
  url: string,
  child: Child,
  logFile: string,
  signal?: AbortSignal,
): Promise<void> {
  let hasEnded = false;
  void child.ended.then(() => {
    hasEnded = true;
  });
  const end = Date.now() + 120_000;
  while (Date.now() < end && !hasEnded) {
    signal?.throwIfAborted();
    const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => null);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await sleep(50);
  }
  throw new Error(
    `${child.name} does not answer at ${url}. Its last words (${logFile}):\n${await lastWords(logFile)}`,
  );
}

/**
 * Starts a whole Berth on this machine: PostgreSQL, migrations, build, Supabase sandbox, mail
 * catcher, web process, workers, demo accounts; and writes `local.json`. Everything listens on
 * 127.0.0.1 alone. When a part cannot start, what had started is ended again.
 *
 * @throws AlreadyRunningError when another process holds the data directory
 */
export async function startLocal(options: StartLocalOptions): Promise<Local> {
  if (process.env.NODE_ENV === "production") {
    throw new Error(
      "NODE_ENV is production, but local mode is for a developer's machine. Unset NODE_ENV, or use npm run web and npm run worker.",
    );
  }
  const { root, dataDir, log: say, signal } = options;
  const infoFile = path.join(dataDir, "local.json");
  const logDir = path.join(dataDir, "logs");
  await mkdir(dataDir, { recursive: true });
  // The account that runs PostgreSQL must get through; secrets in here have mode 0600 each.
  await chmod(dataDir, 0o711);
  const lock = await takeLock(dataDir);
  if (!lock) throw new AlreadyRunningError(await infoOfHolder(dataDir));

  let cluster: Cluster | undefined;
  const web: Child[] = [];
  const workers: Child[] = [];
  const helpers: Child[] = [];
  let stopping: Promise<void> | undefined;

  async function stopAll(): Promise<void> {
    const end = (child: Child) => (options.throwaway ? child.kill() : child.stop());
    await Promise.all([...web, ...workers].map(end));
    // In order in any case: the sandbox ends its databases.
    await Promise.all(helpers.map((child) => child.stop()));
    await cluster?.stop("fast");
    await lock?.release();
  }

  try {
    await mkdir(logDir, { recursive: true, mode: 0o700 });
    const { records, leftOver } = await openRecords(dataDir);
    if (lock.tookOver) {
      say(`The last start was cut off; ${leftOver} of its processes were still there and ended.`);
    }
    await stopLeftOverDatabase(dataDir);
    const keys = await localKeys(dataDir);
    const ports = await choosePorts(dataDir, options.ports ?? {}, say);
    const extraOrigins = options.extraOrigins ?? [];
    const env = localEnvironments({ root, dataDir, ports, keys, extraOrigins });
    const logOf = (name: string) => path.join(logDir, `${name}.log`);
    const start = (spec: Omit<ChildSpec, "restart" | "graceMs">) =>
      startChild({ ...spec, restart: true, graceMs: 10_000 }, { root, logDir, records, say });

    const sandbox = start({ name: "sandbox", script: "sandbox/main.ts", env: env.sandbox });
    const mail = start({ name: "mail", script: "scripts/local/mail-catcher.ts", env: env.mail });
    helpers.push(sandbox, mail);
    const mailUrl = `http://127.0.0.1:${ports.mailPage}`;
    const managementUrl = `http://127.0.0.1:${ports.sandbox}`;

    async function database(): Promise<string> {
      say("Starting PostgreSQL …");
      cluster = await startDatabase({
        dataDir,
        port: ports.database,
        password: keys.passwords.superuser,
        logFile: logOf("postgres"),
        fsync: !options.throwaway,
      });
      const adminUrl = cluster.superuserUrl(DATABASE_NAME);
      await migrate({
        adminUrl,
        databaseUrl: env.web.DATABASE_URL ?? "",
        authDatabaseUrl: env.web.AUTH_DATABASE_URL ?? "",
        jobsDatabaseUrl: env.web.JOBS_DATABASE_URL ?? "",
        log: { info: () => {} },
      });
      return adminUrl;
    }
    const webEnv = { ...env.web, ...options.env?.web };
    const seedEnv = parseEnv(webEnv);

    /** The demo is played while the sandbox still prepares its databases. */
    async function filledDatabase() {
      const adminUrl = await database();
      signal?.throwIfAborted();
      const previous = await readJson<LocalInfo>(infoFile);
      return { adminUrl, ...(await seedLocal({ adminUrl, env: seedEnv, previous })) };
    }
    const filling = filledDatabase();
    // All are awaited even if one fails, so that nothing starts after the clean-up.
    const begun = await Promise.allSettled([
      filling,
      options.dev ? null : buildWhenNeeded({ root, logFile: logOf("build"), say, signal }),
      waitForAnswer(`${managementUrl}/healthz`, sandbox, logOf("sandbox"), signal),
      waitForAnswer(`${mailUrl}/healthz`, mail, logOf("mail"), signal),
    ]);
    const failed = begun.find((result) => result.status === "rejected");
    if (failed) throw failed.reason;
    signal?.throwIfAborted();
    const { adminUrl, accounts, apiKey } = await filling;

    say("Starting Berth …");
    const args = options.dev ? ["--dev"] : [];
    const page = start({ name: "web", script: "app/server.ts", args, env: webEnv });
    web.push(page);
    let workerNumber = 0;
    const startWorker = (more: Record<string, string> = {}): WorkerHandle => {
      workerNumber += 1;
      const child = start({
        name: workerNumber === 1 ? "worker" : `worker-${workerNumber}`,
        script: "app/worker/main.ts",
        env: { ...env.worker, ...options.env?.worker, ...more },
      });
      workers.push(child);
      return child;
    };
    const handles = Array.from({ length: options.workers ?? 1 }, () => startWorker());
    await waitForAnswer(`http://127.0.0.1:${ports.web}/readyz`, page, logOf("web"), signal);
    const info: LocalInfo = {
      url: seedEnv.publicUrl,
      mailUrl,
      databaseUrl: adminUrl,
      apiKey,
      accounts,
      supabase: {
        managementUrl,
        accessToken: keys.sandboxAccessToken,
        organizationSlug: ORGANIZATION,
      },
    };
    signal?.throwIfAborted();
    await writeSecretJson(infoFile, info);
    return {
      info,
      ports,
      workers: handles,
      startWorker,
      async reload() {
        await Promise.all([...web, ...workers].map((child) => child.restart()));
      },
      stop() {
        stopping ??= stopAll();
        return stopping;
      },
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}
