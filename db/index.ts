import { sql, TransactionRollbackError } from "drizzle-orm";
import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import pg from "pg";
import * as schema from "./schema.ts";

export type Db = NodePgDatabase<typeof schema> & { $client: pg.Pool };
/** One transaction on one connection. It has no savepoints: `work` succeeds or fails as a whole. */
export type Tx = Omit<NodePgDatabase<typeof schema>, "transaction"> & { rollback(): never };

/**
 * Who acts. `customer` and `staff` are people with a session, `api` is a key and the person who
 * owns it, `worker` is the machinery. Every row of the audit record and the timeline names one.
 */
export interface Actor {
  kind: "customer" | "staff" | "worker" | "api";
  /** An account's id, or a worker's name. */
  id: string;
  /** The address that the act came from; empty for machinery. */
  origin: string;
  /** Ties together everything that one request or one job did. */
  correlationId: string;
}

const ROLES: Record<Actor["kind"], string> = {
  customer: "berth_customer",
  staff: "berth_staff",
  worker: "berth_worker",
  api: "berth_api",
};

export interface DbOptions {
  /** How many connections at most; 10 unless told. */
  max?: number;
  applicationName: string;
  /** Told of every error on an idle connection; the pool replaces the connection by itself. */
  onError: (error: Error) => void;
}

/**
 * A pool of connections to Berth's own database. The login role may do nothing by itself: every
 * query goes through {@link asActor}.
 */
export function createDb(url: string, options: DbOptions): Db {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max ?? 10,
    application_name: options.applicationName,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    idle_in_transaction_session_timeout: 60_000,
    statement_timeout: 60_000,
  });
  // The pool's error carries the whole client, which belongs in no log.
  pool.on("error", ({ message }) => options.onError(new Error(message)));
  // A connection that breaks within a transaction fails its query; without a listener of its own
  // it would end the process as well.
  pool.on("connect", (client) => client.on("error", () => {}));
  return drizzle(pool, { schema });
}

/**
 * Makes the rest of this transaction act as `actor`: its database role, and the settings that
 * row-level security and the audit triggers read. All of it ends with the transaction.
 */
export async function withActor(tx: Tx, actor: Actor): Promise<void> {
  await tx.execute(sql.raw(settingsOf(actor)));
}

/** With literals: several statements in one trip take no parameters. */
function settingsOf({ kind, id, origin, correlationId }: Actor): string {
  const settings = {
    role: ROLES[kind],
    "berth.actor_kind": kind,
    "berth.actor_id": id,
    "berth.origin": origin,
    "berth.correlation_id": correlationId,
  };
  const calls = Object.entries(settings).map(
    ([name, value]) => `set_config('${name}', ${pg.escapeLiteral(value)}, true)`,
  );
  return `select ${calls.join(", ")}`;
}

/** Building a query interface costs more than a short query; a connection keeps its own. */
const interfaces = new WeakMap<pg.PoolClient, Tx>();

function interfaceOf(client: pg.PoolClient): Tx {
  const known = interfaces.get(client);
  if (known) return known;
  const made: Tx = Object.assign(drizzle(client, { schema }), {
    rollback(): never {
      throw new TransactionRollbackError();
    },
  });
  interfaces.set(client, made);
  return made;
}

export interface TransactionOptions {
  /** Reads alone, all of them of one moment: for a page of figures that must agree. */
  snapshot?: boolean;
}

/**
 * Runs `work` in one transaction as `actor`. Nothing of it may wait for the network. Rejects with
 * the first thing that went wrong, and always gives the connection back: drizzle's own transaction
 * keeps it for ever when `begin` fails, and reports a failed `rollback` in place of its cause.
 */
export async function asActor<T>(
  db: Db,
  actor: Actor,
  work: (tx: Tx) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const client = await db.$client.connect();
  const tx = interfaceOf(client);
  let broken = false;
  try {
    const begin = options.snapshot ? "begin isolation level repeatable read, read only" : "begin";
    await client.query(`${begin}; ${settingsOf(actor)}`);
    const result = await work(tx);
    await tx.execute(sql`commit`);
    return result;
  } catch (error) {
    // A connection that cannot even roll back is in no known state: the pool destroys it.
    await tx.execute(sql`rollback`).catch(() => {
      broken = true;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
