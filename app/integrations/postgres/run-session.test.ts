import { randomUUID } from "node:crypto";
import pg from "pg";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type CustomerServer,
  startCustomerServer,
} from "../../../tests/support/customer-database.ts";
import { sqlStep } from "../../../tests/support/sql-step.ts";
import { LOCK_CLASS, STEP_LOCK } from "./guard.ts";
import { preflight } from "./preflight.ts";
import { FailedAttempts } from "./run-attempts.ts";
import { DEFAULT_LIMITS, type RunLimits } from "./run-context.ts";
import {
  CancelledError,
  ChecksumMismatchError,
  FencedError,
  LedgerDisagreementError,
  LockedError,
  LockTimeoutError,
  NotPreparedError,
  SqlStepError,
  StepEscapedError,
} from "./run-errors.ts";
import { openRunSession, type RunSession } from "./run-session.ts";

const log = pino({ level: "silent" });
let server: CustomerServer;
let database: string;
let looker: pg.Client;
const opened: RunSession[] = [];
let attempts: FailedAttempts;

beforeAll(async () => {
  server = await startCustomerServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  for (const session of opened.splice(0)) await session.close();
  await looker?.end();
  database = await server.createDatabase();
  looker = await server.connectSuperuser(database);
  attempts = new FailedAttempts();
});

async function open(
  options: {
    token?: bigint;
    runId?: string;
    limits?: Partial<RunLimits>;
    signal?: AbortSignal;
  } = {},
): Promise<RunSession> {
  const session = await openRunSession({
    connect: (name) => server.connect(database, undefined, name),
    backendId: "backend",
    runId: options.runId ?? randomUUID(),
    token: options.token ?? 1n,
    signal: options.signal ?? new AbortController().signal,
    log,
    limits: { runLockPatienceMs: 400, ...options.limits },
    attempts,
  });
  opened.push(session);
  return session;
}

async function prepared(options: Parameters<typeof open>[0] = {}): Promise<RunSession> {
  const session = await open(options);
  await session.prepare();
  return session;
}

async function one(sql: string): Promise<unknown> {
  const { rows } = await looker.query({ text: sql, rowMode: "array" });
  return rows[0]?.[0];
}

const tableExists = (name: string) => one(`select to_regclass('${name}') is not null`);
const becomes = (sql: string, value: string) =>
  expect.poll(() => one(sql), { timeout: 60_000, interval: 20 }).toBe(value);
const sleeping = () =>
  becomes(
    `select count(*) from pg_stat_activity
     where wait_event = 'PgSleep' and datname = current_database()`,
    "1",
  );
const rejected = (work: Promise<unknown>) =>
  work.then(
    () => Promise.reject(new Error("It should have failed.")),
    (error: unknown) => error as never,
  );

describe("checks", () => {
  const CHECK = "select 'slept' as check_name, true as ok, pg_sleep(0.3)::text as detail";

  test("have the limit of time that is given to them", async () => {
    const session = await open();
    expect(await session.check(CHECK, 20_000)).toEqual([
      { check_name: "slept", ok: true, detail: "" },
    ]);
    await expect(session.check(CHECK, 20)).rejects.toThrow(/57014/);
    // The session goes on, and the limit was for that query alone.
    expect(await session.check(CHECK)).toHaveLength(1);
  });
});

describe("prepare", () => {
  test("makes both schemas, twice without harm, and closes them to the API's roles", async () => {
    const session = await open();
    await expect(session.apply(await sqlStep("20260101000000", "select 1"))).rejects.toThrow(
      NotPreparedError,
    );
    await session.prepare();
    await session.prepare();
    for (const schema of ["berth", "supabase_migrations"]) {
      for (const role of ["anon", "authenticated", "service_role"]) {
        expect(await one(`select has_schema_privilege('${role}', '${schema}', 'usage')`)).toBe(
          false,
        );
      }
    }
    const { rows } = await looker.query(
      `select column_name, data_type from information_schema.columns
       where table_schema = 'supabase_migrations' order by table_name, ordinal_position`,
    );
    expect(rows.map((r) => `${r.column_name} ${r.data_type}`)).toEqual([
      "version text",
      "statements ARRAY",
      "name text",
      "path text",
      "hash text",
    ]);
  });

  test("takes the tables that Supabase's CLI made, and closes a schema that was opened", async () => {
    await looker.query(`
      set role postgres;
      create schema supabase_migrations;
      create table supabase_migrations.schema_migrations (version text primary key);
      grant usage on schema supabase_migrations to public, anon;
      reset role`);
    await prepared();
    expect(await one("select has_schema_privilege('anon', 'supabase_migrations', 'usage')")).toBe(
      false,
    );
    expect(
      await one("select count(*) from supabase_migrations.schema_migrations where name is null"),
    ).toBe("0");
  });
});

