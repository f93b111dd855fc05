import { randomBytes, randomUUID } from "node:crypto";
import type pg from "pg";
import type { GatewayContext } from "../context.ts";
import { AuthRefusal } from "./errors.ts";

/** A row of auth.users as far as Auth's answers need it. */
export interface UserRow {
  id: string;
  aud: string;
  role: string;
  email: string | null;
  phone: string | null;
  encrypted_password: string | null;
  email_confirmed_at: Date | null;
  phone_confirmed_at: Date | null;
  confirmed_at: Date | null;
  invited_at: Date | null;
  confirmation_sent_at: Date | null;
  recovery_sent_at: Date | null;
  last_sign_in_at: Date | null;
  raw_app_meta_data: Record<string, unknown> | null;
  raw_user_meta_data: Record<string, unknown> | null;
  banned_until: Date | null;
  created_at: Date;
  updated_at: Date;
  is_anonymous: boolean;
}

export type Sql = pg.Pool | pg.PoolClient;

const NO_INSTANCE = "00000000-0000-0000-0000-000000000000";
const EMAIL = /^[^\s@<>"(),:;[\]\\]+@[^\s@<>"(),:;[\]\\]+\.[^\s@<>"(),:;[\]\\]+$/;
/** bcrypt reads no more than this many bytes of a password. */
const PASSWORD_LIMIT = 72;

/** Runs `work` in one transaction as supabase_auth_admin, the role that Auth's triggers see. */
export async function authTransaction<T>(
  context: GatewayContext,
  work: (sql: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const pool = await context.databases.pool(context.project, "supabase_auth_admin");
  const client = await pool.connect();
  try {
    await client.query("begin");
    const result = await work(client);
    await client.query("commit");
    return result;
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

/** The address in the form in which it is stored. Throws AuthRefusal when it is none. */
export function validEmail(value: unknown): string {
  if (typeof value !== "string" || value === "") {
    throw new AuthRefusal(400, "validation_failed", "An email address is required");
  }
  if (value.length > 255 || !EMAIL.test(value)) {
    throw new AuthRefusal(
      400,
      "validation_failed",
      "Unable to validate email address: invalid format",
    );
  }
  return value.toLowerCase();
}

/** Throws AuthRefusal when the password is too long or too short for the project. */
export function checkPassword(password: string, context: GatewayContext): void {
  if (Buffer.byteLength(password) > PASSWORD_LIMIT) {
    throw new AuthRefusal(400, "validation_failed", "Password cannot be longer than 72 characters");
  }
  if (password.length < context.config.password_min_length) {
    const message = `Password should be at least ${context.config.password_min_length} characters.`;
    throw new AuthRefusal(422, "weak_password", message);
  }
}

/** Hashes a password with bcrypt; pgcrypto does it, so that no package is needed. */
export async function hashPassword(context: GatewayContext, password: string): Promise<string> {
  const pool = await context.databases.pool(context.project, "supabase_admin");
  const result = await pool.query<{ hash: string }>(
    "select extensions.crypt($1, extensions.gen_salt('bf', 10)) as hash",
    [password],
  );
  return result.rows[0]?.hash ?? "";
}

/** Whether a password is the one that was hashed. */
export async function passwordMatches(
  context: GatewayContext,
  password: string,
  hash: string | null,
): Promise<boolean> {
  if (!hash) return false;
  const pool = await context.databases.pool(context.project, "supabase_admin");
  const result = await pool.query<{ same: boolean }>(
    "select extensions.crypt($1, $2) = $2 as same",
    [password, hash],
  );
  return result.rows[0]?.same === true;
}

/** A user by a condition on auth.users; null when there is none. */
export async function findUser(
  sql: Sql,
  condition: string,
  values: unknown[],
): Promise<UserRow | null> {
  const result = await sql.query<UserRow>(
    `select * from auth.users where (${condition}) and deleted_at is null limit 1`,
    values,
  );
  return result.rows[0] ?? null;
}

export const byEmail = (sql: Sql, email: string) =>
  findUser(sql, "email = $1 and is_sso_user = false", [email]);

/** What a new user is made of. */
interface NewUser {
  id?: string;
  email: string | null;
  phone?: string | null;
  passwordHash: string;
  role?: string;
  userMetadata?: Record<string, unknown>;
  appMetadata?: Record<string, unknown>;
  invited?: boolean;
}

/** Inserts a user and its identity. A trigger's error leaves as the database's own error. */
export async function insertUser(sql: Sql, user: NewUser): Promise<UserRow> {
  const id = user.id ?? randomUUID();
  const provider = user.email ? "email" : "phone";
  await sql.query(
    `insert into auth.users (instance_id, id, aud, role, email, phone, encrypted_password,
       confirmation_token, recovery_token, email_change_token_new, email_change,
       raw_app_meta_data, raw_user_meta_data, invited_at, created_at, updated_at)
     values ($1, $2, 'authenticated', $3, $4, $5, $6, '', '', '', '', $7, $8,
       case when $9 then now() end, now(), now())`,
    [
      NO_INSTANCE,
      id,
      user.role ?? "authenticated",
      user.email,
      user.phone ?? null,
      user.passwordHash,
      JSON.stringify({ provider, providers: [provider], ...user.appMetadata }),
      JSON.stringify(user.userMetadata ?? {}),
      user.invited ?? false,
    ],
  );
  const data = user.email
    ? { sub: id, email: user.email, email_verified: false, phone_verified: false }
    : { sub: id, phone: user.phone, email_verified: false, phone_verified: false };
  await sql.query(
    `insert into auth.identities
       (provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
     values ($1, $2, $3, $4, now(), now(), now())`,
    [id, id, JSON.stringify({ ...user.userMetadata, ...data }), provider],
  );
  return (await findUser(sql, "id = $1", [id])) as UserRow;
}

/** A password that nobody knows, for users made without one. */
export const unknownPassword = () => randomBytes(32).toString("base64url");

/** Marks a user's address as confirmed. */
export async function confirmEmail(sql: Sql, id: string): Promise<void> {
  await sql.query(
    `update auth.users set email_confirmed_at = coalesce(email_confirmed_at, now()),
       confirmation_token = '', updated_at = now() where id = $1`,
    [id],
  );
  await sql.query(
    `update auth.identities set identity_data = identity_data || '{"email_verified": true}'
     where user_id = $1 and provider = 'email'`,
    [id],
  );
}

/** A user as Auth shows it: what is not set is left out. */
export async function userJson(sql: Sql, user: UserRow): Promise<Record<string, unknown>> {
  const identities = await sql.query(
    `select id as identity_id, provider_id as id, user_id, identity_data, provider,
       last_sign_in_at, created_at, updated_at, email
     from auth.identities where user_id = $1 order by created_at`,
    [user.id],
  );
  const json: Record<string, unknown> = {
    id: user.id,
    aud: user.aud,
    role: user.role,
    email: user.email ?? "",
    email_confirmed_at: user.email_confirmed_at,
    invited_at: user.invited_at,
    phone: user.phone ?? "",
    phone_confirmed_at: user.phone_confirmed_at,
    confirmation_sent_at: user.confirmation_sent_at,
    confirmed_at: user.confirmed_at,
    recovery_sent_at: user.recovery_sent_at,
    last_sign_in_at: user.last_sign_in_at,
    banned_until: user.banned_until,
    app_metadata: user.raw_app_meta_data ?? {},
    user_metadata: user.raw_user_meta_data ?? {},
    identities: identities.rows,
    created_at: user.created_at,
    updated_at: user.updated_at,
    is_anonymous: user.is_anonymous,
  };
  return Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null));
}
