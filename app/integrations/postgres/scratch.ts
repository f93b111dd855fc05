import { randomBytes } from "node:crypto";
import pg from "pg";
import { BerthError } from "#app/platform/errors.ts";
import {
  ask,
  type CatalogObject,
  type CatalogScope,
  readCatalog,
  writeCatalog,
} from "./copy-catalog.ts";
import { literal, redactServerText, ScriptFailure } from "./script.ts";

/** First half of the advisory lock that a scratch database's maker holds: "BRSC" in ASCII. */
const SCRATCH_LOCK = 0x42525343;

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
 * @throws ScratchUnavailableError; the signal's reason when it fired; what `work` throws.
 */
export async function withScratchDatabase<T>(
  options: ScratchOptions,
  work: (scratch: Scratch) => Promise<T>,
): Promise<T> {
  const { connect, signal } = options;
  const keeper = await ours(signal, () => connect("berth-scratch-keeper"));
  keeper.on("error", () => undefined);
  try {
    const { name, catalog } = await ours(signal, async () => {
      await ask(keeper, NOTICE_DEATH);
      await dropScratchLeftovers(keeper);
      const read = options.catalog ?? (await readCatalog(keeper, options.schemas));
      return { name: await createScratch(keeper), catalog: read };
    });
    try {
      return await workInScratch(options, name, catalog, work);
    } finally {
      await drop(keeper, name).catch(() => undefined);
    }
  } finally {
    // Behind a pooler the server's session lives on, and with it the lock.
    await keeper.query("select pg_catalog.pg_advisory_unlock_all()").catch(() => undefined);
    await keeper.end().catch(() => undefined);
  }
}

async function workInScratch<T>(
  { connect, signal }: ScratchOptions,
  name: string,
  catalog: readonly CatalogObject[],
  work: (scratch: Scratch) => Promise<T>,
): Promise<T> {
  const client = await ours(signal, () => connect("berth-scratch", name));
  client.on("error", () => undefined);
  const hangUp = () => client.connection.stream.destroy();
  signal.addEventListener("abort", hangUp, { once: true });
  try {
    const missing = await ours(signal, async () => {
      await enter(client, name);
      return writeCatalog(client, catalog);
    });
    return await work({ client, missing });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", hangUp);
    await client.end().catch(() => undefined);
  }
}

/** A failure of our own part means that there is no scratch database; the caller's work is not it. */
async function ours<T>(signal: AbortSignal, part: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  try {
    return await part();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ScratchUnavailableError) throw error;
    if (error instanceof ScriptFailure) {
      const words = redactServerText(error.message, error.sqlstate);
      throw new ScratchUnavailableError(`${words} [${error.sqlstate}]`, error);
    }
    if (error instanceof BerthError) {
      throw new ScratchUnavailableError(error.found ?? error.message, error);
    }
    if (error instanceof pg.DatabaseError) {
      throw new ScratchUnavailableError(`a session was refused [${error.code}]`, error);
    }
    throw error;
  }
}

/**
 * Drops scratch databases of this database whose makers are gone: their locks are free, and
 * nobody is connected. Cheap where there are none. Those in use stay.
 *
 * @throws ScriptFailure, ConnectionLostError
 */
export async function dropScratchLeftovers(client: pg.Client): Promise<void> {
  const idle = await ask<{ name: string }>(
    client,
    `select d.datname as name from pg_catalog.pg_database d
     where d.datname ~ ('^berth_scratch_' || (select oid from pg_catalog.pg_database
         where datname = pg_catalog.current_database()) || '_[0-9a-f]{8}$')
       and d.datdba = current_user::pg_catalog.regrole
       and not exists (select from pg_catalog.pg_stat_activity a where a.datname = d.datname)`,
  );
  for (const { name } of idle) {
    const key = lockKey(name);
    const [lock] = await ask<{ free: boolean }>(
      client,
      `select pg_catalog.pg_try_advisory_lock(${key}) as free`,
    );
    if (!lock?.free) continue;
    // Another process may have dropped it a moment ago.
    await drop(client, name).catch(() => undefined);
    await ask(client, `select pg_catalog.pg_advisory_unlock(${key})`);
  }
}

/** The last eight digits of the name are the second half of the lock. */
function lockKey(name: string): string {
  return `${SCRATCH_LOCK}, ${Number.parseInt(name.slice(-8), 16)}`;
}

async function createScratch(keeper: pg.Client): Promise<string> {
  // 31 bits: an advisory lock's half is a signed integer.
  const random = (randomBytes(4).readUInt32BE() >>> 1).toString(16).padStart(8, "0");
  const [source] = await ask<{ facts: LocaleFacts; oid: string; encoding: string }>(
    keeper,
    `select pg_catalog.to_jsonb(d) as facts, d.oid::pg_catalog.text as oid,
       pg_catalog.pg_encoding_to_char(d.encoding) as encoding,
       pg_catalog.pg_advisory_lock(${SCRATCH_LOCK}, ${Number.parseInt(random, 16)})
     from pg_catalog.pg_database d where datname = pg_catalog.current_database()`,
  );
  if (!source)
    throw new ScratchUnavailableError("the database does not show itself in pg_database");
  const name = `berth_scratch_${source.oid}_${random}`;
  // template0 is as PostgreSQL made it, and takes any locale.
  const locale = localeOptions(source.encoding, source.facts);
  await ask(keeper, `create database ${name} template template0 ${locale}`);
  return name;
}

interface LocaleFacts {
  datlocprovider: "b" | "c" | "i" | "d";
  datcollate: string;
  datctype: string;
  /** From PostgreSQL 17 on; before, `daticulocale`. */
  datlocale?: string | null;
  daticulocale?: string | null;
}

function localeOptions(encoding: string, facts: LocaleFacts): string {
  const locale = facts.datlocale ?? facts.daticulocale;
  const options = [
    `encoding ${literal(encoding)}`,
    `lc_collate ${literal(facts.datcollate)}`,
    `lc_ctype ${literal(facts.datctype)}`,
  ];
  if (facts.datlocprovider === "i" && locale) {
    options.push(`locale_provider icu icu_locale ${literal(locale)}`);
  }
  if (facts.datlocprovider === "b" && locale) {
    options.push(`locale_provider builtin builtin_locale ${literal(locale)}`);
  }
  if (facts.datlocprovider === "c") options.push("locale_provider libc");
  return options.join(" ");
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

async function drop(client: pg.Client, name: string): Promise<void> {
  try {
    await ask(client, `drop database if exists ${name} with (force)`);
  } catch (error) {
    if (!(error instanceof ScriptFailure)) throw error;
    // An autovacuum worker is not ours to end; without force, PostgreSQL sends it away itself.
    await ask(client, `drop database if exists ${name}`);
  }
}
