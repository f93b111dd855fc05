/**
 * Vitest global set-up: one real PostgreSQL for all test files of a project, holding a migrated
 * template database that each file clones.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestProject } from "vitest/node";
import { clusterRoot, freePort, initCluster, startCluster } from "#local/cluster.ts";
import { migrate } from "../../scripts/migrate.ts";

declare module "vitest" {
  interface ProvidedContext {
    berthPostgres: { host: string; passwords: Record<string, string> };
  }
}

const passwords = {
  postgres: "test-superuser",
  berth_app: "test-app",
  berth_auth: "test-auth",
  berth_jobs: "test-jobs",
};

export default async function setup(project: TestProject) {
  const scratch = await mkdtemp(path.join(tmpdir(), "berth-test-"));
  const root = await clusterRoot(scratch);
  const dataDir = path.join(root, "postgres");
  const superuser = { superuser: "postgres", password: passwords.postgres };
  await initCluster({ dataDir, ...superuser });
  const cluster = await startCluster({
    dataDir,
    port: await freePort(),
    ...superuser,
    settings: { fsync: "off", max_connections: "200" },
  });
  const host = `127.0.0.1:${cluster.port}`;
  const url = (user: keyof typeof passwords, database: string) =>
    `postgresql://${user}:${passwords[user]}@${host}/${database}`;

  const { default: pg } = await import("pg");
  const admin = new pg.Client({ connectionString: url("postgres", "postgres") });
  await admin.connect();
  await admin.query("create database berth_template");
  await admin.end();
  await migrate({
    adminUrl: url("postgres", "berth_template"),
    databaseUrl: url("berth_app", "berth_template"),
    authDatabaseUrl: url("berth_auth", "berth_template"),
    jobsDatabaseUrl: url("berth_jobs", "berth_template"),
    log: { info: () => {} },
  });
  project.provide("berthPostgres", { host, passwords });

  return async () => {
    await cluster.stop("immediate");
    await rm(root, { recursive: true, force: true });
    await rm(scratch, { recursive: true, force: true });
  };
}
