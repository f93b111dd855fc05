import { randomUUID } from "node:crypto";
import type pg from "pg";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { diffCatalogs, snapshotCatalog } from "../../../tests/support/catalog.ts";
import {
  type CustomerServer,
  startCustomerServer,
} from "../../../tests/support/customer-database.ts";
import { sqlStep } from "../../../tests/support/sql-step.ts";
import { type RehearsalStep, rehearse } from "./rehearse.ts";
import type { RunLimits } from "./run-context.ts";
import { LockedError, SqlStepError } from "./run-errors.ts";
import { openRunSession } from "./run-session.ts";

const log = pino({ level: "silent" });
let server: CustomerServer;
let database: string;
/** As `postgres`, the owner of the database. */
let owner: pg.Client;
let looker: pg.Client;

beforeAll(async () => {
  server = await startCustomerServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  await owner?.end();
  await looker?.end();
  database = await server.createDatabase();
  owner = await server.connect(database);
  looker = await server.connectSuperuser(database);
  await looker.query("grant all on schema public to postgres");
});

/** Files one after another, as a plan has them. */
async function files(...sqls: (string | Partial<RehearsalStep["step"]>)[]) {
  return Promise.all(
    sqls.map(async (given, index): Promise<RehearsalStep> => {
      const { sql = "", ...options } = typeof given === "string" ? { sql: given } : given;
      const version = `2026010100000${index}`;
      const step = await sqlStep(version, sql, {
        file: `base/migrations/${version}_file.sql`,
        ...options,
      });
      return { name: `File ${index + 1}`, step, planned: "apply" };
    }),
  );
}

function run(steps: RehearsalStep[], options: Partial<Parameters<typeof rehearse>[0]> = {}) {
  return rehearse({
    connect: (name, other) => server.connect(other ?? database, undefined, name),
    id: randomUUID(),
    signal: new AbortController().signal,
    plan: async () => steps,
    ...options,
  });
}

const outcomes = (result: { steps: { outcome: string }[] }) =>
  result.steps.map(({ outcome }) => outcome);
const databases = async () =>
  (await looker.query("select datname from pg_database order by 1")).rows;

/** What stands in the database, with the state of its sequences. */
async function everything() {
  const catalog = await snapshotCatalog(looker);
  const { rows } = await looker.query(
    "select schemaname, sequencename, last_value from pg_sequences order by 1, 2",
  );
  return { ...catalog, counters: { all: JSON.stringify(rows) } };
}

/** Runs `work` and proves that nothing of it is left. */
async function leavingNothing<T>(work: () => Promise<T>): Promise<T> {
  const before = await everything();
  const others = await databases();
  const result = await work();
  expect(diffCatalogs(before, await everything())).toEqual([]);
  expect(await databases()).toEqual(others);
  const { rows } = await looker.query(
    "select count(*)::int as n from pg_locks where locktype = 'advisory'",
  );
  expect(rows).toEqual([{ n: 0 }]);
  return result;
}

