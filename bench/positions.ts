import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { rankWaiting } from "#app/domain/queue/index.server.ts";
import { createLogger } from "#app/platform/log.ts";
import { openHub } from "#app/web/live/hub.ts";
import { RANK_EVERY_MS } from "#app/web/live/ranker.ts";
import type { Watcher } from "#app/web/live/watchers.ts";
import { asActor } from "#db/index.ts";
import { HOUSE, startDatabase } from "./database.ts";
import { agesOf, type Change, type Frame, makeChange } from "./positions-changes.ts";
import { type SeededQueue, seedQueue } from "./queue-seed.ts";
import { median, type Report, type Row } from "./report.ts";

const SIZE = { requests: 300_000, waiting: 100_000, staff: 1 };
const WATCHERS = 5_000;
const ROUNDS = 15;
/** Changes a second, and for how long. */
const PACE = 20;
const SECONDS = 20;
const OLDEST_MS = 1_000;

const COUNT = `
  select count(*) from provisioning_queue ahead,
    (select due_at, id from provisioning_queue where id = $1) mine
  where ahead.status = 'pending' and (ahead.due_at, ahead.id) < (mine.due_at, mine.id)`;

/** One pass over all who wait. */
const ORDERED = `(
  select id, row_number() over (order by due_at, id) - 1 as position
  from provisioning_queue where status = 'pending') ordered`;
const BARE_PASS = `select id, position from ${ORDERED} where id = any($1::uuid[])`;

/** What the two bare ways and Berth's pass take, one after the other in each round. */
async function timePasses({ db, admin }: SeededQueue, watched: readonly string[]): Promise<Row[]> {
  const sides: { name: string; work: (round: number) => Promise<unknown> }[] = [
    {
      name: "count, one watcher",
      work: (round) =>
        admin.query({
          name: "count",
          text: COUNT,
          values: [watched[Math.floor((round * WATCHERS) / (ROUNDS + 1))]],
        }),
    },
    {
      name: "bare ordered pass",
      work: () => admin.query({ name: "pass", text: BARE_PASS, values: [watched] }),
    },
    {
      name: "berth, one pass for all",
      work: () => asActor(db, HOUSE, (tx) => rankWaiting(tx, watched)),
    },
  ];
  const took = sides.map((): number[] => []);
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [index, { work }] of sides.entries()) {
      const started = performance.now();
      await work(round);
      // The first round warms all sides up.
      if (round > 0) took[index]?.push(performance.now() - started);
    }
  }
  return sides.map(({ name }, index) => ({
    case: `${SIZE.waiting} waiting, ${WATCHERS} watch`,
    side: name,
    unit: "ms",
    median: median(took[index] ?? []),
    n: ROUNDS,
  }));
}

/** When each pass reached the database, by its statement on whichever connection. */
function notePasses({ $client: pool }: SeededQueue["db"]): number[] {
  const passes: number[] = [];
  const noted = new WeakSet<pg.PoolClient>();
  const note = (client: pg.PoolClient) => {
    if (noted.has(client)) return;
    noted.add(client);
    const query = client.query.bind(client) as (...words: unknown[]) => unknown;
    client.query = ((...words: unknown[]) => {
      const [config] = words as [string | { text: string }];
      const text = typeof config === "string" ? config : config.text;
      if (text.includes("row_number()")) passes.push(performance.now());
      return query(...words);
    }) as typeof client.query;
  };
  pool.on("acquire", note);
  return passes;
}

/** Many watch while the queue moves at a steady pace. */
async function watchChanges(queue: SeededQueue, databaseUrl: string, watched: readonly string[]) {
  const { db, admin } = queue;
  const told = watched.map((): Frame[] => []);
  const passes = notePasses(db);
  const hub = openHub({
    db,
    connectionString: databaseUrl,
    log: createLogger({ level: "silent" }),
    livingSessions: async (ids) => new Set(ids),
  });
  await hub.ready;
  for (const [index, topic] of watched.entries()) {
    const watcher: Watcher = {
      sessionId: `session-${index}`,
      userId: `customer-${index}`,
      topic,
      isCustomer: true,
      endsAt: Number.POSITIVE_INFINITY,
      send(text) {
        // Read afterwards: a browser's work is not the process's.
        if (text.includes("event: position")) told[index]?.push({ at: performance.now(), text });
      },
      end() {},
    };
    hub.watch(watcher);
  }
  while (told.some((frames) => frames.length === 0)) await sleep(50);

  const { rows } = await admin.query<{ id: string; customerId: string }>(
    `select id, customer_id as "customerId" from provisioning_queue
     where status = 'pending' order by due_at, id limit $1`,
    [PACE * SECONDS],
  );
  const around = { heads: rows.map(({ id }) => id), customerId: rows[0]?.customerId ?? "" };
  const changes: Change[] = [];
  const started = performance.now();
  for (let count = 0; count < PACE * SECONDS; count += 1) {
    await sleep(Math.max(0, started + (count * 1_000) / PACE - performance.now()));
    changes.push(await makeChange(db, count % 2 ? "arrival" : "claim", around));
  }
  // Long enough for a last pass, and for one that takes far longer than it should.
  await sleep(5 * RANK_EVERY_MS);
  const ended = performance.now();
  await hub.close();
  const made = passes.filter((at) => at >= started && at <= ended);
  return {
    ages: told.flatMap((frames) => agesOf(changes, frames)).sort((a, b) => a - b),
    passes: made.length,
    elapsed: ended - started,
  };
}

/**
 * Places of 5,000 watchers among 100,000 who wait: what a pass takes against counting one by one,
 * how many passes a process makes while the queue moves, and how old what it shows is. Through the
 * hub that a web process has, without HTTP.
 */
export async function benchPositions(): Promise<Report> {
  const database = await startDatabase();
  const queue = await seedQueue(database, SIZE);
  // Spread over the whole queue, behind the requests that will be claimed.
  const { rows } = await queue.admin.query<{ id: string }>(
    `select id from ${ORDERED}
     where position >= $1 and position % (($2 - $1) / $3) = 0 order by position limit $3`,
    [PACE * SECONDS, SIZE.waiting, WATCHERS],
  );
  const watched = rows.map(({ id }) => id);
  if (watched.length !== WATCHERS) throw new Error(`${watched.length} watch.`);
  const times = await timePasses(queue, watched);
  const seen = await watchChanges(queue, database.databaseUrl, watched);
  const at = (share: number) => seen.ages[Math.floor(seen.ages.length * share)] ?? Number.NaN;
  const label = `${PACE} changes/s, ${SECONDS} s`;
  const row = (side: string, unit: string, value: number, n: number): Row => ({
    case: label,
    side,
    unit,
    median: value,
    n,
  });
  const most = Math.floor(seen.elapsed / RANK_EVERY_MS) + 1;
  return {
    bench: "positions",
    rows: [
      ...times,
      row("berth, passes", "/s", (seen.passes / seen.elapsed) * 1_000, seen.passes),
      row("berth, age shown", "ms", at(0.5), seen.ages.length),
      row("berth, age shown, p99", "ms", at(0.99), seen.ages.length),
    ],
    ratios: [
      {
        name: `passes / one per ${RANK_EVERY_MS} ms`,
        value: seen.passes / most,
        goal: "<= 1",
        ok: seen.passes <= most,
      },
      {
        name: `age shown, p99 / ${OLDEST_MS} ms`,
        value: at(0.99) / OLDEST_MS,
        goal: "<= 1",
        ok: at(0.99) <= OLDEST_MS,
      },
    ],
  };
}
