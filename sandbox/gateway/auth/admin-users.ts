import type { Answer, Call } from "../../platform/http.ts";
import type { GatewayContext, GatewayHandler } from "../context.ts";
import { AuthRefusal, authBody, requireAdmin } from "./errors.ts";
import {
  authTransaction,
  byEmail,
  checkPassword,
  confirmEmail,
  findUser,
  hashPassword,
  insertUser,
  type UserRow,
  unknownPassword,
  userJson,
  validEmail,
} from "./users.ts";

export const EMAIL_EXISTS = "A user with this email address has already been registered";
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function objectField(body: Record<string, unknown>, name: string) {
  const value = body[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new AuthRefusal(400, "bad_json", "Could not parse request body as JSON");
  }
  return value as Record<string, unknown>;
}

function stringField(body: Record<string, unknown>, name: string): string | undefined {
  const value = body[name] ?? undefined;
  if (value !== undefined && typeof value !== "string") {
    throw new AuthRefusal(400, "bad_json", "Could not parse request body as JSON");
  }
  return value || undefined;
}

const notFound = () => new AuthRefusal(404, "user_not_found", "User not found");

async function requireUser(call: Call, context: GatewayContext): Promise<UserRow> {
  const id = call.params.id ?? "";
  if (!UUID.test(id)) {
    throw new AuthRefusal(404, "validation_failed", "user_id must be an UUID");
  }
  const pool = await context.databases.pool(context.project, "supabase_auth_admin");
  const user = await findUser(pool, "id = $1", [id]);
  if (!user) throw notFound();
  return user;
}

/** `POST /auth/v1/admin/users`: 200 with the user, 422 email_exists, 400 validation_failed. */
async function create(call: Call, context: GatewayContext): Promise<Answer> {
  await requireAdmin(call, context);
  const body = authBody(call);
  const given = stringField(body, "email");
  const phone = stringField(body, "phone") ?? null;
  if (!given && !phone) {
    const message = "Cannot create a user without either an email or phone";
    throw new AuthRefusal(400, "validation_failed", message);
  }
  const email = given ? validEmail(given) : null;
  const id = stringField(body, "id");
  if (id && !UUID.test(id)) {
    throw new AuthRefusal(400, "validation_failed", "ID must conform to the uuid v4 format");
  }
  const password = stringField(body, "password");
  if (password) checkPassword(password, context);
  const passwordHash = await hashPassword(context, password ?? unknownPassword());

  const user = await authTransaction(context, async (sql) => {
    if (email && (await byEmail(sql, email))) {
      throw new AuthRefusal(422, "email_exists", EMAIL_EXISTS);
    }
    const made = await insertUser(sql, {
      ...(id ? { id } : {}),
      email,
      phone,
      passwordHash,
      role: stringField(body, "role") ?? "authenticated",
      userMetadata: objectField(body, "user_metadata") ?? {},
      appMetadata: objectField(body, "app_metadata") ?? {},
    });
    if (body.email_confirm === true) await confirmEmail(sql, made.id);
    if (body.phone_confirm === true) {
      await sql.query("update auth.users set phone_confirmed_at = now() where id = $1", [made.id]);
    }
    return userJson(sql, (await findUser(sql, "id = $1", [made.id])) as UserRow);
  }).catch(asCreateError);
  return { status: 200, json: user };
}

/** Two creations at once meet at the unique index; anything else is a trigger's refusal. */
function asCreateError(error: unknown): never {
  if (error instanceof AuthRefusal) throw error;
  const { code, constraint } = error as { code?: string; constraint?: string };
  if (code === "23505" && constraint === "users_email_partial_key") {
    throw new AuthRefusal(422, "email_exists", EMAIL_EXISTS);
  }
  if (code === "23505" && constraint === "users_phone_key") {
    const message = "A user with this phone number has already been registered";
    throw new AuthRefusal(422, "phone_exists", message);
  }
  if (code === "23505" && constraint === "users_pkey") {
    throw new AuthRefusal(
      422,
      "user_already_exists",
      "A user with this ID has already been registered",
    );
  }
  if (code) throw new AuthRefusal(500, "unexpected_failure", "Database error creating new user");
  throw error;
}

