import { randomBytes } from "node:crypto";
import type pg from "pg";
import { ask } from "./copy-catalog.ts";
import { literal, ScriptFailure, sendScript } from "./script.ts";

/** First half of the advisory lock that a scratch database's maker holds: "BRSC" in ASCII. */
const SCRATCH_LOCK = 0x42525343;

/** The mark of a scratch database: it is there from the moment of its making, as a comment is not. */
const CONNECTION_LIMIT = 23;

/** Leftovers that are looked at in one go. */
const MOST_LEFTOVERS = 20;

/** How long a server may take to drop an empty database. */
const DROP_MS = 30_000;

/**
 * Makes one from PostgreSQL's own template, in the locale of the connected database, and holds its
 * lock for the length of the session.
 *
 * @returns its name
 * @throws ScriptFailure, ConnectionLostError
 */
export async function createScratch(keeper: pg.Client): Promise<string> {
  // 31 bits: an advisory lock's half is a signed integer.
  const random = (randomBytes(4).readUInt32BE() >>> 1).toString(16).padStart(8, "0");
  const [source] = await ask<{ facts: LocaleFacts; oid: string; encoding: string }>(
    keeper,
    `select pg_catalog.to_jsonb(d) as facts, d.oid::pg_catalog.text as oid,
       pg_catalog.pg_encoding_to_char(d.encoding) as encoding,
       pg_catalog.pg_advisory_lock(${SCRATCH_LOCK}, ${Number.parseInt(random, 16)})
     from pg_catalog.pg_database d where datname = pg_catalog.current_database()`,
  );
  if (!source) throw new Error("A database does not show itself in pg_database.");
  const name = `berth_scratch_${source.oid}_${random}`;
  // template0 is as PostgreSQL made it, and takes any locale.
  const locale = localeOptions(source.encoding, source.facts);
  await ask(
    keeper,
    `create database ${name} template template0 ${locale} connection limit ${CONNECTION_LIMIT}`,
  );
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

/**
 * Drops scratch databases of this database whose makers are gone: their locks are free, and
 * nobody is connected. Cheap where there are none. Those in use stay, and those that the server
 * refuses to drop.
 *
 * @throws ConnectionLostError
 */
export async function dropScratchLeftovers(client: pg.Client): Promise<void> {
  try {
    const idle = await ask<{ name: string }>(
      client,
      `select d.datname as name from pg_catalog.pg_database d
       where d.datname ~ ('^berth_scratch_' || (select oid from pg_catalog.pg_database
           where datname = pg_catalog.current_database()) || '_[0-7][0-9a-f]{7}$')
         and d.datdba = current_user::pg_catalog.regrole and d.datconnlimit = ${CONNECTION_LIMIT}
         and not exists (select from pg_catalog.pg_stat_activity a where a.datname = d.datname)
       limit ${MOST_LEFTOVERS}`,
    );
    for (const { name } of idle) await dropIfFree(client, name);
  } catch (error) {
    if (!(error instanceof ScriptFailure)) throw error;
  }
}

async function dropIfFree(client: pg.Client, name: string): Promise<void> {
  const key = lockKey(name);
  const [lock] = await ask<{ free: boolean }>(
    client,
    `select pg_catalog.pg_try_advisory_lock(${key}) as free`,
  );
  if (!lock?.free) return;
  try {
    await dropScratch(client, name);
  } catch (error) {
    // Another process may have dropped it a moment ago.
    if (!(error instanceof ScriptFailure)) throw error;
  }
  await ask(client, `select pg_catalog.pg_advisory_unlock(${key})`);
}

/** The last eight digits of the name are the second half of the lock. */
function lockKey(name: string): string {
  return `${SCRATCH_LOCK}, ${Number.parseInt(name.slice(-8), 16)}`;
}

/** @throws ScriptFailure, ConnectionLostError */
export async function dropScratch(client: pg.Client, name: string): Promise<void> {
  const silence = { silenceMs: DROP_MS };
  try {
    await sendScript(client, `drop database if exists ${name} with (force)`, silence);
  } catch (error) {
    if (!(error instanceof ScriptFailure)) throw error;
    // An autovacuum worker is not ours to end; without force, PostgreSQL sends it away itself.
    await sendScript(client, `drop database if exists ${name}`, silence);
  }
}
