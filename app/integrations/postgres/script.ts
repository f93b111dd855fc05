import pg from "pg";
import { BerthError } from "#app/platform/errors.ts";
import { redactText } from "#app/platform/redact.ts";
import { cut } from "#app/platform/text.ts";
import { ConnectionLostError } from "./run-errors.ts";

/** A statement of a script failed; the connection is still good. */
export class ScriptFailure extends Error {
  readonly sqlstate: string;
  /** How many statements had completed before. */
  readonly completed: number;
  readonly server: pg.DatabaseError;

  constructor(server: pg.DatabaseError, completed: number) {
    super(server.message, { cause: server });
    this.sqlstate = server.code ?? "XX000";
    this.completed = completed;
    this.server = server;
  }
}

/**
 * Whether an error means that the session is gone. 57P01–57P05 announce that the server ends it,
 * 25P03 that it idled in a transaction; an error without an SQLSTATE is the socket's.
 */
function isLoss(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return true;
  const code = error.code ?? "";
  const fatal = error.severity === "FATAL" || error.severity === "PANIC";
  return fatal || code.startsWith("08") || code.startsWith("57P") || code === "25P03";
}

/**
 * Sends statements as one simple query: one round trip, whatever their number. An error stops
 * the rest; the server answers each completed statement with one CommandComplete, and so their
 * number tells which one failed.
 *
 * `silenceMs` bounds the time without any completed statement: a network that swallows packets
 * looks like a slow server for ever. `totalMs`, four times as long by default, bounds the whole,
 * however many statements a server says to have completed.
 *
 * @throws ScriptFailure when a statement failed, ConnectionLostError when the session is gone.
 */
export async function sendScript(
  client: pg.Client,
  statements: readonly string[] | string,
  options: { silenceMs: number; totalMs?: number },
): Promise<pg.QueryResult[]> {
  const text = typeof statements === "string" ? statements : joinStatements(statements);
  if (text.includes("\0")) throw new TypeError("An SQL text may not hold a NUL character.");
  let completed = 0;
  const hangUp = () => client.connection.stream.destroy();
  let watchdog = setTimeout(hangUp, options.silenceMs);
  const last = setTimeout(hangUp, options.totalMs ?? 4 * options.silenceMs);
  const onComplete = () => {
    completed += 1;
    clearTimeout(watchdog);
    watchdog = setTimeout(hangUp, options.silenceMs);
  };
  client.connection.on("commandComplete", onComplete);
  try {
    const results: unknown = await client.query(text);
    return (Array.isArray(results) ? results : [results]) as pg.QueryResult[];
  } catch (error) {
    if (isLoss(error)) throw new ConnectionLostError(error);
    throw new ScriptFailure(error as pg.DatabaseError, completed);
  } finally {
    clearTimeout(watchdog);
    clearTimeout(last);
    client.connection.off("commandComplete", onComplete);
  }
}

/** What `pg` threw, as {@link sendScript} tells it; errors of other making stay as they are. */
export function asScriptError(error: unknown, client: pg.Client): unknown {
  if (error instanceof pg.DatabaseError) {
    return isLoss(error) ? new ConnectionLostError(error) : new ScriptFailure(error, 0);
  }
  if (error instanceof BerthError || !client.connection.stream.destroyed) return error;
  return new ConnectionLostError(error);
}

/** Joins statements; the newline ends a comment that a file may end with. */
export function joinStatements(statements: readonly string[]): string {
  return statements.map((statement) => `${statement}\n;\n`).join("");
}

/** Leaves a failed transaction. */
export async function rollback(client: pg.Client): Promise<void> {
  await sendScript(client, "rollback", { silenceMs: 15_000 });
}

/** A text as an SQL literal. Refuses NUL, which no PostgreSQL text can hold. */
export function literal(value: string): string {
  if (value.includes("\0")) throw new TypeError("An SQL literal may not hold a NUL character.");
  return pg.escapeLiteral(value);
}

/** Of a server's text, in UTF-16 units; the server may be anybody's, and its text of any length. */
const MAX_SERVER_TEXT = 8_000;

/**
 * Removes what a customer or a secret may have put into a server's message: values of rows
 * (classes 22 and 23 quote them) and everything with the shape of a secret. Text longer than 8,000
 * characters is cut first.
 */
export function redactServerText(text: string, sqlstate: string): string {
  const bounded = cut(text, MAX_SERVER_TEXT);
  const isWhole = bounded.length === text.length;
  let safe = mask(bounded, /failing row contains \(/i, ")", isWhole);
  // Key (email)=(a@b.c) already exists.
  safe = mask(safe, /\)=\(/, ")", isWhole);
  if (/^2[23]/.test(sqlstate)) safe = mask(safe, /: "/, '"', isWhole);
  return redactText(safe);
}

/**
 * Masks what stands between the first `open` and the last `close`, since a value may itself hold
 * either; to the end where `close` is missing, or may have been cut off.
 */
function mask(text: string, open: RegExp, close: string, isWhole: boolean): string {
  const found = open.exec(text);
  if (!found) return text;
  const from = found.index + found[0].length;
  const end = isWhole ? text.lastIndexOf(close) : -1;
  return `${text.slice(0, from)}…${end < from ? close : text.slice(end)}`;
}
