import { setTimeout as sleep } from "node:timers/promises";
import { TransactionRollbackError } from "drizzle-orm";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Actor, asActor, type Tx } from "#db/index.ts";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { newCustomerInput, submitRequest } from "../onboarding/index.server.ts";
import { claimRequest, lockRequest, moveRequest, releaseRequest } from "./index.server.ts";

let desk: Desk;
let listener: pg.Client;
const heard: string[] = [];

beforeAll(async () => {
  desk = await openDesk();
  listener = new pg.Client({ connectionString: desk.base.adminUrl });
  await listener.connect();
  listener.on("notification", ({ channel, payload }) => heard.push(`${channel} ${payload}`));
  await listener.query("listen berth_events");
});
afterAll(async () => {
  await listener.end();
  await desk.base.drop();
});

const TABLES = [
  "customers",
  "provisioning_queue",
  "request_events",
  "request_clock_segments",
  "audit_log",
  "outbox",
  "one_time_links",
  "pgboss.job",
] as const;

/** Every row of everything that a move writes, as text. */
async function everything(): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const table of TABLES) {
    const { rows } = await desk.base.admin.query(
      `select t::text as row from ${table} t order by 1`,
    );
    found[table] = rows.map(({ row }) => row);
  }
  return found;
}

let marks = 0;

/** What was heard since the last time, once everything that was committed before has arrived. */
async function newlyHeard(): Promise<string[]> {
  marks += 1;
  const mark = `berth_events mark-${marks}`;
  await desk.base.admin.query("select pg_notify('berth_events', $1)", [`mark-${marks}`]);
  while (!heard.includes(mark)) await sleep(5);
  return heard.splice(0, heard.length).filter((word) => word !== mark);
}

const input = () =>
  newCustomerInput.parse({
    company: `Rolled ${Math.random()}`,
    contactName: "Ann",
    email: `rolled-${Math.random().toString(36).slice(2)}@example.com`,
    country: "DE",
    region: "eu-central-1",
    plan: "business",
    billingCycle: "monthly",
    features: [],
  });

type Act = (tx: Tx, id: string, actor: Actor) => Promise<unknown>;
const ACTS: {
  name: string;
  work: Act;
  /** How many rows each writes besides the request itself. */
  rows: Partial<Record<(typeof TABLES)[number], number>>;
}[] = [
  {
    name: "taking in",
    work: (tx, _id, actor) => submitRequest({ tx, actor, catalog: desk.catalog }, input()),
    // Audited: the account (by trigger), the customer, the request.
    rows: {
      customers: 1,
      provisioning_queue: 1,
      request_events: 1,
      request_clock_segments: 1,
      audit_log: 3,
      outbox: 1,
      one_time_links: 1,
      "pgboss.job": 1,
    },
  },
  {
    name: "claiming",
    work: (tx, id, actor) => claimRequest({ tx, actor }, id),
    rows: { request_events: 1, audit_log: 1, outbox: 1, "pgboss.job": 1 },
  },
  {
    name: "asking the customer",
    work: async (tx, id, actor) =>
      moveRequest({ tx, actor }, await lockRequest(tx, id), "waiting_on_customer", {
        event: "credentials_problem",
      }),
    rows: { request_events: 1, request_clock_segments: 1, audit_log: 1 },
  },
  {
    name: "resuming",
    work: async (tx, id, actor) =>
      moveRequest({ tx, actor }, await lockRequest(tx, id), "in_progress", { event: "resumed" }),
    rows: { request_events: 1, request_clock_segments: 1, audit_log: 1 },
  },
  {
    name: "releasing",
    work: (tx, id, actor) => releaseRequest({ tx, actor }, id),
    rows: { request_events: 1, audit_log: 1 },
  },
];

describe("what a change writes", () => {
  let id: string;
  beforeAll(async () => {
    id = (await desk.request()).id;
  });

  it.each(ACTS)("$name: stands whole, and one NOTIFY tells of it", async ({ work, rows }) => {
    const actor = desk.kim;
    const before = await everything();
    await newlyHeard();
    // Rolled back, nothing of it stands, and nobody hears of it.
    const undone = asActor(desk.base.db, actor, async (tx) => {
      await work(tx, id, actor);
      tx.rollback();
    });
    await expect(undone).rejects.toThrow(TransactionRollbackError);
    expect(await everything()).toEqual(before);
    expect(await newlyHeard()).toEqual([]);

    await asActor(desk.base.db, actor, (tx) => work(tx, id, actor));
    const after = await everything();
    const added = TABLES.map((table) => [
      table,
      (after[table]?.length ?? 0) - (before[table]?.length ?? 0),
    ]);
    expect(Object.fromEntries(added)).toEqual({
      ...Object.fromEntries(TABLES.map((table) => [table, 0])),
      ...rows,
    });
    const { rows: events } = await desk.base.admin.query(
      "select id, kind, actor_kind, actor_id from request_events order by id desc limit 1",
    );
    expect(await newlyHeard()).toEqual([`berth_events ${events[0].id}`]);
    expect(events[0]).toMatchObject({ actor_kind: "api", actor_id: "kim" });
    const { rows: records } = await desk.base.admin.query(
      "select action, actor_id, correlation_id, request_id from audit_log order by id desc limit 1",
    );
    expect(records[0]).toMatchObject({
      action: `request.${events[0].kind}`,
      actor_id: "kim",
      correlation_id: "test",
      request_id: expect.any(String),
    });
  });

  it("is written by one transaction, whose number the record keeps", async () => {
    const request = await desk.request();
    const { rows } = await desk.base.admin.query(
      `select distinct xid::text as xid from audit_log where request_id = $1::text
       union select xmin::text from request_events where request_id = $1::uuid
       union select xmin::text from outbox where request_id = $1::uuid`,
      [request.id],
    );
    expect(rows).toHaveLength(1);
  });

  it("names the job by id alone", async () => {
    const { rows } = await desk.base.admin.query(
      "select data, name from pgboss.job where name = 'deliver-mail'",
    );
    expect(rows.length).toBeGreaterThan(0);
    for (const { data } of rows) expect(Object.keys(data)).toEqual(["outboxId"]);
    const { rows: orphans } = await desk.base.admin.query(
      "select id from outbox where id::text not in (select data ->> 'outboxId' from pgboss.job)",
    );
    expect(orphans).toEqual([]);
  });
});
