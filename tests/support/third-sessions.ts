/**
 * How long third sessions wait because of a run: somebody holds a lock that a step must wait for,
 * and others use the same table in ways that only the waiting step is in conflict with.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { pino } from "pino";
import { openRunSession, type RunSession } from "../../app/integrations/postgres/run-session.ts";
import type { CustomerServer } from "./customer-database.ts";
import { sqlStep } from "./sql-step.ts";

export interface LockScene {
  name: string;
  /** What the blocker does in a transaction that stays open. */
  blocker: string;
  /** What the step does; `n` tells the tries apart. */
  step: (n: number) => string;
  /** Whether the step needs no transaction. */
  isAlone?: boolean;
  /** What third sessions do; the blocker alone would let them. */
  thirds: string[];
  /** Whether the step's request makes them queue behind it. */
  queues: boolean;
}

const reads = "select count(*) from public.items where id = 1";
const writes = "insert into public.items (n) values (0)";

export const LOCK_SCENES: readonly LockScene[] = [
  {
    name: "ACCESS EXCLUSIVE behind a reader",
    blocker: reads,
    step: (n) => `alter table public.items add column extra_${n} int`,
    thirds: [reads, writes],
    queues: true,
  },
  {
    name: "SHARE ROW EXCLUSIVE behind a writer",
    blocker: writes,
    step: (n) =>
      `create trigger touched_${n} before update on public.items for each row execute function suppress_redundant_updates_trigger()`,
    thirds: [writes],
    queues: true,
  },
  {
    name: "CREATE INDEX CONCURRENTLY behind a writer",
    blocker: writes,
    step: (n) => `create index concurrently items_${n} on public.items (n) where id > ${n}`,
    isAlone: true,
    thirds: [reads, writes],
    queues: false,
  },
  {
    name: "the fence's row behind a reader that locks it",
    blocker: "select * from berth.fence for share",
    step: (n) => `create table public.made_${n} (id int)`,
    thirds: ["select * from berth.fence", "select * from berth.fence for share"],
    queues: false,
  },
];

export interface Waits {
  tries: number;
  queries: number;
  /** Queries that waited for longer than a tenth of a second. */
  queued: number;
  /** In milliseconds, as the server's own clock has it. */
  longestMs: number;
  /** The same before there is any step. */
  longestWithoutMs: number;
  /** Tries that did not end as they must. */
  wrong: string[];
}

const QUEUED_MS = 100;

/** Plays a scene `tries` times, in some databases side by side. */
export async function measureWaits(
  server: CustomerServer,
  scene: LockScene,
  options: { tries: number; lanes: number },
): Promise<Waits> {
  const all = noWaits();
  let left = options.tries;
  const lane = async () => {
    const ground = await openGround(server, scene);
    try {
      for (; left > 0; ) {
        left -= 1;
        all.tries += 1;
        await playOnce(ground, scene, all);
      }
    } finally {
      await ground.close();
    }
  };
  await Promise.all(Array.from({ length: options.lanes }, lane));
  return all;
}

/** One step that never gets its lock: the whole patience, until it gives up. */
export async function measurePatience(server: CustomerServer, scene: LockScene): Promise<Waits> {
  const waits = { ...noWaits(), tries: 1 };
  const ground = await openGround(server, scene);
  try {
    await ground.blocker.query(`begin; ${scene.blocker}`);
    const end = new AbortController();
    const others = queryOn(ground, scene, waits, end.signal);
    const failure = await apply(ground, scene).then(
      () => null,
      (error: { code?: string }) => error.code,
    );
    end.abort();
    await others;
    await ground.blocker.query("rollback");
    if (failure !== "lock_timeout") waits.wrong.push(`the step ended with ${failure}`);
    return waits;
  } finally {
    await ground.close();
  }
}

const noWaits = (): Waits => ({
  tries: 0,
  queries: 0,
  queued: 0,
  longestMs: 0,
  longestWithoutMs: 0,
  wrong: [],
});

interface Ground {
  session: RunSession;
  blocker: pg.Client;
  others: pg.Client[];
  steps: number;
  close(): Promise<void>;
}

async function openGround(server: CustomerServer, scene: LockScene): Promise<Ground> {
  const database = await server.createDatabase();
  const connect = () => server.connect(database);
  const session = await openRunSession({
    connect: (name) => server.connect(database, undefined, name),
    backendId: database,
    runId: "waits",
    token: 1n,
    signal: new AbortController().signal,
    log: pino({ level: "silent" }),
  });
  await session.prepare();
  const blocker = await connect();
  // The server's own clock: what keeps this process busy is no wait for a lock.
  await blocker.query(`
    create table public.items (id int generated always as identity, n int);
    insert into public.items (n) select x from generate_series(1, 1000) x;
    create function public.waited(what text) returns float8 language plpgsql as $$
    declare begun timestamptz := clock_timestamp();
    begin
      execute what;
      return extract(epoch from clock_timestamp() - begun) * 1000;
    end $$`);
  const others = await Promise.all(scene.thirds.map(connect));
  return {
    session,
    blocker,
    others,
    steps: 0,
    async close() {
      await session.close();
      for (const client of [blocker, ...others]) await client.end();
    },
  };
}

async function apply(ground: Ground, scene: LockScene): Promise<void> {
  ground.steps += 1;
  const version = String(20260101000000 + ground.steps);
  const options = { transactional: !scene.isAlone };
  await ground.session.apply(await sqlStep(version, scene.step(ground.steps), options));
}

/** The blocker stays for a while, in which the step tries, gives way, and tries again. */
async function playOnce(ground: Ground, scene: LockScene, waits: Waits): Promise<void> {
  await ground.blocker.query(`begin; ${scene.blocker}`);
  const before = noWaits();
  await queryOn(ground, scene, before, AbortSignal.timeout(100));
  waits.longestWithoutMs = Math.max(waits.longestWithoutMs, before.longestMs);
  const end = new AbortController();
  const others = queryOn(ground, scene, waits, end.signal);
  const step = apply(ground, scene).catch((error: unknown) => {
    waits.wrong.push(String(error));
  });
  await sleep(200 + Math.random() * 2_000);
  await ground.blocker.query("rollback");
  await step;
  end.abort();
  await others;
}

/** Third sessions ask one query after another until told to stop. */
async function queryOn(
  { others }: Ground,
  { thirds }: LockScene,
  waits: Waits,
  signal: AbortSignal,
): Promise<void> {
  const ask = async (client: pg.Client, sql: string) => {
    while (!signal.aborted) {
      const { rows } = await client.query("select public.waited($1) as ms", [sql]);
      const { ms } = rows[0] as { ms: number };
      waits.queries += 1;
      if (ms > QUEUED_MS) waits.queued += 1;
      waits.longestMs = Math.max(waits.longestMs, ms);
      await sleep(5);
    }
  };
  await Promise.all(others.map((client, at) => ask(client, thirds[at] ?? "")));
}
