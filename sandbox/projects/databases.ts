import { rm } from "node:fs/promises";
import path from "node:path";
import pg from "pg";
import { type Cluster, clusterRoot, copyCluster, freePort, startCluster } from "#local/cluster.ts";
import type { Certificates } from "../platform/certificates.ts";
import type { Logger } from "../platform/log.ts";
import { type Prepared, prepareDatabases, SUPERUSER } from "./prepared.ts";
import type { Project } from "./project.ts";
import type { ProjectStore } from "./store.ts";

/** Marks the sandbox's own sessions, so that they do not keep an idle database awake. */
const APPLICATION = "supabase-sandbox";

/** The platform's roles that Auth, Storage and the Data API connect as. */
type PlatformRole =
  | "supabase_admin"
  | "supabase_auth_admin"
  | "supabase_storage_admin"
  | "authenticator";

/** Sessions per role: the Data API's calls may wait for each other's rows. */
const SESSIONS: Record<PlatformRole, number> = {
  supabase_admin: 3,
  supabase_auth_admin: 3,
  supabase_storage_admin: 3,
  authenticator: 10,
};

const PLATFORM_ROLES = [
  SUPERUSER,
  "supabase_auth_admin",
  "supabase_storage_admin",
  "supabase_realtime_admin",
  "authenticator",
];

interface Running {
  cluster: Cluster;
  pools: Map<PlatformRole, pg.Pool>;
}

/** The projects' databases: each its own cluster, started when first needed. */
export interface Databases {
  /** Copies a prepared database for a new project, gives it its passwords, leaves it running. */
  create(project: Project): Promise<void>;
  /** Starts the project's database if it sleeps. */
  wake(project: Project): Promise<Cluster>;
  /** As `wake`; until `release` is called the database is not put to sleep. */
  hold(project: Project): Promise<{ cluster: Cluster; release(): void }>;
  /** A pool of sessions of one of the platform's roles. */
  pool(project: Project, role: PlatformRole): Promise<pg.Pool>;
  isRunning(ref: string): boolean;
  stop(ref: string): Promise<void>;
  remove(ref: string): Promise<void>;
  stopAll(): Promise<void>;
}

/**
 * Prepares the databases of fresh projects (seconds at the very first start) and manages those
 * of all projects. Data lies in `folder`/databases, or where PostgreSQL can reach it.
 */
