import { randomUUID } from "node:crypto";
import pg from "pg";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openRunSession, type RunSession } from "#app/integrations/postgres/run-session.ts";
import { surveyDatabase } from "#app/integrations/postgres/survey.ts";
import {
  type GrantMode,
  grantModes,
  type ProjectServer,
  startProjectServer,
} from "../../../feature-templates/fresh-database.ts";
import { type Catalog, loadCatalog } from "../catalog/index.server.ts";
import { DriftError, guardDrift } from "./drift.ts";
import { compareCatalogs, readDatabase } from "./drift-compare.ts";
import { planRun } from "./plan.ts";
import { describeFailure } from "./report.ts";
import { sqlStepOf } from "./steps.ts";

const log = pino({ level: "silent" });
const FEATURES = ["base", "inventory", "pos", "analytics"];

let server: ProjectServer;
let catalog: Catalog;
let token = 0n;
const open: RunSession[] = [];
beforeAll(async () => {
  server = await startProjectServer();
  catalog = await loadCatalog("feature-templates");
});
afterAll(async () => {
  for (const session of open) await session.close();
  await server?.stop();
});

interface Ground {
  client: pg.Client;
  session: RunSession;
  /** How many sessions were opened in scratch databases. */
  scratches(): number;
  guard(options?: {
    accepts?: (digest: string) => boolean;
    catalog?: Catalog;
    hasNoPooler?: boolean;
    connect?: () => Promise<pg.Client>;
  }): ReturnType<typeof guardDrift>;
}

/** A project to which Berth has applied these steps of a run, of all templates. */
async function project(
  mode: GrantMode,
  isApplied: (file: string) => boolean = () => true,
  features = FEATURES,
): Promise<Ground> {
  const client = await server.createDatabase(mode);
  const signal = new AbortController().signal;
  let scratches = 0;
  const connect = (_name: string, database?: string) => {
    if (database) scratches += 1;
    return server.connectBeside(database ? ({ database } as pg.Client) : client);
  };
  token += 1n;
  const session = await openRunSession({
    connect,
    backendId: "b",
    runId: randomUUID(),
    token,
    signal,
    log,
  });
  open.push(session);
  await session.prepare();
  for (const step of planRun(catalog, features, null).steps) {
    if (!step.file || !isApplied(step.file)) continue;
    await session.apply(sqlStepOf(catalog, step));
  }
  return {
    client,
    session,
    scratches: () => scratches,
    guard: async ({ accepts = () => false, hasNoPooler = false, ...other } = {}) =>
      guardDrift({
        session,
        survey: await session.read("the survey", surveyDatabase),
        catalog,
        connect: hasNoPooler ? (name) => connect(name) : connect,
        signal,
        isAccepted: async (digest) =>
          accepts(digest) ? { by: "sam", reason: "it is known" } : null,
        ...other,
      }),
  };
}

async function drift(work: Promise<unknown>): Promise<DriftError> {
  const error = await work.catch((thrown: unknown) => thrown);
  if (!(error instanceof DriftError)) throw new Error("No drift was found.", { cause: error });
  return error;
}
const differences = async (work: Promise<unknown>) => (await drift(work)).difference;

describe.each(grantModes)("a project with the grants of %s", (mode) => {
  it("is nothing but what its versions make, in whatever order and however far", async () => {
    const whole = await project(mode);
    expect(await whole.guard()).toEqual({ drift: "none" });
    const half = await project(mode, (file) => !/polic|analytics|seed/.test(file));
    expect(await half.guard()).toEqual({ drift: "none" });
  });
});

it("a project whose defaults became narrower after its tables were made has not drifted", async () => {
  const { client, guard } = await project("legacy");
  // A version of the customer's own, which takes nothing away.
  await client.query(`
    create table public.own (id int primary key);
    insert into supabase_migrations.schema_migrations (version, statements, name)
      values ('20991231000000', array['create table public.own (id int primary key)'], 'own');
    alter default privileges in schema public
      revoke select, insert, update, delete on tables from anon, authenticated, service_role;
    alter default privileges in schema public
      revoke execute on functions from anon, authenticated, service_role`);
  const version = expect.stringMatching(
    /^version 20991231000000 \(own\): no template has it, and only Supabase's own ledger lists it; SHA-256 of its statements [0-9a-f]{12}…$/,
  );
  expect(await differences(guard())).toEqual([version]);
  await client.query("grant select on public.products to anon");
  expect(await differences(guard())).toEqual([
    version,
    "grants to anon on public.products: SELECT, by the ledger's versions none",
  ]);
});