describe("on a backend without rows", () => {
  test("every file runs to its end in one transaction, and nothing stays", async () => {
    const steps = await files(
      "create table public.a (id bigint generated always as identity primary key, n int)",
      "insert into public.a (n) values (1), (2)",
      { sql: "insert into public.a (n) values (3)", kind: "seed" },
    );
    const result = await leavingNothing(() => run(steps));
    expect(result).toMatchObject({ where: "backend", ok: true, missing: [] });
    expect(outcomes(result)).toEqual(["rehearsed", "rehearsed", "rehearsed"]);
  });

  test("a failing statement is found with its file, line and words, and ends the rehearsal", async () => {
    const steps = await files(
      "create table public.a (id int primary key)",
      "create table public.b (id int primary key)",
      "\ninsert into public.a values (1);\n\ninsert into public.a\n  values (1);",
      "create table public.c (id int)",
    );
    const result = await leavingNothing(() => run(steps));
    expect(result.ok).toBe(false);
    expect(outcomes(result)).toEqual(["rehearsed", "rehearsed", "failed", "not_reached"]);
    const { error } = result.steps[2] as { error?: SqlStepError };
    expect(error).toBeInstanceOf(SqlStepError);
    expect(error).toMatchObject({
      sqlstate: "23505",
      file: "base/migrations/20260101000002_file.sql",
      line: 4,
      statement: 2,
      detail: "Key (id)=(…) already exists.",
    });
  });

  test("a constraint that is deferred is checked at the end of each file", async () => {
    const steps = await files(
      `create table public.parent (id int primary key);
       create table public.child (id int primary key,
         parent int references public.parent deferrable initially deferred)`,
      // Right at the end of this file, though not before.
      "insert into public.child values (1, 1); insert into public.parent values (1)",
      "insert into public.child values (2, 2); insert into public.parent values (2)",
      "insert into public.child values (3, 3)",
    );
    const result = await leavingNothing(() => run(steps));
    expect(outcomes(result)).toEqual(["rehearsed", "rehearsed", "rehearsed", "failed"]);
    expect(result.steps[3]?.error).toMatchObject({ sqlstate: "23503", statement: null });
  });

  test("a constraint stays deferred in the very file that makes it, after others were checked", async () => {
    const steps = await files(
      "create table public.x (id int unique deferrable initially deferred)",
      `create table public.parent (id int primary key);
       create table public.child (parent int references public.parent deferrable initially deferred);
       insert into public.child values (1);
       insert into public.parent values (1)`,
    );
    expect((await run(steps)).ok).toBe(true);
  });

  test("what a file sets for itself does not reach the next one", async () => {
    const steps = await files(
      "set local search_path to pg_catalog; create table public.a (id int)",
      "create table b (id int); select 1 from public.b",
    );
    expect((await run(steps)).ok).toBe(true);
  });

  test("a use of an enum value that an earlier file adds is listed, and the rest goes on", async () => {
    await owner.query("create type public.mood as enum ('calm')");
    const steps = await files(
      "alter type public.mood add value 'glad'",
      "create table public.a (mood public.mood default 'glad'::public.mood)",
      "comment on table public.a is 'what the file before would have made'",
      "create table public.b (id int)",
    );
    const result = await leavingNothing(() => run(steps));
    expect(outcomes(result)).toEqual(["rehearsed", "not_rehearsed", "not_rehearsed", "rehearsed"]);
    expect(result.ok).toBe(true);
    expect(result.steps[1]?.reason).toMatch(/earlier file adds to an enum type.*\[55P04\]$/);
    expect(result.steps[2]?.reason).toMatch(/0001_file\.sql makes.*\[42P01\]$/);
  });

  test("a file that adds an enum value and uses it fails, as it would in a run", async () => {
    await owner.query("create type public.mood as enum ('calm')");
    const steps = await files(
      "alter type public.mood add value 'glad'; select 'glad'::public.mood",
    );
    const result = await leavingNothing(() => run(steps));
    expect(outcomes(result)).toEqual(["failed"]);
    expect(result.steps[0]?.error).toMatchObject({ sqlstate: "55P04", line: 1, statement: 2 });
  });

  test("an index that is built concurrently is listed with the reason", async () => {
    const steps = await files(
      "create table public.a (id int)",
      { sql: "create index concurrently a_id on public.a (id)", transactional: false },
      "insert into public.a values (1)",
    );
    const result = await leavingNothing(() => run(steps));
    expect(outcomes(result)).toEqual(["rehearsed", "not_rehearsed", "rehearsed"]);
    expect(result.steps[1]?.reason).toMatch(/cannot run inside a transaction/);
  });

  test("what the ledger has is not run; what it has otherwise ends the rehearsal", async () => {
    const steps = await files("select 1/0", "create table public.a (id int)", "select 1");
    Object.assign(steps[0] as RehearsalStep, { planned: "applied" });
    expect(outcomes(await run(steps))).toEqual(["applied", "rehearsed", "rehearsed"]);
    Object.assign(steps[0] as RehearsalStep, { planned: "differs", appliedChecksum: "other" });
    const result = await run(steps);
    expect(outcomes(result)).toEqual(["failed", "not_reached", "not_reached"]);
    expect(result.steps[0]?.error).toMatchObject({ code: "checksum_mismatch" });
    Object.assign(steps[0] as RehearsalStep, { planned: "kept" });
    expect(outcomes(await run(steps))).toEqual(["not_rehearsed", "rehearsed", "rehearsed"]);
  });

  test("sequences that were there before count no further", async () => {
    await owner.query(`create table public.a (id bigint generated always as identity, n int);
      create sequence public.s increment by 5; select nextval('public.s')`);
    const steps = await files(
      "insert into public.a (n) values (1), (2), (3)",
      "select nextval('public.s')",
    );
    const result = await leavingNothing(() => run(steps));
    expect(result).toMatchObject({ where: "backend", ok: true });
    const { rows } = await owner.query("select nextval('public.s')::int as n");
    expect(rows).toEqual([{ n: 6 }]);
  });

  test("a file that leaves the transaction is found", async () => {
    const result = await run(await files("select 1; commit; begin", "select 1"));
    expect(outcomes(result)).toEqual(["failed", "not_reached"]);
    expect(result.steps[0]?.error).toMatchObject({ code: "step_escaped" });
  });

  test("a statement's own time limit holds, and that of the whole", async () => {
    const slow = { sql: "select pg_sleep(30)", timeoutMs: 50 };
    const limited = await leavingNothing(async () => run(await files(slow)));
    expect(limited.steps[0]?.error).toMatchObject({ code: "sql_step_failed", sqlstate: "57014" });
    for (const sql of ["select pg_sleep(30)", "select pg_sleep(0.7);\n".repeat(40)]) {
      const whole = await leavingNothing(async () =>
        run(await files("create table public.a ()", sql), { limits: { totalMs: 3_000 } }),
      );
      expect(outcomes(whole)).toEqual(["rehearsed", "failed"]);
      expect(whole.steps[1]?.error).toMatchObject({ code: "rehearsal_too_long" });
    }
  });
});

