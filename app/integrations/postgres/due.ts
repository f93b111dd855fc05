import pg from "pg";
import { z } from "zod";
import { BerthError } from "#app/platform/errors.ts";
import { redactServerText, ScriptFailure, sendScript } from "./script.ts";

/** What came of the functions that do a database's due work. */
export interface DueAnswer {
  /** How many of them the database has. */
  found: number;
  /** How much they made, all together. */
  produced: number;
  /** The earliest time that one of them named. */
  nextDueAt: Date | null;
  /** Of each that failed. */
  failures: DueWorkError[];
}

/** The database did not do its due work. */
export class DueWorkError extends BerthError {
  constructor(fn: string, found: string) {
    super("due_work_failed", `The database did not do its due work: ${fn}: ${found}`, {
      found,
      needed: `a function ${fn} that answers produced and next_due_at`,
      fix: "Look at the function and its data in the customer's database; it is tried again by itself.",
      retryable: true,
    });
  }
}

const answer = z.array(
  z.object({
    produced: z.number().int().nonnegative(),
    // 'infinity' comes as a number.
    next_due_at: z.date().nullable().catch(null),
  }),
);

const SILENCE = { silenceMs: 75_000 };

const SETTINGS = [
  // People are at work: they are not kept waiting.
  "set lock_timeout = '2s'",
  "set idle_in_transaction_session_timeout = '30s'",
  // Nobody waits for the work of a worker that is gone: the server ends it.
  "set client_connection_check_interval = '1s'",
  "set search_path = ''",
];

/**
 * Calls each of these functions that the database has, one after another, each in a transaction of
 * its own. They wait for nobody's locks for long. One that fails keeps none of the others from its
 * work.
 * @throws DueWorkError where not even the look for them succeeds; ConnectionLostError
 */
export async function callDue(client: pg.Client, functions: readonly string[]): Promise<DueAnswer> {
  const there = await findFunctions(client, functions);
  const all: DueAnswer = { found: there.length, produced: 0, nextDueAt: null, failures: [] };
  for (const name of there) {
    const rows = await call(client, name).catch((error: unknown) => {
      if (!(error instanceof DueWorkError)) throw error;
      all.failures.push(error);
      return [];
    });
    for (const { produced, next_due_at: next } of rows) {
      all.produced += produced;
      if (next && (!all.nextDueAt || next < all.nextDueAt)) all.nextDueAt = next;
    }
  }
  return all;
}

/** Those that the database has, whatever they take. */
async function findFunctions(client: pg.Client, names: readonly string[]): Promise<string[]> {
  const wanted = names.map((name) => `(${name.split(".").map(pg.escapeLiteral).join(", ")})`);
  const look = `select distinct n.nspname, p.proname
    from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where (n.nspname, p.proname) in (${wanted.join(", ")})`;
  const results = await ask(client, names.join(", "), [...SETTINGS, look]);
  const found = results.at(-1)?.rows.map(({ nspname, proname }) => `${nspname}.${proname}`) ?? [];
  return names.filter((name) => found.includes(name));
}

async function call(client: pg.Client, name: string) {
  // The manifest's rules leave nothing to quote; it is done all the same.
  const fn = name.split(".").map(pg.escapeIdentifier).join(".");
  const [result] = await ask(client, name, [`select * from ${fn}()`]);
  const read = answer.safeParse(result?.rows);
  if (read.success) return read.data;
  throw new DueWorkError(name, "its answer has no produced or next_due_at");
}

/** @throws DueWorkError for what the server refuses */
async function ask(client: pg.Client, fn: string, statements: readonly string[]) {
  return sendScript(client, statements, SILENCE).catch((error: unknown) => {
    if (!(error instanceof ScriptFailure)) throw error;
    const { message, sqlstate } = error;
    throw new DueWorkError(fn, `${redactServerText(message, sqlstate)} [${sqlstate}]`);
  });
}
