import pg from "pg";
import { BerthError } from "#app/platform/errors.ts";
import type { Logger } from "#app/platform/log.ts";
import {
  ask,
  type CatalogObject,
  type CatalogScope,
  readCatalog,
  writeCatalog,
} from "./copy-catalog.ts";
import { endSession, FAREWELL_MS } from "./run-context.ts";
import { ConnectionLostError, DatabaseRefusedError } from "./run-errors.ts";
import { createScratch, dropScratch, dropScratchLeftovers } from "./scratch-database.ts";
import { redactServerText, ScriptFailure, sendScript } from "./script.ts";

/** The server ends the sessions of a machine that is gone within two minutes, not two hours. */
const NOTICE_DEATH = `select pg_catalog.set_config('tcp_keepalives_idle', '60', false),
  pg_catalog.set_config('tcp_keepalives_interval', '10', false),
  pg_catalog.set_config('tcp_keepalives_count', '6', false)`;

/** The customer's server gives no scratch database, or not a usable one. */
export class ScratchUnavailableError extends BerthError {
  constructor(found: string, cause?: unknown) {
    super("scratch_unavailable", "There is no scratch database to be had on this server.", {
      found,
      needed: "a database of its own for the length of the comparison, and two more connections",
      fix: "Connect as the role postgres, directly or through the session pooler, and see that disk and connections are not used up.",
      cause,
    });
  }
}

export interface ScratchOptions {
  /** Opens a session; in the customer's own database unless another one's name is given. */
  connect: (applicationName: string, database?: string) => Promise<pg.Client>;
  schemas: CatalogScope;
  /** The catalog to copy, where it has been read already. */
  catalog?: readonly CatalogObject[];
  signal: AbortSignal;
  /** Told of a scratch database that could not be dropped. */
  log?: Logger | undefined;
}

export interface Scratch {
  /** In the scratch database, as the customer's role, which owns all that is in it. */
  client: pg.Client;
  /** What could not be copied, in words. */
  missing: string[];
}

/**
 * Makes a database on the customer's own server with a copy of the catalog and no rows, works in
 * it, and drops it, whatever happens. Leftovers of killed processes are dropped first.
 *
 * @throws ScratchUnavailableError where the server refuses for good; DatabaseRefusedError and
 * ConnectionLostError where that may pass; what `connect` throws; the signal's reason when it
 * fired; what `work` throws.
 */
export async function withScratchDatabase<T>(
  options: ScratchOptions,
  work: (scratch: Scratch) => Promise<T>,
): Promise<T> {
  const { connect, signal } = options;
  const keeper = await open(signal, () => connect("berth-scratch-keeper"));
  try {
    const { name, catalog } = await ours(signal, keeper, async () => {
      await ask(keeper, NOTICE_DEATH);
      await dropScratchLeftovers(keeper);
      const read = options.catalog ?? (await readCatalog(keeper, options.schemas));
      return { name: await createScratch(keeper), catalog: read };
    });
    try {
      return await workInScratch(options, name, catalog, work);
    } finally {
      await dropForSure(options, keeper, name);
    }
  } finally {
    await leave(keeper);
  }
}

async function workInScratch<T>(
  { connect, signal }: ScratchOptions,
  name: string,
  catalog: readonly CatalogObject[],
  work: (scratch: Scratch) => Promise<T>,
): Promise<T> {
  const client = await open(signal, () => connect("berth-scratch", name)).catch(
    (error: unknown) => {
      throw noSuchDatabase(error);
    },
  );
  try {
    const missing = await ours(signal, client, async () => {
      await enter(client, name);
      return writeCatalog(client, catalog);
    });
    return await untilAborted(signal, client, () => work({ client, missing }));
  } finally {
    await endSession(client);
  }
}

/** What is the socket's is a lost connection; what the other side says stays as it is. */
async function open(signal: AbortSignal, connect: () => Promise<pg.Client>): Promise<pg.Client> {
  signal.throwIfAborted();
  const client = await connect().catch((error: unknown) => {
    signal.throwIfAborted();
    if (error instanceof BerthError) throw error;
    if (error instanceof pg.DatabaseError && !isPassing(error.code ?? "")) throw error;
    throw new ConnectionLostError(error);
  });
  client.on("error", () => undefined);
  return client;
}

/** A refusal that lasts, of a database that has just been made, is the pooler's way to have none. */
function noSuchDatabase(error: unknown): unknown {
  if (error instanceof pg.DatabaseError) {
    return new ScratchUnavailableError(`a session was refused [${error.code}]`, error);
  }
  return error instanceof BerthError && !error.retryable
    ? new ScratchUnavailableError(error.found ?? error.message, error)
    : error;
}

/** Hangs up when the signal fires: nothing then waits for an answer. */
async function untilAborted<T>(
  signal: AbortSignal,
  client: pg.Client,
  part: () => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const hangUp = () => client.connection.stream.destroy();
  signal.addEventListener("abort", hangUp, { once: true });
  try {
    return await part();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", hangUp);
  }
}

/** A lasting refusal of our own part means that there is no scratch database. */
function ours<T>(signal: AbortSignal, client: pg.Client, part: () => Promise<T>): Promise<T> {
  return untilAborted(signal, client, part).catch((error: unknown) => {
    if (!(error instanceof ScriptFailure)) throw error;
    if (isPassing(error.sqlstate)) throw refusedByServer("the scratch database", error);
    const words = redactServerText(error.message, error.sqlstate);
    throw new ScratchUnavailableError(`${words} [${error.sqlstate}]`, error);
  });
}

/**
 * Whether a refusal says nothing about what the server allows: contention, a lack of resources, a
 * template database in use, a server that stops, a statement that was ended, an error of its own.
 */
export function isPassing(sqlstate: string): boolean {
  return /^(?:08|40|53|55006|55P03|57|58(?!P01)|XX)/.test(sqlstate);
}

/** The server's refusal, as people read it. `what`: what it refused. */
export function refusedByServer(what: string, error: ScriptFailure): DatabaseRefusedError {
  const words = redactServerText(error.message, error.sqlstate);
  return new DatabaseRefusedError(what, error.sqlstate, words);
}

/** Once more over a new connection where the first try fails; then it is the next sweep's. */
async function dropForSure(
  { connect, log }: ScratchOptions,
  keeper: pg.Client,
  name: string,
): Promise<void> {
  try {
    await dropScratch(keeper, name);
  } catch (first) {
    log?.warn({ err: first, database: name }, "a scratch database was not dropped");
    try {
      const other = await connect("berth-scratch-keeper");
      await dropScratch(other, name).finally(() => endSession(other));
    } catch (second) {
      log?.warn({ err: second, database: name }, "a scratch database is left behind");
    }
  }
}

/** Behind a pooler the server's session lives on, and with it the lock. */
async function leave(keeper: pg.Client): Promise<void> {
  await sendScript(keeper, "select pg_catalog.pg_advisory_unlock_all()", {
    silenceMs: FAREWELL_MS,
  }).catch(() => undefined);
  await endSession(keeper);
}

/** A pooler may lead every name to one database: nothing may be made in the customer's own. */
async function enter(client: pg.Client, name: string): Promise<void> {
  const [answer] = await ask<{ name: string }>(
    client,
    "select pg_catalog.current_database() as name",
  );
  if (answer?.name !== name) {
    throw new ScratchUnavailableError("the pooler leads to the project's own database only");
  }
  await ask(client, `revoke all on database ${name} from public`);
  await ask(client, NOTICE_DEATH);
}
