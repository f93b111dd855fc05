import { randomUUID } from "node:crypto";
import type pg from "pg";
import type { SqlStep } from "#app/integrations/postgres/ledger.ts";
import { preflight } from "#app/integrations/postgres/preflight.ts";
import { openRunSession, type RunSession } from "#app/integrations/postgres/run-session.ts";
import { joinStatements, literal } from "#app/integrations/postgres/script.ts";
import { surveyDatabase } from "#app/integrations/postgres/survey.ts";
import { createLogger } from "#app/platform/log.ts";

export type Connect = (applicationName: string) => Promise<pg.Client>;

const LEDGER = `create schema supabase_migrations;
create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text)`;

const ledgerRow = ({ version, name, statements }: SqlStep) => `insert into
supabase_migrations.schema_migrations (version, statements, name) values (${literal(version)},
array[${statements.map(({ sql }) => literal(sql)).join(", ")}], ${literal(name)})`;

/** What a user would write: a transaction of two queries for each file, the file and its ledger row. */
export async function bareLoop(connect: Connect, steps: SqlStep[]): Promise<void> {
  const client = await connect("bare");
  await client.query(LEDGER);
  for (const step of steps) {
    await client.query(joinStatements(["begin", step.sql]));
    await client.query(joinStatements([ledgerRow(step), "commit"]));
  }
  await client.end();
}

/** The least there can be: a simple query is a transaction of its own. */
export async function bareLoopInOneQuery(connect: Connect, steps: SqlStep[]): Promise<void> {
  const client = await connect("bare");
  await client.query(LEDGER);
  for (const step of steps) await client.query(joinStatements([step.sql, ledgerRow(step)]));
  await client.end();
}

const open = (connect: Connect): Promise<RunSession> =>
  openRunSession({
    connect,
    backendId: randomUUID(),
    runId: randomUUID(),
    token: 1n,
    signal: new AbortController().signal,
    log: createLogger({ level: "silent" }),
  });

async function applyAll(session: RunSession, steps: SqlStep[]): Promise<void> {
  await session.prepare();
  for (const step of steps) await session.apply(step);
  await session.close();
}

/** Berth's runner with every guard on. */
export async function berthRunner(connect: Connect, steps: SqlStep[]): Promise<void> {
  await applyAll(await open(connect), steps);
}

/** The same with what a run looks at before it writes anything. */
export async function berthRun(connect: Connect, steps: SqlStep[]): Promise<void> {
  const session = await open(connect);
  await session.read("the survey", surveyDatabase);
  await preflight(session, { minimumPostgres: 15 });
  await applyAll(session, steps);
}
