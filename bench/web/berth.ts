import { randomBytes, randomUUID } from "node:crypto";
import path from "node:path";
import pg from "pg";
import { loadCatalog, syncCatalog } from "#app/domain/catalog/index.server.ts";
import { addStaff, createAuth, setPassword, signIn } from "#app/domain/identity/index.server.ts";
import { type Actor, asActor, createDb, type Db } from "#db/index.ts";
import type { BerthDatabase } from "../cluster.ts";

const TEMPLATES = path.join(import.meta.dirname, "../../feature-templates");
const HOUSE: Actor = { kind: "worker", id: "bench", origin: "", correlationId: "" };

/**
 * `count` requests that wait, spread over plans, priorities and regions. Of each promise between
 * nothing and four fifths are used up; a few dozen are late.
 */
export async function fillQueue({ adminUrl }: BerthDatabase, count: number): Promise<void> {
  const db = createDb(adminUrl, { applicationName: "bench", max: 1, onError: () => {} });
  const catalog = await loadCatalog(TEMPLATES);
  await asActor(db, HOUSE, (tx) => syncCatalog(tx, catalog));
  await db.$client.end();
  const client = new pg.Client(adminUrl);
  await client.connect();
  try {
    // Behind the domain's back, so without its rules.
    await client.query("set session_replication_role = replica");
    await client.query(`insert into auth."user" (id, name, email, email_verified)
      values ('customer', 'Ann Example', 'ann@company.example', true)`);
    await client.query(
      `with made as (
        insert into customers (id, user_id, company, contact_name, email, country, timezone)
        select gen_random_uuid(), 'customer', 'Company ' || n, 'Ann Example', 'ann@company.example',
          'DE', 'Europe/Berlin'
        from generate_series(1, $1::int) n returning id, substr(company, 9)::int as n),
      promises as (select *, row_number() over () - 1 as at, count(*) over () as kinds
        from plan_targets)
      insert into provisioning_queue (id, customer_id, plan_id, billing_cycle, region, features,
        priority, created_at, updated_at, due_at)
      select gen_random_uuid(), made.id, plan_id, 'monthly',
        (array['eu-central-1', 'us-east-1', 'ap-southeast-1'])[1 + n % 3], '{base}', priority, 
        begun, begun, begun + hours * interval '1 hour'
      from made join promises on at = n % kinds
        cross join lateral (select now() - interval '1 hour' * hours *
          case when n % 400 = 0 then 1.05 else 0.8 * n / $1 end as begun)`,
      [count],
    );
    await client.query("vacuum analyze");
  } finally {
    await client.end();
  }
}

/** The environment of `npm run web` in production, on this database. */
export function webEnvironment(
  { databaseUrl, authDatabaseUrl, jobsDatabaseUrl }: BerthDatabase,
  appSecret: string,
) {
  return (url: string, port: number): Record<string, string> => ({
    HOST: "127.0.0.1",
    PORT: String(port),
    PUBLIC_URL: url,
    DATABASE_URL: databaseUrl,
    AUTH_DATABASE_URL: authDatabaseUrl,
    JOBS_DATABASE_URL: jobsDatabaseUrl,
    ENCRYPTION_KEYS: `bench:${randomBytes(32).toString("base64")}`,
    APP_SECRET: appSecret,
    // Nothing of this is spoken to.
    SMTP_URL: `smtp://bench:${randomUUID()}@127.0.0.1:1`,
    MAIL_FROM: "berth@bench.invalid",
    STAFF_MAIL: "staff@bench.invalid",
    FEATURE_TEMPLATES_DIR: TEMPLATES,
  });
}

/** A member of the staff who signs in with a password. @returns the cookie of the session */
export async function signInStaff(
  { adminUrl }: BerthDatabase,
  appSecret: string,
  publicUrl: string,
): Promise<string> {
  const db: Db = createDb(adminUrl, { applicationName: "bench", max: 2, onError: () => {} });
  const auth = createAuth({
    db,
    appSecret,
    publicUrl,
    onError: (message, cause) => {
      throw new Error(message, { cause });
    },
  });
  try {
    const person = { email: "kim@berth.example", name: "Kim Example", role: "admin" as const };
    const password = randomUUID();
    const { userId } = await addStaff({ db, actor: { ...HOUSE, kind: "staff" } }, person);
    await setPassword(auth, userId, password, { addressProven: true });
    const answer = await signIn(auth, { email: person.email, password }, new Headers());
    return answer
      .getSetCookie()
      .map((cookie) => cookie.split(";", 1)[0])
      .join("; ");
  } finally {
    await db.$client.end();
  }
}