describe("a step", () => {
  test("is applied once and recorded in both ledgers, also when its file ends in a comment", async () => {
    const session = await prepared();
    const step = await sqlStep(
      "20260101000000",
      "create table public.a (id int);\n-- it's a name\ninsert into a values (1) -- the end",
    );
    expect(await session.apply(step)).toMatchObject({ outcome: "applied", statements: 2 });
    expect(await session.apply(step)).toMatchObject({ outcome: "already_applied" });
    expect(await one("select count(*) from a")).toBe("1");
    const { rows } = await looker.query("select * from supabase_migrations.schema_migrations");
    expect(rows).toEqual([
      {
        version: "20260101000000",
        name: "test",
        statements: [
          "create table public.a (id int)",
          "-- it's a name\ninsert into a values (1) -- the end",
        ],
      },
    ]);
    expect(await session.ledger()).toMatchObject([
      { version: "20260101000000", name: "test", checksum: step.checksum, template: "base" },
    ]);
  });

  test("keeps backslashes, quotes and dollar quotes of the file in the ledger as they were", async () => {
    const session = await prepared();
    const sql = "select 'a\\', e'b\\'c', $x$ '; drop table t; -- $x$, 'ü€😀'";
    await session.apply(await sqlStep("20260101000000", sql));
    expect(await one("select statements[1] from supabase_migrations.schema_migrations")).toBe(sql);
  });

  test("keeps notices, with secrets redacted", async () => {
    const session = await prepared();
    const step = await sqlStep(
      "20260101000000",
      "do $$ begin raise notice 'hello postgresql://u:hunter2@h/d'; end $$",
    );
    const { notices } = await session.apply(step);
    expect(notices.join()).toContain("hello");
    expect(notices.join()).not.toContain("hunter2");
  });

  test("says how many notices it did not keep", async () => {
    const session = await open({ runId: "loud", token: 9n, limits: DEFAULT_LIMITS });
    await session.prepare();
    const loud = "do $$ begin for i in 1..120 loop raise notice '%', i; end loop; end $$";
    const { notices } = await session.apply(await sqlStep("20260101000000", loud));
    expect(notices).toHaveLength(101);
    expect(notices.at(-1)).toBe("… and 20 more, which are not kept.");
  });

  test("waits for all the tables that it locks no longer than for one", async () => {
    const session = await open({ runId: "tables", token: 8n, limits: DEFAULT_LIMITS });
    await session.prepare();
    const tables = `create table public.plain (id int);
      create table public."In Parts" (id int) partition by list (id);
      create table public.part_1 partition of "In Parts" for values in (1);
      create table public.part_2 partition of "In Parts" default;`;
    await session.apply(await sqlStep("20260101000000", tables));
    const step = await sqlStep(
      "20260101000001",
      `create table public.new (id int); alter table new add n int;
       alter table public.plain add n int; alter table "In Parts" add n int;
       do $$ begin raise notice '%', current_setting('lock_timeout'); end $$`,
    );
    // 700 ms for one plain table, and one in two parts.
    expect((await session.apply(step)).notices).toEqual(["NOTICE: 175ms"]);
  });

  test("runs in a session with its name and its limits, also on a connection made anew", async () => {
    const session = await open({ runId: "named", token: 7n, limits: DEFAULT_LIMITS });
    await session.prepare();
    const settings =
      "lock_timeout statement_timeout idle_in_transaction_session_timeout client_connection_check_interval".split(
        " ",
      );
    const told = async (version: string) => {
      const step = await sqlStep(
        version,
        `do $$ begin
           raise notice '%', (select application_name from pg_stat_activity where pid = pg_backend_pid());
           ${settings.map((name) => `raise notice '%', current_setting('${name}');`).join("\n")}
         end $$`,
      );
      return (await session.apply(step)).notices.map((notice) => notice.replace("NOTICE: ", ""));
    };
    const expected = ["berth:named:7", "700ms", "5min", "30s", "1s"];
    expect(await told("20260101000000")).toEqual(expected);
    await looker.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'berth:named:7'",
    );
    expect(await told("20260101000001")).toEqual(expected);
  });

  test("whose file was edited stops with a checksum mismatch", async () => {
    const session = await prepared();
    await session.apply(await sqlStep("20260101000000", "create table a (id int)"));
    const error = await rejected(
      session.apply(await sqlStep("20260101000000", "create table b (id int)")),
    );
    expect(error).toBeInstanceOf(ChecksumMismatchError);
    expect(await tableExists("b")).toBe(false);
  });

  test("that only one half of the ledger knows stops", async () => {
    const session = await prepared();
    await looker.query(
      "insert into supabase_migrations.schema_migrations values ('20260101000000')",
    );
    await expect(session.apply(await sqlStep("20260101000000", "select 1"))).rejects.toThrow(
      LedgerDisagreementError,
    );
    await looker.query("delete from supabase_migrations.schema_migrations");
    await session.apply(await sqlStep("20260101000000", "select 1"));
    await looker.query("delete from supabase_migrations.schema_migrations");
    await expect(session.apply(await sqlStep("20260101000000", "select 1"))).rejects.toThrow(
      LedgerDisagreementError,
    );
    expect(await session.ledger()).toMatchObject([{ version: "20260101000000", name: null }]);
  });

  test("of a seed is recorded by path, and runs again with a newer template version only", async () => {
    const session = await prepared();
    await session.apply(await sqlStep("20260101000000", "create table a (n int)"));
    const seed = (sql: string, templateVersion: string) =>
      sqlStep("", sql, { kind: "seed", file: "base/seed.sql", templateVersion });
    const first = await seed("insert into a values (1)", "1.0.0");
    expect((await session.apply(first)).outcome).toBe("applied");
    expect((await session.apply(first)).outcome).toBe("already_applied");
    const edited = seed("insert into a values (2)", "1.0.0");
    await expect(session.apply(await edited)).rejects.toThrow(ChecksumMismatchError);
    const newer = await seed("insert into a values (2)", "1.1.0");
    expect((await session.apply(newer)).outcome).toBe("applied");
    expect(
      await one("select hash from supabase_migrations.seed_files where path = 'base/seed.sql'"),
    ).toBe(newer.checksum);
    expect(await one("select count(*) from a")).toBe("2");
  });

  test("refuses a NUL before anything is sent", async () => {
    const session = await prepared();
    const step = await sqlStep("20260101000000", "select 1", { name: "a\0b" });
    await expect(session.apply(step)).rejects.toThrow(/NUL/);
    expect(await session.ledger()).toEqual([]);
  });

  test("cannot shadow what the ledger's statements use", async () => {
    const session = await prepared();
    await session.apply(
      await sqlStep(
        "20260101000000",
        `create function public.now() returns timestamptz language sql as 'select null::timestamptz';
         create schema evil; create table evil.ledger (version text);
         set local search_path to evil, public, pg_catalog`,
      ),
    );
    expect(await one("select applied_at is not null from berth.ledger")).toBe(true);
  });
});

