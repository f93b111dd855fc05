import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Cluster, clusterRoot, freePort, initCluster, startCluster } from "#local/cluster.ts";
import { migrate } from "./migrate.ts";

/** With characters that a URL, an SQL literal and SASLprep each treat in a way of their own. */
const PASSWORD = "the 'plain' p@ss/word\u00a0ﬁ";

let scratch: string;
let root: string;
let cluster: Cluster;
const logFile = () => path.join(root, "postgres.log");

const url = (user: string, password: string, database: string) =>
  `postgresql://${user}:${encodeURIComponent(password)}@127.0.0.1:${cluster.port}/${database}`;

const optionsFor = (database: string, adminUrl: string, password = PASSWORD) => ({
  adminUrl,
  databaseUrl: url("berth_app", password, database),
  authDatabaseUrl: url("berth_auth", password, database),
  jobsDatabaseUrl: url("berth_jobs", password, database),
  log: { info: () => {} },
});

async function query<Row extends pg.QueryResultRow>(connectionString: string, text: string) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return (await client.query<Row>(text).finally(() => client.end())).rows;
}

/** As managed PostgreSQL hands them out: no superuser, but owner of its database and CREATEROLE. */
async function databaseOf(owner: string, database: string): Promise<string> {
  const superuser = cluster.superuserUrl();
  await query(superuser, `create role ${owner} login createrole password 'owner'`);
  await query(superuser, `create database ${database} owner ${owner}`);
  return url(owner, "owner", database);
}

beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), "berth-migrate-"));
  root = await clusterRoot(scratch);
  const server = { dataDir: path.join(root, "postgres"), superuser: "postgres", password: "root" };
  await initCluster(server);
  cluster = await startCluster({
    ...server,
    port: await freePort(),
    settings: { fsync: "off", log_statement: "ddl" },
    logFile: logFile(),
  });
});
afterAll(async () => {
  await cluster?.stop("immediate");
  await rm(root, { recursive: true, force: true });
  await rm(scratch, { recursive: true, force: true });
});

it("migrates several databases of one cluster at once, and says no password to the server", async () => {
  const names = ["one", "two", "three", "four"];
  for (const name of names) await query(cluster.superuserUrl(), `create database ${name}`);
  const all = (password: string) =>
    names.map((name) => migrate(optionsFor(name, cluster.superuserUrl(name), password)));
  await Promise.all(all("the first plain password"));
  // A changed password is the same race again, on roles that exist.
  await Promise.all(all(PASSWORD));
  for (const name of names) {
    for (const role of ["berth_app", "berth_auth", "berth_jobs"]) {
      expect(await query(url(role, PASSWORD, name), "select 1 as it")).toEqual([{ it: 1 }]);
    }
    const [row] = await query<{ count: string }>(
      cluster.superuserUrl(name),
      "select count(*) from drizzle.__drizzle_migrations",
    );
    expect(Number(row?.count)).toBeGreaterThan(0);
  }
  const log = await readFile(logFile(), "utf8");
  expect(log).toMatch(/statement: alter role berth_app/i);
  expect(log).toContain("SCRAM-SHA-256$4096:");
  expect(log).not.toContain("plain");
});

it("can be repeated by a log-in that is no superuser, and then changes nothing", async () => {
  // Roles are the cluster's: this owner must be the one who makes them.
  for (const name of ["one", "two", "three", "four"]) {
    await query(cluster.superuserUrl(), `drop database if exists ${name} with (force)`);
  }
  await query(
    cluster.superuserUrl(),
    `drop role if exists berth_app, berth_auth, berth_jobs, berth_owner, berth_customer,
      berth_staff, berth_worker, berth_api`,
  );
  const options = optionsFor("managed", await databaseOf("landlord", "managed"));
  /** Whatever rewrites a row of these catalogues changes its xmin. */
  const state = () =>
    query(
      cluster.superuserUrl("managed"),
      `select 'role' as kind, rolname::text as name, xmin::text from pg_authid
       union all select 'member', roleid::regrole || ' ' || member::regrole, xmin::text from pg_auth_members
       union all select 'database', datacl::text, xmin::text from pg_database
       union all select 'schema', nspname || coalesce(nspacl::text, ''), '' from pg_namespace
       union all select 'table', oid::regclass || coalesce(relacl::text, ''), '' from pg_class
       union all select 'function', oid::regprocedure || coalesce(proacl::text, ''), '' from pg_proc
       order by 1, 2, 3`,
    );
  await migrate(options);
  await migrate(options);
  const before = await state();
  await migrate(options);
  expect(await state()).toEqual(before);
  expect(before).toContainEqual(expect.objectContaining({ name: "berth_owner landlord" }));
});