describe("beside other sessions", () => {
  test("a lock that another session holds is told in words, and nobody waits long behind us", async () => {
    await owner.query("create table public.a (id int)");
    const steps = await files("create table public.b ()", "alter table public.a add n int");
    const other = await server.connect(database, undefined, "somebody");
    await other.query("begin; lock table public.a in access share mode");
    const rehearsing = run(steps);
    let isOver = false;
    void rehearsing.then(() => (isOver = true));
    await waitingForLock();
    // Queued behind our request for the lock, and through as soon as that has timed out.
    await owner.query("select from public.a");
    expect(isOver).toBe(false);
    const result = await rehearsing;
    expect(outcomes(result)).toEqual(["rehearsed", "failed"]);
    expect(result.steps[1]?.error).toMatchObject({
      code: "lock_timeout",
      retryable: true,
      found: expect.stringMatching(/held up by session \d+ of postgres \(somebody\)/),
    });
    await other.end();
  });

  test("a lock that is given back meanwhile is had by a later try", async () => {
    await owner.query("create table public.a (id int)");
    const other = await server.connect(database);
    await other.query("begin; lock table public.a in access share mode");
    const steps = await files("create table public.b ()", "alter table public.a add n int");
    const result = await leavingNothing(async () => {
      const rehearsing = run(steps);
      await waitingForLock();
      await owner.query("select from public.a");
      await other.query("commit");
      return rehearsing;
    });
    expect(outcomes(result)).toEqual(["rehearsed", "rehearsed"]);
    await other.end();
  });

  test("it is refused while a run has the database", async () => {
    const session = await openSession();
    const limits = { runLockPatienceMs: 100 };
    await expect(run(await files("select 1"), { limits })).rejects.toThrow(LockedError);
    await session.close();
    expect((await run(await files("select 1"))).ok).toBe(true);
  });

  test("it waits a moment for a run that is just ending", async () => {
    const session = await openSession();
    const rehearsing = run(await files("select 1"), { limits: { runLockPatienceMs: 60_000 } });
    const asks = () =>
      looker.query(
        "select from pg_stat_activity where application_name like 'berth-rehearsal:%' and query like '%pg_try_advisory_lock%' and state = 'idle'",
      );
    await expect.poll(async () => (await asks()).rowCount, { timeout: 60_000 }).toBe(1);
    await session.close();
    expect((await rehearsing).ok).toBe(true);
  });

  test("a run that begins meanwhile waits, and goes on", async () => {
    const steps = await files("select pg_sleep(2)", "create table public.a ()");
    const rehearsing = run(steps);
    await sleeping();
    const session = await openSession(1n, { runLockPatienceMs: 100 });
    expect((await rehearsing).ok).toBe(true);
    await session.prepare();
    expect((await session.apply((steps[1] as RehearsalStep).step)).outcome).toBe("applied");
    await session.close();
  });

  test("neither fence nor ledger is touched", async () => {
    const session = await openSession(7n);
    await session.prepare();
    await session.close();
    const fence = () => looker.query("select * from berth.fence");
    const before = (await fence()).rows;
    await leavingNothing(async () => run(await files("create table public.a ()")));
    expect((await fence()).rows).toEqual(before);
  });
});

