import type { SqlStep } from "#app/integrations/postgres/ledger.ts";
import { median, type Ratio, type Row } from "../report.ts";
import type { Customer, Customers } from "./customers.ts";
import { BARE, BERTH, medianOfRatios } from "./rounds.ts";
import { bareLoop, berthRunner } from "./sides.ts";
import type { Tool } from "./tools.ts";

const CUSTOMERS = 50;
/** How many at a time, on either side: as many runs as a worker has at most. */
const AT_A_TIME = 8;
const ROUNDS = 3;
/** No further round begins after this time. */
const SECONDS = 30;
const AT_MOST = 1.15;

/** 50 customers at once: all their databases are there before the clock starts. */
async function measureCrowd(customers: Customers, side: Tool): Promise<number> {
  const crowd: Customer[] = [];
  while (crowd.length < CUSTOMERS) crowd.push(await customers.create(customers.port));
  const waiting = crowd.values();
  const started = performance.now();
  const lane = async () => {
    for (const customer of waiting) await side(customer);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, lane));
  const took = performance.now() - started;
  for (const customer of crowd) await customers.remove(customer);
  return took;
}

/** Berth's runner against the bare loop, both with the same bound on what runs at a time. */
export async function benchCrowd(
  customers: Customers,
  steps: SqlStep[],
): Promise<{ rows: Row[]; ratios: Ratio[] }> {
  const took: Record<"bare" | "berth", number[]> = { bare: [], berth: [] };
  const sides: ["bare" | "berth", Tool][] = [
    ["bare", (customer) => bareLoop(customer.connectPlainly, steps)],
    ["berth", (customer) => berthRunner(customer.connectAsBerth, steps)],
  ];
  const end = Date.now() + SECONDS * 1_000;
  for (let round = 0; round === 0 || (round < ROUNDS && Date.now() < end); round += 1) {
    for (const [name, side] of round % 2 === 0 ? sides : sides.toReversed()) {
      took[name].push(await measureCrowd(customers, side));
    }
  }
  const name = `${CUSTOMERS} at once, ${AT_A_TIME} at a time`;
  const row = (side: string, times: number[]): Row => ({
    case: name,
    side,
    unit: "ms",
    median: median(times),
    n: times.length,
  });
  const value = medianOfRatios(took.berth, took.bare);
  return {
    rows: [row(BARE, took.bare), row(BERTH, took.berth)],
    ratios: [
      {
        name: `${name}: berth / bare loop`,
        value,
        goal: `<= ${AT_MOST}`,
        ok: value <= AT_MOST,
      },
    ],
  };
}
