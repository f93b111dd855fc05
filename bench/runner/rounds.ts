import type { SqlStep } from "#app/integrations/postgres/ledger.ts";
import { median, type Ratio, type Row } from "../report.ts";
import type { Customer, Customers } from "./customers.ts";
import { type DelayProxy, startDelayProxy } from "./delay-proxy.ts";
import { bareLoop, bareLoopInOneQuery, berthRun, berthRunner } from "./sides.ts";
import type { Tool } from "./tools.ts";

export const BARE = "bare per-file loop";
export const BERTH = "berth, all guards";
/** With what a run looks at before it writes anything. */
const RUN = "berth, survey, preflight";
const PUSH = "supabase db push";

/** How far away the customers' databases are, and how often each side is measured there. */
export interface Distance {
  name: string;
  /** 0: without a proxy. */
  roundTripMs: number;
  rounds: number;
  /** No further round begins after this time, but for the first two. */
  seconds: number;
  /** Of the tools; those that send statement by statement take their time. */
  toolRounds: Record<string, number>;
  /** What the runner may take of the bare loop's time. */
  atMost: number;
  /** How many times as fast as Supabase's CLI it must be. */
  pushAtLeast: number;
}

/** The sides that run in this process, which is warm after a round. */
function ownSides(steps: SqlStep[]): [string, Tool][] {
  return [
    [BARE, (customer) => bareLoop(customer.connectPlainly, steps)],
    ["ledger in the same query", (customer) => bareLoopInOneQuery(customer.connectPlainly, steps)],
    [BERTH, (customer) => berthRunner(customer.connectAsBerth, steps)],
    [RUN, (customer) => berthRun(customer.connectAsBerth, steps)],
  ];
}

/** What one side took, and how often it waited for an answer. */
interface Measured {
  ms: number[];
  trips: number;
}

/** All sides at one distance, interleaved; every one on a fresh database. */
export async function measureDistance(
  customers: Customers,
  steps: SqlStep[],
  tools: Map<string, Tool>,
  distance: Distance,
): Promise<{ rows: Row[]; ratios: Ratio[] }> {
  const { rounds, roundTripMs, seconds, toolRounds } = distance;
  const proxy = roundTripMs > 0 ? await startDelayProxy(customers.port, roundTripMs) : null;
  const own = ownSides(steps);
  const measured = new Map<string, Measured>();
  const end = Date.now() + seconds * 1_000;
  // The first round warms up what runs in this process.
  for (let round = 0; round <= rounds && (round <= 2 || Date.now() < end); round += 1) {
    const turned = own.map((_, index) => own[(index + round) % own.length] as [string, Tool]);
    const called = [...tools].filter(([name]) => round > 0 && round <= (toolRounds[name] ?? 0));
    for (const [name, side] of [...turned, ...called]) {
      const took = await measure(customers, proxy, side);
      if (round === 0) continue;
      const { ms } = measured.get(name) ?? { ms: [] };
      measured.set(name, { ms: [...ms, took.ms], trips: took.trips });
    }
  }
  return {
    rows: [
      ...(proxy ? [await measuredRoundTrip(customers, proxy, distance)] : []),
      ...toRows(distance, measured),
    ],
    ratios: toRatios(distance, steps.length, measured),
  };
}

async function measure(customers: Customers, proxy: DelayProxy | null, side: Tool) {
  const customer = await customers.create(proxy?.port ?? customers.port);
  const before = proxy?.roundTrips() ?? 0;
  const started = performance.now();
  await side(customer);
  const ms = performance.now() - started;
  const trips = (proxy?.roundTrips() ?? 0) - before;
  await customers.remove(customer);
  return { ms, trips };
}

/** Whether the distance is what it says: the time of `select 1`. */
async function measuredRoundTrip(
  customers: Customers,
  proxy: DelayProxy,
  { name }: Distance,
): Promise<Row> {
  const customer: Customer = await customers.create(proxy.port);
  const client = await customer.connectPlainly();
  const times: number[] = [];
  while (times.length < 10) {
    const started = performance.now();
    await client.query("select 1");
    times.push(performance.now() - started);
  }
  await client.end();
  await customers.remove(customer);
  return { case: name, side: "select 1", unit: "ms", median: median(times), n: times.length };
}

function toRows({ name, roundTripMs }: Distance, measured: Map<string, Measured>): Row[] {
  return [...measured].flatMap(([side, { ms, trips }]) => [
    { case: name, side, unit: "ms", median: median(ms), n: ms.length },
    ...(roundTripMs > 0 ? [{ case: name, side, unit: "trips", median: trips, n: 1 }] : []),
  ]);
}

function toRatios(distance: Distance, files: number, measured: Map<string, Measured>): Ratio[] {
  const { name, atMost, pushAtLeast, roundTripMs } = distance;
  const berth = measured.get(BERTH) as Measured;
  const run = measured.get(RUN) as Measured;
  const bare = measured.get(BARE) as Measured;
  const push = measured.get(PUSH);
  const above = (what: string, value: number, goal: number): Ratio => ({
    name: `${name}: ${what}`,
    value,
    goal: `>= ${goal}`,
    ok: value >= goal,
  });
  const below = (what: string, value: number, goal: number): Ratio => ({
    name: `${name}: ${what}`,
    value,
    goal: `<= ${goal}`,
    ok: value <= goal,
  });
  const fromPush = push ? median(push.ms) / median(run.ms) : Number.NaN;
  return [
    below("berth / bare loop", medianOfRatios(berth.ms, bare.ms), atMost),
    below("berth with survey and preflight / bare loop", medianOfRatios(run.ms, bare.ms), atMost),
    above("supabase db push / berth with survey and preflight", fromPush, pushAtLeast),
    ...(roundTripMs > 0
      ? [below("round trips of berth with survey and preflight", run.trips, 2 * files + 6)]
      : []),
  ];
}

/** Of each round's two figures: what slows a machine down for a while slows both. */
export function medianOfRatios(over: number[], under: number[]): number {
  return median(over.map((value, round) => value / (under[round] ?? Number.NaN)));
}
