import { fileURLToPath } from "node:url";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate as applyMigrations } from "drizzle-orm/node-postgres/migrator";
import pg from "pg";
import { PgBoss } from "pg-boss";
import { parseMigrationEnv } from "#app/platform/env.ts";
import { jobContracts } from "#app/platform/jobs/contracts.ts";

const MIGRATIONS = fileURLToPath(new URL("../migrations", import.meta.url));

/** Any number of processes may migrate at once: all but one wait for this lock. */
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

async function ensureRoles(admin: pg.Client, options: MigrateOptions): Promise<void> {
  // Roles belong to the whole cluster: two databases of one cluster may be migrated at once.
  await admin.query("begin");
  await admin.query("select pg_advisory_xact_lock($1)", [MIGRATION_LOCK + 1]);
  const existing = new Set(
    (await admin.query<{ rolname: string }>("select rolname from pg_roles")).rows.map(
      (row) => row.rolname,
    ),
  );
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
    const verb = existing.has(role) ? "alter" : "create";
    const secret = admin.escapeLiteral(decodeURIComponent(password));
    await admin.query(`${verb} role ${role} login noinherit password ${secret}`);
  }
  await admin.query("grant berth_customer, berth_staff, berth_worker, berth_api to berth_app");
  await admin.query("grant berth_owner, berth_jobs to current_user");
  const { rows } = await admin.query<{ name: string }>("select current_database() as name");
  const database = admin.escapeIdentifier(rows[0]?.name ?? "");
  await admin.query(`grant create on database ${database} to berth_owner`);
  await admin.query("grant usage, create on schema public to berth_owner with grant option");
  await admin.query("revoke all on schema public from public");
  await admin.query("create schema if not exists pgboss authorization berth_jobs");
  await admin.query("commit");
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
