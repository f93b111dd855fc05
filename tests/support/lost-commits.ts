/** The lost COMMIT, many times: shared by a sample in `npm test` and the whole in `npm run faults`. */

import { openRunSession } from "../../app/integrations/postgres/run-session.ts";
import type { Logger } from "../../app/platform/log.ts";
import type { CustomerServer } from "./customer-database.ts";
import type { FaultAction, FaultProxy } from "./proxy.ts";
import { sqlStep } from "./sql-step.ts";

export interface LostCommitTally {
  /** Cut before the server got the message that holds the COMMIT. */
  before: number;
  /** Cut after the server had committed and answered. */
  after: number;
  /** Cut at the moment of sending: the server is still at work while the runner reconnects. */
  atOnce: number;
  /** What went wrong, one line per step; empty when all is right. */
  wrong: string[];
}

const CUTS: Record<keyof Omit<LostCommitTally, "wrong">, FaultAction> = {
  before: "cut-before",
  after: "cut-reply",
  atOnce: "cut-after",
};

/**
 * Applies `rounds` steps per kind of cut on one fresh database. Each step counts itself in a
 * table; at the end every version must be in the ledger once and counted once.
 */
export async function lostCommits(options: {
  server: CustomerServer;
  proxy: FaultProxy;
  rounds: number;
  log: Logger;
}): Promise<LostCommitTally> {
  const { server, proxy, rounds, log } = options;
  const database = await server.createDatabase();
  const session = await openRunSession({
    connect: (name) => server.connect(database, proxy, name),
    backendId: "lost-commits",
    runId: "lost-commits",
    token: 1n,
    signal: new AbortController().signal,
    log,
    limits: { reconnectPauseMs: 10, runLockPatienceMs: 60_000 },
  });
  const tally: LostCommitTally = { before: 0, after: 0, atOnce: 0, wrong: [] };
  const versions: string[] = [];
  try {
    await session.prepare();
    await session.apply(
      await sqlStep("20260101000000", "create table public.effects (version text)"),
    );
    for (let round = 0; round < rounds; round += 1) {
      for (const kind of ["before", "after", "atOnce"] as const) {
        const version = String(20260201000000 + versions.length);
        const sql = `insert into public.effects values ('${version}'); create table public.t${version} (id int)`;
        const step = await sqlStep(version, sql);
        const fault = proxy.arm({ from: "client", when: /\ncommit\n/, action: CUTS[kind] });
        const { outcome } = await session.apply(step);
        if (fault.struck() !== 1) tally.wrong.push(`${version}: the cut did not happen`);
        if (outcome !== "applied") tally.wrong.push(`${version}: ${outcome}`);
        versions.push(version);
        tally[kind] += 1;
      }
    }
    const client = await server.connectSuperuser(database);
    const { rows } = await client.query<{ version: string; effects: string; listed: string }>(
      `select l.version, (select count(*) from public.effects e where e.version = l.version) as effects,
         (select count(*) from supabase_migrations.schema_migrations s
          where s.version = l.version and to_regclass('public.t' || l.version) is not null) as listed
       from berth.ledger l where l.version <> '20260101000000' order by 1`,
    );
    await client.end();
    if (rows.map((row) => row.version).join() !== versions.join())
      tally.wrong.push("the ledger differs");
    for (const row of rows) {
      if (row.effects !== "1" || row.listed !== "1") {
        tally.wrong.push(`${row.version}: ${row.effects} effects, listed ${row.listed} times`);
      }
    }
    return tally;
  } finally {
    await session.close();
  }
}
