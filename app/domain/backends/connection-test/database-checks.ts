import { connectToCustomer } from "#app/integrations/postgres/connect.ts";
import {
  DatabaseLoginError,
  DatabasePasswordError,
  DatabaseTenantError,
} from "#app/integrations/postgres/connect-errors.ts";
import { type DatabaseTarget, parseDatabaseUrl } from "#app/integrations/postgres/dsn.ts";
import { BerthError } from "#app/platform/errors.ts";
import {
  OutboundNameError,
  OutboundTlsError,
  OutboundUnreachableError,
} from "#app/platform/outbound/errors.ts";
import type { OutboundGuard } from "#app/platform/outbound/guard.ts";
import { type Check, type CheckName, failed, failedBy, notChecked, passed } from "./checks.ts";
import { type DatabaseFacts, probeDatabase } from "./database-probe.ts";

const transactionPoolerPort = 6543;
const oldestVersion = 15;
const insideLines: CheckName[] = [
  "database-privileges",
  "database-version",
  "schema-empty-or-ours",
];
const connectLines: CheckName[] = ["database-reachable", "database-tls", "database-login"];

/** What the database's part of the test has learnt. */
export interface DatabaseFindings {
  /** `null` if the connection string cannot be used. */
  target: DatabaseTarget | null;
  facts: DatabaseFacts | null;
}

function checkPooler({ port }: DatabaseTarget): Check {
  const name = "not-transaction-pooler";
  if (port !== transactionPoolerPort) return passed(name, `port ${port}`);
  return failed(
    name,
    "port 6543 is the transaction pooler",
    "one session for the whole migration: locks and settings must outlive a transaction",
    "Copy the session pooler's connection string (port 5432) from Supabase → Connect.",
  );
}

/** Which of the lines about connecting fails, and what that means for those after it. */
function sayFailure(error: unknown, target: DatabaseTarget, say: (check: Check) => void): void {
  let line: CheckName = "database-reachable";
  if (error instanceof OutboundTlsError) line = "database-tls";
  const refused = [DatabasePasswordError, DatabaseTenantError, DatabaseLoginError];
  if (refused.some((kind) => error instanceof kind)) line = "database-login";

  const place = connectLines.indexOf(line);
  for (const before of connectLines.slice(0, place)) {
    say(passed(before, before === "database-tls" ? "encrypted and verified" : "a server answers"));
  }
  const check = failedBy(line, error);
  const gone = error instanceof OutboundUnreachableError || error instanceof OutboundNameError;
  if (gone && /^db\.[a-z]{20}\.supabase\.co$/.test(target.host)) {
    // Direct hosts have an IPv6 address only, unless the project has bought another.
    check.fix =
      "Use the session pooler's connection string from Supabase → Connect: the direct address works over IPv6 alone. If the project is paused, restore it.";
  }
  say(check);
  for (const after of [...connectLines.slice(place + 1), ...insideLines]) {
    say(notChecked(after, `the database cannot be used (see ${line})`));
  }
}

function checkPrivileges({ missing }: DatabaseFacts): Check {
  const name = "database-privileges";
  if (missing.length === 0) return passed(name, "everything that the templates need");
  return failed(
    name,
    `the user may not ${missing.join(", nor ")}`,
    "a user that may do all of this",
    "Use the user “postgres” of a Supabase project.",
  );
}

function checkVersion({ versionNumber }: DatabaseFacts): Check {
  const found = `PostgreSQL ${Math.floor(versionNumber / 10_000)}.${versionNumber % 10_000}`;
  if (versionNumber >= oldestVersion * 10_000) return passed("database-version", found);
  return failed(
    "database-version",
    found,
    `PostgreSQL ${oldestVersion} or newer`,
    "Upgrade the project under Supabase → Settings → Infrastructure.",
  );
}

/** `ours`: Berth's ledger accounts for it; `empty`: nothing that could be in the way. */
export function schemaState(facts: DatabaseFacts): "empty" | "ours" | "foreign" {
  if (facts.foreignMigrations.count > 0) return "foreign";
  if ((facts.ledgerVersions ?? 0) > 0) return "ours";
  return facts.publicObjects.count > 0 ? "foreign" : "empty";
}

function checkSchema(facts: DatabaseFacts): Check {
  const name = "schema-empty-or-ours";
  const state = schemaState(facts);
  if (state === "empty") return passed(name, "the schema public is empty");
  if (state === "ours") {
    return passed(name, `Berth's own, ${facts.ledgerVersions} versions applied`);
  }
  const found: string[] = [];
  const { foreignMigrations: migrations, publicObjects: things } = facts;
  if (migrations.count > 0) {
    const count =
      migrations.count === 1 ? "1 migration that is" : `${migrations.count} migrations that are`;
    found.push(`${count} not Berth's (first ${migrations.first})`);
  }
  if (facts.ledgerVersions === null || facts.ledgerVersions === 0) {
    const more = things.count > things.some.length ? ", …" : "";
    if (things.count > 0) {
      const count = things.count === 1 ? "1 object" : `${things.count} objects`;
      found.push(`${count} in the schema public: ${things.some.join(", ")}${more}`);
    }
  }
  return failed(
    name,
    found.join("; "),
    "an empty schema public, or one that Berth made",
    "Use a new project, or move these objects elsewhere if nobody needs them here.",
  );
}

/** The lines about the database, from its connection string to what is in it. */
export async function checkDatabase(
  databaseUrl: string,
  deps: { guard: OutboundGuard; ca?: string; timeoutMs: number },
  say: (check: Check) => void,
): Promise<DatabaseFindings> {
  const findings: DatabaseFindings = { target: null, facts: null };
  const restUnchecked = (lines: CheckName[], why: string) => {
    for (const line of lines) say(notChecked(line, why));
  };
  try {
    const target = parseDatabaseUrl(databaseUrl);
    findings.target = target;
    say(checkPooler(target));
    // The port has its own line and reason; here the host alone is judged then.
    const transaction = target.port === transactionPoolerPort;
    deps.guard.checkDatabase(target.host, transaction ? 5432 : target.port);
    say(passed("database-url", `${target.host} port ${target.port}`));
    if (transaction) {
      restUnchecked([...connectLines, ...insideLines], "port 6543 is the transaction pooler");
      return findings;
    }
  } catch (error) {
    say(failedBy("database-url", error));
    const why = "the connection string cannot be used";
    if (!findings.target) say(notChecked("not-transaction-pooler", why));
    restUnchecked([...connectLines, ...insideLines], why);
    return findings;
  }

  const { target } = findings;
  let client: Awaited<ReturnType<typeof connectToCustomer>>;
  try {
    client = await connectToCustomer(target, {
      guard: deps.guard,
      ca: deps.ca,
      applicationName: "berth connection test",
      connectTimeoutMs: deps.timeoutMs,
      statementTimeoutMs: 5_000,
      maxAnswerBytes: 1024 * 1024,
    });
  } catch (error) {
    sayFailure(error, target, say);
    return findings;
  }
  say(passed("database-reachable", "a server answers"));
  say(passed("database-tls", "encrypted and verified"));
  say(passed("database-login", `signed in as ${target.user}`));
  try {
    const facts = await probeDatabase(client);
    findings.facts = facts;
    say(checkPrivileges(facts));
    say(checkVersion(facts));
    say(checkSchema(facts));
  } catch (error) {
    if (error instanceof BerthError) for (const line of insideLines) say(failedBy(line, error));
    else restUnchecked(insideLines, "the database did not answer Berth's questions; test again");
  } finally {
    await client.end().catch(() => {});
  }
  return findings;
}
