import { createHash } from "node:crypto";
import pg from "pg";
import { type Answer, type Call, jsonObject } from "../platform/http.ts";
import { alterPassword } from "../projects/databases.ts";
import { originOf, type Project } from "../projects/project.ts";
import type { ManagementHandler, ManagementParts } from "./api.ts";
import { AUTH_FIELDS, authConfig } from "./auth-config.ts";
import { bool, type Check, checkBody, refuse, text } from "./checks.ts";

/** Bounds that the API's reference gives for numbers. */
const BOUNDS: Record<string, [number, number]> = {
  jwt_exp: [0, 604_800],
  mailer_otp_exp: [0, 2_147_483_647],
  mailer_otp_length: [6, 10],
  password_min_length: [6, 32_767],
  rate_limit_email_sent: [1, 2_147_483_647],
  smtp_max_frequency: [0, 32_767],
};

/** Shown, but not to be set. */
const READ_ONLY = [
  "nimbus_oauth_email_optional",
  "saml_allow_encrypted_assertions",
  "custom_oauth_max_providers",
];

const AUTH_CHECKS: Record<string, Check> = Object.fromEntries(
  [...AUTH_FIELDS]
    .filter(([name]) => !READ_ONLY.includes(name))
    .map(([name, field]) => {
      const [low, high] = BOUNDS[name] ?? [-Infinity, Infinity];
      const fits = (value: unknown) =>
        typeof value === field.type &&
        (typeof value !== "number" || (Number.isFinite(value) && value >= low && value <= high)) &&
        (name !== "site_url" || !`${value}`.includes(","));
      const bounds = name in BOUNDS ? ` from ${low} to ${high}` : "";
      return [
        name,
        {
          ok: (value: unknown) => (value === null ? field.nullable : fits(value)),
          must: `must be a ${field.type}${bounds}${field.nullable ? " or null" : ""}`,
        },
      ];
    }),
);

/** Secrets come back as hashes only. */
function shownConfig(project: Project) {
  const config = authConfig(project.authConfig, originOf(project));
  for (const [name, field] of AUTH_FIELDS) {
    const value = config[name];
    if (field.secret && typeof value === "string" && value) {
      config[name] = createHash("sha256").update(value).digest("hex");
    }
  }
  return config;
}

const QUERY: Record<string, Check> = {
  query: text(900_000, true),
  parameters: { ok: Array.isArray, must: "must be an array" },
  read_only: bool,
};

/** Routes for Auth's configuration, the pooler's address, SQL and the database password. */
export function configRoutes(parts: ManagementParts): Record<string, ManagementHandler> {
  const { store, databases } = parts;

  function pooler(project: Project) {
    const entry = (mode: "transaction" | "session", port: number) => {
      const address = `postgresql://postgres.${project.ref}:[YOUR-PASSWORD]@127.0.0.1:${port}/postgres`;
      return {
        identifier: project.ref,
        database_type: "PRIMARY",
        is_using_scram_auth: true,
        db_user: `postgres.${project.ref}`,
        db_host: "127.0.0.1",
        db_port: port,
        db_name: "postgres",
        connection_string: address,
        connectionString: address,
        default_pool_size: null,
        max_client_conn: null,
        pool_mode: mode,
      };
    };
    // The transaction pooler is named, as in the real answer; nothing listens there.
    return [entry("transaction", 6543), entry("session", parts.poolerPort())];
  }

  async function runQuery(call: Call, project: Project): Promise<Answer> {
    const body = jsonObject(call);
    const refusal = checkBody(body, QUERY);
    if (refusal || !body) return refusal ?? refuse(400, "No body");
    const { cluster, release } = await databases.hold(project);
    const client = new pg.Client({
      host: "127.0.0.1",
      port: cluster.port,
      user: "postgres",
      password: project.databasePassword,
      database: "postgres",
      application_name: "supabase/management-api",
      ...(body.read_only === true ? { options: "-c default_transaction_read_only=on" } : {}),
    });
    client.on("error", () => undefined);
    try {
      await client.connect();
      const parameters = body.parameters as unknown[] | undefined;
      const result = await client.query(`${body.query}`, parameters);
      const results = Array.isArray(result) ? result : [result];
      return { status: 201, json: results.at(-1)?.rows ?? [] };
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      return refuse(400, `Failed to run sql query: ERROR:  ${code ? `${code}: ` : ""}${message}\n`);
    } finally {
      await client.end().catch(() => undefined);
      release();
    }
  }

  return {
    "GET /v1/projects/:ref/config/auth": (_call, project) => ({
      status: 200,
      json: shownConfig(project),
    }),
    "PATCH /v1/projects/:ref/config/auth": async (call, project) => {
      const body = jsonObject(call);
      const refusal = checkBody(body, AUTH_CHECKS);
      if (refusal) return refusal;
      project.authConfig = { ...project.authConfig, ...body };
      await store.save(project);
      return { status: 200, json: shownConfig(project) };
    },
    "GET /v1/projects/:ref/config/database/pooler": (_call, project) => ({
      status: 200,
      json: pooler(project),
    }),
    "POST /v1/projects/:ref/database/query": runQuery,
    "PATCH /v1/projects/:ref/database/password": async (call, project) => {
      const body = jsonObject(call);
      const password: Check = {
        ok: (value) => typeof value === "string" && value.length >= 4 && value.length <= 256,
        must: "must be a string of at least 4 characters",
        required: true,
      };
      const refusal = checkBody(body, { password });
      if (refusal || !body) return refusal ?? refuse(400, "No body");
      const pool = await databases.pool(project, "supabase_admin");
      await pool.query(alterPassword("postgres", `${body.password}`));
      project.databasePassword = `${body.password}`;
      await store.save(project);
      return { status: 200, json: { message: "Successfully updated database password" } };
    },
  };
}
