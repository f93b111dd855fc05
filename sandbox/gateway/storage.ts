import type { PoolClient } from "pg";
import { type Answer, type Call, jsonObject } from "../platform/http.ts";
import { type GatewayContext, type GatewayHandler, readBearer } from "./context.ts";

/**
 * A refusal of Storage. The HTTP status is 400 whatever happened; the code that counts stands
 * inside, as a string.
 */
export class StorageRefusal extends Error {
  override name = "StorageRefusal";
  readonly code: string;
  readonly error: string;

  constructor(code: string, error: string, message: string) {
    super(message);
    this.code = code;
    this.error = error;
  }
}

/** Storage's answer to a refusal. */
export function storageRefusalAnswer(refusal: StorageRefusal): Answer {
  return {
    status: 400,
    json: { statusCode: refusal.code, error: refusal.error, message: refusal.message },
  };
}

const notFound = () => new StorageRefusal("404", "Bucket not found", "Bucket not found");

/** Runs `work` as the caller's role, under the row-level security of storage's tables. */
async function asCaller<T>(
  call: Call,
  context: GatewayContext,
  work: (sql: PoolClient) => Promise<T>,
): Promise<T> {
  const bearer = await readBearer(call, context);
  if (bearer.kind === "none") {
    const message = "headers must have required property 'authorization'";
    throw new StorageRefusal("400", "Error", message);
  }
  if (bearer.kind === "bad") throw new StorageRefusal("403", "Unauthorized", "Invalid Compact JWS");
  const role = ["anon", "authenticated", "service_role"].find((name) => name === bearer.role);
  if (!role)
    throw new StorageRefusal("403", "Unauthorized", `role "${bearer.role}" does not exist`);
  const pool = await context.databases.pool(context.project, "supabase_storage_admin");
  const client = await pool.connect();
  try {
    await client.query("begin");
    await client.query(
      `select set_config('role', $1, true), set_config('request.jwt.claims', $2, true),
         set_config('storage.allow_delete_query', 'true', true)`,
      [role, JSON.stringify(bearer.claims)],
    );
    const result = await work(client);
    await client.query("commit");
    return result;
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    const { code, message } = error as { code?: string; message: string };
    if (code === "42501") throw new StorageRefusal("403", "Unauthorized", message);
    if (code === "23505")
      throw new StorageRefusal("409", "Duplicate", "The resource already exists");
    throw error;
  } finally {
    client.release();
  }
}

const COLUMNS = `id, name, coalesce(owner_id, '') as owner, public, type::text as type,
  file_size_limit::float8 as file_size_limit, allowed_mime_types, created_at, updated_at`;

const UNITS: Record<string, number> = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

function sizeLimit(value: unknown): number | null {
  if (value === undefined || value === null) return null;
  const match = /^(\d{1,15}(?:\.\d{1,9})?)\s*(B|KB|MB|GB|TB)?$/i.exec(`${value}`);
  const bytes = Number(match?.[1]) * (UNITS[(match?.[2] ?? "B").toUpperCase()] ?? 1);
  if (Number.isNaN(bytes) || bytes > Number.MAX_SAFE_INTEGER) {
    throw new StorageRefusal("422", "invalid_file_size_limit", "Invalid file size limit");
  }
  return Math.floor(bytes);
}

function bucketBody(call: Call): Record<string, unknown> {
  const body = jsonObject(call);
  if (!body) throw new StorageRefusal("400", "InvalidRequest", "body must be object");
  const types = body.allowed_mime_types;
  const list = Array.isArray(types) && types.every((type) => typeof type === "string");
  if (types !== undefined && types !== null && !list) {
    throw new StorageRefusal("400", "Error", "body/allowed_mime_types must be array");
  }
  return body;
}

