import { randomBytes } from "node:crypto";
import { eq } from "drizzle-orm";
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
import { createKeyring, createVault } from "#app/domain/vault/index.server.ts";
import { deriveKey } from "#app/platform/crypto/derive.ts";
import type { Env } from "#app/platform/env.ts";
import { user } from "#db/auth.ts";
import { adminUsers } from "#db/identity.ts";
import { type Actor, asActor, createDb, type Db } from "#db/index.ts";
import type { Stage } from "./acts.ts";
import { openIdentity } from "./identity.ts";
import { playLife } from "./life.ts";

export interface SeedResult {
  accounts: { role: string; email: string; password: string }[];
  apiKey: string;
}

const STAFF: { role: StaffRole; name: string; email: string }[] = [
  { role: "admin", name: "Demo Admin", email: "admin@berth.example" },
  { role: "supervisor", name: "Demo Supervisor", email: "supervisor@berth.example" },
  { role: "operator", name: "Demo Operator", email: "operator@berth.example" },
];

const seeder: Actor = { kind: "staff", id: "npm start", origin: "", correlationId: "seed" };

/**
 * Makes what local mode shows at first: three staff accounts, an API key with all scopes, and eight
 * weeks of work. What an earlier start made is kept, passwords included.
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
    const [admin, supervisor, operator] = await Promise.all(
      STAFF.map(async ({ email }) => (await idOf(db, email)) ?? ""),
    );
    if (!admin || !supervisor || !operator) throw new Error("The demo staff was not made.");
    const apiKey = await ensureKey({ auth, db }, admin, previous?.apiKey);
    await addLife(options.adminUrl, env, { admin, supervisor, operator });
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
  if (existing && known) {
    // Made by an earlier release, which did not ask whose the address is.
    await (await auth.$context).internalAdapter.updateUser(existing, { emailVerified: true });
    return { role, email, password: known };
  }
  const password = randomBytes(12).toString("base64url");
  const userId = existing ?? (await addStaff({ db, actor: seeder }, person)).userId;
  await setPassword(auth, userId, password, { addressProven: true });
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

/** Gives a database without any customer the life of the demo. */
async function addLife(adminUrl: string, env: Env, staff: Stage["staff"]): Promise<void> {
  const admin = createDb(adminUrl, { applicationName: "berth-seed", max: 1, onError: () => {} });
  try {
    const { rowCount } = await admin.$client.query("select from customers limit 1");
    if (rowCount === 1) return;
    const catalog = await loadCatalog(env.featureTemplatesDir);
    await asActor(admin, { ...seeder, kind: "worker" }, (tx) => syncCatalog(tx, catalog));
    const fingerprintKey = deriveKey(env.appSecret, "secret fingerprints");
    const vault = createVault(createKeyring(env.encryptionKeys), fingerprintKey);
    await playLife(admin, { catalog, vault, staff, staffMail: env.staffMail });
  } finally {
    await admin.$client.end();
  }
}
