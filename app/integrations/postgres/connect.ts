import { Socket } from "node:net";
import { checkServerIdentity } from "node:tls";
import pg from "pg";
import { OutboundUnreachableError } from "#app/platform/outbound/errors.ts";
import type { OutboundGuard } from "#app/platform/outbound/guard.ts";
import {
  connectFailure,
  DatabaseAnswerTooLargeError,
  DatabaseSilentError,
} from "./connect-errors.ts";
import type { DatabaseTarget } from "./dsn.ts";

export interface ConnectOptions {
  guard: OutboundGuard;
  /** PEM of the one authority to trust; without it those that come with Node. */
  ca?: string;
  /** Shown in pg_stat_activity; at most 63 bytes count. */
  applicationName: string;
  /** For name, TCP, TLS and sign-in together. */
  connectTimeoutMs: number;
  /** The server's own limit on each statement; null where the session's first script sets it. */
  statementTimeoutMs: number | null;
  /**
   * How long a whole query may stay without its end, should the server fall silent; by default
   * ten seconds more than the statement's limit. 0 means no limit.
   */
  queryTimeoutMs?: number;
  /** Of one query's answer, in bytes; 32 MiB by default. Beyond it the connection is cut. */
  maxAnswerBytes?: number;
  /** Ends the attempt; an open connection is not affected. */
  signal?: AbortSignal;
}

/** Cuts the connection when one answer grows beyond all measure, before `pg` has buffered it. */
function capAnswers(connection: pg.Connection, maxBytes: number): void {
  let bytes = 0;
  connection.once("sslconnect", () => {
    const stream = connection.stream;
    stream.prependListener("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) stream.destroy(new DatabaseAnswerTooLargeError(maxBytes));
    });
  });
  connection.on("readyForQuery", () => {
    bytes = 0;
  });
}

/**
 * Opens a session in a customer's database: to the address that the guard has checked, over TLS
 * that is verified against the host's own name, with limits on every phase. The caller ends it.
 * @throws OutboundRefusedError, OutboundNameError, OutboundUnreachableError, OutboundTlsError,
 *   DatabaseSilentError, DatabaseClosedError, DatabasePasswordError, DatabaseTenantError,
 *   DatabaseLoginError; the signal's reason when it fired
 */
export async function connectToCustomer(
  target: DatabaseTarget,
  options: ConnectOptions,
): Promise<pg.Client> {
  const { guard, signal, connectTimeoutMs, statementTimeoutMs } = options;
  signal?.throwIfAborted();
  const pinned = await guard.resolve(target.host, target.port);

  const socket = new Socket();
  const client = new pg.Client({
    host: pinned.address,
    port: target.port,
    user: target.user,
    password: target.password,
    database: target.database,
    application_name: options.applicationName,
    stream: () => socket,
    sslnegotiation: "postgres",
    ssl: {
      ca: options.ca,
      rejectUnauthorized: true,
      minVersion: "TLSv1.2",
      // SNI takes names only (RFC 6066 §3); the check below holds for names and addresses alike.
      servername: /^[0-9.]+$|:/.test(pinned.servername) ? undefined : pinned.servername,
      checkServerIdentity: (_host, certificate) =>
        checkServerIdentity(pinned.servername, certificate),
    },
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    query_timeout: options.queryTimeoutMs ?? (statementTimeoutMs ?? 0) + 10_000,
  });
  // Without a listener the end of an idle session would be an uncaught exception; whoever has a
  // query under way learns of it through that query.
  client.on("error", () => {});
  capAnswers(client.connection, options.maxAnswerBytes ?? 32 * 1024 * 1024);

  let reached = false;
  socket.once("connect", () => {
    reached = true;
  });
  const deadline = AbortSignal.timeout(connectTimeoutMs);
  const either = signal ? AbortSignal.any([signal, deadline]) : deadline;
  const stop = () => socket.destroy();
  either.addEventListener("abort", stop, { once: true });
  try {
    await client.connect();
    // By a statement, since poolers do not pass on unknown start-up parameters.
    if (statementTimeoutMs !== null) {
      await client.query(`set statement_timeout = ${Math.trunc(statementTimeoutMs)}`);
    }
    return client;
  } catch (error) {
    socket.destroy();
    signal?.throwIfAborted();
    if (!reached) throw new OutboundUnreachableError(target.host, target.port, error);
    if (deadline.aborted) throw new DatabaseSilentError(target);
    throw connectFailure(error, target);
  } finally {
    either.removeEventListener("abort", stop);
  }
}
