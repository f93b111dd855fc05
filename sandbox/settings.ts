import path from "node:path";

/** Everything that can be set from outside; README.md describes the variables. */
export interface SandboxSettings {
  /** Holds the CA, the projects' records and (where PostgreSQL can reach it) their databases. */
  dataDir: string;
  /** Management API and the page; 0 takes any free port. */
  port: number;
  /** The ports that project origins are given, inclusive. */
  projectPorts: { first: number; last: number };
  /** The session pooler; 0 takes any free port. */
  poolerPort: number;
  /** The bearer token that the Management API accepts. */
  accessToken: string;
  /** Slug of the one organization. */
  organization: string;
  /** Time from the creation of a project to ACTIVE_HEALTHY, in milliseconds. */
  readyAfterMs: number;
  /** The Management API's limit per token and project or organization. */
  requestsPerMinute: number;
  /** A database that nobody uses is stopped after this time, in milliseconds. */
  idleAfterMs: number;
  /** Whether the databases wait for the disk. */
  fsync: boolean;
}

/** A setting is missing or makes no sense; the message says which and what is needed. */
export class SettingsError extends Error {
  override name = "SettingsError";
}

function whole(name: string, text: string | undefined, fallback?: number): number {
  if (!text && fallback !== undefined) return fallback;
  const value = Number(text);
  if (!text || !Number.isInteger(value) || value < 0) {
    throw new SettingsError(
      `${name} must be a whole number; found ${text ? `"${text}"` : "nothing"}.`,
    );
  }
  return value;
}

function required(name: string, text: string | undefined): string {
  if (!text) throw new SettingsError(`${name} must be set; sandbox/README.md describes it.`);
  return text;
}

/** Reads the settings out of an environment. Throws SettingsError. */
export function readSettings(env: Record<string, string | undefined>): SandboxSettings {
  const range = /^(\d+)-(\d+)$/.exec(required("SANDBOX_PROJECT_PORTS", env.SANDBOX_PROJECT_PORTS));
  if (!range || Number(range[1]) > Number(range[2]) || Number(range[2]) > 65_535) {
    throw new SettingsError("SANDBOX_PROJECT_PORTS must be two ports like 54801-54999.");
  }
  const organization = env.SANDBOX_ORGANIZATION || "berth-local";
  if (!/^[\w-]+$/.test(organization)) {
    throw new SettingsError("SANDBOX_ORGANIZATION may hold letters, digits, _ and - only.");
  }
  return {
    dataDir: path.resolve(required("SANDBOX_DATA_DIR", env.SANDBOX_DATA_DIR)),
    port: whole("SANDBOX_PORT", env.SANDBOX_PORT),
    projectPorts: { first: Number(range[1]), last: Number(range[2]) },
    poolerPort: whole("SANDBOX_POOLER_PORT", env.SANDBOX_POOLER_PORT),
    accessToken: required("SANDBOX_ACCESS_TOKEN", env.SANDBOX_ACCESS_TOKEN),
    organization,
    readyAfterMs: whole("SANDBOX_READY_AFTER_MS", env.SANDBOX_READY_AFTER_MS, 1_500),
    requestsPerMinute: whole("SANDBOX_REQUESTS_PER_MINUTE", env.SANDBOX_REQUESTS_PER_MINUTE, 120),
    idleAfterMs: whole("SANDBOX_IDLE_AFTER_MS", env.SANDBOX_IDLE_AFTER_MS, 600_000),
    fsync: env.SANDBOX_FSYNC === "on",
  };
}
