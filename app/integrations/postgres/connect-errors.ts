import pg from "pg";
import { BerthError } from "#app/platform/errors.ts";
import { OutboundTlsError } from "#app/platform/outbound/errors.ts";
import { tlsProblem } from "#app/platform/outbound/tls.ts";
import type { DatabaseTarget } from "./dsn.ts";

const settings = "Supabase → Settings → Database";

/** The server took the connection and then said nothing. */
export class DatabaseSilentError extends BerthError {
  constructor({ host, port }: DatabaseTarget) {
    super("database_silent", `${host} port ${port} accepted the connection but stays silent.`, {
      retryable: true,
      found: `${host} port ${port} accepts the connection but does not answer as a database`,
      needed: "a PostgreSQL server that answers",
      fix: `Compare host and port with ${settings}; if they are right, try again in a minute.`,
    });
  }
}

/** The connection ended before the sign-in was over. */
export class DatabaseClosedError extends BerthError {
  constructor({ host, port }: DatabaseTarget, cause: unknown) {
    super("database_closed", `${host} port ${port} hung up during sign-in.`, {
      retryable: true,
      found: `${host} port ${port} closes the connection during sign-in`,
      needed: "a PostgreSQL server that lets Berth sign in",
      fix: `Compare host and port with ${settings}; if they are right, try again in a minute.`,
      cause,
    });
  }
}

/** User or password are wrong (28P01). */
export class DatabasePasswordError extends BerthError {
  constructor(cause: unknown) {
    super("database_password", "The database refused the password.", {
      found: "the database refused the password",
      needed: "the database password of this project",
      fix: `Copy it again from ${settings}, or reset it there; then supply the credentials anew.`,
      cause,
    });
  }
}

/** The pooler knows no such project: it is paused or deleted, or lives at another pooler. */
export class DatabaseTenantError extends BerthError {
  constructor({ host, ref }: DatabaseTarget, cause: unknown) {
    const project = ref ?? "of this user";
    super("database_tenant", `The pooler ${host} does not know the project ${project}.`, {
      found: `the pooler ${host} does not know the project ${project}`,
      needed: "the pooler that serves the project, and a project that is running",
      fix: "Restore the project if it is paused; copy the session pooler's string again from Supabase → Connect (host names differ between regions and projects).",
      cause,
    });
  }
}

/** The server answered, and does not want this session for another reason. */
export class DatabaseLoginError extends BerthError {
  constructor(found: string, fix: string, retryable: boolean, cause: unknown) {
    super("database_login", `The database did not let Berth sign in: ${found}.`, {
      retryable,
      found,
      needed: "a session",
      fix,
      cause,
    });
  }
}

/** One answer of the server was larger than any real one. */
export class DatabaseAnswerTooLargeError extends BerthError {
  constructor(maxBytes: number) {
    super("database_answer_too_large", "The database's answer is too large to be a real one.", {
      found: `more than ${maxBytes} bytes in answer to one query`,
      needed: `at most ${maxBytes} bytes`,
      fix: "Check that the connection string is that of the project's own database.",
    });
  }
}

/** What PostgreSQL or the pooler says when it refuses a session. Its text is never passed on. */
function refusal(error: pg.DatabaseError, target: DatabaseTarget): BerthError {
  // Supavisor has worded this in two ways, both without a SQLSTATE of their own (XX000).
  if (/tenant.{0,80}not found/i.test(error.message)) return new DatabaseTenantError(target, error);
  const login = (found: string, fix: string, retryable = false) =>
    new DatabaseLoginError(found, fix, retryable, error);
  // The pooler's own limit comes as XX000 too; the server's is 53300.
  const code = /max clients reached/i.test(error.message) ? "53300" : error.code;
  switch (code) {
    case "28P01":
      return new DatabasePasswordError(error);
    case "28000":
      return login("the user may not sign in", `Copy the user name again from ${settings}.`);
    case "3D000":
      return login("there is no such database", "Use the database name “postgres”.");
    case "42501":
      return login("the user may not use this database", "Use the user “postgres”.");
    case "53300":
      return login(
        "all connections are taken",
        "Close some of the project's connections, then try again.",
        true,
      );
    case "57P01":
    case "57P02":
    case "57P03":
      return login(
        "the database is starting, stopping or paused",
        "Wait until the project is healthy in Supabase (restore it if it is paused), then try again.",
        true,
      );
    default:
      return login(
        `it refused the session (SQLSTATE ${/^[0-9A-Z]{5}$/.test(code ?? "") ? code : "unknown"})`,
        "Check in Supabase that the project is healthy, then copy the connection string again.",
      );
  }
}

/** Makes one of the classes above of whatever `pg`, TLS or the network said after TCP stood. */
export function connectFailure(error: unknown, target: DatabaseTarget): BerthError {
  if (error instanceof BerthError) return error;
  if (error instanceof pg.DatabaseError) return refusal(error, target);
  const problem = tlsProblem(error);
  if (problem) return new OutboundTlsError(target.host, problem, error);
  const message = error instanceof Error ? error.message : "";
  // pg has no classes for these; the words are those of its connection.js and sasl.js.
  if (message.includes("does not support SSL")) {
    return new OutboundTlsError(target.host, "the server offers no encryption", error);
  }
  if (message.includes("establishing an SSL connection")) {
    return new OutboundTlsError(target.host, "no PostgreSQL server answers there", error);
  }
  if (message.startsWith("SASL")) {
    return new DatabaseLoginError(
      "the server could not prove that it knows the password",
      `Compare the connection string with ${settings}.`,
      false,
      error,
    );
  }
  return new DatabaseClosedError(target, error);
}
