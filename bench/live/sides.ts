import { randomUUID } from "node:crypto";
import path from "node:path";
import { newCustomerInput, submitRequest } from "#app/domain/onboarding/index.server.ts";
import { changePriority } from "#app/domain/queue/index.server.ts";
import { type Actor, asActor } from "#db/index.ts";
import { startBerth } from "../berth.ts";
import { type BerthDatabase, connect, fillCatalog, openDb } from "../database.ts";
import { SUPERVISOR } from "../people.ts";
import { startBare } from "../processes.ts";

/** Milliseconds of the machine's monotonic clock, which all processes share. */
const now = () => Number(process.hrtime.bigint()) / 1e6;

/** Commits a change that everybody sees. @returns the moment just before the commit */
export interface Changes {
  commit(n: number): Promise<number>;
}

/** A row changes, and its notification carries what is to be told. */
export async function bareChanges(database: BerthDatabase): Promise<Changes> {
  const client = await connect(database.adminUrl);
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
  };
}

/** A request waits, and a supervisor changes its priority by the domain's own command. */
export async function berthChanges(database: BerthDatabase): Promise<Changes> {
  const db = openDb(database);
  const actor: Actor = { kind: "api", id: SUPERVISOR, origin: "", correlationId: "bench" };
  const catalog = await fillCatalog(db);
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
  };
}

const execArgv = ["--import", path.join(import.meta.dirname, "probe.ts")];
const floor = path.join(import.meta.dirname, "floor.ts");

// Each with the probe in it.
export const startFloor = ({ adminUrl }: BerthDatabase) =>
  startBare(floor, { env: { DATABASE_URL: adminUrl }, execArgv });
export const startWatchedBerth = (database: BerthDatabase) => startBerth(database, execArgv);
