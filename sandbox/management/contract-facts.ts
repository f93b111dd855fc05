/**
 * What Supabase publishes about its Management API, as far as the stand-in has it: for each
 * route the status codes and the shape of each answer. Written by hand from the reference at
 * https://supabase.com/docs/reference/api (2026); the contract test holds every answer against it.
 */
const STATUSES = [
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
];

const string = { type: "string" };
const slug = { type: "string", pattern: "^[\\w-]+$" };
const ref = { type: "string", pattern: "^[a-z]{20}$" };
const nullable = (type: string) => ({ type: [type, "null"] });

/** An object with exactly these fields; a name that ends in `?` may be missing. */
function record(fields: Record<string, object>) {
  const names = Object.keys(fields);
  return {
    type: "object",
    additionalProperties: false,
    required: names.filter((name) => !name.endsWith("?")),
    properties: Object.fromEntries(
      names.map((name) => [name.replace(/\?$/, ""), fields[name] as object]),
    ),
  };
}
const list = (items: object) => ({ type: "array", items });

const project = {
  id: string,
  ref,
  organization_id: string,
  organization_slug: slug,
  name: string,
  region: string,
  created_at: { type: "string", format: "date-time" },
  status: { enum: STATUSES },
};
const projectWithDatabase = record({
  ...project,
  database: record({
    host: string,
    version: string,
    postgres_engine: string,
    release_channel: string,
  }),
});

const health = record({
  name: {
    enum: ["auth", "db", "db_postgres_user", "pooler", "realtime", "rest", "storage", "pg_bouncer"],
  },
  healthy: { type: "boolean" },
  status: { enum: ["COMING_UP", "ACTIVE_HEALTHY", "UNHEALTHY"] },
  "info?": record({ name: { const: "GoTrue" }, version: string, description: string }),
  "error?": string,
});

const apiKey = record({
  "api_key?": nullable("string"),
  "id?": nullable("string"),
  "type?": { enum: ["legacy", "publishable", "secret", null] },
  "prefix?": nullable("string"),
  name: string,
  "description?": nullable("string"),
  "hash?": nullable("string"),
  "secret_jwt_template?": nullable("object"),
  "inserted_at?": { type: ["string", "null"], format: "date-time" },
  "updated_at?": { type: ["string", "null"], format: "date-time" },
});

const pooler = record({
  identifier: string,
  database_type: { enum: ["PRIMARY", "READ_REPLICA"] },
  is_using_scram_auth: { type: "boolean" },
  db_user: string,
  db_host: string,
  db_port: { type: "integer" },
  db_name: string,
  connection_string: string,
  connectionString: string,
  default_pool_size: nullable("integer"),
  max_client_conn: nullable("integer"),
  pool_mode: { enum: ["transaction", "session"] },
});

/** The fields that this project relies on; the whole answer has 237, every one of them required. */
const authConfig = {
  type: "object",
  minProperties: 237,
  maxProperties: 237,
  required: ["site_url", "uri_allow_list", "disable_signup", "external_email_enabled"],
  properties: {
    site_url: nullable("string"),
    uri_allow_list: nullable("string"),
    disable_signup: nullable("boolean"),
    external_email_enabled: nullable("boolean"),
    external_phone_enabled: nullable("boolean"),
    mailer_autoconfirm: nullable("boolean"),
    mailer_otp_exp: { type: "integer" },
    mailer_otp_length: nullable("integer"),
    jwt_exp: nullable("integer"),
    password_min_length: nullable("integer"),
    rate_limit_email_sent: nullable("integer"),
    smtp_admin_email: nullable("string"),
    smtp_host: nullable("string"),
    smtp_port: nullable("string"),
    smtp_user: nullable("string"),
    smtp_pass: nullable("string"),
    smtp_sender_name: nullable("string"),
    smtp_max_frequency: nullable("integer"),
    sessions_timebox: nullable("number"),
  },
};

/** Every refusal says why in `message`. */
const refusal = record({ message: string });
const EMPTY = null;

/** Status codes that any route can answer with. */
const COMMON = { 401: refusal, 403: refusal, 404: refusal, 429: refusal, 500: refusal };

/** Route → status → schema of the body, or null for an empty one. */
export const FACTS: Record<string, Record<number, object | null>> = {
  "GET /v1/organizations": { 200: list(record({ id: string, slug, name: string })), ...COMMON },
  "GET /v1/projects": { 200: list(projectWithDatabase), ...COMMON },
  "POST /v1/projects": { 201: record(project), 400: refusal, ...COMMON },
  "GET /v1/projects/:ref": { 200: projectWithDatabase, 400: refusal, ...COMMON },
  "DELETE /v1/projects/:ref": {
    200: record({ id: { type: "integer" }, ref: string, name: string }),
    400: refusal,
    ...COMMON,
  },
  "POST /v1/projects/:ref/pause": { 200: EMPTY, 400: refusal, ...COMMON },
  "POST /v1/projects/:ref/restore": { 200: EMPTY, 400: refusal, ...COMMON },
  "GET /v1/projects/:ref/health": { 200: list(health), 400: refusal, ...COMMON },
  "GET /v1/projects/:ref/api-keys": { 200: list(apiKey), 400: refusal, ...COMMON },
  "GET /v1/projects/:ref/config/auth": { 200: authConfig, 400: refusal, ...COMMON },
  "PATCH /v1/projects/:ref/config/auth": { 200: authConfig, 400: refusal, ...COMMON },
  "GET /v1/projects/:ref/config/database/pooler": { 200: list(pooler), 400: refusal, ...COMMON },
  "POST /v1/projects/:ref/database/query": { 201: list({}), 400: refusal, ...COMMON },
  "PATCH /v1/projects/:ref/database/password": {
    200: record({ message: string }),
    400: refusal,
    ...COMMON,
  },
};
