import { randomUUID } from "node:crypto";
import path from "node:path";
import type pg from "pg";
import { loadCatalog } from "#app/domain/catalog/index.server.ts";
import type { SqlStep } from "#app/integrations/postgres/ledger.ts";
import { openRunSession } from "#app/integrations/postgres/run-session.ts";
import { createLogger } from "#app/platform/log.ts";
import { type ProjectServer, prepareServer } from "../feature-templates/fresh-database.ts";
import { startBenchCluster } from "./cluster.ts";
import { atEnd } from "./ending.ts";
import { median, type Report } from "./report.ts";

const ROUNDS = 15;

/** The schema and policies files of every template, in the order of a run. */
async function allSteps(): Promise<SqlStep[]> {
  const catalog = await loadCatalog(path.join(import.meta.dirname, "../feature-templates"));
  const ordered = catalog.order(catalog.templates.map(({ name }) => name));
  return (["schema", "policies"] as const).flatMap((phase) =>
    ordered.flatMap((template) =>
      template.migrations
        // What cannot run in a transaction has no counterpart in the loop that it is held against.
        .filter((file) => file.phase === phase && file.transactional)
        .map(({ version, name, path: file, sql, checksum, transactional, statements }) => ({
          kind: "migration" as const,
          version,
          name,
          file,
          sql,
          checksum,
          template: template.name,
          templateVersion: template.version,
          transactional,
          statements,
        })),
    ),
  );
}

/** What a user would write: one multi-statement query per file, then its ledger row. No guards. */
async function bareLoop(connect: () => Promise<pg.Client>, steps: SqlStep[]): Promise<void> {
  const client = await connect();
  await client.query(`create schema supabase_migrations;
    create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text)`);
  for (const { sql, version, name, statements } of steps) {
    await client.query("begin");
    await client.query(sql);
    await client.query("insert into supabase_migrations.schema_migrations values ($1, $2, $3)", [
      version,
      statements.map((statement) => statement.sql),
      name,
    ]);
    await client.query("commit");
  }
  await client.end();
}

async function berthRunner(connect: () => Promise<pg.Client>, steps: SqlStep[]): Promise<void> {
  const session = await openRunSession({
    connect,
    backendId: randomUUID(),
    runId: randomUUID(),
    token: 1n,
    signal: new AbortController().signal,
    log: createLogger({ level: "silent" }),
  });
  await session.prepare();
  for (const step of steps) await session.apply(step);
  await session.close();
}

/** How long `work` takes on a fresh project's database, in milliseconds. */
async function time(
  server: ProjectServer,
  work: (connect: () => Promise<pg.Client>) => Promise<void>,
): Promise<number> {
  const owner = await server.createDatabase("2026-10");
  const connect = () => server.connectBeside(owner);
  const started = performance.now();
  await work(connect);
  return performance.now() - started;
}

/**
 * The runner with every guard on, against the bare loop over the same files, interleaved on one
 * local server with fsync on. Connections count in.
 */
export async function benchRunner(): Promise<Report> {
  const cluster = await startBenchCluster("supabase_admin");
  const server = await prepareServer(cluster.superuserUrl());
  atEnd(() => server.stop());
  const steps = await allSteps();
  const took: Record<"berth" | "bare", number[]> = { berth: [], bare: [] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    const bare = await time(server, (connect) => bareLoop(connect, steps));
    const berth = await time(server, (connect) => berthRunner(connect, steps));
    // The first round warms both sides up.
    if (round === 0) continue;
    took.bare.push(bare);
    took.berth.push(berth);
  }
  const statements = steps.reduce((sum, step) => sum + step.statements.length, 0);
  const label = `${steps.length} files, ${statements} statements`;
  const row = (side: string, times: number[]) => ({
    case: label,
    side,
    unit: "ms",
    median: median(times),
    n: ROUNDS,
  });
  const value = median(took.berth) / median(took.bare);
  return {
    bench: "runner",
    rows: [row("bare per-file loop", took.bare), row("berth, all guards", took.berth)],
    ratios: [{ name: "berth / bare loop", value, goal: "<= 1.15", ok: value <= 1.15 }],
  };
}
