import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import { createDb, type Db } from "#db/index.ts";

/** A fresh, migrated database of its own, and the ways into it. */
export interface TestDatabase {
  name: string;
  adminUrl: string;
  databaseUrl: string;
  authDatabaseUrl: string;
  jobsDatabaseUrl: string;
  /** As the application connects. */
  db: Db;
  /** As the superuser: for looking and for planting. */
  admin: pg.Pool;
  /** Shifts `berth_now()` by an interval such as `2 hours`, from now on. */
  shiftClock(interval: string): Promise<void>;
  drop(): Promise<void>;
}

/** Clones the migrated template: a few tens of milliseconds. Drop it in `afterAll`. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { host, passwords } = inject("berthPostgres");
  const name = `test_${randomBytes(6).toString("hex")}`;
  const url = (user: string, database: string) =>
    `postgresql://${user}:${passwords[user]}@${host}/${database}`;
  const once = async (statement: string) => {
    const client = new pg.Client({ connectionString: url("postgres", "postgres") });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  };
  await once(`create database ${name} template berth_template`);
  const admin = new pg.Pool({ connectionString: url("postgres", name), max: 4 });
  admin.on("error", () => {});
  const db = createDb(url("berth_app", name), {
    max: 20,
    applicationName: "berth-test",
    onError: () => {},
  });
  return {
    name,
    adminUrl: url("postgres", name),
    databaseUrl: url("berth_app", name),
    authDatabaseUrl: url("berth_auth", name),
    jobsDatabaseUrl: url("berth_jobs", name),
    db,
    admin,
    async shiftClock(interval) {
      await admin.query(
        `insert into berth_test_clock (shift) values ($1)
         on conflict (singleton) do update set shift = excluded.shift`,
        [interval],
      );
    },
    async drop() {
      await db.$client.end();
      await admin.end();
      await once(`drop database if exists ${name} with (force)`);
    },
  };
}