describe("a failing step", () => {
  const failing =
    "create table a (id int primary key);\n\ninsert into a values (1);\n\n  -- again\n  insert into a values (1);\ncreate table b (id int)";

  test("says file, line, statement and SQLSTATE, and leaves the database as before", async () => {
    const session = await prepared();
    const error: SqlStepError = await rejected(
      session.apply(await sqlStep("20260101000000", failing)),
    );
    expect(error).toBeInstanceOf(SqlStepError);
    expect(error).toMatchObject({ sqlstate: "23505", line: 6, statement: 3 });
    expect(error.file).toBe("base/migrations/20260101000000_test.sql");
    expect(await tableExists("a")).toBe(false);
    expect(await session.ledger()).toEqual([]);
    const mended = await sqlStep("20260101000000", "create table a (id int)");
    expect((await session.apply(mended)).outcome).toBe("applied");
  });

  test("gives the exact line of a name that does not exist, after characters of many bytes", async () => {
    const session = await prepared();
    const sql = "select '😀ü';\nselect 1,\n  2,\n  nothing";
    const error: SqlStepError = await rejected(session.apply(await sqlStep("20260101000000", sql)));
    expect(error).toMatchObject({ sqlstate: "42703", line: 4, statement: 2 });
  });

  test("names the commit when a deferred constraint fails there", async () => {
    const session = await prepared();
    const sql =
      "create table p (id int primary key);\n" +
      "create table c (id int references p deferrable initially deferred);\n" +
      "insert into c values (1)";
    const error: SqlStepError = await rejected(session.apply(await sqlStep("20260101000000", sql)));
    expect(error).toMatchObject({ sqlstate: "23503", statement: null });
    expect(await tableExists("p")).toBe(false);
  });

  test.each([
    [
      "a unique key",
      "insert into t values ('sb_secret_canary4711', 1), ('sb_secret_canary4711', 2)",
    ],
    ["a failing row", "insert into t values ('sb_secret_canary4711', null)"],
    ["a cast", "select 'sb_secret_canary4711'::uuid"],
    [
      "a check in a sentence",
      "do $$ begin raise 'no: %', 'eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiY2FuYXJ5NDcxMSJ9.c2lnbmF0dXJlc2lnbmF0dXJl'; end $$",
    ],
    [
      "a plain value of a customer's row",
      "insert into t values ('canary4711', 1), ('canary4711', 2)",
    ],
  ])("keeps the value of %s to itself", async (_, sql) => {
    const session = await prepared();
    const step = await sqlStep(
      "20260101000000",
      `create table t (s text unique, n int not null); ${sql}`,
    );
    const error: SqlStepError = await rejected(session.apply(step));
    expect(error).toBeInstanceOf(SqlStepError);
    const said = JSON.stringify({
      ...error,
      message: error.message,
      stack: error.stack,
      cause: error.cause,
    });
    expect(said).not.toContain("canary4711");
    expect(said).not.toContain("Y2FuYXJ5NDcxM");
  });

  test("is stopped by its statement time-out", async () => {
    const session = await prepared();
    const step = await sqlStep("20260101000000", "create table a (id int); select pg_sleep(30)");
    const error: SqlStepError = await rejected(session.apply({ ...step, timeoutMs: 200 }));
    expect(error).toMatchObject({ sqlstate: "57014", statement: 2, retryable: false });
    expect(error.needed).toBe("every statement to end within 0.2 seconds");
    expect(await tableExists("a")).toBe(false);
  });
});

