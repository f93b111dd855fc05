import { randomBytes } from "node:crypto";
import { eq } from "drizzle-orm";
import pg from "pg";
import { recordAudit } from "#app/domain/audit/index.server.ts";
import { loadCatalog, syncCatalog } from "#app/domain/catalog/index.server.ts";
import {
  ALL_SCOPES,
  type Auth,
  addStaff,
  createApiKey,
  identifyKey,
  type StaffRole,
  setPassword,
} from "#app/domain/identity/index.server.ts";
import { newCustomerInput, submitRequest } from "#app/domain/onboarding/index.server.ts";
import { claimRequest } from "#app/domain/queue/index.server.ts";
import type { Env } from "#app/platform/env.ts";
import { user } from "#db/auth.ts";
import { adminUsers } from "#db/identity.ts";
import { type Actor, asActor, type Db } from "#db/index.ts";
import { openIdentity } from "./identity.ts";

export interface SeedResult {
  accounts: { role: string; email: string; password: string }[];
  apiKey: string;
}

const STAFF: { role: StaffRole; name: string; email: string }[] = [
  { role: "admin", name: "Demo Admin", email: "admin@berth.example" },
  { role: "supervisor", name: "Demo Supervisor", email: "supervisor@berth.example" },
  { role: "operator", name: "Demo Operator", email: "operator@berth.example" },
];

/** A little life, so that the first look is not at an empty queue. */
const LIFE = [
  { company: "Northwind Bakery", plan: "starter", features: ["inventory"], priority: "normal" },
  { company: "Quayside Bicycles", plan: "growth", features: ["pos"], priority: "normal" },
  {
    company: "Lighthouse Books",
    plan: "business",
    features: ["pos", "analytics"],
    priority: "high",
  },
];

const seeder: Actor = { kind: "staff", id: "npm start", origin: "", correlationId: "seed" };

/**
 * Makes what local mode shows at first: three staff accounts, an API key with all scopes, a few
 * requests. What an earlier start made is kept, passwords included.
 */
export async function seedLocal(options: {
  adminUrl: string;
  env: Env;
  previous: SeedResult | null;
}): Promise<SeedResult> {
  const { env, previous } = options;
  const { db, auth, close } = openIdentity(env, "berth-seed", () => {});
  try {
    const accounts = [];
    for (const person of STAFF) {
      accounts.push(await ensureStaff({ auth, db }, person, previous));
    }
    const adminId = await idOf(db, STAFF[0]?.email ?? "");
    if (!adminId) throw new Error("The demo admin was not made.");
    const apiKey = await ensureKey({ auth, db }, adminId, previous?.apiKey);
    if (!(await hasLife(options.adminUrl))) await addLife(db, env, adminId);
    return { accounts, apiKey };
  } finally {
    await close();
  }
}

async function ensureStaff(
  { auth, db }: { auth: Auth; db: Db },
  person: (typeof STAFF)[number],
  previous: SeedResult | null,
) {
  const { role, email } = person;
  const known = previous?.accounts.find((account) => account.email === email)?.password;
  const existing = await idOf(db, email);
  if (existing && known) return { role, email, password: known };
  const password = randomBytes(12).toString("base64url");
  const userId = existing ?? (await addStaff({ db, actor: seeder }, person)).userId;
  await setPassword(auth, userId, password);
  await asActor(db, seeder, (tx) =>
    recordAudit(tx, seeder, {
      action: "account.password_set",
      subjectKind: "account",
      subjectId: userId,
    }),
  );
  return { role, email, password };
}

/** The account of a member of the staff; one that is not on it yet does not count. */
async function idOf(db: Db, email: string): Promise<string | null> {
  const [found] = await asActor(db, seeder, (tx) =>
    tx
      .select({ id: user.id })
      .from(user)
      .innerJoin(adminUsers, eq(adminUsers.userId, user.id))
      .where(eq(user.email, email)),
  );
  return found?.id ?? null;
}

async function ensureKey(
  { auth, db }: { auth: Auth; db: Db },
  userId: string,
  known: string | undefined,
): Promise<string> {
  const works = known && (await identifyKey(auth, known).catch(() => null));
  if (known && works) return known;
  const { key } = await createApiKey(
    { auth, db, actor: seeder },
    { userId, name: "local mode", scopes: ALL_SCOPES },
  );
  return key;
}

async function hasLife(adminUrl: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query("select from customers limit 1");
    return rowCount === 1;
  } finally {
    await client.end();
  }
}

async function addLife(db: Db, env: Env, adminId: string): Promise<void> {
  const catalog = await loadCatalog(env.featureTemplatesDir);
  const worker: Actor = { ...seeder, kind: "worker", id: "seed" };
  await asActor(db, worker, (tx) => syncCatalog(tx, catalog));
  const actor: Actor = { kind: "api", id: adminId, origin: "", correlationId: "seed" };
  await asActor(db, actor, async (tx) => {
    const made = [];
    for (const [index, wish] of LIFE.entries()) {
      const input = newCustomerInput.parse({
        ...wish,
        contactName: "Demo Customer",
        email: `customer${index + 1}@berth.example`,
        country: "DE",
        timezone: "Europe/Berlin",
        region: "eu-central-1",
        billingCycle: "monthly",
      });
      made.push((await submitRequest({ tx, actor, catalog }, input)).request);
    }
    if (made[0]) await claimRequest({ tx, actor }, made[0].id);
  });
}
