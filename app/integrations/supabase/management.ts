import { z } from "zod";
import type { OutboundGuard } from "#app/platform/outbound/guard.ts";
import {
  failureOfStatus,
  ManagementTokenError,
  ProjectNotFoundError,
  SupabaseAnswerError,
} from "./errors.ts";

/** As published for `GET /v1/projects/{ref}`; a status not listed here is read as UNKNOWN. */
const projectStatus = z
  .enum([
    "INACTIVE",
    "ACTIVE_HEALTHY",
    "ACTIVE_UNHEALTHY",
    "COMING_UP",
    "UNKNOWN",
    "GOING_DOWN",
    "INIT_FAILED",
    "REMOVED",
    "RESTORING",
    "UPGRADING",
    "PAUSING",
    "RESTORE_FAILED",
    "RESTARTING",
    "PAUSE_FAILED",
    "RESIZING",
  ])
  .catch("UNKNOWN");

const ref = z.string().regex(/^[a-z]{20}$/);

const project = z.object({
  ref,
  name: z.string(),
  region: z.string(),
  status: projectStatus,
  organization_slug: z.string().optional(),
});

const health = z.array(
  z.object({ name: z.string(), status: z.string(), error: z.string().optional() }),
);

const apiKeys = z.array(
  z.object({
    name: z.string(),
    api_key: z.string().nullish(),
    type: z.enum(["legacy", "publishable", "secret"]).nullish().catch(null),
  }),
);

const authConfig = z.object({
  site_url: z.string().nullish(),
  uri_allow_list: z.string().nullish(),
  disable_signup: z.boolean().nullish(),
  external_email_enabled: z.boolean().nullish(),
  external_phone_enabled: z.boolean().nullish(),
  external_anonymous_users_enabled: z.boolean().nullish(),
  mailer_autoconfirm: z.boolean().nullish(),
});

const pooler = z.array(
  z.object({
    database_type: z.enum(["PRIMARY", "READ_REPLICA"]),
    db_user: z.string(),
    db_host: z.string(),
    db_port: z.number().int(),
    db_name: z.string(),
    pool_mode: z.enum(["transaction", "session"]),
  }),
);

export type ManagedProject = z.infer<typeof project>;
export type AuthConfig = z.infer<typeof authConfig>;
export type HealthService = "auth" | "db" | "db_postgres_user" | "pooler" | "rest" | "storage";

export interface NewProject {
  name: string;
  db_pass: string;
  organization_slug: string;
  region_selection:
    | { type: "specific"; code: string }
    | { type: "smartGroup"; code: "americas" | "emea" | "apac" };
}

export interface ManagementClient {
  listProjects(): Promise<ManagedProject[]>;
  getProject(ref: string): Promise<ManagedProject>;
  /**
   * Not idempotent, and Supabase knows no idempotency key: record the intent first, call once, and
   * after a lost answer look for the project by its name instead of calling again.
   */
  createProject(wanted: NewProject): Promise<ManagedProject>;
  /** Ask for the services that are needed and no others; `ACTIVE_HEALTHY` is the good status. */
  health(ref: string, services: HealthService[]): Promise<z.infer<typeof health>>;
  /** Revealed keys of both generations; a project may lack either. */
  apiKeys(ref: string): Promise<z.infer<typeof apiKeys>>;
  getAuthConfig(ref: string): Promise<AuthConfig>;
  patchAuthConfig(ref: string, change: AuthConfig): Promise<AuthConfig>;
  poolerConfig(ref: string): Promise<z.infer<typeof pooler>>;
}

export interface ManagementOptions {
  /** `https://api.supabase.com`, or the local stand-in. */
  baseUrl: string;
  accessToken: string;
  guard: OutboundGuard;
  /** For each call; 20 s by default. */
  timeoutMs?: number;
}

/**
 * A client of Supabase's Management API with every answer checked. Nothing is retried here: 120
 * requests a minute are all there are, and only the caller knows what may be repeated.
 * @throws (every method) ManagementTokenError, ProjectNotFoundError, SupabaseRateLimitError,
 *   SupabaseFailureError, SupabaseAnswerError, and those of the outbound guard
 */
export function createManagementClient(options: ManagementOptions): ManagementClient {
  const { guard, accessToken, timeoutMs = 20_000 } = options;
  const base = options.baseUrl.replace(/\/+$/, "");
  const { host } = guard.checkUrl(base);

  async function call<T>(
    schema: z.ZodType<T>,
    path: string,
    method: "GET" | "POST" | "PATCH" = "GET",
    body?: unknown,
  ): Promise<T> {
    const answer = await guard.fetch(base + path, {
      method,
      headers: {
        authorization: `Bearer ${accessToken}`,
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      timeoutMs,
      maxBytes: 8 * 1024 * 1024,
    });
    const { status } = answer;
    const failure = failureOfStatus(host, status, answer.headers);
    if (failure) throw failure;
    if (status === 401 || status === 403) throw new ManagementTokenError(host, status);
    if (status === 404) throw new ProjectNotFoundError(path.split("/")[3] ?? "");
    if (status !== 200 && status !== 201) {
      throw new SupabaseAnswerError(host, `status ${status} for ${method} ${path.split("?")[0]}`);
    }
    let json: unknown;
    try {
      json = JSON.parse(answer.text);
    } catch {
      throw new SupabaseAnswerError(host, "the answer is not JSON");
    }
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    // The place alone: the value there may be a key.
    const place = parsed.error.issues[0]?.path.join(".") || "the whole";
    throw new SupabaseAnswerError(host, `unexpected content at “${place}”`);
  }

  /** The path of one project; a reference that is none never reaches a URL. */
  const at = (wanted: string, rest = "") => {
    if (!ref.safeParse(wanted).success) throw new ProjectNotFoundError("with this reference");
    return `/v1/projects/${wanted}${rest}`;
  };

  return {
    listProjects: () => call(z.array(project), "/v1/projects"),
    getProject: async (wanted) => call(project, at(wanted)),
    createProject: (wanted) => call(project, "/v1/projects", "POST", wanted),
    health: async (wanted, services) =>
      call(health, at(wanted, `/health?services=${services.join(",")}`)),
    apiKeys: async (wanted) => call(apiKeys, at(wanted, "/api-keys?reveal=true")),
    getAuthConfig: async (wanted) => call(authConfig, at(wanted, "/config/auth")),
    patchAuthConfig: async (wanted, change) =>
      call(authConfig, at(wanted, "/config/auth"), "PATCH", change),
    poolerConfig: async (wanted) => call(pooler, at(wanted, "/config/database/pooler")),
  };
}