async function create(call: Call, context: GatewayContext): Promise<Answer> {
  const body = bucketBody(call);
  if (typeof body.name !== "string") {
    throw new StorageRefusal("400", "Error", "body must have required property 'name'");
  }
  const id = typeof body.id === "string" && body.id ? body.id : body.name;
  if (!/^[\w!\-.*'() &$@=;:+,?]+$/.test(id) || id.length > 100 || id.trim() !== id) {
    throw new StorageRefusal("400", "Invalid Input", "Bucket name invalid");
  }
  await asCaller(call, context, (sql) =>
    sql.query(
      `insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
       values ($1, $2, $3, $4, $5)`,
      [
        id,
        body.name,
        body.public === true,
        sizeLimit(body.file_size_limit),
        body.allowed_mime_types ?? null,
      ],
    ),
  );
  return { status: 200, json: { name: id } };
}

async function list(call: Call, context: GatewayContext): Promise<Answer> {
  const number = (name: string, fallback: number) => {
    const value = Number(call.query.get(name) ?? fallback);
    return Number.isInteger(value) && value >= 0 ? value : fallback;
  };
  const column = ["id", "name", "created_at", "updated_at"].find(
    (name) => name === call.query.get("sortColumn"),
  );
  const order = call.query.get("sortOrder") === "desc" ? "desc" : "asc";
  const rows = await asCaller(call, context, (sql) =>
    sql.query(
      `select ${COLUMNS} from storage.buckets where position($1 in name) > 0 or $1 = ''
       order by ${column ?? "name"} ${order}, id limit $2 offset $3`,
      [call.query.get("search") ?? "", number("limit", 1_000), number("offset", 0)],
    ),
  );
  return { status: 200, json: rows.rows };
}

async function read(call: Call, context: GatewayContext): Promise<Answer> {
  const rows = await asCaller(call, context, (sql) =>
    sql.query(`select ${COLUMNS} from storage.buckets where id = $1`, [call.params.id]),
  );
  if (!rows.rows[0]) throw notFound();
  return { status: 200, json: rows.rows[0] };
}

async function update(call: Call, context: GatewayContext): Promise<Answer> {
  const body = bucketBody(call);
  const has = (name: string) => Object.hasOwn(body, name);
  const rows = await asCaller(call, context, (sql) =>
    sql.query(
      `update storage.buckets set updated_at = now(),
         public = case when $2 then $3 else public end,
         file_size_limit = case when $4 then $5::bigint else file_size_limit end,
         allowed_mime_types = case when $6 then $7::text[] else allowed_mime_types end
       where id = $1`,
      [
        call.params.id,
        has("public"),
        body.public === true,
        has("file_size_limit"),
        sizeLimit(body.file_size_limit),
        has("allowed_mime_types"),
        body.allowed_mime_types ?? null,
      ],
    ),
  );
  if (rows.rowCount === 0) throw notFound();
  return { status: 200, json: { message: "Successfully updated" } };
}

async function remove(call: Call, context: GatewayContext): Promise<Answer> {
  await asCaller(call, context, async (sql) => {
    const objects = await sql.query("select 1 from storage.objects where bucket_id = $1 limit 1", [
      call.params.id,
    ]);
    if (objects.rowCount) {
      const message = "The bucket you tried to delete is not empty";
      throw new StorageRefusal("409", "InvalidRequest", message);
    }
    const gone = await sql.query("delete from storage.buckets where id = $1", [call.params.id]);
    if (gone.rowCount === 0) throw notFound();
  });
  return { status: 200, json: { message: "Successfully deleted" } };
}

async function empty(call: Call, context: GatewayContext): Promise<Answer> {
  await asCaller(call, context, async (sql) => {
    const bucket = await sql.query("select 1 from storage.buckets where id = $1", [call.params.id]);
    if (bucket.rowCount === 0) throw notFound();
    await sql.query("delete from storage.objects where bucket_id = $1", [call.params.id]);
  });
  const message = "Empty bucket has been queued. Completion may take up to an hour.";
  return { status: 200, json: { message } };
}

/** The routes for buckets; files are no part of the stand-in. */
export const storageRoutes: Record<string, GatewayHandler> = {
  "GET /storage/v1/bucket": list,
  "POST /storage/v1/bucket": create,
  "GET /storage/v1/bucket/:id": read,
  "PUT /storage/v1/bucket/:id": update,
  "DELETE /storage/v1/bucket/:id": remove,
  "POST /storage/v1/bucket/:id/empty": empty,
};
