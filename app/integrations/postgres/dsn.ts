import { BerthError } from "#app/platform/errors.ts";

/** Where a customer's database is and how to sign in; read from what a person pasted. */
export interface DatabaseTarget {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  /** The project that the address names, or `null` if it names none. */
  ref: string | null;
  /** Whether a connection pooler stands between. */
  pooler: boolean;
}

/** The connection string cannot be used as it is. Never holds any of its text but the host. */
export class DatabaseUrlError extends BerthError {
  constructor(found: string, needed: string, fix: string) {
    super("database_url", `The connection string cannot be used: ${found}.`, {
      found,
      needed,
      fix,
    });
  }
}

const copyAgain =
  "Copy the session pooler's connection string from Supabase → Connect, and put the database password in it.";
const encode =
  "Write special characters of the password percent-encoded: @ as %40, # as %23, / as %2F, ? as %3F, % as %25.";

// All TLS modes mean the same here: encrypted, and the certificate and its name verified.
const allowedSslModes = ["require", "verify-ca", "verify-full"];

// One `@`, one host: what a lenient parser would resolve in its own way does not match at all.
const shape =
  /^postgres(?:ql)?:\/\/([^:@/?#\s]+):([^@/?#\s]*)@(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(?::([1-9]\d{0,4}))?\/([^/?#@\s]+)(?:\?([^#\s]*))?$/;

function decode(part: string, what: string, maxBytes: number): string {
  let text: string;
  try {
    text = decodeURIComponent(part);
  } catch {
    throw new DatabaseUrlError(`a “%” in the ${what} stands alone`, "percent-encoding", encode);
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is sought
  if (/[\u0000-\u001f\u007f]/.test(text)) {
    throw new DatabaseUrlError(`a control character in the ${what}`, "plain text", copyAgain);
  }
  if (text === "" || Buffer.byteLength(text) > maxBytes) {
    throw new DatabaseUrlError(
      text === "" ? `the ${what} is empty` : `the ${what} is too long`,
      `1 to ${maxBytes} bytes`,
      copyAgain,
    );
  }
  return text;
}

/** Nothing in the query may change what was checked (pg takes `host`, `port`, file names there). */
function checkOptions(query: string): void {
  const seen = new Set<string>();
  for (const pair of query.split("&").filter((part) => part !== "")) {
    const [name = "", ...rest] = pair.split("=");
    const value = rest.join("=");
    if (name !== "sslmode" || seen.has(name)) {
      throw new DatabaseUrlError(
        /^[a-z_]{1,30}$/i.test(name) ? `the option “${name}”` : "options after the “?”",
        "no options after the “?” (sslmode alone may stand there)",
        "Remove everything from the “?” on.",
      );
    }
    if (!allowedSslModes.includes(value)) {
      throw new DatabaseUrlError(
        "an sslmode that does not verify the connection",
        `sslmode=${allowedSslModes.join(", ")}, or none: Berth always verifies`,
        "Remove everything from the “?” on.",
      );
    }
    seen.add(name);
  }
}

/** Why the shape did not match, so that a person need not guess. */
function explain(text: string): DatabaseUrlError {
  if (!/^postgres(ql)?:\/\//.test(text)) {
    return new DatabaseUrlError(
      "it does not begin with postgresql://",
      "postgresql://user:password@host:port/database",
      copyAgain,
    );
  }
  const authority = text.slice(text.indexOf("//") + 2);
  if (authority.split("@").length > 2) {
    return new DatabaseUrlError("it holds more than one “@”", "one “@”, before the host", encode);
  }
  const host = authority.split("@")[1]?.split(/[/?#]/)[0] ?? "";
  if (host.includes(",")) {
    return new DatabaseUrlError("it names more than one host", "one host", copyAgain);
  }
  if (host.includes("%") || host === "") {
    return new DatabaseUrlError(
      "the host is no host name (sockets and files cannot be used)",
      "a host name after the “@”",
      copyAgain,
    );
  }
  return new DatabaseUrlError(
    "its parts are not where they should be",
    "postgresql://user:password@host:port/database",
    `${copyAgain} ${encode}`,
  );
}

function findRef(user: string, host: string): string | null {
  const inUser = /^[^.]+\.([a-z]{20})$/.exec(user)?.[1];
  const inHost = /^db\.([a-z]{20})\.supabase\.co$/.exec(host)?.[1];
  if (inUser && inHost && inUser !== inHost) {
    throw new DatabaseUrlError(
      `the user belongs to project ${inUser}, the host to ${inHost}`,
      "one project",
      copyAgain,
    );
  }
  // A pooler goes by the user; at a direct host only the host counts.
  return inHost ?? inUser ?? null;
}

/**
 * Reads a connection string into fields. It is stricter than `pg`, which lets `?host=` replace the
 * host and reads local files for `?sslrootcert=`; `pg` itself never sees the string.
 * @throws DatabaseUrlError
 */
export function parseDatabaseUrl(text: string): DatabaseTarget {
  if (text.length > 2_048) {
    throw new DatabaseUrlError("it is too long", "at most 2,048 characters", copyAgain);
  }
  if (text.includes("[YOUR-PASSWORD]")) {
    throw new DatabaseUrlError(
      "it still says [YOUR-PASSWORD]",
      "the database password in its place",
      `Replace [YOUR-PASSWORD] by the database password. ${encode}`,
    );
  }
  const match = text.isWellFormed() ? shape.exec(text.trim()) : null;
  if (!match) throw explain(text.trim());
  const [, user = "", password = "", rawHost = "", port = "5432", database = "", query = ""] =
    match;
  if (Number(port) > 65_535) {
    throw new DatabaseUrlError("the port is too large", "a port from 1 to 65535", copyAgain);
  }
  checkOptions(query);
  const host = rawHost.toLowerCase().replace(/^\[|\]$/g, "");
  const decodedUser = decode(user, "user name", 128);
  const ref = findRef(decodedUser, host);
  return {
    host,
    port: Number(port),
    user: decodedUser,
    password: decode(password, "password", 1_024),
    database: decode(database, "database name", 63),
    ref,
    pooler: /\.pooler\.supabase\.com$/.test(host) || /^[^.]+\.[a-z]{20}$/.test(decodedUser),
  };
}
