import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type CustomerServer,
  startCustomerServer,
} from "../../../tests/support/customer-database.ts";
import { surveyDatabase } from "./survey.ts";

let server: CustomerServer;
beforeAll(async () => {
  server = await startCustomerServer();
});
afterAll(() => server?.stop());

async function withDatabase<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await server.connect(await server.createDatabase());
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

describe("a survey of a customer's database", () => {
  it("finds a fresh one fresh, whatever the platform keeps there", async () => {
    await withDatabase(async (client) => {
      await client.query(
        "create schema auth; create table auth.users (id uuid primary key, of uuid references auth.users)",
      );
      const survey = await surveyDatabase(client);
      expect(survey).toMatchObject({
        ledger: [],
        isFresh: true,
        existing: ["auth.users"],
        indexes: { "auth.users_pkey": "auth.users" },
        references: [
          {
            name: "users_of_fkey",
            from: "auth.users",
            columns: ["of"],
            to: "auth.users",
            targets: ["id"],
          },
        ],
      });
      expect(survey.serverVersion).toMatch(/^\d+/);
      expect(survey.serverVersion).toContain(String(survey.serverMajor));
    });
  });

  it("is not fresh with a table of the customer's in any schema of its own", async () => {
    await withDatabase(async (client) => {
      await client.query("create schema app; create table app.notes (id int)");
      expect(await surveyDatabase(client)).toMatchObject({
        isFresh: false,
        existing: ["app.notes"],
      });
    });
  });

  it.each([
    "create function public.f() returns int language sql as 'select 1'",
    "create view public.v as select 1",
    "create type public.level as enum ('low')",
  ])("is not fresh after: %s", async (sql) => {
    await withDatabase(async (client) => {
      await client.query("create extension pgcrypto");
      expect(await surveyDatabase(client)).toMatchObject({ isFresh: true });
      await client.query(sql);
      expect(await surveyDatabase(client)).toMatchObject({ isFresh: false });
    });
  });

  it("tells both halves of the ledger as one, and which half is silent", async () => {
    await withDatabase(async (client) => {
      await client.query(`
        create schema berth;
        create table berth.ledger (version text primary key, template text not null,
          template_version text not null, checksum text not null, run_id text not null,
          applied_at timestamptz not null default now());
        create schema supabase_migrations;
        create table supabase_migrations.schema_migrations
          (version text primary key, statements text[], name text);
        insert into berth.ledger values ('20260101000100', 'base', '1.0.0', 'abc', 'run-1', '2026-01-02'),
          ('seed:base', 'base', '1.0.0', 'def', 'run-1', '2026-01-03'),
          ('20260101000200', 'base', '1.0.0', 'ghi', 'run-1', '2026-01-04');
        insert into supabase_migrations.schema_migrations (version, name)
          values ('20260101000100', 'start'), ('20250101000000', 'theirs')`);
      const { ledger, isFresh, unlisted } = await surveyDatabase(client);
      expect(isFresh).toBe(false);
      expect(unlisted).toEqual(["20260101000200"]);
      expect(ledger).toEqual([
        {
          version: "20250101000000",
          name: "theirs",
          template: null,
          templateVersion: null,
          checksum: null,
          runId: null,
          appliedAt: null,
        },
        {
          version: "20260101000100",
          name: "start",
          template: "base",
          templateVersion: "1.0.0",
          checksum: "abc",
          runId: "run-1",
          appliedAt: expect.any(Date),
        },
        expect.objectContaining({ version: "seed:base", name: null, checksum: "def" }),
        expect.objectContaining({ version: "20260101000200", checksum: "ghi" }),
      ]);
    });
  });

  it("writes nothing, and leaves no transaction open behind a refusal", async () => {
    await withDatabase(async (client) => {
      // Somebody else's table of that name.
      await client.query("create schema berth; create table berth.ledger (version text)");
      await expect(surveyDatabase(client)).rejects.toMatchObject({ sqlstate: "42703" });
      const { rows } = await client.query("select pg_current_xact_id_if_assigned() as xid");
      expect(rows).toEqual([{ xid: null }]);
      await client.query("create table written (id int)");
    });
  });
});
