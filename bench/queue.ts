import type pg from "pg";
import { claimRequest } from "#app/domain/queue/index.server.ts";
import { type Actor, asActor } from "#db/index.ts";
import { connect, startDatabase } from "./database.ts";
import { type SeededQueue, seedQueue } from "./queue-seed.ts";
import { median, type Ratio, type Report, type Row } from "./report.ts";

const SIZE = { requests: 1_000_000, waiting: 100_000, staff: 32 };
const CLIENTS = [1, 8, 32];
const ROUNDS = 5;
const SLICE_MS = 1_000;
/** More than either side claims in a slice. */
const HANDED_OUT = 20_000;
const GOAL = 0.4;

/**
 * The floor's table: equal in rows, columns and indexes, because the desk's lists need those whoever
 * claims; without triggers, foreign keys and row-level security, which are Berth's own. The slim one
 * has its key and the index of the claim alone: no list could be read from it, so it is shown and
 * nothing is held against it.
 */
const BARE_TABLES = `
  create table equal_queue (like provisioning_queue including all excluding indexes);
  insert into equal_queue select * from provisioning_queue;
  do $$
  declare
    definition text;
  begin
    for definition in select pg_get_indexdef(indexrelid) from pg_index where indrelid = 'provisioning_queue'::regclass loop
      execute replace(definition, 'provisioning_queue', 'equal_queue');
    end loop;
  end $$;
  create table slim_queue as select * from provisioning_queue;
  alter table slim_queue add primary key (id);
  create index on slim_queue (due_at, id) where status = 'pending';`;

const BARE_CLAIM = (table: string) => `
  update ${table} set status = 'in_progress', assignee_id = $1, lease_token = lease_token + 1,
    lease_expires_at = now() + interval '4 hours', version = version + 1, updated_at = now()
  where id = (
    select id from ${table} where status = 'pending' order by due_at, id limit 1 for update skip locked)
  returning *`;

const PUT_BACK = (table: string) => `
  begin;
  set local session_replication_role = replica;
  update ${table} set status = 'pending', assignee_id = null, lease_expires_at = null, version = 1
    where status = 'in_progress';
  commit`;

/** One side: takes one request as this client. */
interface Side {
  table: string;
  prepare(): Promise<void>;
  claim(client: number): Promise<void>;
}

/** How many claims a second so many clients get done, each beginning the next when one is done. */
async function slice(side: Side, clients: number): Promise<number> {
  await side.prepare();
  let claims = 0;
  const started = performance.now();
  const end = started + SLICE_MS;
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      while (performance.now() < end) {
        await side.claim(client);
        claims += 1;
      }
    }),
  );
  return (claims / (performance.now() - started)) * 1_000;
}

function bareSide(table: string, connections: readonly pg.Client[], staff: string[]): Side {
  const claim = { name: table, text: BARE_CLAIM(table) };
  return {
    table,
    async prepare() {},
    async claim(client) {
      const { rowCount } =
        (await connections[client]?.query({ ...claim, values: [staff[client]] })) ?? {};
      if (rowCount !== 1) throw new Error("Nothing was left to claim.");
    },
  };
}

/**
 * Berth has no "claim the next": people claim the row that they see, by its id, and so does the API.
 * The command is called as the route of the desk's queue calls it, on the pool of a web process;
 * the clients take the rows of the list from its top, each another one, as people do who see in the
 * list what is taken.
 */
function berthSide({ db, admin, staff }: SeededQueue): Side {
  let ids: string[] = [];
  return {
    table: "provisioning_queue",
    async prepare() {
      const { rows } = await admin.query<{ id: string }>(
        "select id from provisioning_queue where status = 'pending' order by due_at, id limit $1",
        [HANDED_OUT],
      );
      ids = rows.map(({ id }) => id).reverse();
    },
    async claim(client) {
      const id = ids.pop();
      if (id === undefined) throw new Error("Nothing was left to claim.");
      const actor: Actor = {
        kind: "staff",
        id: staff[client] ?? "",
        origin: "192.0.2.7",
        correlationId: "bench",
      };
      await asActor(db, actor, (tx) => claimRequest({ tx, actor }, id));
    },
  };
}

const SIDES = {
  slim: "bare claim, slim table",
  bare: "bare SKIP LOCKED claim",
  berth: "berth, as the desk claims",
};
type SideName = keyof typeof SIDES;
const NAMES = Object.keys(SIDES) as SideName[];

async function measure(queue: SeededQueue, sides: Record<SideName, Side>) {
  const rows: Row[] = [];
  const ratios: Ratio[] = [];
  for (const clients of CLIENTS) {
    const rates: Record<SideName, number[]> = { slim: [], bare: [], berth: [] };
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const side of NAMES) {
        const rate = await slice(sides[side], clients);
        // The first round warms both sides up.
        if (round > 0) rates[side].push(rate);
        // So that as many wait in the next round, and its slice meets no autovacuum of this one's.
        await queue.admin.query(PUT_BACK(sides[side].table));
      }
    }
    const label = `${clients} ${clients === 1 ? "client" : "clients"}`;
    for (const side of NAMES) {
      const rate = median(rates[side]);
      rows.push({ case: label, side: SIDES[side], unit: "/s", median: rate, n: ROUNDS });
    }
    const value = median(rates.berth) / median(rates.bare);
    ratios.push({ name: `berth / bare, ${label}`, value, goal: `>= ${GOAL}`, ok: value >= GOAL });
  }
  return { rows, ratios };
}

/**
 * Claims by 1, 8 and 32 clients in one process, where 100,000 of a million requests wait: one bare
 * prepared statement against Berth's command with its event, audit record, mail, job and NOTIFY.
 */
export async function benchQueue(): Promise<Report> {
  const database = await startDatabase();
  const queue = await seedQueue(database, SIZE);
  await queue.admin.query(BARE_TABLES);
  await queue.admin.query("vacuum analyze");
  await queue.admin.query("checkpoint");
  const connections: pg.Client[] = [];
  while (connections.length < Math.max(...CLIENTS)) {
    connections.push(await connect(database.adminUrl));
  }
  // A web process listens to what is claimed, so the notifications go somewhere.
  const listener = await connect(database.databaseUrl);
  await listener.query("listen berth_events");
  const sides = {
    slim: bareSide("slim_queue", connections, queue.staff),
    bare: bareSide("equal_queue", connections, queue.staff),
    berth: berthSide(queue),
  };
  return { bench: "queue", ...(await measure(queue, sides)) };
}