it("what one object is granted more than the others is no older project's default", async () => {
  const { client, guard } = await project("2026-10");
  await client.query(`
    create table public.one (id int); create table public.other (id int);
    insert into supabase_migrations.schema_migrations (version, statements, name)
      values ('20991231000000', array['create table public.one (id int); create table public.other (id int)'], 'own');
    grant all on public.one to anon; create role clerk; grant select on public.other to clerk`);
  try {
    expect(await differences(guard())).toEqual([
      expect.stringMatching(/^version 20991231000000/),
      expect.stringMatching(/^grants to anon on public.one: DELETE, INSERT/),
      "grants to clerk on public.other: SELECT, by the ledger's versions none",
    ]);
  } finally {
    await client.query("revoke select on public.other from clerk; drop role clerk");
  }
});

it("a fresh project is not compared", async () => {
  const { guard, scratches, client } = await project("2026-10", () => false);
  expect(await guard()).toEqual({ drift: "fresh" });
  expect(scratches()).toBe(0);
  await client.query("create schema app; create table app.things (id int)");
  expect(await differences(guard())).toEqual(["app: a schema that no applied version makes"]);
});

describe("a project that somebody has changed", () => {
  let ground: Ground;
  beforeAll(async () => {
    ground = await project("2026-10");
  });
  const driftAfter = async (sql: string, undo: string) => {
    await ground.client.query(sql);
    try {
      return await drift(ground.guard());
    } finally {
      await ground.client.query(undo);
    }
  };

  it.each([
    [
      "alter table public.products alter price type numeric(20,2)",
      "alter table public.products alter price type numeric(18,4)",
      [
        "public.products.price: the column is numeric(20,2) not null default 0, the ledger's versions make numeric(18,4) not null default 0",
      ],
    ],
    [
      "create table public.extra (id int primary key)",
      "drop table public.extra",
      ["public.extra: a table that no applied version makes"],
    ],
    [
      "alter table public.members disable row level security",
      "alter table public.members enable row level security",
      ["public.members: the row-level security is off, the ledger's versions make on"],
    ],
    [
      "alter policy members_select on public.members rename to readers",
      "alter policy readers on public.members rename to members_select",
      [
        "missing: policy members_select on public.members",
        "readers on public.members: a policy that no applied version makes",
      ],
    ],
    [
      "grant delete on public.members to anon",
      "revoke delete on public.members from anon",
      ["grants to anon on public.members: DELETE, by the ledger's versions none"],
    ],
  ])("%s", async (sql, undo, lines) => {
    expect((await driftAfter(sql, undo)).difference).toEqual(lines);
  });

  it("tells at most fifty lines, without secrets, and counts the rest", async () => {
    const secret = `sb_secret_${"x".repeat(30)}`;
    const { difference, digest } = await driftAfter(
      `do $$ begin for i in 10 .. 70 loop
         execute format('create function public.f%s() returns int language sql as ''select 1''', i);
       end loop; end $$;
       alter table public.products alter name set default '${secret}'`,
      `do $$ begin for i in 10 .. 70 loop execute format('drop function public.f%s()', i); end loop; end $$;
       alter table public.products alter name drop default`,
    );
    expect(difference).toHaveLength(50);
    expect(difference.at(-1)).toBe("and 13 more differences");
    const told = describeFailure(new DriftError(difference, digest));
    expect(told).toMatchObject({ code: "drift", digest, difference });
    expect(JSON.stringify(told)).toContain("sb_secret_[redacted]");
    expect(JSON.stringify(told)).not.toContain(secret);
  });

  it("is accepted for exactly its difference", async () => {
    const { client, guard } = ground;
    await client.query("create table public.extra (id int)");
    const { digest } = await drift(guard());
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    const accepts = (asked: string) => asked === digest;
    expect(await guard({ accepts })).toEqual({ drift: "accepted", driftAcceptedBy: "sam" });
    // The line stays the same; what it stands for does not.
    await client.query("alter table public.extra add secret text");
    const other = await drift(guard({ accepts }));
    expect(other.difference).toEqual(["public.extra: a table that no applied version makes"]);
    expect(other.digest).not.toBe(digest);
    await client.query("drop table public.extra");
    expect(await guard()).toEqual({ drift: "none" });
  });

  it("costs a scratch database only where the same was not compared lately", async () => {
    const another = await project("2026-10");
    expect(await another.guard()).toEqual({ drift: "none" });
    expect(another.scratches()).toBe(0);
    const before = ground.scratches();
    await driftAfter("create view public.v as select 1", "drop view public.v");
    // A difference is told only after a comparison on the server itself.
    expect(ground.scratches()).toBe(before + 1);
  });

  it("is held against its ledger alone where the server gives no scratch database", async () => {
    const { client, guard } = await project(
      "legacy",
      () => true,
      FEATURES.filter((name) => name !== "pos"),
    );
    const uncompared = {
      driftUncompared: "the pooler leads to the project's own database only",
      driftPartial: false,
    };
    const notCompared = { drift: "not_compared", ...uncompared };
    expect(await guard({ hasNoPooler: true })).toEqual(notCompared);
    await client.query("create table public.extra (id int)");
    expect(await guard({ hasNoPooler: true })).toEqual(notCompared);
    await client.query("delete from supabase_migrations.schema_migrations where name = 'products'");
    const { difference, digest, found } = await drift(guard({ hasNoPooler: true }));
    const line =
      "version 20260901010100: only berth.ledger lists it, Supabase's own ledger does not";
    const why = `the catalog was not compared: ${uncompared.driftUncompared}`;
    expect(difference).toEqual([line, why]);
    expect(found).toBe(line);
    // What could not be compared is accepted as it is, and as nothing else.
    const accepts = (asked: string) => asked === digest;
    expect(await guard({ accepts, hasNoPooler: true })).toEqual({
      drift: "accepted",
      driftAcceptedBy: "sam",
      ...uncompared,
    });
    expect((await drift(guard({ accepts }))).digest).not.toBe(digest);
    await client.query("alter table public.extra add other int");
    expect((await drift(guard({ accepts, hasNoPooler: true }))).digest).not.toBe(digest);
  });

  it.each(["ECONNRESET", "53300", "57P03"])(
    "does not pass for compared where the scratch database's session ends in %s",
    async (code) => {
      const { client, guard } = await project("2026-10", (file) => file.startsWith("base"));
      await client.query(`
        insert into supabase_migrations.schema_migrations (version, statements, name)
          values ('20991230000000', array['select 1'], '${code}')`);
      const connect = async () => {
        const error = code.startsWith("E") ? new Error() : new pg.DatabaseError("", 1, "error");
        throw Object.assign(error, { code });
      };
      await expect(guard({ connect, accepts: () => true })).rejects.toMatchObject({
        code: "database_connection_lost",
        retryable: true,
      });
    },
  );

  it("stops a run, and for a supervisor to pass, where a comparison is too large", async () => {
    const { client, guard } = await project("2026-10", (file) => file.startsWith("base"));
    await client.query(
      "insert into berth.ledger select 'seed:' || i, 't', '1', 'c', 'r' from generate_series(1, 2000) i",
    );
    const { difference, digest } = await drift(guard());
    expect(difference).toHaveLength(51);
    expect(difference.at(-1)).toMatch(
      /^the catalog was not compared: the ledger has 20\d\d versions, of which Berth compares at most 2000$/,
    );
    expect(await guard({ accepts: (asked) => asked === digest })).toMatchObject({
      drift: "accepted",
    });
  });
});