/** `GET /auth/v1/admin/users?page=&per_page=`, newest first. */
async function list(call: Call, context: GatewayContext): Promise<Answer> {
  await requireAdmin(call, context);
  const number = (name: string, fallback: number) => {
    const text = call.query.get(name);
    if (!text) return fallback;
    if (!/^\d+$/.test(text)) {
      throw new AuthRefusal(400, "validation_failed", `Bad Pagination Parameters: ${name}`);
    }
    return Math.max(1, Number(text));
  };
  const page = number("page", 1);
  const perPage = Math.min(number("per_page", 50), 1_000);
  const pool = await context.databases.pool(context.project, "supabase_auth_admin");
  const count = await pool.query<{ total: number }>(
    "select count(*)::int as total from auth.users",
  );
  const total = count.rows[0]?.total ?? 0;
  const rows = await pool.query<UserRow>(
    "select * from auth.users order by created_at desc, id limit $1 offset $2",
    [perPage, (page - 1) * perPage],
  );
  const users = [];
  for (const row of rows.rows) users.push(await userJson(pool, row));
  const last = Math.max(1, Math.ceil(total / perPage));
  const link = (to: number, rel: string) =>
    `<${context.origin}/admin/users?page=${to}&per_page=${perPage}>; rel="${rel}"`;
  const links = [...(page < last ? [link(page + 1, "next")] : []), link(last, "last")];
  return {
    status: 200,
    json: { users, aud: "authenticated" },
    headers: { "x-total-count": `${total}`, link: links.join(", ") },
  };
}

async function read(call: Call, context: GatewayContext): Promise<Answer> {
  await requireAdmin(call, context);
  const user = await requireUser(call, context);
  const pool = await context.databases.pool(context.project, "supabase_auth_admin");
  return { status: 200, json: await userJson(pool, user) };
}

async function update(call: Call, context: GatewayContext): Promise<Answer> {
  await requireAdmin(call, context);
  const user = await requireUser(call, context);
  const body = authBody(call);
  const given = stringField(body, "email");
  const email = given ? validEmail(given) : null;
  const password = stringField(body, "password");
  if (password) checkPassword(password, context);
  const hash = password ? await hashPassword(context, password) : null;
  const json = await authTransaction(context, async (sql) => {
    if (email && email !== user.email && (await byEmail(sql, email))) {
      throw new AuthRefusal(422, "email_exists", EMAIL_EXISTS);
    }
    await sql.query(
      `update auth.users set email = coalesce($2, email), role = coalesce($3, role),
         encrypted_password = coalesce($4, encrypted_password),
         raw_user_meta_data = coalesce(raw_user_meta_data, '{}') || $5::jsonb,
         raw_app_meta_data = coalesce(raw_app_meta_data, '{}') || $6::jsonb,
         updated_at = now()
       where id = $1`,
      [
        user.id,
        email,
        stringField(body, "role") ?? null,
        hash,
        JSON.stringify(objectField(body, "user_metadata") ?? {}),
        JSON.stringify(objectField(body, "app_metadata") ?? {}),
      ],
    );
    if (body.email_confirm === true) await confirmEmail(sql, user.id);
    return userJson(sql, (await findUser(sql, "id = $1", [user.id])) as UserRow);
  });
  return { status: 200, json };
}

async function remove(call: Call, context: GatewayContext): Promise<Answer> {
  await requireAdmin(call, context);
  const user = await requireUser(call, context);
  await authTransaction(context, (sql) =>
    sql.query("delete from auth.users where id = $1", [user.id]),
  ).catch((error) => {
    // A foreign key of a template can forbid it.
    if (!(error as { code?: string }).code) throw error;
    throw new AuthRefusal(500, "unexpected_failure", "Database error deleting user");
  });
  return { status: 200, json: {} };
}

/** The admin routes for users. */
export const adminUserRoutes: Record<string, GatewayHandler> = {
  "GET /auth/v1/admin/users": list,
  "POST /auth/v1/admin/users": create,
  "GET /auth/v1/admin/users/:id": read,
  "PUT /auth/v1/admin/users/:id": update,
  "DELETE /auth/v1/admin/users/:id": remove,
};
