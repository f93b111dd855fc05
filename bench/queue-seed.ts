import path from "node:path";
import pg from "pg";
import { loadCatalog, syncCatalog } from "#app/domain/catalog/index.server.ts";
import { type Actor, asActor, createDb, type Db } from "#db/index.ts";
import type { BerthDatabase } from "./cluster.ts";

const CUSTOMERS = 100_000;
/** Between one arrival and the next, in seconds: a million make seven months. */
const ARRIVAL_EVERY = 18;
const HOUSE: Actor = { kind: "worker", id: "bench", origin: "", correlationId: "" };

/** A queue that has been worked off for a while: its people, its past, and those who wait. */
export interface SeededQueue {
  /** As a web process connects. */
  db: Db;
  /** As the superuser: for looking, and for what Berth itself would refuse. */
  admin: pg.Pool;
  staff: string[];
  close(): Promise<void>;
}

/**
 * Fills a fresh database with `requests` requests, of which the newest `waiting` wait, each with
 * its event and its clock. Rules that only judge changes (triggers, foreign keys) are off while this is
 * written; every index stays.
 */
export async function seedQueue(
  database: BerthDatabase,
  size: { requests: number; waiting: number; staff: number },
): Promise<SeededQueue> {
  const connection = { applicationName: "berth-bench", onError: () => {} };
  // As many connections as a web process has.
  const db = createDb(database.databaseUrl, { ...connection, max: 20 });
  const admin = new pg.Pool({ connectionString: database.adminUrl, max: 2 });
  admin.on("error", () => {});
  // Checkpoints in the middle of a million rows double the time.
  await admin.query("alter system set max_wal_size = '8GB'");
  await admin.query("select pg_reload_conf()");
  const catalog = await loadCatalog(path.join(import.meta.dirname, "../feature-templates"));
  await asActor(db, HOUSE, (tx) => syncCatalog(tx, catalog));
  await admin.query(PEOPLE(size.staff));
  await admin.query(REQUESTS(size));
  await admin.query("vacuum analyze");
  await admin.query("checkpoint");
  return {
    db,
    admin,
    staff: Array.from({ length: size.staff }, (_, index) => `staff-${index + 1}`),
    async close() {
      await db.$client.end();
      await admin.end();
    },
  };
}

const PEOPLE = (staff: number) => `
  begin;
  set local session_replication_role = replica;
  insert into auth."user" (id, name, email, email_verified)
    select 'staff-' || i, 'Staff ' || i, 'staff-' || i || '@berth.example', true from generate_series(1, ${staff}) i;
  insert into admin_users (user_id, role) select 'staff-' || i, 'admin' from generate_series(1, ${staff}) i;
  insert into auth."user" (id, name, email, email_verified)
    select 'customer-' || i, 'Ann ' || i, 'ann-' || i || '@example.com', true from generate_series(1, ${CUSTOMERS}) i;
  insert into customers (id, user_id, company, contact_name, email, country, timezone)
    select ('c0000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, 'customer-' || i, 'Company ' || i, 'Ann ' || i,
      'ann-' || i || '@example.com', 'DE', 'Europe/Berlin'
    from generate_series(1, ${CUSTOMERS}) i;
  commit`;

const REQUESTS = ({ requests, waiting }: { requests: number; waiting: number }) => `
  begin;
  set local session_replication_role = replica;
  with arrival as (
    select i, i > ${requests - waiting} as waits,
      date_trunc('second', now()) - (${requests} - i) * interval '${ARRIVAL_EVERY} seconds' as at
    from generate_series(1, ${requests}) i
  ), target as (
    select plan_id, priority, hours, row_number() over (order by plan_id, priority) - 1 as nr,
      count(*) over () as all_targets
    from plan_targets
  )
  insert into provisioning_queue (id, customer_id, plan_id, billing_cycle, region, features, priority, status, version,
    due_at, assignee_id, lease_token, created_at, updated_at, ended_at)
  select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008' || lpad(to_hex(i), 15, '0'))::uuid,
    ('c0000000-0000-7000-8000-' || lpad(to_hex(1 + i % ${CUSTOMERS}), 12, '0'))::uuid,
    plan_id, 'monthly', 'eu-central-1', '{base,pos}', priority,
    case when waits then 'pending' else 'completed' end, case when waits then 1 else 5 end,
    at + hours * interval '1 hour', case when waits then null else 'staff-1' end, case when waits then 0 else 1 end,
    at, case when waits then at else at + interval '1 hour' end, case when waits then null else at + interval '1 hour' end
  from arrival join target on nr = i % all_targets;
  insert into request_events (request_id, kind, at, actor_kind, actor_id)
    select id, 'received', created_at, 'customer', 'bench' from provisioning_queue where status = 'pending';
  insert into request_clock_segments (request_id, kind, started_at)
    select id, 'running', created_at from provisioning_queue where status = 'pending';
  commit`;
