import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type CustomerServer,
  startCustomerServer,
} from "../../../tests/support/customer-database.ts";
import { ConnectionLostError } from "./run-errors.ts";
import { redactServerText, sendScript } from "./script.ts";

describe("a script", () => {
  let server: CustomerServer;
  beforeAll(async () => {
    server = await startCustomerServer();
  });
  afterAll(() => server?.stop());

  test("has a bound in all, however many statements complete in time", async () => {
    const client = await server.connect(await server.createDatabase());
    const statements = Array.from({ length: 2_000 }, () => "select pg_catalog.pg_sleep(0.1)");
    const script = sendScript(client, statements, { silenceMs: 30_000, totalMs: 500 });
    await expect(script).rejects.toThrow(ConnectionLostError);
  });
});

describe("a server's text", () => {
  test.each([
    ["Key (email)=(a@b.c) already exists.", "Key (email)=(…) already exists."],
    ["Key (lower(email))=(a) b, c) already exists.", "Key (lower(email))=(…) already exists."],
    ["Failing row contains (1, a) (b, null).", "Failing row contains (…)."],
    ["Partition key of the failing row contains (a) = (5).", /contains \(…\)\.$/],
    ['invalid input syntax for type integer: "a"b"', 'invalid input syntax for type integer: "…"'],
    ["Failing row contains (1, secret", "Failing row contains (…)"],
    [
      'invalid input syntax for type integer: "secret',
      'invalid input syntax for type integer: "…"',
    ],
  ])("holds no value: %s", (text, safe) => {
    const found = redactServerText(text, "23505");
    if (typeof safe === "string") expect(found).toBe(safe);
    else expect(found).toMatch(safe);
  });

  test.each(["(a)=(", "Failing row contains (", ': "', "Failed query: ", "(", "-----BEGIN "])(
    "is looked at only so far, whatever it repeats: %j",
    (piece) => {
      const text = piece.repeat(1_000_000 / piece.length);
      expect(redactServerText(text, "22000").length).toBeLessThan(9_000);
    },
  );

  test("that was cut shows nothing of a value whose end is missing", () => {
    const text = `Failing row contains (1, (a) secret ${"x".repeat(1_000_000)}).`;
    expect(redactServerText(text, "23502")).toBe("Failing row contains (…)");
  });
});