describe("a rehearsal that is cut off leaves nothing", () => {
  test("when its short time on the backend itself is over, in the middle of many statements", async () => {
    const steps = await files(
      "create table public.a ()",
      "select pg_sleep(2); select pg_sleep(2); select pg_sleep(30)",
      "select 2",
    );
    await leavingNothing(async () => {
      const rehearsing = run(steps, { limits: { backendMs: 3_000 } });
      const pid = await sleeping();
      const result = await rehearsing;
      expect(outcomes(result)).toEqual(["rehearsed", "failed", "not_reached"]);
      expect(result.steps[1]?.error).toMatchObject({
        code: "rehearsal_too_long",
        found: expect.stringContaining("3 s"),
      });
      await gone(pid);
    });
  });

  test("when its connection is killed", async () => {
    const steps = await files("create table public.a ()", "select pg_sleep(30)");
    await leavingNothing(async () => {
      const rehearsing = run(steps);
      const pid = await sleeping();
      await looker.query("select pg_terminate_backend($1)", [pid]);
      await expect(rehearsing).rejects.toMatchObject({ code: "database_connection_lost" });
      await gone(pid);
    });
  });

  test("when its caller gives it up", async () => {
    const caller = new AbortController();
    const steps = await files("create table public.a ()", "select pg_sleep(30)");
    await leavingNothing(async () => {
      const rehearsing = run(steps, { signal: caller.signal });
      const pid = await sleeping();
      caller.abort(new Error("given up"));
      await expect(rehearsing).rejects.toMatchObject({ code: "rehearsal_stopped" });
      await gone(pid);
    });
  });
});

