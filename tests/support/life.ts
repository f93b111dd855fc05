import { randomBytes } from "node:crypto";
import { loadCatalog, syncCatalog } from "#app/domain/catalog/index.server.ts";
import { createKeyring, createVault, type Vault } from "#app/domain/vault/index.server.ts";
import { type Actor, asActor, createDb } from "#db/index.ts";
import { playLife } from "../../scripts/local/life.ts";
import type { TestDatabase } from "./database.ts";

/** The demo's three accounts, as `playLife` is told of them. */
export const DEMO_STAFF = { admin: "ada", supervisor: "sam", operator: "oli" };

const WORKER: Actor = { kind: "worker", id: "test", origin: "", correlationId: "" };

/** Gives a fresh database the life that `npm start` gives a new one; `faults` replaces parts of the vault. */
export async function seedLife(base: TestDatabase, faults: Partial<Vault> = {}): Promise<void> {
  const catalog = await loadCatalog("feature-templates");
  await asActor(base.db, WORKER, (tx) => syncCatalog(tx, catalog));
  await base.admin.query(`
    insert into auth."user" (id, name, email, email_verified) values
      ('ada', 'Demo Admin', 'admin@berth.example', true),
      ('sam', 'Demo Supervisor', 'supervisor@berth.example', true),
      ('oli', 'Demo Operator', 'operator@berth.example', true);
    insert into admin_users (user_id, role) values
      ('ada', 'admin'), ('sam', 'supervisor'), ('oli', 'operator')`);
  const key = { id: "test", key: randomBytes(32) };
  const vault = { ...createVault(createKeyring([key]), randomBytes(32)), ...faults };
  const admin = createDb(base.adminUrl, {
    applicationName: "test-life",
    max: 1,
    onError: () => {},
  });
  try {
    const staffMail = "staff@berth.example";
    await playLife(admin, { catalog, vault, staff: DEMO_STAFF, staffMail });
  } finally {
    await admin.$client.end();
  }
}
