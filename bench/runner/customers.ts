import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { connectToCustomer } from "#app/integrations/postgres/connect.ts";
import { createOutboundGuard } from "#app/platform/outbound/guard.ts";
import { prepareServer } from "../../feature-templates/fresh-database.ts";
import { createAuthority, mintServerCertificate } from "../../tests/support/certificates.ts";
import { startBenchCluster } from "../cluster.ts";
import { atEnd } from "../ending.ts";

/** A fresh project's database, reached over TLS that is verified, and where: direct, or delayed. */
export interface Customer {
  port: number;
  user: string;
  password: string;
  database: string;
  caFile: string;
  /** As anybody would with `pg`. */
  connectPlainly(): Promise<pg.Client>;
  /** As Berth does in production. */
  connectAsBerth(applicationName: string): Promise<pg.Client>;
}

export interface Customers {
  /** The server's own port. */
  port: number;
  /** A new database, reached by way of `port`. */
  create(port: number): Promise<Customer>;
  remove(customer: Customer): Promise<void>;
}

/** A server with fsync on, in which every database is as a fresh Supabase project has it. */
export async function startCustomers(): Promise<Customers> {
  const scratch = await mkdtemp(path.join(tmpdir(), "berth-bench-tls-"));
  atEnd(() => rm(scratch, { recursive: true, force: true }));
  await createAuthority(scratch);
  const minted = await mintServerCertificate(scratch);
  const tls = {
    certFile: path.join(scratch, "server.crt"),
    keyFile: path.join(scratch, "server.key"),
  };
  await writeFile(tls.certFile, minted.cert);
  await writeFile(tls.keyFile, minted.key, { mode: 0o600 });
  const cluster = await startBenchCluster("supabase_admin", tls);
  const server = await prepareServer(cluster.superuserUrl());
  atEnd(() => server.stop());
  const admin = new pg.Client({ connectionString: cluster.superuserUrl() });
  await admin.connect();
  atEnd(() => admin.end());
  const caFile = path.join(scratch, "ca.crt");
  const ca = await readFile(caFile, "utf8");
  return {
    port: cluster.port,
    async create(port) {
      const owner = await server.createDatabase("2026-10");
      const { user = "", password, database = "" } = owner;
      await owner.end();
      const login = { port, user, password: `${password}`, database };
      return { ...login, caFile, ...waysIn(login, ca) };
    },
    async remove({ database }) {
      await admin.query(`drop database ${database} with (force)`);
    },
  };
}

const guard = createOutboundGuard({ allowSuffixes: [], allowOrigins: "127.0.0.1:1024-65535" });

function waysIn(
  login: { port: number; user: string; password: string; database: string },
  ca: string,
): Pick<Customer, "connectPlainly" | "connectAsBerth"> {
  const host = "127.0.0.1";
  return {
    async connectPlainly() {
      const client = new pg.Client({ ...login, host, ssl: { ca } });
      await client.connect();
      return client;
    },
    connectAsBerth: (applicationName) =>
      connectToCustomer(
        { ...login, host, ref: null, pooler: false },
        {
          guard,
          ca,
          applicationName,
          connectTimeoutMs: 10_000,
          statementTimeoutMs: null,
          queryTimeoutMs: 0,
        },
      ),
  };
}
