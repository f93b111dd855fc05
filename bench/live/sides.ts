import { randomBytes, randomUUID } from "node:crypto";
import path from "node:path";
import pg from "pg";
import { loadCatalog, syncCatalog } from "#app/domain/catalog/index.server.ts";
import { newCustomerInput, submitRequest } from "#app/domain/onboarding/index.server.ts";
import { changePriority } from "#app/domain/queue/index.server.ts";
import { generateKey } from "#app/domain/vault/index.server.ts";
import { type Actor, asActor, createDb } from "#db/index.ts";
import { freePort } from "#local/cluster.ts";
import type { BerthDatabase } from "../cluster.ts";
import { SUPERVISOR } from "./people.ts";
import { type MeasuredServer, startServer } from "./processes.ts";

export const ROOT = path.join(import.meta.dirname, "../..");
/** Signs the sessions of the people who watch. */
export const APP_SECRET = randomBytes(48).toString("base64");
const LOCAL = "127.0.0.1";

/** Milliseconds of the machine's monotonic clock, which all processes share. */
const now = () => Number(process.hrtime.bigint()) / 1e6;

/** Commits a change that everybody sees. @returns the moment just before the commit */
export interface Changes {
  commit(n: number): Promise<number>;
  close(): Promise<void>;
}

/** A row changes, and its notification carries what is to be told. */
export async function bareChanges(database: BerthDatabase): Promise<Changes> {
  const client = new pg.Client({ connectionString: database.adminUrl });
  await client.connect();
  const requestId = randomUUID();
  await client.query("create table bare_requests (id uuid primary key, changes int not null)");
  await client.query("insert into bare_requests values ($1, 0)", [requestId]);
  return {
    async commit(n) {
      const told = JSON.stringify({ id: n + 1, requestId, kind: "priority_changed" });
      await client.query("begin");
      await client.query("update bare_requests set changes = changes + 1 where id = $1", [
        requestId,
      ]);
      await client.query("select pg_notify('bare_events', $1)", [told]);
      const begin = now();
      await client.query("commit");
      return begin;
    },
    close: () => client.end(),
  };
}

/** A request waits, and a supervisor changes its priority by the domain's own command. */
export async function berthChanges(database: BerthDatabase): Promise<Changes> {
  const db = createDb(database.databaseUrl, { applicationName: "bench", onError: () => {} });
  const actor: Actor = { kind: "api", id: SUPERVISOR, origin: "", correlationId: "bench" };
  const catalog = await loadCatalog(path.join(ROOT, "feature-templates"));
  await asActor(db, { ...actor, kind: "worker" }, (tx) => syncCatalog(tx, catalog));
  const wish = newCustomerInput.parse({
    company: "Harbour Bakery",
    contactName: "Ann Example",
    email: "ann@example.com",
    country: "DE",
    timezone: "Europe/Berlin",
    region: "eu-central-1",
    plan: "business",
    billingCycle: "monthly",
    features: ["pos"],
  });
  const { request } = await asActor(db, actor, (tx) => submitRequest({ tx, actor, catalog }, wish));
  return {
    commit: (n) =>
      asActor(db, actor, async (tx) => {
        await changePriority({ tx, actor }, request.id, n % 2 === 0 ? "high" : "low");
        return now();
      }),
    close: () => db.$client.end(),
  };
}

export async function startFloor(database: BerthDatabase): Promise<MeasuredServer> {
  return startServer({
    script: path.join(import.meta.dirname, "floor.ts"),
    port: await freePort(),
    env: { DATABASE_URL: database.adminUrl },
  });
}

/** The web process as `npm run web` starts it. */
export async function startBerth(database: BerthDatabase): Promise<MeasuredServer> {
  const port = await freePort();
  return startServer({
    script: path.join(ROOT, "app", "server.ts"),
    port,
    env: {
      HOST: LOCAL,
      PUBLIC_URL: `http://${LOCAL}:${port}`,
      DATABASE_URL: database.databaseUrl,
      AUTH_DATABASE_URL: database.authDatabaseUrl,
      JOBS_DATABASE_URL: database.jobsDatabaseUrl,
      ENCRYPTION_KEYS: generateKey(new Date()),
      APP_SECRET,
      SMTP_URL: `smtp://bench:${randomUUID()}@${LOCAL}:9`,
      MAIL_FROM: "berth@berth.localhost",
      STAFF_MAIL: "staff@berth.localhost",
      LOG_LEVEL: "warn",
      FEATURE_TEMPLATES_DIR: path.join(ROOT, "feature-templates"),
    },
  });
}
