import type { SqlStep } from "#app/integrations/postgres/ledger.ts";
import { median, type Report, type Row } from "../report.ts";
import { benchCrowd } from "./crowd.ts";
import { type Customers, startCustomers } from "./customers.ts";
import { measurePhases, PHASES, type Phase } from "./phases.ts";
import { BARE, BERTH, type Distance, measureDistance } from "./rounds.ts";
import { bareLoop, berthRunner } from "./sides.ts";
import { prepareTools } from "./tools.ts";
import { makeWorkload } from "./workload.ts";

const DISTANCES: Distance[] = [
  {
    name: "local",
    roundTripMs: 0,
    rounds: 20,
    seconds: 40,
    toolRounds: { "psql -1": 5, "supabase db push": 5, "drizzle migrator": 5 },
    atMost: 1.15,
    pushAtLeast: 5,
  },
  {
    name: "20 ms",
    roundTripMs: 20,
    rounds: 5,
    seconds: 20,
    toolRounds: { "psql -1": 1, "supabase db push": 3, "drizzle migrator": 1 },
    atMost: 1.2,
    pushAtLeast: 1,
  },
  {
    name: "80 ms",
    roundTripMs: 80,
    rounds: 3,
    seconds: 20,
    toolRounds: { "psql -1": 1, "supabase db push": 2, "drizzle migrator": 1 },
    atMost: 1.2,
    pushAtLeast: 1,
  },
];
const PHASE_ROUNDS = 9;
const PHASE_SECONDS = 20;

/** Where the time goes, phase by phase, each in a query of its own; local. */
async function benchPhases(customers: Customers, steps: SqlStep[]): Promise<Row[]> {
  const spent: Record<"bare" | "berth", Record<Phase, number>[]> = { bare: [], berth: [] };
  const end = Date.now() + PHASE_SECONDS * 1_000;
  for (let round = 0; round < 2 || (round < PHASE_ROUNDS && Date.now() < end); round += 1) {
    const one = await customers.create(customers.port);
    spent.bare.push(await measurePhases(one.connectPlainly, (c) => bareLoop(c, steps)));
    await customers.remove(one);
    const other = await customers.create(customers.port);
    spent.berth.push(await measurePhases(other.connectAsBerth, (c) => berthRunner(c, steps)));
    await customers.remove(other);
  }
  return PHASES.flatMap((phase) => {
    const of = (side: Record<Phase, number>[]) => median(side.map((each) => each[phase]));
    const row = (side: string, value: number): Row => ({
      case: `of it: ${phase}`,
      side,
      unit: "ms",
      median: value,
      n: spent.berth.length,
    });
    const [bare, berth] = [of(spent.bare), of(spent.berth)];
    return [row(BARE, bare), row(BERTH, berth), row("the gap", berth - bare)];
  });
}

/**
 * The runner with every guard on, against what a user would write or take instead: 40 tables in
 * 280 statements and six files, onto fresh projects on one server with fsync and TLS on.
 * Connections count in.
 */
export async function benchRunner(): Promise<Report> {
  const steps = await makeWorkload();
  const customers = await startCustomers();
  const tools = await prepareTools(steps);
  const report: Report = { bench: "runner", rows: [], ratios: [] };
  for (const distance of DISTANCES) {
    const { rows, ratios } = await measureDistance(customers, steps, tools, distance);
    report.rows.push(...rows);
    report.ratios.push(...ratios);
    if (distance.roundTripMs === 0) report.rows.push(...(await benchPhases(customers, steps)));
  }
  const crowd = await benchCrowd(customers, steps);
  report.rows.push(...crowd.rows);
  report.ratios.push(...crowd.ratios);
  return report;
}
