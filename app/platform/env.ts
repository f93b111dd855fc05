import { z } from "zod";
import { passwordWeakness, secretWeakness, withoutBlanks } from "./env-secrets.ts";
import { BerthError } from "./errors.ts";
import { LOG_LEVELS, type LogLevel } from "./log.ts";

/** All that is wrong with the environment, one sentence each; values are never quoted. */
export class EnvironmentError extends BerthError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      "environment_invalid",
      `The environment is not complete. ${problems.length} to mend:\n${problems
        .map((problem) => `  - ${problem}`)
        .join("\n")}`,
      { fix: "Set the variables named above; .env.example documents each of them." },
    );
    this.problems = problems;
  }
}

/** A master key of the keyring: 256 bits under a name that is stored beside what it sealed. */
export interface EnvironmentKey {
  id: string;
  key: Buffer;
}

/** The configuration of the web and worker processes. Durations are milliseconds. */
export interface Env {
  mode: "local" | "production";
  host: string;
  port: number;
  /** Origin under which people reach Berth, without a trailing slash. */
  publicUrl: string;
  databaseUrl: string;
  authDatabaseUrl: string;
  jobsDatabaseUrl: string;
  /** Newest first: the first one seals, all of them open. */
  encryptionKeys: EnvironmentKey[];
  appSecret: string;
  smtpUrl: string;
  mailFrom: string;
  staffMail: string;
  supabase: {
    managementUrl: string;
    /** Where people open their projects; links lead there. Nothing connects to it. */
    dashboardUrl: string;
    accessToken?: string;
    caFile?: string;
  };
  outboundAllowSuffixes: string[];
  /** `host:port` or `host:port-port`, separated by commas, as the outbound guard takes it. */
  outboundAllowOrigins: string;
  /** Addresses or CIDR ranges whose X-Forwarded-* headers are believed. */
  trustedProxies: string[];
  logLevel: LogLevel;
  workerConcurrency: number;
  /** Runs at work at once, of all workers together. */
  runConcurrency: number;
  shutdownTimeoutMs: number;
  featureTemplatesDir: string;
}

/** What `npm run migrate` needs: an owner's connection and the three log-ins it creates. */
export interface MigrationEnv {
  migrationDatabaseUrl: string;
  databaseUrl: string;
  authDatabaseUrl: string;
  jobsDatabaseUrl: string;
  logLevel: LogLevel;
}

type Source = Record<string, string | undefined>;
type Mode = Env["mode"];

const wholeNumber = (lowest: number, highest: number, otherwise: number) =>
  z
    .string()
    .default(String(otherwise))
    .refine((text) => /^\d{1,9}$/.test(text) && +text >= lowest && +text <= highest, {
      error: `must be a whole number from ${lowest} to ${highest}.`,
    })
    .transform(Number);

const list = (otherwise: string, item: RegExp, example: string) =>
  z
    .string()
    .default(otherwise)
    .transform((text) =>
      text
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== ""),
    )
    .refine((items) => items.every((part) => item.test(part)), {
      error: `must be a list separated by commas, for example ${example}.`,
    });

function urlOf(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}

const isLoopback = (url: URL) => /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);

/** An origin over https; plain http only on this machine. */
const origin = (mode: Mode, purpose: string) =>
  z
    .string({ error: `is missing. Set it to ${purpose}.` })
    .refine((text) => /^https?:$/.test(urlOf(text)?.protocol ?? ""), {
      error: "must be a URL that begins with https://.",
      abort: true,
    })
    .transform((text) => new URL(text))
    .refine((url) => url.protocol === "https:" || mode === "local" || isLoopback(url), {
      error: "must begin with https:// (plain http is accepted for this machine alone).",
    })
    .refine((url) => url.username === "" && url.password === "", {
      error: "must not hold a user name or password.",
    })
    .transform((url) => url.href.replace(/\/+$/, ""));

const database = (mode: Mode, role: string) =>
  z
    .string({
      error: `is missing. Set it to postgresql://${role}:PASSWORD@HOST:5432/berth with the password chosen for that log-in.`,
    })
    .refine((text) => /^postgres(ql)?:$/.test(urlOf(text)?.protocol ?? ""), {
      error:
        "must be a URL that begins with postgresql://; characters such as @ : / # % in its password must be percent-encoded.",
      abort: true,
    })
    .superRefine((text, context) => {
      const { password, username } = new URL(text);
      if (username === "") context.addIssue("must name a database user.");
      const weakness = mode === "production" ? passwordWeakness(password) : null;
      if (weakness) {
        context.addIssue(
          `has a password that ${weakness}. Give the log-in another one: npm run keys -- generate prints suitable ones.`,
        );
      }
    });

