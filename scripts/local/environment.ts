import path from "node:path";
import type { LocalKeys } from "./keys.ts";
import { type Ports, PROJECT_PORTS } from "./ports.ts";

/** Variables of the person's own environment that the processes may see. */
const INHERITED = "PATH HOME TMPDIR LANG LC_ALL TZ LOG_LEVEL NODE_OPTIONS NODE_COMPILE_CACHE".split(
  " ",
);

export const DATABASE_NAME = "berth";
export const ORGANIZATION = "berth-local";

/** The environments of local mode's processes. */
export interface LocalEnvironments {
  web: Record<string, string>;
  worker: Record<string, string>;
  sandbox: Record<string, string>;
  mail: Record<string, string>;
}

function inherited(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

/** What each process is told; the values of `.env.example`, made for this machine. */
export function localEnvironments(options: {
  root: string;
  dataDir: string;
  ports: Ports;
  keys: LocalKeys;
  extraOrigins: string[];
}): LocalEnvironments {
  const { root, dataDir, ports, keys } = options;
  const base = inherited();
  const sandboxDir = path.join(dataDir, "sandbox");
  const projects = `${ports.projects}-${Math.min(ports.projects + PROJECT_PORTS - 1, 65_535)}`;
  const database = (role: string, password: string) =>
    `postgresql://${role}:${password}@127.0.0.1:${ports.database}/${DATABASE_NAME}`;
  const berth = {
    ...base,
    BERTH_MODE: "local",
    NODE_ENV: "development",
    HOST: "127.0.0.1",
    PORT: String(ports.web),
    PUBLIC_URL: `http://127.0.0.1:${ports.web}`,
    DATABASE_URL: database("berth_app", keys.passwords.app),
    AUTH_DATABASE_URL: database("berth_auth", keys.passwords.auth),
    JOBS_DATABASE_URL: database("berth_jobs", keys.passwords.jobs),
    ENCRYPTION_KEYS: keys.encryptionKeys,
    APP_SECRET: keys.appSecret,
    SMTP_URL: `smtp://127.0.0.1:${ports.smtp}`,
    MAIL_FROM: "Berth <berth@berth.localhost>",
    STAFF_MAIL: "staff@berth.localhost",
    SUPABASE_MANAGEMENT_URL: `http://127.0.0.1:${ports.sandbox}`,
    SUPABASE_DASHBOARD_URL: `http://127.0.0.1:${ports.sandbox}/dashboard`,
    SUPABASE_ACCESS_TOKEN: keys.sandboxAccessToken,
    SUPABASE_CA_FILE: path.join(sandboxDir, "ca.crt"),
    OUTBOUND_ALLOW_ORIGINS: [
      `127.0.0.1:${ports.sandbox}`,
      `127.0.0.1:${ports.pooler}`,
      `127.0.0.1:${projects}`,
      ...options.extraOrigins,
    ].join(","),
    SHUTDOWN_TIMEOUT_MS: "8000",
    FEATURE_TEMPLATES_DIR: path.join(root, "feature-templates"),
  };
  return {
    web: berth,
    worker: berth,
    sandbox: {
      ...base,
      SANDBOX_DATA_DIR: sandboxDir,
      SANDBOX_PORT: String(ports.sandbox),
      SANDBOX_PROJECT_PORTS: projects,
      SANDBOX_POOLER_PORT: String(ports.pooler),
      SANDBOX_ACCESS_TOKEN: keys.sandboxAccessToken,
      SANDBOX_ORGANIZATION: ORGANIZATION,
    },
    mail: {
      ...base,
      MAIL_SMTP_PORT: String(ports.smtp),
      MAIL_PAGE_PORT: String(ports.mailPage),
      MAIL_DIRECTORY: path.join(dataDir, "mail"),
    },
  };
}