it("a comparison ends at its deadline, in the middle of a statement, and stops the run", async () => {
  const { client, session } = await project("2026-10", (file) => file.startsWith("base"));
  await client.query(`
    insert into supabase_migrations.schema_migrations (version, statements, name)
      values ('20991230000000', array['select pg_sleep(600)'], 'slow')`);
  const survey = await session.read("the survey", surveyDatabase);
  const state = await session.read("the comparison", (run) =>
    readDatabase(run, ["20991230000000"]),
  );
  const connect = (_name: string, database?: string) =>
    server.connectBeside(database ? ({ database } as pg.Client) : client);
  const signal = new AbortController().signal;
  const compared = await compareCatalogs({ survey, catalog, connect, signal }, state, 3_000);
  expect(compared.obstacle).toEqual({
    reason: "it took longer than 3 seconds",
    line: "the catalog was not compared: it took longer than 3 seconds",
    isPartial: false,
    stops: true,
  });
  const { rows } = await client.query(
    "select from pg_database where datname like 'berth_scratch%'",
  );
  expect(rows).toEqual([]);
});

describe("a ledger that contradicts the templates", () => {
  it("names each version, and goes on from the statements that it keeps", async () => {
    const { client, guard } = await project("2026-10");
    await client.query(`
      update berth.ledger set checksum = repeat('a', 64) where version = '20260901010100';
      insert into supabase_migrations.schema_migrations (version, statements, name) values
        ('20261101000000', array['create table public.pushed (id int)',
          'create index pushed_id on public.pushed (id)'], 'pushed'),
        ('20261102000000', array['create index concurrently pushed_twice on public.pushed (id)'], 'index');
      create table public.pushed (id int); create index pushed_id on public.pushed (id);
      create index pushed_twice on public.pushed (id)`);
    expect(await differences(guard())).toEqual([
      expect.stringMatching(/^version 20261101000000 \(pushed\): no template has it/),
      expect.stringMatching(/^version 20261102000000 \(index\): no template has it/),
      expect.stringMatching(
        /^version 20260901010100: applied with the checksum a{12}…, but inventory\/migrations\/20260901010100_products.sql has /,
      ),
    ]);
  });

  it("replays no version that reaches beyond its database, or keeps no text", async () => {
    const { client, guard } = await project("2026-10");
    const push = (statements: string) =>
      client.query(`insert into supabase_migrations.schema_migrations (version, statements, name)
        values ('20261101000000', ${statements}, 'pushed')`);
    const line = expect.stringMatching(/^version 20261101000000 \(pushed\): no template has it/);
    await push("array['alter role postgres set work_mem = ''1GB''']");
    expect(await differences(guard())).toEqual([
      line,
      expect.stringMatching(
        /^the catalog was compared without version 20261101000000:1: a change of roles/,
      ),
    ]);
    const { rows } = await client.query(
      "select count(*)::int as n from pg_db_role_setting where setconfig::text like '%work_mem%'",
    );
    expect(rows[0].n).toBe(0);
    await client.query("delete from supabase_migrations.schema_migrations where name = 'pushed'");
    await push("null");
    const { difference, digest } = await drift(guard());
    const reason = "version 20261101000000: the ledger does not keep its statements";
    const without = `the catalog was compared without ${reason}`;
    expect(difference).toEqual([line, without]);
    // Accepted, it takes nothing else along: the rest of the catalog is still compared.
    const accepts = (asked: string) => asked === digest;
    expect(await guard({ accepts })).toMatchObject({
      drift: "accepted",
      driftUncompared: reason,
      driftPartial: true,
    });
    await client.query("grant delete on public.members to anon");
    expect((await drift(guard({ accepts }))).difference).toEqual([
      line,
      "grants to anon on public.members: DELETE, by the ledger's versions none",
      without,
    ]);
  });

  it("asks again where an accepted version has other statements", async () => {
    const { client, guard } = await project("2026-10");
    const push = (name: string) => `
      insert into supabase_migrations.schema_migrations (version, statements, name)
        values ('20261101000000', array['select 1 as "${name}"'], 'pushed')`;
    await client.query(push("one"));
    const one = await drift(guard());
    await client.query("delete from supabase_migrations.schema_migrations where name = 'pushed'");
    await client.query(push("other"));
    const other = await drift(guard({ accepts: (asked) => asked === one.digest }));
    expect(other.difference).not.toEqual(one.difference);
  });

  it("finds an edited seed, not one of another release", async () => {
    const { client, guard } = await project("2026-10");
    await client.query("update berth.ledger set checksum = 'b' where version = 'seed:base'");
    expect(await differences(guard())).toEqual([
      expect.stringMatching(
        /^the seed data of base: applied with the checksum b…, but base\/seed.sql has/,
      ),
    ]);
    await client.query(
      "update berth.ledger set template_version = '0.9.0' where version = 'seed:base'",
    );
    expect(await guard()).toEqual({ drift: "none" });
  });
});

it("a step that was killed half-way is no drift", async () => {
  const { client, guard } = await project("2026-10", (file) => !file.includes("index.sql"));
  const [step] = planRun(catalog, FEATURES, null).steps.filter(({ file }) =>
    file?.includes("index.sql"),
  );
  if (!step) throw new Error("No template has a step without a transaction.");
  const sql = sqlStepOf(catalog, step).statements[0]?.sql ?? "";
  await client.query(sql);
  expect(await differences(guard())).toHaveLength(1);
  await client.query(
    "insert into berth.unfinished (version, checksum, run_id) values ($1, $2, 'r')",
    [step.ledgerVersion, step.checksum],
  );
  expect(await guard()).toEqual({ drift: "none" });
});