const keyring = z
  .string({
    error: "is missing. Run npm run keys -- generate and set it to the line that prints.",
  })
  .transform((text, context): EnvironmentKey[] => {
    const keys: EnvironmentKey[] = [];
    for (const [index, part] of text.split(",").entries()) {
      const [, id, base64] =
        /^([A-Za-z0-9_.-]{1,64}):([A-Za-z0-9+/]{43}=)$/.exec(part.trim()) ?? [];
      const key = Buffer.from(base64 ?? "", "base64");
      const weakness = base64 ? secretWeakness(key.toString("latin1"), 32) : null;
      const where = `entry ${index + 1}`;
      if (!id) context.addIssue(`${where} must be id:base64, the base64 of exactly 32 bytes.`);
      else if (weakness) context.addIssue(`${where} ${weakness}. Generate one: npm run keys.`);
      else if (keys.some((other) => other.id === id)) {
        context.addIssue(`${where} repeats the id of an earlier entry; ids must differ.`);
      } else keys.push({ id, key });
    }
    return keys;
  });

const mailAddress =
  /^(?:[^\s<>"@,;]+@[^\s<>"@,;]+|[^\r\n<>",;@]{1,100}<[^\s<>"@,;]+@[^\s<>"@,;]+>)$/;

const address = (purpose: string) =>
  z
    .string({ error: `is missing. Set it to ${purpose}.` })
    .regex(mailAddress, { error: "must be one mail address: a@b.example or Name <a@b.example>." });

function schemaFor(mode: Mode) {
  return z.object({
    HOST: z.string().default("127.0.0.1"),
    PORT: wholeNumber(0, 65_535, 3000),
    PUBLIC_URL: origin(mode, "the address under which people open Berth").refine(
      (text) => new URL(text).pathname === "/",
      { error: "must be an origin alone, without a path." },
    ),
    DATABASE_URL: database(mode, "berth_app"),
    AUTH_DATABASE_URL: database(mode, "berth_auth"),
    JOBS_DATABASE_URL: database(mode, "berth_jobs"),
    ENCRYPTION_KEYS: keyring,
    APP_SECRET: z
      .string({ error: "is missing. Run npm run keys -- generate and set it to what that prints." })
      .superRefine((text, context) => {
        const weakness = secretWeakness(text, 32);
        if (weakness) context.addIssue(`${weakness}. Generate one: npm run keys -- generate.`);
      }),
    SMTP_URL: z
      .string({ error: "is missing. Set it to smtp://USER:PASSWORD@HOST:587 or smtps://…:465." })
      .refine((text) => /^smtps?:$/.test(urlOf(text)?.protocol ?? ""), {
        error: "must be a URL that begins with smtp:// or smtps://.",
        abort: true,
      })
      .refine((text) => mode === "local" || !passwordWeakness(new URL(text).password, 1, true), {
        error: "has an example password. Set the one of your mail provider.",
      }),
    MAIL_FROM: address("the address that Berth's mails come from"),
    STAFF_MAIL: address("the address that staff read, for runs that failed"),
    SUPABASE_MANAGEMENT_URL: origin(mode, "Supabase's Management API").default(
      "https://api.supabase.com",
    ),
    SUPABASE_DASHBOARD_URL: origin(mode, "the dashboard where people open their projects").default(
      "https://supabase.com/dashboard",
    ),
    SUPABASE_ACCESS_TOKEN: z
      .string()
      .min(20, { error: "is too short. Copy it from Supabase → Account → Access Tokens." })
      .optional(),
    SUPABASE_CA_FILE: z.string().optional(),
    OUTBOUND_ALLOW_SUFFIXES: list(
      "supabase.co,supabase.com",
      /^[a-z0-9-]+(\.[a-z0-9-]+)+$/,
      "supabase.co,supabase.com",
    ),
    OUTBOUND_ALLOW_ORIGINS: list(
      "",
      /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\]):\d{1,5}(?:-\d{1,5})?$/,
      "10.0.0.5:8000,127.0.0.1:54800-54999",
    ).transform((items) => items.join(",")),
    TRUSTED_PROXIES: list("", /^[0-9a-f.:]+(\/\d{1,3})?$/i, "10.0.0.0/8,192.0.2.7"),
    LOG_LEVEL: z
      .enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(", ")}.` })
      .default("info"),
    WORKER_CONCURRENCY: wholeNumber(1, 256, 4),
    RUN_CONCURRENCY: wholeNumber(1, 1_000, 32),
    SHUTDOWN_TIMEOUT_MS: wholeNumber(100, 600_000, 10_000),
    FEATURE_TEMPLATES_DIR: z.string().default("./feature-templates"),
  });
}

/** `BERTH_MODE`, which the commands set, and what is said against running in that mode. */
function modeOf(source: Source): { mode: Mode; problems: string[] } {
  const mode = source.BERTH_MODE ?? "production";
  if (mode === "local") {
    return source.NODE_ENV === "production"
      ? {
          mode,
          problems: [
            "NODE_ENV is production, but local mode is for a developer's machine. Unset NODE_ENV, or use npm run web and npm run worker.",
          ],
        }
      : { mode, problems: [] };
  }
  return mode === "production"
    ? { mode, problems: [] }
    : {
        mode: "production",
        problems: ["BERTH_MODE must be local or production; leave it unset for production."],
      };
}

function parseWith<Schema extends z.ZodType>(
  schema: Schema,
  source: Source,
  problems: string[],
): z.output<Schema> {
  const result = schema.safeParse(source);
  const found = [
    ...problems,
    ...(result.error?.issues ?? []).map((issue) => `${issue.path.join(".")} ${issue.message}`),
  ];
  if (!result.success || found.length > 0) throw new EnvironmentError(found);
  return result.data;
}

/**
 * Reads the environment of a web or worker process. A blank variable counts as absent. Mode is
 * production unless BERTH_MODE is `local`.
 *
 * @throws EnvironmentError with every problem at once: what is missing, malformed, weak (too
 *   short, repeated, all zero) or a published example.
 */
export function parseEnv(source: Source): Env {
  const given = withoutBlanks(source);
  const { mode, problems } = modeOf(given);
  const value = parseWith(schemaFor(mode), given, problems);
  return {
    mode,
    host: value.HOST,
    port: value.PORT,
    publicUrl: value.PUBLIC_URL,
    databaseUrl: value.DATABASE_URL,
    authDatabaseUrl: value.AUTH_DATABASE_URL,
    jobsDatabaseUrl: value.JOBS_DATABASE_URL,
    encryptionKeys: value.ENCRYPTION_KEYS,
    appSecret: value.APP_SECRET,
    smtpUrl: value.SMTP_URL,
    mailFrom: value.MAIL_FROM,
    staffMail: value.STAFF_MAIL,
    supabase: {
      managementUrl: value.SUPABASE_MANAGEMENT_URL,
      dashboardUrl: value.SUPABASE_DASHBOARD_URL,
      accessToken: value.SUPABASE_ACCESS_TOKEN,
      caFile: value.SUPABASE_CA_FILE,
    },
    outboundAllowSuffixes: value.OUTBOUND_ALLOW_SUFFIXES,
    outboundAllowOrigins: value.OUTBOUND_ALLOW_ORIGINS,
    trustedProxies: value.TRUSTED_PROXIES,
    logLevel: value.LOG_LEVEL,
    workerConcurrency: value.WORKER_CONCURRENCY,
    runConcurrency: value.RUN_CONCURRENCY,
    shutdownTimeoutMs: value.SHUTDOWN_TIMEOUT_MS,
    featureTemplatesDir: value.FEATURE_TEMPLATES_DIR,
  };
}

/**
 * Reads the environment of `npm run migrate`: the owner's URL and the three log-ins' URLs, whose
 * passwords the migration gives to the roles.
 *
 * @throws EnvironmentError as `parseEnv` does.
 */
export function parseMigrationEnv(source: Source): MigrationEnv {
  const given = withoutBlanks(source);
  const { mode, problems } = modeOf(given);
  const value = parseWith(
    schemaFor(mode)
      .pick({
        DATABASE_URL: true,
        AUTH_DATABASE_URL: true,
        JOBS_DATABASE_URL: true,
        LOG_LEVEL: true,
      })
      .extend({ MIGRATION_DATABASE_URL: database("local", "berth_owner") }),
    given,
    problems,
  );
  return {
    migrationDatabaseUrl: value.MIGRATION_DATABASE_URL,
    databaseUrl: value.DATABASE_URL,
    authDatabaseUrl: value.AUTH_DATABASE_URL,
    jobsDatabaseUrl: value.JOBS_DATABASE_URL,
    logLevel: value.LOG_LEVEL,
  };
}
