/**
 * A customer's database behind a name, and the standby that takes its place: a copy of the first
 * server as it was at some moment, as an asynchronous standby is.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { giveTo, serverAccount } from "#local/account.ts";
import {
  type Cluster,
  clusterRoot,
  copyCluster,
  freePort,
  initCluster,
  startCluster,
} from "#local/cluster.ts";
import { connectToCustomer } from "../../app/integrations/postgres/connect.ts";
import { createOutboundGuard } from "../../app/platform/outbound/guard.ts";
import { createAuthority, mintServerCertificate } from "./certificates.ts";

const PASSWORD = "test-customer";
const SUPERUSER = { superuser: "supabase_admin", password: "test-superuser" };
const SETTINGS = { fsync: "off", jit: "off", max_connections: "40" };
const ADDRESSES = { first: "127.0.0.1", standby: "127.0.0.2" } as const;

export interface FailoverPair {
  /** Opens a session at the address that the name has now, as a run does. */
  connect(applicationName: string): Promise<pg.Client>;
  /** A session of the superuser, past the name. */
  superuser(which: "first" | "standby"): Promise<pg.Client>;
  /** Makes the standby of the first server as it is now; sessions of the first one end. */
  makeStandby(): Promise<void>;
  /** The first server dies, and the name leads to the standby. */
  failOver(): Promise<void>;
  /** How often the standby was asked for a session by way of the name. */
  asked(): number;
  stop(): Promise<void>;
}

/** Starts the first server. Stop it at the end of the test. */
export async function startFailoverPair(): Promise<FailoverPair> {
  const scratch = await mkdtemp(path.join(tmpdir(), "berth-failover-"));
  await createAuthority(scratch);
  const { cert, key } = await mintServerCertificate(scratch);
  const tls = { certFile: path.join(scratch, "s.crt"), keyFile: path.join(scratch, "s.key") };
  await writeFile(tls.certFile, cert);
  await writeFile(tls.keyFile, key, { mode: 0o600 });
  const root = await clusterRoot(scratch);
  const folder = (which: keyof typeof ADDRESSES) => path.join(root, which);
  const ports = { first: await freePort(), standby: await freePort() };
  const start = (which: keyof typeof ADDRESSES) =>
    startCluster({
      dataDir: folder(which),
      port: ports[which],
      ...SUPERUSER,
      tls,
      settings: SETTINGS,
    });
  await initCluster({ dataDir: folder("first"), ...SUPERUSER });
  const running: Partial<Record<keyof typeof ADDRESSES, Cluster>> = { first: await start("first") };

  async function superuser(which: keyof typeof ADDRESSES): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: running[which]?.superuserUrl() });
    client.on("error", () => undefined);
    await client.connect();
    return client;
  }
  const admin = await superuser("first");
  await admin.query(`
    create role postgres login createdb createrole password '${PASSWORD}';
    alter database postgres owner to postgres;
    grant pg_monitor, pg_signal_backend to postgres`);
  await admin.end();

  let address: string = ADDRESSES.first;
  const first = await forward(ADDRESSES.first, await freePort(), () => ports.first);
  const standby = await forward(ADDRESSES.standby, first.port, () => ports.standby);
  const target = {
    host: "localhost",
    port: first.port,
    user: "postgres",
    password: PASSWORD,
    database: "postgres",
    ref: null,
    pooler: false,
  };
  const guard = createOutboundGuard({
    allowSuffixes: [],
    allowOrigins: `${target.host}:${target.port}`,
    resolve: async () => [{ address, family: 4 }],
  });
  const ca = await readFile(path.join(scratch, "ca.crt"), "utf8");
  return {
    connect: (applicationName) =>
      connectToCustomer(target, {
        guard,
        ca,
        applicationName,
        connectTimeoutMs: 10_000,
        statementTimeoutMs: 60_000,
        queryTimeoutMs: 0,
      }),
    superuser,
    async makeStandby() {
      await running.first?.stop();
      await copyCluster(folder("first"), folder("standby"));
      const signal = path.join(folder("standby"), "standby.signal");
      await writeFile(signal, "");
      await giveTo(await serverAccount(), signal);
      [running.first, running.standby] = await Promise.all([start("first"), start("standby")]);
    },
    async failOver() {
      address = ADDRESSES.standby;
      await running.first?.stop("immediate");
      delete running.first;
    },
    asked: () => standby.accepted(),
    async stop() {
      for (const one of [first, standby]) await one.close();
      for (const cluster of Object.values(running)) await cluster.stop("immediate");
      for (const each of [root, scratch]) await rm(each, { recursive: true, force: true });
    },
  };
}

/** Passes every connection at this address on to a server on 127.0.0.1. */
async function forward(host: string, port: number, upstream: () => number) {
  let accepted = 0;
  const sockets = new Set<net.Socket>();
  const join = (from: net.Socket, to: net.Socket) => {
    sockets.add(from);
    from.pipe(to);
    from.on("error", () => undefined);
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const listener = net.createServer({ noDelay: true }, (client) => {
    accepted += 1;
    const server = net.connect({ host: "127.0.0.1", port: upstream(), noDelay: true });
    join(client, server);
    join(server, client);
  });
  await new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.listen(port, host, resolve);
  });
  return {
    port,
    accepted: () => accepted,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
