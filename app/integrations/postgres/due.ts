import pg from "pg";
import { z } from "zod";
import { BerthError } from "#app/platform/errors.ts";
import { redactServerText, ScriptFailure, sendScript } from "./script.ts";

/** What came of the functions that do a database's due work. */
export interface DueAnswer {
  /** Whether the database has any of them. */
  isThere: boolean;
  /** How much they made, all together. */
  produced: number;
  /** The earliest time that one of them named. */
  nextDueAt: Date | null;
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

/**
 * Calls each of these functions that the database has, one after another, each in a transaction of
 * its own. They wait for nobody's locks for long: people are at work.
 * @throws DueWorkError, ConnectionLostError
 */
export async function callDue(client: pg.Client, functions: readonly string[]): Promise<DueAnswer> {
  const all: DueAnswer = { isThere: false, produced: 0, nextDueAt: null };
  for (const name of functions) {
    // The manifest's rules leave nothing to quote; it is done all the same.
    const fn = name.split(".").map(pg.escapeIdentifier).join(".");
    const rows = await call(client, name, fn);
    if (rows === null) continue;
    all.isThere = true;
    for (const { produced, next_due_at: next } of rows) {
      all.produced += produced;
      if (next && (!all.nextDueAt || next < all.nextDueAt)) all.nextDueAt = next;
    }
  }
  return all;
}

/** Null where the database has no such function. */
async function call(client: pg.Client, name: string, fn: string) {
  const found = `select pg_catalog.to_regproc(${pg.escapeLiteral(fn)}) is not null as there`;
  try {
    const [, , , look] = await sendScript(
      client,
      [
        "set lock_timeout = '2s'",
        "set idle_in_transaction_session_timeout = '30s'",
        "set search_path = ''",
        found,
      ],
      SILENCE,
    );
    if (look?.rows[0]?.there !== true) return null;
    const [result] = await sendScript(client, `select * from ${fn}()`, SILENCE);
    const read = answer.safeParse(result?.rows);
    if (read.success) return read.data;
  } catch (error) {
    if (!(error instanceof ScriptFailure)) throw error;
    const { sqlstate } = error;
    throw new DueWorkError(name, `${redactServerText(error.message, sqlstate)} [${sqlstate}]`);
  }
  throw new DueWorkError(name, "its answer has no produced or next_due_at");
}