describe("a file that gets past the wall", () => {
  test.each([
    ["COMMIT", "commit; create table after (id int)", "the transaction id changed"],
    [
      "COMMIT and BEGIN",
      "commit; begin; create table after (id int)",
      "the transaction id changed",
    ],
    ["ROLLBACK", "rollback; create table after (id int)", "the transaction id changed"],
    ["SET ROLE", "create table after (id int); set local role anon", "the role changed"],
    [
      "an unlock whose name is put together",
      "create table after (id int); do $$ begin execute format('select %I()', 'pg_' || 'advisory_unlock_all'); end $$",
      "the run lock was let go",
    ],
    [
      "a change of the fence",
      "create table after (id int); update berth.fence set token = token + 1",
      "the fence changed",
    ],
  ])("with %s is caught before the ledger is written", async (_, sql, found) => {
    const session = await prepared();
    const error: StepEscapedError = await rejected(
      session.apply(await sqlStep("20260101000000", sql)),
    );
    expect(error).toBeInstanceOf(StepEscapedError);
    expect(error).toMatchObject({ found, retryable: false });
    expect(await tableExists("after")).toBe(false);
    expect(await session.ledger()).toEqual([]);
  });

  test("with pg_advisory_unlock_all() leaves nothing, and the lock is taken again before the next step", async () => {
    const session = await prepared();
    const unlock = await sqlStep("20260101000000", "select pg_advisory_unlock_all()");
    expect(await rejected(session.apply(unlock))).toBeInstanceOf(StepEscapedError);
    await session.apply(await sqlStep("20260101000001", "create table a (id int)"));
    const held =
      "select count(*) from pg_locks l join pg_database d on d.oid = l.database where locktype = 'advisory' and datname = current_database()";
    expect(await one(held)).toBe("1");
    expect(await session.ledger()).toHaveLength(1);
  });
});

