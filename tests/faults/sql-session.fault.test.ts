import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { SqlStep } from "../../app/integrations/postgres/ledger.ts";
import { openRunSession } from "../../app/integrations/postgres/run-session.ts";
import { diffCatalogs, snapshotCatalog } from "../support/catalog.ts";
import { type CustomerServer, startCustomerServer } from "../support/customer-database.ts";
import { faultRounds, report } from "../support/fault-report.ts";
import { lostCommits } from "../support/lost-commits.ts";
import { type FaultProxy, startFaultProxy } from "../support/proxy.ts";
import { sqlStep } from "../support/sql-step.ts";

const LOST_COMMITS = 100;
const RUNS = faultRounds();

const log = pino({ level: "silent" });
let server: CustomerServer;
let proxy: FaultProxy;

beforeAll(async () => {
  server = await startCustomerServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  proxy = await startFaultProxy({
    upstream: { host: "127.0.0.1", port: server.port },
    authority: server.authority,
  });
});
afterEach(() => proxy.close());

const print = (line: string) => report(line, true);

/** One of every kind: tables, functions, policies, concurrent indexes, a seed. */
async function plan(): Promise<SqlStep[]> {
  const alone = { transactional: false };
  return [
    await sqlStep(
      "20260101000000",
      "create table public.items (id int primary key, n int); insert into items select x, x from generate_series(1, 20000) x",
    ),
    await sqlStep("20260101000001", "create index concurrently items_n on public.items (n)", alone),
    await sqlStep(
      "20260101000002",
      "alter table items enable row level security; create policy p on items for select to anon using (n > 0); grant select on items to anon",
    ),
    await sqlStep("20260101000003", "reindex index concurrently public.items_n", alone),
    await sqlStep(
      "20260101000004",
      "create table public.log (id bigint generated always as identity, what text); create function public.f() returns int language sql as 'select 1'",
    ),
    await sqlStep(
      "20260101000005",
      "create unique index concurrently log_id on public.log (id)",
      alone,
    ),
    await sqlStep(
      "20260101000006",
      "create index concurrently if not exists items_id_n on public.items (id, n)",
      alone,
    ),
    await sqlStep("20260101000007", "drop index concurrently public.items_id_n", alone),
    await sqlStep("", "insert into log (what) values ('seed')", {
      kind: "seed",
      file: "base/seed.sql",
    }),
  ];
}

async function run(database: string, runId: string, token: bigint, breakIt?: () => void) {
  const session = await openRunSession({
    connect: (name) => server.connect(database, proxy, name),
    backendId: database,
    runId,
    token,
    signal: new AbortController().signal,
    log,
    limits: { reconnectPauseMs: 10, reconnects: 50, runLockPatienceMs: 60_000 },
  });
  try {
    await session.prepare();
    for (const step of await plan()) {
      breakIt?.();
      await session.apply(step);
    }
  } finally {
    await session.close();
  }
}

async function snapshot(database: string) {
  const client = await server.connectSuperuser(database);
  try {
    return await snapshotCatalog(client);
  } finally {
    await client.end();
  }
}

test(`${LOST_COMMITS} lost COMMIT replies of each kind are resolved right`, async () => {
  const tally = await lostCommits({ server, proxy, rounds: LOST_COMMITS, log });
  print(
    `lost COMMIT: ${tally.before} cut before, ${tally.after} cut after the reply, ` +
      `${tally.atOnce} cut while the server was at work; ${tally.wrong.length} resolved wrong`,
  );
  expect(tally).toEqual({
    before: LOST_COMMITS,
    after: LOST_COMMITS,
    atOnce: LOST_COMMITS,
    wrong: [],
  });
});

test("a cut at any answer of any step, and sessions ended at any moment", async () => {
  const clean = await server.createDatabase();
  await run(clean, "clean", 1n);
  const wanted = await snapshot(clean);
  let faults = 0;
  for (let n = 0; n < RUNS; n += 1) {
    const database = await server.createDatabase();
    const admin = await server.connectSuperuser(database);
    const ends = new Set<Promise<unknown>>();
    await run(database, `cut-${n}`, 1n, () => {
      const nth = 1 + Math.floor(Math.random() * 14);
      const action = Math.random() < 0.5 ? "cut-before" : "cut-after";
      const from = Math.random() < 0.7 ? "server" : "client";
      const fault = proxy.arm(
        from === "server"
          ? { from, when: "C", nth, action }
          : { from, when: /./s, nth: 1 + (nth % 4), action },
      );
      void fault.reached.then(() => (faults += 1));
      const end = sleep(Math.random() * 60).then(() =>
        admin.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where application_name like 'berth:%' and datname = current_database()`,
        ),
      );
      if (Math.random() < 0.5) {
        faults += 1;
        ends.add(end);
      } else {
        end.catch(() => undefined);
      }
    });
    await Promise.all(ends);
    await admin.end();
    expect(diffCatalogs(wanted, await snapshot(database))).toEqual([]);
  }
  print(`${RUNS} runs, ${faults} faults: every catalog equal to the clean run's`);
});

test("two workers that both believe they own the run: nothing twice", async () => {
  const clean = await server.createDatabase();
  await run(clean, "clean", 1n);
  const wanted = await snapshot(clean);
  let fenced = 0;
  for (let n = 0; n < RUNS; n += 1) {
    const database = await server.createDatabase();
    const older = run(database, "older", 1n).catch((error: unknown) => error);
    await sleep(Math.random() * 150);
    await run(database, "newer", 2n);
    const end = await older;
    if (end !== undefined) {
      expect(end).toMatchObject({ code: "run_fenced" });
      fenced += 1;
    }
    expect(diffCatalogs(wanted, await snapshot(database))).toEqual([]);
  }
  print(
    `${RUNS} take-overs, ${fenced} older workers fenced: every catalog equal to the clean run's`,
  );
});
