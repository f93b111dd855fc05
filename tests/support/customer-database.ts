/**
 * A PostgreSQL server in the part of a customer's: the API's roles, and a `postgres` that is not
 * a superuser. For tests of the runner alone; the sandbox has the whole project.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { type Cluster, clusterRoot, freePort, initCluster, startCluster } from "#local/cluster.ts";
import { createAuthority, mintServerCertificate } from "./certificates.ts";

const PASSWORD = "test-customer";
const SUPERUSER = { superuser: "supabase_admin", password: "test-superuser" };

export interface CustomerServer {
  port: number;
  /** Folder of `ca.crt` and `ca.key`, for a proxy in front; the server's own TLS is signed by it. */
  authority: string;
  /** A fresh database that belongs to `postgres`; its name. */
  createDatabase(): Promise<string>;
  /** A connected session of `postgres`, over plain TCP, or over TLS by way of a proxy. */
  connect(database: string, via?: { port: number; ca: string }, name?: string): Promise<pg.Client>;
  connectSuperuser(database: string): Promise<pg.Client>;
  /** Stops the server (a crash when `immediate`) and starts it on the same port. */
  restart(mode?: "fast" | "immediate"): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server of its own; stop it in `afterAll`. Takes a second or two. */
export async function startCustomerServer(): Promise<CustomerServer> {
  const scratch = await mkdtemp(path.join(tmpdir(), "berth-customer-"));
  await createAuthority(scratch);
  const minted = await mintServerCertificate(scratch);
  const tls = {
    certFile: path.join(scratch, "server.crt"),
    keyFile: path.join(scratch, "server.key"),
  };
  await writeFile(tls.certFile, minted.cert);
  await writeFile(tls.keyFile, minted.key, { mode: 0o600 });
  const root = await clusterRoot(scratch);
  const dataDir = path.join(root, "customer");
  await initCluster({ dataDir, ...SUPERUSER });
  const port = await freePort();
  const start = () =>
    startCluster({
      dataDir,
      port,
      ...SUPERUSER,
      tls,
      settings: {
        fsync: "off",
        max_connections: "100",
        max_prepared_transactions: "5",
        jit: "off",
      },
    });
  let cluster: Cluster = await start();

  async function open(config: pg.ClientConfig): Promise<pg.Client> {
    const client = new pg.Client(config);
    client.on("error", () => undefined);
    try {
      await client.connect();
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    return client;
  }
  const connectSuperuser = (database: string) =>
    open({ connectionString: cluster.superuserUrl(database) });

  const admin = await connectSuperuser("postgres");
  await admin.query(`
    create role anon nologin;
    create role authenticated nologin;
    create role service_role nologin bypassrls;
    create role postgres login createdb createrole bypassrls password '${PASSWORD}';
    grant anon, authenticated, service_role to postgres with admin option;
    grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres`);
  await admin.end();

  return {
    port,
    authority: scratch,
    async createDatabase() {
      const name = `customer_${randomBytes(6).toString("hex")}`;
      const client = await connectSuperuser("postgres");
      await client.query(`create database ${name} owner postgres`);
      await client.end();
      return name;
    },
    connect: (database, via, name) =>
      open({
        host: "127.0.0.1",
        port: via?.port ?? port,
        user: "postgres",
        password: PASSWORD,
        database,
        ...(via ? { ssl: { ca: via.ca } } : {}),
        ...(name ? { application_name: name } : {}),
        connectionTimeoutMillis: 10_000,
      }),
    connectSuperuser,
    async restart(mode = "fast") {
      await cluster.stop(mode);
      cluster = await start();
    },
    async stop() {
      await cluster.stop("immediate");
      await rm(root, { recursive: true, force: true });
      await rm(scratch, { recursive: true, force: true });
    },
  };
}