describe("two sessions on one database", () => {
  test("the same token twice: the second is told that it is fenced, or locked before a fence exists", async () => {
    await open({ runId: "run-a" });
    const locked: LockedError = await rejected(open({ runId: "run-b" }));
    expect(locked).toBeInstanceOf(LockedError);
    expect(locked.found).toContain("berth:run-a:1");
  });

  test("a larger token takes over; the older session is fenced and harms nothing", async () => {
    const older = await prepared({ token: 1n });
    await older.apply(await sqlStep("20260101000000", "create table a (id int)"));
    const newer = await open({ token: 2n });
    const late: FencedError = await rejected(
      older.apply(await sqlStep("20260101000001", "create table b (id int)")),
    );
    expect(late).toBeInstanceOf(FencedError);
    expect(late.retryable).toBe(false);
    expect(
      (await newer.apply(await sqlStep("20260101000001", "create table b (id int)"))).outcome,
    ).toBe("applied");
    await expect(open({ token: 1n })).rejects.toThrow(FencedError);
    expect(await newer.ledger()).toHaveLength(2);
  });

  test("a take-over in the middle of a step ends that step and runs it again", async () => {
    const older = await prepared({ token: 1n });
    const slow = await sqlStep("20260101000000", "create table a (id int); select pg_sleep(60)");
    const first = rejected(older.apply(slow));
    await sleeping();
    const newer = await open({ token: 2n, limits: { runLockPatienceMs: 10_000 } });
    expect(await first).toBeInstanceOf(FencedError);
    expect(await tableExists("a")).toBe(false);
    const quick = await sqlStep("20260101000000", "create table a (id int)");
    expect((await newer.apply(quick)).outcome).toBe("applied");
  });

  test("a token written behind the session's back stops its next step", async () => {
    const session = await prepared();
    await looker.query("update berth.fence set token = 9");
    await expect(session.apply(await sqlStep("20260101000000", "select 1"))).rejects.toThrow(
      FencedError,
    );
  });

  test("the same run may reconnect with its own token while its old session lingers", async () => {
    const first = await prepared({ runId: "same", token: 3n });
    const second = await open({ runId: "same", token: 3n, limits: { runLockPatienceMs: 10_000 } });
    expect((await second.apply(await sqlStep("20260101000000", "select 1"))).outcome).toBe(
      "applied",
    );
    await first.close();
  });
});

