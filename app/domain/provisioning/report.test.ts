import { describe, expect, it } from "vitest";
import { SqlStepError } from "#app/integrations/postgres/run-errors.ts";
import { BerthError } from "#app/platform/errors.ts";
import { CheckFailedError, NeedsPersonError } from "./errors.ts";
import { describeAttempts, describeFailure } from "./report.ts";

const SECRETS = {
  jwt: "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2lnbmF0dXJlLWNhbmFyeQ",
  secretKey: "sb_secret_canary0123456789canary",
  url: "postgresql://postgres.abc:pass-canary@db.abc.supabase.co:5432/postgres",
  accessToken: "sbp_0123456789abcdef0123456789abcdef01234567",
  bearer: "Bearer abc.canary-token-12345",
};
/** What of each may not be left. */
const CORES = ["signature", "c2lnbmF0", "canary", "0123456789abcdef"];
const now = new Date("2026-11-21T10:00:01.000Z");
const leaks = (value: unknown) => CORES.filter((core) => JSON.stringify(value).includes(core));

describe("what people are told of a failure", () => {
  it("holds no secret, in any of its words", () => {
    for (const [name, secret] of Object.entries(SECRETS)) {
      const text = `it met ${secret} on the way`;
      const failures = [
        new BerthError("some_code", text, { found: text, needed: text, fix: text }),
        new SqlStepError({
          sqlstate: "23505",
          message: text,
          detail: text,
          hint: text,
          file: "base/migrations/1.sql",
          line: 3,
          statement: 2,
        }),
        new NeedsPersonError({ message: text, found: text, needed: text, fix: text, link: "x" }),
        new CheckFailedError("health_failed", [
          { name: "a", found: text, needed: text, fix: text },
        ]),
      ];
      for (const failure of failures) {
        expect(leaks(describeFailure(failure)), `${name} in ${failure.name}`).toEqual([]);
      }
      expect(leaks(describeFailure(failures[0]?.message))).toEqual([]);
    }
  });

  it("says nothing of what Berth does not know, but where to look", () => {
    for (const unknown of [
      new Error("password authentication failed for canary"),
      new TypeError("canary of undefined"),
      "canary",
      undefined,
      { code: "23505", message: "canary" },
    ]) {
      expect(describeFailure(unknown)).toEqual({
        code: "unexpected",
        message: expect.any(String),
        fix: expect.stringContaining("log"),
      });
    }
  });

  it("keeps what a person needs to mend it", () => {
    expect(
      describeFailure(
        new SqlStepError({
          sqlstate: "42P07",
          message: 'relation "products" already exists',
          hint: "Drop it.",
          file: "inventory/migrations/1.sql",
          line: 12,
          statement: 4,
        }),
      ),
    ).toEqual({
      code: "sql_step_failed",
      message:
        'inventory/migrations/1.sql:12 (statement 4): relation "products" already exists [42P07]',
      found: 'relation "products" already exists',
      needed: "a database without an object of this name",
      fix: "Rename or drop the object if nobody needs it, then retry.",
      retryable: false,
      sqlstate: "42P07",
      file: "inventory/migrations/1.sql",
      line: 12,
      statement: "4",
      hint: "Drop it.",
    });
    const person = new NeedsPersonError({
      message: "Do it by hand.",
      found: "open",
      needed: "closed",
      fix: "Close it, then retry.",
      link: "https://supabase.com/dashboard/project/abc/auth/providers",
    });
    expect(describeFailure(person)).toMatchObject({ code: "needs_person", link: person.link });
  });

  it("is bounded", () => {
    const long = "word ".repeat(20_000);
    const described = describeFailure(new BerthError("c", long, { found: long, fix: long }));
    for (const text of Object.values(described)) {
      if (typeof text === "string") expect(text.length).toBeLessThanOrEqual(4_000);
    }
  });

  it("can be stored, whatever the server said", () => {
    const text = `${"a".repeat(3_999)}😀\0`;
    const described = describeFailure(new BerthError("c", text, { found: "\0\ud83d", fix: text }));
    expect(described.message).toBe("a".repeat(3_999));
    expect(described.found).toBe("\ufffd\ufffd");
  });

  it("tells of many failed checks in one, and names the first", () => {
    const failed = ["one", "two", "three"].map((name) => ({
      name,
      found: `${name} is off`,
      needed: "on",
      fix: "Turn it on.",
    }));
    expect(describeFailure(new CheckFailedError("preflight_failed", failed))).toMatchObject({
      code: "preflight_failed",
      message: "one: one is off (and 2 more).",
      found: "one: one is off; two: two is off; three: three is off",
    });
  });
});

describe("what is kept of attempts that failed", () => {
  it("is a line each, with its moment by Berth's own time", () => {
    const at = performance.now() - 800;
    const [line] = describeAttempts([{ at, what: "gave way after 0.7 s" }], now);
    expect(line).toMatch(/^2026-11-21T10:00:00\.[12]\d\dZ Attempt 1 gave way after 0\.7 s$/);
  });

  it("holds no secret, is bounded, and can be stored", () => {
    for (const secret of Object.values(SECRETS)) {
      expect(leaks(describeAttempts([{ at: 0, what: `met ${secret}` }], now))).toEqual([]);
    }
    const [line] = describeAttempts([{ at: 0, what: `\0${"word ".repeat(200)}` }], now);
    expect(line).toHaveLength(500);
    expect(line).toContain("\ufffd");
  });

  it("is the first and the last, where there were many", () => {
    const many = (count: number) =>
      describeAttempts(
        Array.from({ length: count }, () => ({ at: 0, what: "failed" })),
        now,
      ).map((line) => line.replace(/^\S+Z /, ""));
    expect(many(9)).toHaveLength(9);
    expect(many(20)).toEqual([
      ...[1, 2, 3].map((n) => `Attempt ${n} failed`),
      "… and 12 more, which are not kept.",
      ...[16, 17, 18, 19, 20].map((n) => `Attempt ${n} failed`),
    ]);
  });
});