describe("on a backend with rows", () => {
  beforeEach(async () => {
    await owner.query(`create schema crm;
      create table crm.people (id bigint generated always as identity primary key, name text);
      insert into crm.people (name) values ('Ann')`);
  });

  test("a copy of the catalog is taken instead, and dropped", async () => {
    const steps = await files(
      "alter table crm.people add age int not null default 0",
      "insert into crm.people (name) values ('Bob')",
    );
    const result = await leavingNothing(() => run(steps));
    expect(result).toMatchObject({ where: "scratch copy", ok: true });
    expect(outcomes(result)).toEqual(["rehearsed", "rehearsed"]);
  });

  test("what the customer made himself is in a file's way there too", async () => {
    await owner.query("create table public.kpis (id int)");
    const steps = await files("create schema metrics", "create table public.kpis (id uuid)");
    const result = await leavingNothing(() => run(steps));
    expect(result).toMatchObject({ where: "scratch copy", ok: false });
    expect(result.steps[1]?.error).toMatchObject({ sqlstate: "42P07", line: 1 });
  });

  test("what needs the rows that a copy has not is listed, not failed", async () => {
    await owner.query(`create table public.units (code text primary key);
      create table public.products (unit text references public.units)`);
    const steps = await files("insert into public.products values ('pcs')");
    const result = await leavingNothing(() => run(steps));
    expect(outcomes(result)).toEqual(["not_rehearsed"]);
    expect(result.steps[0]?.reason).toMatch(/needs rows/);
  });

  test("rows that come while a try waits for a lock are seen by the next one", async () => {
    await owner.query("truncate crm.people");
    const other = await server.connect(database);
    await other.query("begin; insert into crm.people (name) values ('Eve')");
    const steps = await files("alter table crm.people add age int not null default 0");
    // So short that the first try is over at once; the pauses between tries grow.
    const rehearsing = run(steps, { limits: { lockTimeoutMs: 1, tries: 8 } });
    await betweenTries();
    await other.query("commit");
    expect(await rehearsing).toMatchObject({ where: "scratch copy", ok: true });
    await other.end();
  });

  test("without a scratch database it says so, and leaves the rows alone", async () => {
    await looker.query("alter role postgres nocreatedb");
    try {
      await leavingNothing(async () => {
        await expect(run(await files("create table public.a ()"))).rejects.toMatchObject({
          code: "scratch_unavailable",
          found: expect.stringContaining("permission denied"),
          fix: expect.any(String),
        });
      });
    } finally {
      await looker.query("alter role postgres createdb");
    }
  });
});

function openSession(token = 1n, limits: Partial<RunLimits> = {}) {
  return openRunSession({
    connect: (name) => server.connect(database, undefined, name),
    backendId: "backend",
    runId: randomUUID(),
    token,
    signal: new AbortController().signal,
    log,
    limits,
  });
}

/** Waits until a session of this database sleeps; its process id. */
async function sleeping(): Promise<number> {
  const pid = async () => {
    const { rows } = await looker.query(
      `select pid from pg_stat_activity where wait_event = 'PgSleep' and datname = $1`,
      [database],
    );
    return rows[0]?.pid;
  };
  await expect.poll(pid, { timeout: 60_000, interval: 20 }).toBeTypeOf("number");
  return pid();
}

/** Waits until the rehearsal waits for a lock. */
async function waitingForLock(): Promise<void> {
  const waits = async () => {
    const { rowCount } = await looker.query(
      `select from pg_stat_activity where wait_event_type = 'Lock' and datname = $1
         and application_name like 'berth-rehearsal:%'`,
      [database],
    );
    return rowCount;
  };
  await expect.poll(waits, { timeout: 60_000, interval: 20 }).toBe(1);
}

/** Waits until the rehearsal has rolled a try back. */
async function betweenTries(): Promise<void> {
  const waits = async () => {
    const { rowCount } = await looker.query(
      `select from pg_stat_activity where state = 'idle' and query ilike 'rollback%'
         and datname = $1 and application_name like 'berth-rehearsal:%'`,
      [database],
    );
    return rowCount;
  };
  await expect.poll(waits, { timeout: 60_000, interval: 20 }).toBe(1);
}

const gone = (pid: number) =>
  expect
    .poll(
      async () =>
        (await looker.query("select from pg_stat_activity where pid = $1", [pid])).rowCount,
      {
        timeout: 60_000,
        interval: 20,
      },
    )
    .toBe(0);
