import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { parseEnv as parseFile } from "node:util";
import { describe, expect, test } from "vitest";
import { EnvironmentError, parseEnv, parseMigrationEnv } from "./env.ts";

const good = {
  PUBLIC_URL: "https://berth.company.test/",
  DATABASE_URL: "postgresql://berth_app:Vn8wq1ZpLr0aTy@db.internal:5432/berth",
  AUTH_DATABASE_URL: "postgresql://berth_auth:Vn8wq1ZpLr0aTz@db.internal:5432/berth",
  JOBS_DATABASE_URL: "postgresql://berth_jobs:Vn8wq1ZpLr0aTx@db.internal:5432/berth",
  ENCRYPTION_KEYS: `k2:${randomBytes(32).toString("base64")},k1:${randomBytes(32).toString("base64")}`,
  APP_SECRET: randomBytes(32).toString("base64"),
  SMTP_URL: "smtps://mailer:9Zt2kd8QwmXn@smtp.company.test:465",
  MAIL_FROM: "Berth <berth@company.test>",
  STAFF_MAIL: "staff@company.test",
};

function problemsOf(changes: Record<string, string | undefined>): string[] {
  try {
    parseEnv({ ...good, ...changes });
  } catch (error) {
    if (error instanceof EnvironmentError) return [...error.problems];
    throw error;
  }
  return [];
}

test("a complete production environment is read, with defaults", () => {
  const env = parseEnv(good);
  expect(env).toMatchObject({
    mode: "production",
    port: 3000,
    publicUrl: "https://berth.company.test",
    supabase: {
      managementUrl: "https://api.supabase.com",
      dashboardUrl: "https://supabase.com/dashboard",
    },
    outboundAllowSuffixes: ["supabase.co", "supabase.com"],
    outboundAllowOrigins: "",
    trustedProxies: [],
    logLevel: "info",
    workerConcurrency: 4,
  });
  expect(env.encryptionKeys.map(({ id }) => id)).toEqual(["k2", "k1"]);
  expect(env.encryptionKeys[0]?.key).toHaveLength(32);
});

test("an empty environment names every missing variable at once", () => {
  const problems = problemsOf(Object.fromEntries(Object.keys(good).map((key) => [key, " "])));
  expect(problems.map((problem) => problem.split(" ")[0]).sort()).toEqual(Object.keys(good).sort());
  for (const problem of problems) expect(problem).toMatch(/ is missing\. .+\.$/);
});

