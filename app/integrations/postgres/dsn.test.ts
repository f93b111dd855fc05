import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DatabaseUrlError, parseDatabaseUrl } from "./dsn.ts";

const ref = "abcdefghijklmnopqrst";
const other = "zyxwvutsrqponmlkjihg";
const secret = "c4n4ry-of-the-password";
const pooler = `aws-0-eu-central-1.pooler.supabase.com`;

/** A connection string with some parts replaced. */
function dsn(o: {
  user?: string;
  password?: string;
  at?: string;
  database?: string;
  end?: string;
}) {
  const { user = `postgres.${ref}`, password = secret, at = `${pooler}:5432` } = o;
  return `postgresql://${user}:${password}@${at}/${o.database ?? "postgres"}${o.end ?? ""}`;
}

describe("connection strings", () => {
  it("reads the session pooler's and the direct one", () => {
    expect(parseDatabaseUrl(dsn({}))).toEqual({
      host: pooler,
      port: 5432,
      user: `postgres.${ref}`,
      password: secret,
      database: "postgres",
      ref,
      pooler: true,
    });
    expect(
      parseDatabaseUrl(
        dsn({ user: "postgres", at: `db.${ref}.supabase.co`, end: "?sslmode=require" }),
      ),
    ).toMatchObject({ host: `db.${ref}.supabase.co`, port: 5432, ref, pooler: false });
    expect(parseDatabaseUrl(`  postgres://u:p@[::1]:5433/db\n`)).toMatchObject({
      host: "::1",
      port: 5433,
      ref: null,
      pooler: false,
    });
    expect(parseDatabaseUrl(dsn({ at: `${pooler}:6543` })).port).toBe(6543);
  });

  it("decodes once and no more", () => {
    expect(parseDatabaseUrl(dsn({ password: "a%40b%2525%3A%2F:x%C3%A9" })).password).toBe(
      "a@b%25:/:xé",
    );
  });

  it("gives back every password that was encoded", () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are refused
    const plain = /^[^\u0000-\u001f\u007f]+$/;
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }).filter((s) => plain.test(s)),
        (password) => {
          const text = dsn({ password: encodeURIComponent(password) });
          expect(parseDatabaseUrl(text)).toMatchObject({ password, host: pooler, ref });
        },
      ),
    );
  });

  it("lets nothing after the host change the host", () => {
    const name = fc.constantFrom("host", "port", "hostaddr", "user", "sslmode", "sslrootcert", "x");
    const value = fc.constantFrom("evil.com", "127.0.0.1", "/etc/passwd", "disable", "require", "");
    const option = fc
      .tuple(name, value)
      .filter(([key, text]) => key !== "sslmode" || text !== "require")
      .map(([key, text]) => `${key}=${text}`);
    fc.assert(
      fc.property(fc.array(option, { minLength: 1, maxLength: 3 }), (options) => {
        expect(() => parseDatabaseUrl(dsn({ end: `?${options.join("&")}` }))).toThrow(
          DatabaseUrlError,
        );
      }),
    );
  });

  it.each([
    ["another scheme", dsn({}).replace("postgresql", "mysql")],
    ["no scheme", dsn({}).replace("postgresql://", "")],
    ["a socket scheme", "socket:/var/run/postgresql"],
    ["a path for a host", dsn({ at: "" })],
    ["an encoded path for a host", dsn({ at: "%2Fvar%2Frun%2Fpostgresql" })],
    ["an encoded host", dsn({ at: "ev%69l.com" })],
    ["two hosts", dsn({ at: `a.supabase.co:5432,b.supabase.co:5432` })],
    ["two at signs", dsn({ at: `evil.com:5432@${pooler}` })],
    ["a fragment", dsn({ end: "#x" })],
    ["a full-width host", dsn({ at: "\uff11\uff12\uff17.0.0.1:5432" })],
    ["an empty password", dsn({ password: "" })],
    ["no password", `postgresql://postgres@${pooler}:5432/postgres`],
    ["no user", `postgresql://:${secret}@${pooler}:5432/postgres`],
    ["no database", dsn({ database: "" })],
    ["a database with a path", dsn({ database: "a/b" })],
    ["port 0", dsn({ at: `${pooler}:0` })],
    ["port 65536", dsn({ at: `${pooler}:65536` })],
    ["a port with a sign", dsn({ at: `${pooler}:+5432` })],
    ["sslmode=disable", dsn({ end: "?sslmode=disable" })],
    ["sslmode=no-verify", dsn({ end: "?sslmode=no-verify" })],
    ["sslmode=prefer", dsn({ end: "?sslmode=prefer" })],
    ["a second sslmode", dsn({ end: "?sslmode=require&sslmode=disable" })],
    ["an encoded option", dsn({ end: "?ho%73t=evil.com" })],
    ["pgbouncer", dsn({ end: "?pgbouncer=true" })],
    ["startup options", dsn({ end: "?options=-c%20role%3Dx" })],
    ["a NUL", dsn({ password: `${secret}%00` })],
    ["a line break", dsn({ password: `${secret}%0a` })],
    ["a raw line break inside", dsn({ password: `${secret}\n` })],
    ["a lone per cent sign", dsn({ password: `${secret}%` })],
    ["bad UTF-8", dsn({ password: `${secret}%ff` })],
    ["a lone surrogate", dsn({ password: `${secret}\ud800` })],
    ["the placeholder", dsn({ password: "[YOUR-PASSWORD]" })],
    ["two projects", dsn({ at: `db.${other}.supabase.co:5432` })],
    ["megabytes", dsn({ password: "x".repeat(1_000_000) })],
  ])("refuses %s, and says what to do without the password", (_what, text) => {
    let failure: unknown;
    try {
      parseDatabaseUrl(text);
    } catch (error) {
      failure = error;
    }
    expect(failure).toBeInstanceOf(DatabaseUrlError);
    const { found, needed, fix, message } = failure as DatabaseUrlError;
    for (const words of [found, needed, fix, message]) {
      expect(words).toBeTruthy();
      expect(words).not.toContain(secret);
    }
  });
});
