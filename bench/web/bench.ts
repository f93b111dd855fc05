import { mkdir, mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { startBerth } from "../berth.ts";
import { type BerthDatabase, startDatabase } from "../database.ts";
import { atEnd } from "../ending.ts";
import { signInStaff } from "../people.ts";
import { type MeasuredServer, ROOT, startBare, startProcess } from "../processes.ts";
import { seedQueue } from "../queue-seed.ts";
import { median, type Report } from "../report.ts";
import { bareNode } from "./bare-node.ts";
import { bareRemix } from "./bare-remix/server.ts";
import { load, type Slice, type Yield } from "./load.ts";
import { buildBareRemix } from "./remix-build.ts";

const WAITING = 10_000;
/** Of each promise between nothing and four fifths are used up; a few dozen are late. */
const ARRIVAL = `now() - interval '1 hour' * hours
  * case when i % 400 = 0 then 1.05 else 0.8 * i / ${WAITING} end`;
const CONNECTIONS = 10;
const ROUNDS = 5;
const SLICE_MS = 4_000;
const GOAL = 0.7;
/** Its packages are found from here, and nothing else cleans it up. */
const CACHE = path.join(ROOT, "node_modules", ".cache");

type Sides = Record<"node" | "remix" | "berth", Slice>;

/** Starts the servers, each in a process of its own on the same database. */
async function startSides(database: BerthDatabase, folder: string, cookie: string): Promise<Sides> {
  const env = { DATABASE_URL: database.adminUrl, BUILD: folder };
  const slice = ({ port }: MeasuredServer, headers: Slice["headers"] = {}): Slice => ({
    url: `http://127.0.0.1:${port}/desk/queue`,
    headers,
    connections: CONNECTIONS,
    ms: SLICE_MS,
    rowMark: 'href="/desk/requests/',
    rows: 50,
  });
  return {
    node: slice(await startBare(bareNode, { env })),
    remix: slice(await startBare(bareRemix, { env })),
    berth: slice(await startBerth(database), { cookie }),
  };
}

/** Asks each side in turn, round by round, from a process of its own. */
async function measure(sides: Sides): Promise<Record<keyof Sides, Yield[]>> {
  const client = startProcess(load);
  const yields: Record<keyof Sides, Yield[]> = { node: [], remix: [], berth: [] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const name of ["node", "remix", "berth"] as const) {
      const got = await client.ask<Yield>(sides[name]);
      // The first round warms all sides up.
      if (round > 0) yields[name].push(got);
    }
  }
  return yields;
}

/** The value that 99 of 100 do not exceed. */
function p99(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN;
}

function asReport(yields: Record<keyof Sides, Yield[]>): Report {
  const perSecond = (name: keyof Sides) => median(yields[name].map((one) => one.perSecond));
  const times = (name: keyof Sides) => yields[name].flatMap((one) => one.times);
  const value = perSecond("berth") / perSecond("remix");
  const words = { node: "bare node + pg", remix: "bare remix", berth: "berth, signed in" };
  const rows = (Object.keys(words) as (keyof Sides)[]).flatMap((name) => {
    const n = times(name).length;
    return [
      { case: "requests", side: words[name], unit: "/s", median: perSecond(name), n: ROUNDS },
      { case: "p99", side: words[name], unit: "ms", median: p99(times(name)), n },
      {
        case: "size of the page",
        side: words[name],
        unit: "KiB",
        median: (yields[name][0]?.size ?? Number.NaN) / 1_024,
        n: 1,
      },
    ];
  });
  const told = (100 * perSecond("berth")) / perSecond("node");
  return {
    bench: "web",
    rows: [
      ...rows,
      { case: "requests, berth / bare node", side: "berth", unit: "%", median: told, n: ROUNDS },
    ],
    ratios: [
      { name: "requests/s, berth / bare remix", value, goal: `>= ${GOAL}`, ok: value >= GOAL },
    ],
  };
}

/**
 * The desk's queue as a page of 50 rows, with 10,000 requests waiting and 10 connections that ask
 * without a pause: Berth in production, signed in and with row-level security on, against Remix and
 * express with one query and a plain table.
 */
export async function benchWeb(): Promise<Report> {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(path.join(CACHE, "berth-bench-"));
  atEnd(() => rm(folder, { recursive: true, force: true }));
  await buildBareRemix(folder);
  const database = await startDatabase();
  const size = { requests: WAITING, waiting: WAITING, staff: 1, arrival: ARRIVAL };
  const { admin } = await seedQueue(database, size);
  const [cookie = ""] = await signInStaff(admin, 1);
  return asReport(await measure(await startSides(database, folder, cookie)));
}