test("every variable that is read is documented in .env.example, and no more", () => {
  const text = readFileSync(new URL("../../.env.example", import.meta.url), "utf8");
  const documented = [...text.matchAll(/^#? ?([A-Z][A-Z0-9_]+)=/gm)].map((match) => match[1]);
  const source = readFileSync(new URL("./env.ts", import.meta.url), "utf8");
  const read = [...source.matchAll(/^ {4}([A-Z][A-Z0-9_]+): /gm)].map((match) => match[1]);
  expect(read.length).toBeGreaterThan(15);
  expect([...new Set(documented)].sort()).toEqual(
    [...new Set([...read, "BERTH_MODE", "NODE_ENV", "MIGRATION_DATABASE_URL"])].sort(),
  );
});

test(".env.example as it stands is refused: it holds no usable secret", () => {
  const text = readFileSync(new URL("../../.env.example", import.meta.url), "utf8");
  const problems = (() => {
    try {
      parseEnv(parseFile(text) as Record<string, string>);
    } catch (error) {
      return (error as EnvironmentError).problems;
    }
    return [];
  })();
  for (const name of ["APP_SECRET", "ENCRYPTION_KEYS", "DATABASE_URL"]) {
    expect(problems.some((problem) => problem.startsWith(`${name} `))).toBe(true);
  }
});

describe("refused, with what to do", () => {
  const zeros = Buffer.alloc(32).toString("base64");
  test.each<[string, string, RegExp]>([
    ["APP_SECRET", "short", /too short/],
    ["APP_SECRET", "a".repeat(64), /repeats itself/],
    ["APP_SECRET", "abcdef".repeat(10), /repeats itself/],
    ["APP_SECRET", "please-change-me-please-before-production-1", /published example/],
    ["APP_SECRET", "your-secret-of-at-least-thirty-two-bytes", /published example/],
    ["ENCRYPTION_KEYS", `k1:${zeros}`, /repeats itself/],
    ["ENCRYPTION_KEYS", `k1:${Buffer.alloc(32, "ab").toString("base64")}`, /repeats itself/],
    ["ENCRYPTION_KEYS", `k1:${randomBytes(16).toString("base64")}`, /exactly 32 bytes/],
    ["ENCRYPTION_KEYS", randomBytes(32).toString("base64"), /id:base64/],
    ["ENCRYPTION_KEYS", `${good.ENCRYPTION_KEYS},${good.ENCRYPTION_KEYS}`, /ids must differ/],
    ["DATABASE_URL", "postgresql://berth_app@h/berth", /is missing/],
    ["DATABASE_URL", "postgresql://postgres:postgres@h/berth", /published example/],
    ["DATABASE_URL", "postgresql://berth_app:PASSWORD@h/berth", /published example/],
    ["DATABASE_URL", "postgresql://berth_app:short1@h/berth", /shorter than 12/],
    ["DATABASE_URL", "mysql://berth_app:Vn8wq1ZpLr0aTy@h/berth", /postgresql:\/\//],
    ["DATABASE_URL", "host=h user=u", /postgresql:\/\//],
    ["PUBLIC_URL", "http://berth.company.test", /https/],
    ["PUBLIC_URL", "https://berth.company.test/app", /without a path/],
    ["PUBLIC_URL", "javascript:alert(1)", /https/],
    ["SUPABASE_MANAGEMENT_URL", "http://api.supabase.com", /https/],
    ["SUPABASE_DASHBOARD_URL", "javascript:alert(1)", /https/],
    ["SMTP_URL", "smtp://u:changeme@h:587", /example password/],
    ["SMTP_URL", "https://h", /smtp/],
    ["MAIL_FROM", "a@b.test\r\nBcc: evil@x.test", /one mail address/],
    ["MAIL_FROM", "a@b.test, evil@x.test", /one mail address/],
    ["PORT", "70000", /whole number/],
    ["PORT", "3000x", /whole number/],
    ["WORKER_CONCURRENCY", "0", /whole number/],
    ["RUN_CONCURRENCY", "1001", /whole number/],
    ["LOG_LEVEL", "loud", /one of trace/],
    ["OUTBOUND_ALLOW_ORIGINS", "https://x", /separated by commas/],
    ["OUTBOUND_ALLOW_SUFFIXES", "*", /separated by commas/],
    ["TRUSTED_PROXIES", "everyone", /separated by commas/],
    ["BERTH_MODE", "staging", /local or production/],
  ])("%s = %s", (name, value, expected) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toHaveLength(
      name === "ENCRYPTION_KEYS" && /differ/.test(expected.source) ? 2 : 1,
    );
    expect(problems[0]).toMatch(expected);
    expect(problems[0]?.startsWith(name)).toBe(true);
  });

  test("no message repeats a value", () => {
    const canary = "Qz7-canary";
    for (const name of Object.keys(good)) {
      expect(problemsOf({ [name]: `${canary} ${canary}` }).join("\n")).not.toContain(canary);
    }
  });
});

describe("local mode", () => {
  const local = {
    BERTH_MODE: "local",
    PUBLIC_URL: "http://127.0.0.1:3000",
    DATABASE_URL: "postgresql://berth_app:pw@127.0.0.1:5433/berth",
  };

  test("takes plain http and a short database password", () => {
    expect(problemsOf(local)).toEqual([]);
  });

  test("still needs good secrets of its own", () => {
    expect(problemsOf({ ...local, APP_SECRET: "x" })).toHaveLength(1);
  });

  test("refuses NODE_ENV=production", () => {
    expect(problemsOf({ ...local, NODE_ENV: "production" })).toEqual([
      expect.stringMatching(/^NODE_ENV is production/),
    ]);
  });
});

test("the migration's environment needs only the database's URLs", () => {
  const { DATABASE_URL, AUTH_DATABASE_URL, JOBS_DATABASE_URL } = good;
  const urls = { DATABASE_URL, AUTH_DATABASE_URL, JOBS_DATABASE_URL };
  expect(() => parseMigrationEnv(urls)).toThrow(/MIGRATION_DATABASE_URL is missing/);
  expect(
    parseMigrationEnv({ ...urls, MIGRATION_DATABASE_URL: "postgresql://owner@h/berth" }),
  ).toMatchObject({ databaseUrl: DATABASE_URL, logLevel: "info" });
});
