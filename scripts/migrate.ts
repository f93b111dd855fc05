import { createHash, createHmac, pbkdf2Sync, randomBytes, randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate as applyMigrations } from "drizzle-orm/node-postgres/migrator";
import pg from "pg";
import { PgBoss } from "pg-boss";
import { parseMigrationEnv } from "#app/platform/env.ts";
import { jobContracts } from "#app/platform/jobs/contracts.ts";

const MIGRATIONS = fileURLToPath(new URL("../migrations", import.meta.url));

/** Any number of processes may migrate a database at once: all but one wait for this lock. */
const MIGRATION_LOCK = 7_210_001;

/** Roles that only carry privileges. `berth_owner` owns every table; the others are chosen per transaction. */
const GROUP_ROLES = [
  "berth_owner",
  "berth_customer",
  "berth_staff",
  "berth_worker",
  "berth_api",
] as const;

export interface MigrateOptions {
  /** A login that may create roles and schemas in Berth's own database. */
  adminUrl: string;
  /** Logins `berth_app`, `berth_auth` and `berth_jobs`: their passwords become what these URLs say. */
  databaseUrl: string;
  authDatabaseUrl: string;
  jobsDatabaseUrl: string;
  log: { info: (message: string) => void };
}

/**
 * Brings Berth's own database to the newest form: roles, the job engine's schema, tables, rules.
 * Safe to repeat, and safe beside another one. Throws what PostgreSQL says.
 */
export async function migrate(options: MigrateOptions): Promise<void> {
  const admin = new pg.Client({ connectionString: options.adminUrl });
  admin.on("error", () => {});
  await admin.connect();
  try {
    await admin.query("select pg_advisory_lock($1)", [MIGRATION_LOCK]);
    await ensureRoles(admin, options);
    await ensureJobEngine(admin, options.jobsDatabaseUrl);
    await admin.query("set role berth_owner");
    await applyMigrations(drizzle(admin), { migrationsFolder: MIGRATIONS });
    await admin.query("reset role");
    options.log.info("Berth's database is up to date.");
  } finally {
    await admin.end();
  }
}

/** The SQLSTATEs of "somebody else was quicker", on the catalogues that a cluster's databases share. */
const CLASHES = new Set(["XX000", "23505", "42710", "40001", "40P01"]);
const ATTEMPTS = 20;

/**
 * Roles belong to the whole cluster, and PostgreSQL has no lock that spans its databases: where two
 * of them are migrated at once, the slower one starts again and finds the quicker one's work.
 */
async function ensureRoles(admin: pg.Client, options: MigrateOptions): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await admin.query("begin");
      await ensureLogins(admin, options);
      await ensurePrivileges(admin);
      await admin.query("commit");
      return;
    } catch (error) {
      await admin.query("rollback").catch(() => {});
      const clash = error instanceof pg.DatabaseError && CLASHES.has(error.code ?? "");
      if (!clash || attempt === ATTEMPTS) throw error;
      await sleep(randomInt(20, 200));
    }
  }
}

async function ensureLogins(admin: pg.Client, options: MigrateOptions): Promise<void> {
  const { rows } = await admin.query<{ name: string; asWished: boolean }>(
    `select rolname as name, rolcanlogin and not rolinherit as "asWished" from pg_roles`,
  );
  const existing = new Map(rows.map(({ name, asWished }) => [name, asWished]));
  for (const role of GROUP_ROLES) {
    if (!existing.has(role)) await admin.query(`create role ${role} nologin`);
  }
  const logins = [
    { role: "berth_app", url: options.databaseUrl },
    { role: "berth_auth", url: options.authDatabaseUrl },
    { role: "berth_jobs", url: options.jobsDatabaseUrl },
  ];
  for (const { role, url } of logins) {
    const { username, password } = new URL(url);
    if (decodeURIComponent(username) !== role) {
      throw new Error(`The connection string for ${role} names another user. Use ${role}.`);
    }
    if (existing.get(role) && (await passwordIsAccepted(url))) continue;
    const verb = existing.has(role) ? "alter" : "create";
    const verifier = scramVerifier(decodeURIComponent(password));
    await admin.query(`${verb} role ${role} login noinherit password '${verifier}'`);
  }
}

/**
 * Whether the server lets this connection string in because of its password: a server that asked
 * for none (`trust`) proves nothing.
 */
