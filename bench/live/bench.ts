import { setTimeout as sleep } from "node:timers/promises";
import { connect, startDatabase } from "../database.ts";
import { signInStaff } from "../people.ts";
import type { MeasuredServer } from "../processes.ts";
import { median, type Report } from "../report.ts";
import { bareChanges, berthChanges, type Changes, startFloor, startWatchedBerth } from "./sides.ts";
import { type Clients, startClients } from "./watchers.ts";

const STREAMS = 5_000;
const CHANGES = 30;
const WARM_UP = 5;
/** How many streams are opened before the garbage is collected. */
const BATCH = 500;
/** How many batches come and go before those that are counted. */
const VISITS = 3;
/** What a change or an opened stream sets off besides is over after this. */
const REST_MS = 400;
const PATH = "/live/queue";

/** One side: its server, who watches there, and what was measured. */
interface Side {
  name: string;
  server: MeasuredServer;
  clients: Clients;
  changes: Changes;
  /** Of each change: how long it took to reach each stream, in milliseconds, shortest first. */
  latencies: number[][];
  bytesPerStream: number;
}

/**
 * Opens all streams; what the server's resident memory grows by is theirs. It collects its garbage
 * after each batch: how much of that V8 lets lie, a full heap's worth, depends on the machine and
 * on chance. Some streams come and go before: what a process takes to be at work is no stream's.
 */
async function openStreams({ server, clients }: Side, cookies: string[]): Promise<number> {
  const { port } = server;
  const memory = async () => (await server.ask<{ rss: number }>("memory")).rss;
  let before = 0;
  for (let visit = 0; visit < VISITS; visit += 1) {
    const visitors = startClients();
    await visitors.open({ port, path: PATH, cookies: cookies.slice(0, BATCH) });
    await visitors.stop();
    await sleep(REST_MS);
    before = await memory();
  }
  let after = before;
  for (let begin = 0; begin < cookies.length; begin += BATCH) {
    await clients.open({ port, path: PATH, cookies: cookies.slice(begin, begin + BATCH) });
    after = await memory();
  }
  return (after - before) / cookies.length;
}

/** Commits a change. @returns its latencies */
async function timeChange({ clients, changes }: Side, n: number): Promise<number[]> {
  await clients.expect();
  const received = clients.received();
  // Awaited below, after the commit: a fault of the commit is told first.
  received.catch(() => {});
  const begin = await changes.commit(n);
  const latencies = (await received).map((at) => at - begin);
  await sleep(REST_MS);
  return latencies.sort((a, b) => a - b);
}

/**
 * 5,000 event streams in one process, each of another person: from just before the commit of a
 * change to its arrival at each stream, and what a stream costs in memory.
 *
 * The bare side writes the notification's words to every stream. Berth's notification carries an
 * id alone: it reads the event's row in a transaction under a role of its own, leaves out what was
 * told already, and writes one frame to whoever watches. Its streams were signed in, and have
 * bounds, an end, and a session that may end before. Both beat every 15 seconds.
 */
export async function benchLive(): Promise<Report> {
  const database = await startDatabase();
  const cookies = await signInStaff(await connect(database.adminUrl), STREAMS);
  const sides: Side[] = [];
  for (const [name, prepare, start] of [
    ["bare node", bareChanges, startFloor],
    ["berth", berthChanges, startWatchedBerth],
  ] as const) {
    const changes = await prepare(database);
    const server = await start(database);
    const clients = startClients();
    sides.push({ name, server, clients, changes, latencies: [], bytesPerStream: 0 });
  }
  for (const side of sides) side.bytesPerStream = await openStreams(side, cookies);
  for (let n = 0; n < WARM_UP + CHANGES; n += 1) {
    for (const side of n % 2 === 0 ? sides : sides.toReversed()) {
      const latencies = await timeChange(side, n);
      if (n >= WARM_UP) side.latencies.push(latencies);
    }
  }
  return reportOf(sides);
}

/** After which time a change has reached this share of the streams: the median over all changes. */
const reached = (side: Side, share: number) =>
  median(side.latencies.map((times) => times[Math.ceil(share * times.length) - 1] ?? Number.NaN));

function reportOf(sides: Side[]): Report {
  const figures = [
    { name: "change, p50", unit: "ms", of: (side: Side) => reached(side, 0.5) },
    { name: "change, p99", unit: "ms", of: (side: Side) => reached(side, 0.99) },
    { name: "memory per stream", unit: "KiB", of: (side: Side) => side.bytesPerStream / 1024 },
  ];
  const rows = figures.flatMap(({ name, unit, of }) =>
    sides.map((side) => ({
      case: `${STREAMS} streams, ${name}`,
      side: side.name,
      unit,
      median: of(side),
      n: unit === "ms" ? CHANGES : STREAMS,
    })),
  );
  const ratios = figures.map(({ name, of }) => {
    const [bare = Number.NaN, berth = Number.NaN] = sides.map(of);
    const value = berth / bare;
    return { name: `berth / bare node, ${name}`, value, goal: "<= 1.5", ok: value <= 1.5 };
  });
  return { bench: "live", rows, ratios };
}