describe("locks of other sessions", () => {
  test("are waited for in short tries until they are gone", async () => {
    const session = await prepared({ limits: { lockTimeoutMs: 50 } });
    await session.apply(await sqlStep("20260101000000", "create table a (id int)"));
    const other = await server.connect(database);
    await other.query("begin; lock table a in access exclusive mode");
    const work = session.apply(await sqlStep("20260101000001", "alter table a add column n int"));
    const waiting = "select count(*) from pg_locks where not granted and relation = 'a'::regclass";
    await becomes(waiting, "1");
    await becomes(waiting, "0");
    await other.query("commit");
    await other.end();
    expect((await work).outcome).toBe("applied");
  });

  test("leave a line of each attempt, from the second on with whose they are", async () => {
    const session = await prepared({ limits: { lockTimeoutMs: 500 } });
    await session.apply(await sqlStep("20260101000000", 'create table public."Or ders" (id int)'));
    expect(attempts.take()).toEqual([]);
    const other = await server.connect(database, undefined, "hunter2");
    const { rows } = await other.query("select pg_backend_pid() as pid");
    await other.query('begin; lock table "Or ders"');
    const sql = 'select 1;\nalter table "Or ders" add column n int';
    const work = session.apply(await sqlStep("20260101000001", sql));
    const watchers =
      "select count(*) from pg_stat_activity where application_name ~ '^berth-watch'";
    const waits = "select count(*) from pg_locks where not granted";
    const most: unknown[] = [];
    for (const wanted of ["1", "0", "1", "0", "1"]) {
      await becomes(waits, wanted);
      most.push(await one(watchers));
    }
    await other.query("commit");
    await other.end();
    await work;
    const failed = attempts.take();
    expect(failed[0]?.what).toMatch(/^gave way after [\d.]+ m?s: line 2 waited for a lock$/);
    expect(failed[1]?.what).toMatch(
      /^gave way after [\d.]+ m?s: line 2 waited for a lock on public\."Or ders"; session \d+ of postgres was in the way$/,
    );
    expect(failed[1]?.what).toContain(`session ${rows[0].pid} of`);
    expect(failed[1]?.at).toBeGreaterThan(failed[0]?.at ?? Number.NaN);
    expect(most[0]).toBe("0");
    expect(new Set(most)).toEqual(new Set(["0", "1"]));
    expect(attempts.take()).toEqual([]);
    await becomes(watchers, "0");
  });

  test("leave a line where a take-over or the preparation gave way to them", async () => {
    await (await prepared({ token: 1n })).close();
    const other = await server.connect(database);
    const waits = "select count(*) from pg_locks where not granted";
    const givesWay = async <T>(lock: string, begin: () => Promise<T>) => {
      await other.query(`begin; ${lock}`);
      const work = begin();
      await becomes(waits, "1");
      await becomes(waits, "0");
      await other.query("commit");
      return work;
    };
    const limits = { lockTimeoutMs: 200, runLockPatienceMs: 60_000 };
    const session = await givesWay("select from berth.fence for update", () =>
      open({ token: 2n, limits }),
    );
    expect(attempts.take()[0]?.what).toMatch(/: its take-over waited for a lock$/);
    await givesWay("lock table berth.fence", () => session.prepare());
    expect(attempts.take()[0]?.what).toMatch(/: the preparation of its schemas waited for a lock$/);
    await other.end();
  });

  test("on the row of the fence are named when a run gives up to take it over", async () => {
    const session = await prepared({ token: 1n });
    await session.close();
    const other = await server.connect(database, undefined, "psql of Ann");
    await other.query("begin; select from berth.fence where run_id <> 'hunter2' for update");
    const error: LockTimeoutError = await rejected(
      open({ token: 2n, limits: { lockTimeoutMs: 300, runLockPatienceMs: 1 } }),
    );
    await other.end();
    // The second attempt is the failure itself.
    expect(attempts.take()).toHaveLength(1);
    expect(error).toBeInstanceOf(LockTimeoutError);
    expect(error.found).toMatch(
      /^held up by session \d+ of postgres \(psql of Ann\), idle in transaction for [\d.]+ m?s: begin; select from berth\.fence where run_id <> '…' for update$/,
    );
  });

  test.each([
    [
      "lock table a -- of 4711\n /* of 4711 */; select $x$4711$x$, U&'4711', 4711 as \"B c\"",
      /: lock table a ; select '…', U&'…', … as "B c"$/,
    ],
    ["lock table a; select E'47\\'11', 'x4711'", /transaction for [\d.]+ m?s$/],
  ])("are shown without values: %s", async (query, shown) => {
    const session = await prepared({ limits: { lockTimeoutMs: 500, lockPatienceMs: 1 } });
    await looker.query("create table a (id int); alter table a owner to postgres");
    const other = await server.connect(database);
    await other.query("begin");
    await other.query(query);
    const error: LockTimeoutError = await rejected(
      session.apply(await sqlStep("20260101000001", "alter table a add column n int")),
    );
    await other.end();
    expect(error.found).toMatch(shown);
    expect(error.found).not.toContain("4711");
  });

  test("of a prepared transaction are named by its identifier", async () => {
    const session = await prepared({ limits: { lockTimeoutMs: 500, lockPatienceMs: 1 } });
    await looker.query("create table a (id int); alter table a owner to postgres");
    const other = await server.connect(database);
    await other.query("begin; lock table a");
    await other.query("prepare transaction 'left behind'");
    const error: LockTimeoutError = await rejected(
      session.apply(await sqlStep("20260101000001", "alter table a add column n int")),
    );
    await other.query("rollback prepared 'left behind'");
    await other.end();
    expect(error.found).toMatch(
      /^held up by a prepared transaction of postgres \(left behind\), open for [\d.]+ m?s$/,
    );
  });

  test("on what prepare() makes are named when it gives up", async () => {
    const session = await prepared({ limits: { lockTimeoutMs: 200 } });
    const other = await server.connect(database, undefined, "psql of Ann");
    await other.query("begin; lock table berth.fence");
    const error: LockTimeoutError = await rejected(session.prepare());
    await other.end();
    expect(error).toBeInstanceOf(LockTimeoutError);
    expect(error.found).toContain("psql of Ann");
  });

  test("of a step that another session has in flight are named", async () => {
    const session = await prepared({ limits: { lockPatienceMs: 1 } });
    const other = await server.connect(database, undefined, "berth of old");
    await other.query(`begin; select pg_advisory_xact_lock(${LOCK_CLASS}, ${STEP_LOCK})`);
    const error: LockTimeoutError = await rejected(
      session.apply(await sqlStep("20260101000000", "select 1")),
    );
    await other.end();
    expect(error.found).toContain("(berth of old), idle in transaction for");
  });

  test("that stay end in an error that names their session, without its secrets", async () => {
    const session = await prepared({ limits: { lockTimeoutMs: 300, lockPatienceMs: 1 } });
    await session.apply(await sqlStep("20260101000000", "create table a (id int)"));
    const other = await server.connect(database, undefined, "psql of Ann");
    await other.query("begin; lock table a; select 'postgresql://u:hunter2@h/d'");
    const error: LockTimeoutError = await rejected(
      session.apply(await sqlStep("20260101000001", "select 1;\nalter table a add column n int")),
    );
    await other.end();
    expect(error).toBeInstanceOf(LockTimeoutError);
    expect(error).toMatchObject({ retryable: true });
    expect(error.message).toContain(":2:");
    expect(error.found).toContain("psql of Ann");
    expect(error.found).not.toContain("hunter2");
    expect(await session.ledger()).toHaveLength(1);
  });
});