async function passwordIsAccepted(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on("error", () => {});
  let asked = false;
  client.connection.once("authenticationSASL", () => {
    asked = true;
  });
  try {
    await client.connect();
    return asked;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * What PostgreSQL stores of a password (RFC 5803's fields, by RFC 5802 and 7677), computed here
 * because statements end in logs: the server stores a verifier as it stands.
 */
function scramVerifier(password: string): string {
  const iterations = 4096;
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(saslPrep(password), salt, iterations, 32, "sha256");
  const keyOf = (name: string) => createHmac("sha256", salted).update(name).digest();
  const storedKey = createHash("sha256").update(keyOf("Client Key")).digest("base64");
  const serverKey = keyOf("Server Key").toString("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}

/** The mappings of RFC 4013, which drivers apply to a password before they prove it. */
function saslPrep(password: string): string {
  return password
    .replace(/[\p{Zs}\u200B]/gu, " ")
    .replace(
      /\u00AD|\u034F|\u1806|[\u180B-\u180D]|\u200C|\u200D|\u2060|[\uFE00-\uFE0F]|\uFEFF/g,
      "",
    )
    .normalize("NFKC");
}

/**
 * Grants only what is missing. Repeated as the database's owner, a grant to berth_owner would be
 * taken as made by berth_owner itself, since the owner is its member, and refused (0LP01).
 */
async function ensurePrivileges(admin: pg.Client): Promise<void> {
  const grants: { held: string; statement: string }[] = [];
  const membership = (group: string, member: string, name: string) =>
    grants.push({
      // Since PostgreSQL 16 whoever makes a role is its member without the right to become it.
      held: `pg_has_role(${name}, '${group}', case when current_setting('server_version_num')::int < 160000 then 'MEMBER' else 'SET' end)`,
      statement: `grant ${group} to ${member}`,
    });
  for (const group of ["berth_customer", "berth_staff", "berth_worker", "berth_api"]) {
    membership(group, "berth_app", "'berth_app'");
  }
  for (const group of ["berth_owner", "berth_jobs"]) {
    membership(group, "current_user", "current_user");
  }
  const { rows } = await admin.query<{ name: string }>("select current_database() as name");
  const database = admin.escapeIdentifier(rows[0]?.name ?? "");
  grants.push(
    {
      held: "has_database_privilege('berth_owner', current_database(), 'CREATE')",
      statement: `grant create on database ${database} to berth_owner`,
    },
    {
      held: "has_schema_privilege('berth_owner', 'public', 'USAGE WITH GRANT OPTION')",
      statement: "grant usage on schema public to berth_owner with grant option",
    },
    {
      held: "has_schema_privilege('berth_owner', 'public', 'CREATE')",
      statement: "grant create on schema public to berth_owner",
    },
  );
  // First, so that what everybody may do is not taken for a privilege of berth_owner's own.
  await admin.query("revoke all on schema public from public");
  for (const { held, statement } of grants) {
    const answer = await admin.query<{ held: boolean }>(`select ${held} as held`);
    if (!answer.rows[0]?.held) await admin.query(statement);
  }
  await admin.query("create schema if not exists pgboss authorization berth_jobs");
}

async function ensureJobEngine(admin: pg.Client, jobsDatabaseUrl: string): Promise<void> {
  const boss = new PgBoss({
    connectionString: jobsDatabaseUrl,
    createSchema: false,
    supervise: false,
    schedule: false,
    max: 2,
  });
  boss.on("error", () => {});
  await boss.start();
  try {
    for (const { name, queue } of jobContracts) {
      await boss.createQueue(name, { ...queue, notify: true });
      await boss.updateQueue(name, { ...queue, notify: true });
    }
  } finally {
    await boss.stop({ graceful: false });
  }
  await admin.query("set role berth_jobs");
  await admin.query("grant usage on schema pgboss to berth_owner");
  await admin.query("grant select on pgboss.queue to berth_owner");
  await admin.query("grant select, insert on pgboss.job to berth_owner");
  await admin.query("reset role");
}

if (import.meta.main) {
  try {
    const { migrationDatabaseUrl, ...urls } = parseMigrationEnv(process.env);
    const log = { info: (message: string) => void process.stdout.write(`${message}\n`) };
    await migrate({ ...urls, adminUrl: migrationDatabaseUrl, log });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : "It failed."}\n`);
    process.exit(1);
  }
}
