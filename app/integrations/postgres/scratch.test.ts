import { fork } from "node:child_process";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type CustomerServer,
  startCustomerServer,
} from "../../../tests/support/customer-database.ts";
import { ScratchUnavailableError, withScratchDatabase } from "./scratch.ts";
import { dropScratchLeftovers } from "./scratch-database.ts";

let server: CustomerServer;
let database: string;
let looker: pg.Client;
beforeAll(async () => {
  server = await startCustomerServer();
});
afterAll(async () => {
  await looker?.end();
  await server?.stop();
});
beforeEach(async () => {
  await looker?.end();
  database = await server.createDatabase();
  looker = await server.connect(database);
  await looker.query(
    "create schema app; create table app.things (id int); insert into app.things values (1)",
  );
});

const connect = (name: string, other?: string) =>
  server.connect(other ?? database, undefined, name);
const never = new AbortController().signal;
const all = { connect, schemas: "all", signal: never } as const;

async function scratchDatabases(): Promise<string[]> {
  const { rows } = await looker.query<{ datname: string }>(
    "select datname from pg_database where datname like 'berth_scratch%'",
  );
  return rows.map(({ datname }) => datname);
}

describe("a scratch database", () => {
  test("has the same locale and catalog, no rows, and is gone afterwards", async () => {
    const locale = `select datcollate, datctype, datlocprovider, encoding, datlocale
      from pg_database where datname = current_database()`;
    const rows = await withScratchDatabase(all, async ({ client }) => {
      expect((await client.query(locale)).rows).toEqual((await looker.query(locale)).rows);
      expect(await scratchDatabases()).toHaveLength(1);
      return (await client.query("select * from app.things")).rows;
    });
    expect(rows).toEqual([]);
    expect(await scratchDatabases()).toEqual([]);
  });

  test("is gone after a failure too, which passes as it is", async () => {
    const failure = new Error("of the caller");
    const work = withScratchDatabase(all, async ({ client }) => {
      await client.query("create table app.things (id int)").catch(() => undefined);
      throw failure;
    });
    await expect(work).rejects.toBe(failure);
    expect(await scratchDatabases()).toEqual([]);
  });

  test("ends with its caller's signal, in the middle of a statement", async () => {
    const stop = new AbortController();
    const reason = new Error("enough");
    const work = withScratchDatabase({ ...all, signal: stop.signal }, async ({ client }) => {
      setTimeout(() => stop.abort(reason), 50);
      await client.query("select pg_sleep(60)");
    });
    await expect(work).rejects.toBe(reason);
    expect(await scratchDatabases()).toEqual([]);
  });

  test("is nobody else's to drop while it is in use, and everybody's once its maker is dead", async () => {
    await withScratchDatabase(all, async ({ client }) => {
      const [name] = await scratchDatabases();
      await dropScratchLeftovers(looker);
      expect(await scratchDatabases()).toEqual([name]);
      // Between two sessions of its maker, the maker's lock alone stands for it.
      await client.end();
      await dropScratchLeftovers(looker);
      expect(await scratchDatabases()).toEqual([name]);
    });

    const child = fork(new URL("../../../tests/support/scratch-holder.ts", import.meta.url), {
      env: { ...process.env, TARGET: JSON.stringify({ port: server.port, database }) },
    });
    await new Promise((resolve) => child.once("message", resolve));
    expect(await scratchDatabases()).toHaveLength(1);
    child.kill("SIGKILL");
    await expect
      .poll(() => dropScratchLeftovers(looker).then(scratchDatabases), { timeout: 60_000 })
      .toEqual([]);
  });

  test("is told by its mark; a database that only has a similar name is left alone", async () => {
    const { rows } = await looker.query<{ oid: string }>(
      "select oid::text from pg_database where datname = current_database()",
    );
    const named = (digits: string) => `berth_scratch_${rows[0]?.oid}_${digits}`;
    // Beyond 31 bits, it would be no lock's number; without the mark, it is somebody else's.
    await looker.query(`create database ${named("f0000001")} connection limit 23`);
    await looker.query(`create database ${named("00000001")}`);
    await looker.query(`create database ${named("00000002")} connection limit 23`);
    try {
      await dropScratchLeftovers(looker);
      expect((await scratchDatabases()).sort()).toEqual([named("00000001"), named("f0000001")]);
    } finally {
      await looker.query(`drop database ${named("f0000001")}`);
      await looker.query(`drop database ${named("00000001")}`);
    }
  });

  test("is dropped over a new connection where the first is gone", async () => {
    let keeper: pg.Client | undefined;
    const watched = async (name: string, other?: string) => {
      const client = await connect(name, other);
      if (!other) keeper ??= client;
      return client;
    };
    await withScratchDatabase({ ...all, connect: watched }, async () => {
      keeper?.connection.stream.destroy();
    });
    expect(await scratchDatabases()).toEqual([]);
  });

  test("of another database on the same server is left alone", async () => {
    const other = await server.createDatabase();
    const client = await server.connect(other);
    await withScratchDatabase(all, async ({ client: inside }) => {
      await inside.end();
      await dropScratchLeftovers(client);
      expect(await scratchDatabases()).toHaveLength(1);
    });
    await client.end();
  });
});

describe("without a scratch database", () => {
  const refusal = async (options: Partial<typeof all> & { connect?: typeof connect }) => {
    const error = await withScratchDatabase({ ...all, ...options }, async () => undefined).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ScratchUnavailableError);
    const { found, needed, fix } = error as ScratchUnavailableError;
    expect([needed, fix]).not.toContain(undefined);
    expect(await scratchDatabases()).toEqual([]);
    return found;
  };

  test("a role that may create none says so", async () => {
    const admin = await server.connectSuperuser(database);
    await admin.query("alter role postgres nocreatedb");
    try {
      expect(await refusal({})).toBe("permission denied to create database [42501]");
    } finally {
      await admin.query("alter role postgres createdb");
      await admin.end();
    }
  });

  test("a pooler that leads every name to one database is found out before anything is written", async () => {
    const before = await looker.query("select count(*) from pg_class");
    const found = await refusal({ connect: (name) => connect(name) });
    expect(found).toBe("the pooler leads to the project's own database only");
    expect((await looker.query("select count(*) from pg_class")).rows).toEqual(before.rows);
  });

  test("a second session that is refused is the reason", async () => {
    const found = await refusal({
      connect: (name, other) => (other ? connect(name, "no_such_database") : connect(name)),
    });
    expect(found).toBe("a session was refused [3D000]");
  });

  test.each(["ECONNREFUSED", "53300", "57P03"])("%s is no refusal: it may pass", async (code) => {
    const error = code.startsWith("E") ? new Error() : new pg.DatabaseError("", 1, "error");
    const options = {
      ...all,
      connect: (name: string, other?: string) =>
        other ? Promise.reject(Object.assign(error, { code })) : connect(name),
    };
    await expect(withScratchDatabase(options, async () => undefined)).rejects.toMatchObject({
      code: "database_connection_lost",
      retryable: true,
    });
    expect(await scratchDatabases()).toEqual([]);
  });

  test("nothing is begun once the caller has been told to stop", async () => {
    const reason = new Error("enough");
    const options = { ...all, signal: AbortSignal.abort(reason) };
    await expect(withScratchDatabase(options, async () => undefined)).rejects.toBe(reason);
  });
});
