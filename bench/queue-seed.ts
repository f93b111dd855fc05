import type pg from "pg";
import type { Db } from "#db/index.ts";
import { type BerthDatabase, connect, fillCatalog, openDb } from "./database.ts";

const CUSTOMERS = 100_000;
/** One every 18 seconds: a million make seven months. */
const STEADY = (requests: number) =>
  `date_trunc('second', now()) - (${requests} - i) * interval '18 seconds'`;

/** A queue that has been worked off for a while: its people, its past, and those who wait. */
export interface SeededQueue {
  db: Db;
  /** As the superuser. */
  admin: pg.Client;
  staff: string[];
}

interface Size {
  requests: number;
  waiting: number;
  staff: number;
  /** In SQL: when the i-th arrived, whose promise is of so many `hours`. At a steady pace unless told. */
  arrival?: string;
}

/**
 * Fills a fresh database with `requests` requests, of which the newest `waiting` wait, each with
 * its event and its clock. Rules that only judge changes (triggers, foreign keys) are off while this is
 * written; every index stays.
 */
export async function seedQueue(database: BerthDatabase, size: Size): Promise<SeededQueue> {
  const db = openDb(database);
  const admin = await connect(database.adminUrl);
  // Checkpoints in the middle of a million rows double the time.
  await admin.query("alter system set max_wal_size = '8GB'");
  await admin.query("select pg_reload_conf()");
  await fillCatalog(db);
  await admin.query(PEOPLE(size.staff));
  await admin.query(REQUESTS(size));
  await admin.query("vacuum analyze");
  await admin.query("checkpoint");
  const staff = Array.from({ length: size.staff }, (_, index) => `staff-${index + 1}`);
  return { db, admin, staff };
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

const REQUESTS = ({ requests, waiting, arrival = STEADY(requests) }: Size) => `
  begin;
  set local session_replication_role = replica;
  with target as (
    select plan_id, priority, hours, row_number() over (order by plan_id, priority) - 1 as nr,
      count(*) over () as all_targets
    from plan_targets
  ), arrival as (
    select target.*, i, i > ${requests - waiting} as waits, ${arrival} as at
    from generate_series(1, ${requests}) i join target on nr = i % all_targets
  )
  insert into provisioning_queue (id, customer_id, plan_id, billing_cycle, region, features, priority, status, version,
    due_at, assignee_id, lease_token, created_at, updated_at, ended_at)
  select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008' || lpad(to_hex(i), 15, '0'))::uuid,
    ('c0000000-0000-7000-8000-' || lpad(to_hex(1 + i % ${CUSTOMERS}), 12, '0'))::uuid,
    plan_id, 'monthly', 'eu-central-1', '{base,pos}', priority,
    case when waits then 'pending' else 'completed' end, case when waits then 1 else 5 end,
    at + hours * interval '1 hour', case when waits then null else 'staff-1' end, case when waits then 0 else 1 end,
    at, case when waits then at else at + interval '1 hour' end, case when waits then null else at + interval '1 hour' end
  from arrival;
  insert into request_events (request_id, kind, at, actor_kind, actor_id)
    select id, 'received', created_at, 'customer', 'bench' from provisioning_queue where status = 'pending';
  insert into request_clock_segments (request_id, kind, started_at)
    select id, 'running', created_at from provisioning_queue where status = 'pending';
  commit`;
