/** The functions that do a database's due work, as they are found and called. */
import type pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type CustomerServer,
  startCustomerServer,
} from "../../../tests/support/customer-database.ts";
import { callDue } from "./due.ts";

let server: CustomerServer;
let client: pg.Client;
let owner: pg.Client;

beforeAll(async () => {
  server = await startCustomerServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  const database = await server.createDatabase();
  [client, owner] = [await server.connect(database), await server.connect(database)];
  await owner.query("create schema private; create table private.calls (name text)");
});
afterEach(() => Promise.all([client.end(), owner.end()]));

const define = (fn: string, produced: string, next = "null") =>
  owner.query(`create function private.${fn}
    returns table (produced integer, next_due_at timestamptz) language sql
    as $$ insert into private.calls values ('${fn.replaceAll("'", "''")}');
      select ${produced}, (${next})::timestamptz $$`);
const calls = async () =>
  (await owner.query("select name from private.calls")).rows.map(({ name }) => name);

describe("due work", () => {
  test("is that of every function there is, and is due again at the earliest time", async () => {
    await define("first(a integer default 100)", "2", "'2030-02-02Z'");
    await define("second()", "3", "'2030-01-01Z'");
    const names = ["private.first", "private.none", "private.second", "none.first"];
    expect(await callDue(client, names)).toEqual({
      found: 2,
      produced: 5,
      nextDueAt: new Date("2030-01-01Z"),
      failures: [],
    });
    expect(await calls()).toEqual(["first(a integer default 100)", "second()"]);
    const nothing = { found: 0, produced: 0, nextDueAt: null, failures: [] };
    expect(await callDue(client, ["private.none"])).toEqual(nothing);
  });

  test("that one function fails at is done by the others all the same", async () => {
    await define("broken()", "1 / 0");
    await define("whole()", "1");
    const message = expect.stringContaining("private.broken: division by zero [22012]");
    expect(await callDue(client, ["private.broken", "private.whole"])).toMatchObject({
      found: 2,
      produced: 1,
      failures: [{ code: "due_work_failed", message }],
    });
    expect(await calls()).toEqual(["whole()"]);
  });

  test("of two functions that share the name is told, and not taken for none", async () => {
    await define("twice(a integer default 1)", "1");
    await define("twice(a text default '')", "1");
    expect(await callDue(client, ["private.twice"])).toMatchObject({
      failures: [{ message: expect.stringContaining("[42725]") }],
    });
  });

  test("takes a function's name as a name", async () => {
    const name = 'Odd"; drop table calls';
    await define(`"${name.replaceAll('"', '""')}"()`, "1");
    expect(await callDue(client, [`private.${name}`])).toMatchObject({ produced: 1 });
    expect(await calls()).toHaveLength(1);
  });
});
