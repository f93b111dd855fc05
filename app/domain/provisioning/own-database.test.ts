import { expect, test } from "vitest";
import { ConnectionLostError } from "#app/integrations/postgres/run-errors.ts";
import { isDatabaseAway } from "./own-database.ts";

const coded = (code: string) => Object.assign(new Error("refused"), { code });
const failedQuery = (cause: unknown) => new Error("Failed query: select 1", { cause });

test.each([
  ["the server shuts down", failedQuery(coded("57P01"))],
  ["the session idled in a transaction", failedQuery(coded("25P03"))],
  ["too many connections", coded("53300")],
  ["nobody listens", coded("ECONNREFUSED")],
  ["the connection broke", failedQuery(new Error("Connection terminated unexpectedly"))],
  ["the pool is exhausted", new Error("timeout exceeded when trying to connect")],
])("Berth's database is away: %s", (_name, error) => {
  expect(isDatabaseAway(error)).toBe(true);
});

test.each([
  ["a rule of the database was broken", failedQuery(coded("23505"))],
  ["a statement was too slow", failedQuery(coded("57014"))],
  ["a fault of our own", new TypeError("undefined is not a function")],
  ["a customer's database is away", new ConnectionLostError(coded("57P01"))],
  ["no error at all", "57P01"],
])("that is something else: %s", (_name, error) => {
  expect(isDatabaseAway(error)).toBe(false);
});
