import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { type BerthDatabase, withBerthDatabase } from "../cluster.ts";
import { median, type Report } from "../report.ts";
import { bareNode } from "./bare-node.ts";
import { bareRemix } from "./bare-remix/server.ts";
import { fillQueue, signInStaff, webEnvironment } from "./berth.ts";
import { answerOf, Children } from "./children.ts";
import { load, type Slice, type Yield } from "./load.ts";
import { buildBareRemix } from "./remix-build.ts";

const WAITING = 10_000;
const CONNECTIONS = 10;
const ROUNDS = 5;
const SLICE_MS = 4_000;
const GOAL = 0.7;
/** Its packages are found from here, and nothing else cleans it up. */
const CACHE = path.join(import.meta.dirname, "../../node_modules/.cache");

type Sides = Record<"node" | "remix" | "berth", Slice>;

/** Starts the servers, each in a process of its own on the same database, and signs in. */
async function startSides(
  children: Children,
  database: BerthDatabase,
  folder: string,
): Promise<Sides> {
  const bare = { DATABASE_URL: database.adminUrl, BUILD: folder };
  const appSecret = randomBytes(32).toString("base64");
  const node = await children.startBare(bareNode, bare);
  const remix = await children.startBare(bareRemix, bare);
  const berth = await children.startBerth(webEnvironment(database, appSecret));
  const cookie = await signInStaff(database, appSecret, berth);
  const slice = (url: string, headers: Record<string, string> = {}): Slice => ({
    url: `${url}/desk/queue`,
    headers,
    connections: CONNECTIONS,
    ms: SLICE_MS,
    rowMark: 'href="/desk/requests/',
    rows: 50,
  });
  return { node: slice(node), remix: slice(remix), berth: slice(berth, { cookie }) };
}

/** Asks each side in turn, round by round, from a process of its own. */
async function measure(children: Children, sides: Sides): Promise<Record<keyof Sides, Yield[]>> {
  const client = children.start(load);
  const yields: Record<keyof Sides, Yield[]> = { node: [], remix: [], berth: [] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const name of ["node", "remix", "berth"] as const) {
      client.send(sides[name]);
      const got = await answerOf<Yield>(client);
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
 * express with one query and a plain table. Needs `npm run build`.
 */
export async function benchWeb(): Promise<Report> {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(path.join(CACHE, "berth-bench-"));
  const children = new Children();
  try {
    await buildBareRemix(folder);
    return await withBerthDatabase(async (database) => {
      try {
        await fillQueue(database, WAITING);
        return asReport(await measure(children, await startSides(children, database, folder)));
      } finally {
        await children.stop();
      }
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
