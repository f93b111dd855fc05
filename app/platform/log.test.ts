import { createHmac, generateKeyPairSync, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { BerthError } from "./errors.ts";
import { createLogger, redactText } from "./log.ts";

function capture() {
  const lines: string[] = [];
  const log = createLogger({
    level: "trace",
    destination: { write: (line: string) => void lines.push(line) },
  });
  return { log, lines, text: () => lines.join("") };
}

function makeJwt(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const head = `${part({ alg: "HS256", typ: "JWT" })}.${part({ role: "service_role", exp: 2e9 })}`;
  return `${head}.${createHmac("sha256", "k").update(head).digest("base64url")}`;
}

const jwt = makeJwt();
const random = randomBytes(24).toString("base64url");
const basic = Buffer.from(`u:${random}`).toString("base64");
const base64Key = randomBytes(32).toString("base64");
const pem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });

/** What is written, and the part of it that must not be found again. */
const secrets: [name: string, text: string, secret: string][] = [
  ["JSON Web Token", jwt, jwt.slice(40)],
  ["first half of a JSON Web Token", jwt.slice(0, 60), jwt.slice(10, 60)],
  ["secret key", `sb_secret_${random}`, random],
  ["publishable key", `sb_publishable_${random}`, random],
  ["access token", "sbp_0123456789abcdef0123456789abcdef01234567", "0123456789abcdef01234"],
  ["connection string", `postgresql://postgres.ref:${random}@h:5432/postgres`, random],
  ["connection string, '@' and '/' in it", `postgres://u:a@b/${random}@h:5432/d`, random],
  ["connection string, encoded", `postgresql://u:p%40${random}@h/d`, random],
  ["connection string of mail", `smtps://u:${random}@mail.example:465`, random],
  ["URL with a password", `https://u:${random}@example.com/x`, random],
  ["bearer token", `authorization: Bearer ${random}`, random],
  ["basic credentials", `Basic ${basic}`, basic],
  ["keyring entry", `k2026a:${base64Key}`, base64Key.slice(0, 40)],
  ["token in a query", `GET /verify?type=invite&token_hash=${random}`, random],
  ["keyword connection string", `host=h user=u password=${random} dbname=d`, random],
  ["private key", String(pem), String(pem).split("\n")[1] as string],
];

describe("secrets by shape", () => {
  test.each(secrets)("%s is not in the text", (_name, text, secret) => {
    expect(text).toContain(secret);
    expect(redactText(`before ${text} after`)).not.toContain(secret);
    expect(redactText(`before ${text} after`)).toContain("before ");
  });

  test.each(secrets)("%s is in no log line, wherever it stands", (_name, text, secret) => {
    const { log, lines, text: written } = capture();
    log.info(text);
    log.info("found %s", text);
    log.info({ note: text, nested: { list: [text, { deep: text }] } }, "fields");
    log.info({ [text]: 1 }, "in a key");
    log.info({ map: new Map([["a", text]]), set: new Set([text]) }, "collections");
    log.child({ note: text }).info("binding");
    const failure = new Error(`it said ${text}`, { cause: new TypeError(text) });
    Object.assign(failure, { detail: text, nested: { where: text } });
    log.error(failure);
    log.error({ err: failure }, "with a message");
    log.error(new AggregateError([new Error(text)], "several"));
    log.error(new BerthError("code", "sentence", { found: text, cause: failure }));
    expect(lines).toHaveLength(10);
    expect(written()).not.toContain(secret);
    expect(written()).not.toContain(JSON.stringify(secret).slice(1, -1));
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
  });

  test("what is not secret stays readable", () => {
    const checksum = `sha256:${"0123456789abcdef".repeat(4)}`;
    for (const text of [
      checksum,
      "http://127.0.0.1:54321/auth/v1/settings?email=a@b.example",
      "the password of user berth_customer was refused",
      "postgresql://berth_app@127.0.0.1:5432/berth",
      "2f1c2c3e-8f10-4f7e-9a55-0f6a3c0f4a11",
    ]) {
      expect(redactText(text)).toBe(text);
    }
  });
});

describe("secrets by key", () => {
  test.each([
    "password",
    "newPassword",
    "APP_SECRET",
    "serviceRoleKey",
    "service_role_key",
    "anonKey",
    "databaseUrl",
    "DATABASE_URL",
    "accessToken",
    "token",
    "cookie",
    "set-cookie",
    "authorization",
    "x-api-key",
    "ENCRYPTION_KEYS",
    "credentials",
  ])("the value of %s is replaced at any depth", (key) => {
    const { log, text } = capture();
    log.info({ [key]: "plain-words" }, "top");
    log.info({ request: { headers: [{ [key]: { inner: "plain-words" } }] } }, "deep");
    log.error(Object.assign(new Error("x"), { [key]: "plain-words" }));
    log.child({ [key]: "plain-words" }).info("child");
    log.info({ headers: new Headers({ authorization: "plain-words" }) }, "headers");
    expect(text()).not.toContain("plain-words");
    expect(text()).toContain("[redacted]");
  });

  test("a fencing token, a flag and an identifier of a key stay", () => {
    const { log, lines } = capture();
    log.info({ fencingToken: 7n, hasPassword: true, keyId: "k1", token: null }, "facts");
    expect(JSON.parse(lines[0] as string)).toMatchObject({
      fencingToken: "7",
      hasPassword: true,
      keyId: "k1",
      token: null,
    });
  });

  test("values of a failed statement are not logged", () => {
    const { log, text } = capture();
    const failure = new Error("Failed query: insert into t values ($1)\nparams: plain-words,2");
    Object.assign(failure, { query: "insert into t values ($1)", params: ["plain-words"] });
    log.error(failure);
    expect(text()).not.toContain("plain-words");
    expect(text()).toContain("insert into t");
    expect(text()).toContain("log.test.ts");
  });
});

describe("one line", () => {
  test("newlines, escape sequences and C1 controls end inside one JSON line", () => {
    const { log, lines } = capture();
    const nasty = 'a\nb\r\n\u001b[31mred\u009b2J\u007f\u2028{"level":"fatal"}';
    log.info({ company: nasty, [nasty]: nasty }, nasty);
    log.error(new Error(nasty));
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is searched for
      expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
      expect(JSON.parse(line).level).not.toBe("fatal");
    }
    expect(JSON.parse(lines[0] as string).msg).toBe(nasty);
  });

  test("cycles, depth, size, buffers and throwing getters are survived", () => {
    const { log, lines } = capture();
    const cycle: Record<string, unknown> = { bytes: randomBytes(32), at: new Date(0) };
    cycle.self = cycle;
    cycle.list = Array.from({ length: 5000 }, (_, index) => index);
    cycle.long = "x".repeat(1_000_000);
    Object.defineProperty(cycle, "bad", {
      enumerable: true,
      get: () => {
        throw new Error("no");
      },
    });
    log.info(cycle, "odd");
    const line = JSON.parse(lines[0] as string);
    expect(line).toMatchObject({ bytes: "[32 bytes]", self: "[circular]", bad: "[unreadable]" });
    expect((lines[0] as string).length).toBeLessThan(30_000);
  });

  test("hostile text of every kind stays cheap to search", () => {
    const { log, lines } = capture();
    for (const part of ["postgres://a:", "eyJ", "a:", "sb_secret_", "Bearer ", "Failed query: "]) {
      log.info(part.repeat(20_000));
    }
    expect(lines).toHaveLength(6);
  });
});