describe("a database that cannot be reached", () => {
  test("is told with the reason of the connection, after a few tries", async () => {
    let tries = 0;
    const refused = () => {
      tries += 1;
      return Promise.reject(new Error("connect ECONNREFUSED"));
    };
    const error: Error = await rejected(
      openRunSession({
        connect: refused,
        backendId: "backend",
        runId: "run",
        token: 1n,
        signal: new AbortController().signal,
        log,
        limits: { reconnectPauseMs: 1, reconnectPatienceMs: 100 },
        attempts,
      }),
    );
    expect(error).toMatchObject({ code: "database_connection_lost", retryable: true });
    expect(tries).toBeGreaterThan(1);
    const lines = attempts.take().map(({ what }) => what);
    // The last try is the failure itself.
    expect(lines).toEqual(Array(tries - 1).fill(expect.stringMatching(/^got no connection: /)));
  });

  test("with a wrong password is not tried again", async () => {
    const connect = async (name: string) => {
      const client = await server.connect(database, undefined, name);
      const { user, port } = client;
      await client.end();
      const wrong = new pg.Client({ host: "127.0.0.1", port, user, database, password: "wrong" });
      await wrong.connect();
      return wrong;
    };
    const error: Error = await rejected(
      openRunSession({
        connect,
        backendId: "backend",
        runId: "run",
        token: 1n,
        signal: new AbortController().signal,
        log,
      }),
    );
    expect(error).toMatchObject({ code: "28P01" });
  });

  test.each([
    ["a run id with a quote", "it's", 1n],
    ["a run id that is too long", "x".repeat(37), 1n],
    ["a token of zero", "run", 0n],
  ])("is not even tried with %s", async (_, runId, token) => {
    await expect(open({ runId, token })).rejects.toThrow(TypeError);
  });
});

