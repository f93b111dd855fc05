import { randomBytes } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { type Actor, createDb } from "#db/index.ts";
import { createTestDatabase, type TestDatabase } from "../../tests/support/database.ts";
import { requireCurrentSchema } from "./schema-version.server.ts";

const boot: Actor = { kind: "worker", id: "boot", origin: "", correlationId: "" };
const { host, passwords } = inject("berthPostgres");
const url = (user: string, password: string | undefined, database: string) =>
  `postgresql://${user}:${password}@${host}/${database}`;
const bare = `bare_${randomBytes(6).toString("hex")}`;

let base: TestDatabase;

/** The sentence with which a process would die. */
async function lastWords(databaseUrl: string, actor = boot): Promise<string> {
  const db = createDb(databaseUrl, { applicationName: "t", onError: () => {} });
  try {
    await requireCurrentSchema(db, actor);
    return "it starts";
  } catch (error) {
    return (error as Error).message;
  } finally {
    await db.$client.end();
  }
}

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({
    connectionString: url("postgres", passwords.postgres, "postgres"),
  });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

beforeAll(async () => {
  base = await createTestDatabase();
  await onServer(`create database ${bare}`);
});
afterAll(async () => {
  await base.drop();
  await onServer(`drop database if exists ${bare} with (force)`);
});

it("lets a process start on a migrated database", async () => {
  expect(await lastWords(base.databaseUrl)).toBe("it starts");
});

it("sends whoever has not migrated to `npm run migrate`", async () => {
  expect(await lastWords(url("berth_app", passwords.berth_app, bare))).toContain(
    "Run `npm run migrate`.",
  );
});

it("does the same on a cluster without Berth's roles", async () => {
  const stranger = `stranger_${randomBytes(4).toString("hex")}`;
  const db = createDb(base.databaseUrl, { applicationName: "t", onError: () => {} });
  // The role's absence cannot be had beside the other test files: its error can.
  await base.admin.query(`
    create or replace function berth_schema_version() returns integer language plpgsql as
      $$ begin perform set_config('role', '${stranger}', true); return 0; end $$`);
  await expect(requireCurrentSchema(db, boot)).rejects.toThrow("Run `npm run migrate`.");
  await db.$client.end();
});

it("names DATABASE_URL without its password when PostgreSQL refuses it", async () => {
  const words = await lastWords(url("berth_app", "not-the-password", base.name));
  expect(words).toContain(`DATABASE_URL (postgresql://berth_app@${host}/${base.name})`);
  expect(words).not.toContain("not-the-password");
});

it("names DATABASE_URL without its password when there is no such database", async () => {
  const words = await lastWords(url("berth_app", passwords.berth_app, "nowhere"));
  expect(words).toContain(`DATABASE_URL (postgresql://berth_app@${host}/nowhere)`);
  expect(words).not.toContain(passwords.berth_app);
});
