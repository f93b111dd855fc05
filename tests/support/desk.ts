import { randomBytes } from "node:crypto";
import { type Catalog, loadCatalog, syncCatalog } from "#app/domain/catalog/index.server.ts";
import { newCustomerInput, submitRequest } from "#app/domain/onboarding/index.server.ts";
import type { RequestRow } from "#app/domain/queue/index.server.ts";
import { createKeyring, createVault, type Vault } from "#app/domain/vault/index.server.ts";
import { type Actor, asActor, type Tx } from "#db/index.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";

/** People, plans and templates in a database of their own: what a module test begins with. */
export interface Desk {
  base: TestDatabase;
  catalog: Catalog;
  /** With a key of its own. */
  vault: Vault;
  /** Two admins and a supervisor, acting through their API keys. */
  kim: Actor;
  lou: Actor;
  sam: Actor;
  worker: Actor;
  /** One transaction as this actor. */
  as<T>(actor: Actor, work: (tx: Tx) => Promise<T>): Promise<T>;
  /** A new account that signs up: without a password, its address not proved. */
  newcomer(): Promise<Actor>;
  /** A request of a customer of its own, as the API takes it in. */
  request(wish?: Record<string, unknown>): Promise<RequestRow>;
  /** Sets columns of a request behind the domain's back, rules included. */
  plant(requestId: string, columns: Record<string, unknown>): Promise<void>;
}

const person = (id: string): Actor => ({ kind: "api", id, origin: "", correlationId: "test" });

let customers = 0;
let newcomers = 0;

/** Drop it with `desk.base.drop()` in `afterAll`. */
export async function openDesk(): Promise<Desk> {
  const base = await createTestDatabase();
  const catalog = await loadCatalog("feature-templates");
  const worker: Actor = { kind: "worker", id: "worker-1", origin: "", correlationId: "" };
  const as: Desk["as"] = (actor, work) => asActor(base.db, actor, work);
  await as(worker, (tx) => syncCatalog(tx, catalog));
  await base.admin.query(`
    insert into auth."user" (id, name, email, email_verified) values
      ('kim', 'Kim', 'kim@berth.example', true), ('lou', 'Lou', 'lou@berth.example', true),
      ('sam', 'Sam', 'sam@berth.example', true);
    insert into admin_users (user_id, role) values
      ('kim', 'admin'), ('lou', 'admin'), ('sam', 'supervisor')`);
  return {
    base,
    catalog,
    vault: createVault(createKeyring([{ id: "k1", key: randomBytes(32) }]), randomBytes(32)),
    kim: person("kim"),
    lou: person("lou"),
    sam: person("sam"),
    worker,
    as,
    async newcomer() {
      newcomers += 1;
      const id = `newcomer-${newcomers}`;
      await base.admin.query(
        `insert into auth."user" (id, name, email, email_verified)
         values ($1, 'Ann', $1 || '@example.com', false)`,
        [id],
      );
      return { kind: "customer", id, origin: "192.0.2.7", correlationId: "test" };
    },
    async request(wish = {}) {
      customers += 1;
      const input = newCustomerInput.parse({
        company: `Company ${customers}`,
        contactName: "Ann Example",
        email: `ann-${customers}@example.com`,
        country: "DE",
        timezone: "Europe/Berlin",
        region: "eu-central-1",
        plan: "business",
        billingCycle: "monthly",
        features: ["pos"],
        ...wish,
      });
      const actor = person("kim");
      return (await as(actor, (tx) => submitRequest({ tx, actor, catalog }, input))).request;
    },
    async plant(requestId, columns) {
      const names = Object.keys(columns);
      const client = await base.admin.connect();
      try {
        await client.query("begin");
        await client.query("set local session_replication_role = replica");
        await client.query(
          `update provisioning_queue set ${names.map((name, i) => `${name} = $${i + 2}`).join(", ")}
           where id = $1`,
          [requestId, ...Object.values(columns)],
        );
        await client.query("commit");
      } finally {
        client.release();
      }
    },
  };
}