describe("cancel and stop", () => {
  test("cancel() rolls the step in progress back; another session resumes", async () => {
    const session = await prepared({ runId: "run-c", token: 1n });
    const work = rejected(
      session.apply(
        await sqlStep("20260101000000", "create table a (id int); select pg_sleep(60)"),
      ),
    );
    await sleeping();
    await session.cancel();
    expect(await work).toBeInstanceOf(CancelledError);
    expect(await tableExists("a")).toBe(false);
    await expect(session.apply(await sqlStep("20260101000001", "select 1"))).rejects.toThrow(
      CancelledError,
    );
    await session.close();
    const next = await open({ token: 2n });
    expect(
      (await next.apply(await sqlStep("20260101000000", "create table a (id int)"))).outcome,
    ).toBe("applied");
  });

  test("cancel() hangs up on a statement that goes on in spite of it", async () => {
    const session = await prepared();
    const stubborn = `do $$ begin loop begin perform pg_catalog.pg_sleep(60);
      exception when query_canceled then null; end; end loop; end $$`;
    const work = rejected(session.apply(await sqlStep("20260101000000", stubborn)));
    await sleeping();
    await session.cancel();
    expect(await work).toBeInstanceOf(CancelledError);
    await looker.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'",
    );
  });

  test("an aborted signal stops before the next step", async () => {
    const stop = new AbortController();
    const session = await prepared({ signal: stop.signal });
    stop.abort();
    const error: Error & { code?: string } = await rejected(
      session.apply(await sqlStep("20260101000000", "select 1")),
    );
    expect(error.code).toBe("run_stopped");
  });

  test("close() leaves neither lock nor session", async () => {
    const session = await prepared();
    await session.close();
    await becomes(
      `select count(*) from pg_stat_activity
       where application_name like 'berth:%' and datname = current_database()`,
      "0",
    );
  });
});

describe("checks and preflight", () => {
  test("checks read only, and are one SELECT", async () => {
    const session = await prepared();
    expect(await session.check("select 'x' as check_name, true as ok, 'fine' as detail")).toEqual([
      { check_name: "x", ok: true, detail: "fine" },
    ]);
    await expect(session.check("select 1; select 2")).rejects.toMatchObject({
      code: "sql_forbidden",
    });
    await expect(session.check("commit")).rejects.toMatchObject({ code: "sql_forbidden" });
    await looker.query(
      "set role postgres; create table a (id int); create function w() returns int language sql as 'insert into public.a values (1) returning 1'; reset role",
    );
    const error: Error = await rejected(
      session.check("select 'x' as check_name, w() = 1 as ok, '' as detail"),
    );
    expect(error).toMatchObject({ code: "database_refused", sqlstate: "25006" });
    expect(await session.ledger()).toEqual([]);
  });

  test("preflight is green on a fresh database, and red where something is missing", async () => {
    const session = await open();
    const fresh = await preflight(session, { minimumPostgres: 15 });
    expect(fresh.filter((line) => !line.ok)).toEqual([]);
    expect(fresh).toHaveLength(8);
    await looker.query(
      "create table public.theirs (id int); create schema berth; revoke create on schema public from pg_database_owner; revoke create on database " +
        database +
        " from postgres; alter database " +
        database +
        " owner to supabase_admin",
    );
    const red = await preflight(session, { minimumPostgres: 99 });
    expect(
      red
        .filter((line) => !line.ok)
        .map((line) => line.name)
        .sort(),
    ).toEqual([
      "Privilege on the database",
      "Privilege on the schema public",
      "Schema berth",
      "Schema public",
      "Server version",
    ]);
    for (const line of red) expect(line.fix && line.needed && line.found).toBeTruthy();
  });
});