export async function openDatabases(o: {
  folder: string;
  certificates: Certificates;
  store: ProjectStore;
  log: Logger;
  idleAfterMs: number;
  fsync: boolean;
}): Promise<Databases> {
  const root = await clusterRoot(path.join(o.folder, "databases"));
  const prepared: Prepared = await prepareDatabases(root);
  const running = new Map<string, Running>();
  const starting = new Map<string, Promise<Running>>();
  const stopping = new Map<string, Promise<void>>();
  const holds = new Map<string, number>();
  const lastUse = new Map<string, number>();
  let closed = false;

  const dataDir = (ref: string) => path.join(root, ref);

  async function start(project: Project, password: string): Promise<Running> {
    await stopping.get(project.ref);
    for (let attempt = 1; ; attempt += 1) {
      const port = attempt === 1 && project.databasePort ? project.databasePort : await freePort();
      try {
        const cluster = await startCluster({
          dataDir: dataDir(project.ref),
          port,
          superuser: SUPERUSER,
          password,
          tls: o.certificates,
          settings: { fsync: o.fsync ? "on" : "off" },
        });
        if (port !== project.databasePort) {
          project.databasePort = port;
          await o.store.save(project);
        }
        const entry = { cluster, pools: new Map() };
        running.set(project.ref, entry);
        lastUse.set(project.ref, Date.now());
        cluster.exited.then(() => {
          if (running.get(project.ref) === entry) running.delete(project.ref);
        });
        o.log.info({ ref: project.ref, port }, "database started");
        return entry;
      } catch (error) {
        // Somebody else may have taken the port since it was chosen.
        if (
          attempt === 3 ||
          !/address already in use/i.test(`${(error as { found?: string }).found}`)
        ) {
          throw error;
        }
      }
    }
  }

  function wakeEntry(project: Project, password = project.platformPassword): Promise<Running> {
    if (closed) return Promise.reject(new Error("The sandbox is shutting down."));
    lastUse.set(project.ref, Date.now());
    const known = running.get(project.ref);
    if (known && !stopping.has(project.ref)) return Promise.resolve(known);
    const underWay = starting.get(project.ref);
    if (underWay) return underWay;
    const started = start(project, password).finally(() => starting.delete(project.ref));
    starting.set(project.ref, started);
    return started;
  }

  async function stop(ref: string): Promise<void> {
    await starting.get(ref)?.catch(() => undefined);
    const entry = running.get(ref);
    if (!entry) return stopping.get(ref);
    running.delete(ref);
    const done = (async () => {
      await Promise.all([...entry.pools.values()].map((pool) => pool.end()));
      await entry.cluster.stop();
      o.log.info({ ref }, "database stopped");
    })().finally(() => stopping.delete(ref));
    stopping.set(ref, done);
    return done;
  }

  /** Sessions that did not come through us: somebody on the database's own port. */
  async function strangers(entry: Running): Promise<number> {
    const client = new pg.Client({
      connectionString: entry.cluster.superuserUrl(),
      application_name: APPLICATION,
    });
    await client.connect();
    try {
      const result = await client.query<{ count: number }>(
        `select count(*)::int as count from pg_stat_activity
         where backend_type = 'client backend' and application_name <> $1`,
        [APPLICATION],
      );
      return result.rows[0]?.count ?? 0;
    } finally {
      await client.end();
    }
  }

  async function sleepIdle(): Promise<void> {
    for (const [ref, entry] of running) {
      const idle = Date.now() - (lastUse.get(ref) ?? 0) >= o.idleAfterMs;
      if (!idle || holds.get(ref) || starting.has(ref)) continue;
      if ((await strangers(entry)) > 0) lastUse.set(ref, Date.now());
      else await stop(ref);
    }
  }
  const timer = setInterval(
    () => sleepIdle().catch((error) => o.log.warn({ err: error }, "idle check failed")),
    Math.max(50, Math.min(30_000, o.idleAfterMs / 4)),
  );
  timer.unref();

  return {
    async create(project) {
      // What an interrupted attempt left may be half done: passwords included.
      await stop(project.ref);
      await rm(dataDir(project.ref), { recursive: true, force: true });
      await copyCluster(prepared.directory(project.grants), dataDir(project.ref));
      const { cluster } = await wakeEntry(project, prepared.password);
      const client = new pg.Client(cluster.superuserUrl());
      await client.connect();
      try {
        const statements = PLATFORM_ROLES.map((role) =>
          alterPassword(role, project.platformPassword),
        );
        statements.push(alterPassword("postgres", project.databasePassword));
        await client.query(statements.join(";"));
      } finally {
        await client.end();
      }
      // The connection string of the running cluster still has the prepared password.
      await stop(project.ref);
      await wakeEntry(project);
    },
    async wake(project) {
      return (await wakeEntry(project)).cluster;
    },
    async hold(project) {
      holds.set(project.ref, (holds.get(project.ref) ?? 0) + 1);
      let released = false;
      const release = () => {
        if (released) return;
        released = true;
        lastUse.set(project.ref, Date.now());
        holds.set(project.ref, (holds.get(project.ref) ?? 1) - 1);
      };
      try {
        return { cluster: (await wakeEntry(project)).cluster, release };
      } catch (error) {
        release();
        throw error;
      }
    },
    async pool(project, role) {
      const entry = await wakeEntry(project);
      const known = entry.pools.get(role);
      if (known) return known;
      const pool = new pg.Pool({
        host: "127.0.0.1",
        port: entry.cluster.port,
        user: role,
        password: project.platformPassword,
        database: "postgres",
        application_name: APPLICATION,
        max: SESSIONS[role],
        idleTimeoutMillis: 10_000,
      });
      // A session that ends while idle (the database was stopped) is replaced when next needed.
      pool.on("error", (error) => o.log.debug({ err: error }, "idle session ended"));
      entry.pools.set(role, pool);
      return pool;
    },
    isRunning: (ref) => running.has(ref),
    stop,
    async remove(ref) {
      await stop(ref);
      for (const name of [ref, `${ref}.log`]) {
        await rm(path.join(root, name), { recursive: true, force: true });
      }
    },
    async stopAll() {
      closed = true;
      clearInterval(timer);
      await Promise.allSettled(starting.values());
      await Promise.all([...running.keys()].map(stop));
      await Promise.all(stopping.values());
    },
  };
}

/** The statement that gives a role its password; a password cannot be a bind parameter there. */
export function alterPassword(role: string, password: string): string {
  return `alter role ${pg.escapeIdentifier(role)} password ${pg.escapeLiteral(password)}`;
}
