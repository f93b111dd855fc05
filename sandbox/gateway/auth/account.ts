import type { Answer, Call } from "../../platform/http.ts";
import type { GatewayContext, GatewayHandler } from "../context.ts";
import { AuthRefusal, authBody, requireToken } from "./errors.ts";
import { issueSession } from "./sessions.ts";
import {
  authTransaction,
  byEmail,
  checkPassword,
  confirmEmail,
  findUser,
  hashPassword,
  insertUser,
  passwordMatches,
  type UserRow,
  userJson,
  validEmail,
} from "./users.ts";

/** The version that health and the Management API name. */
export const AUTH_VERSION = "v2.188.1";

function settings(_call: Call, { config }: GatewayContext): Answer {
  return {
    status: 200,
    json: {
      external: {
        anonymous_users: config.external_anonymous_users_enabled,
        apple: false,
        azure: false,
        github: false,
        google: false,
        email: config.external_email_enabled,
        phone: config.external_phone_enabled,
      },
      disable_signup: config.disable_signup,
      mailer_autoconfirm: config.mailer_autoconfirm,
      phone_autoconfirm: config.sms_autoconfirm,
      sms_provider: "",
      saml_enabled: config.saml_enabled,
    },
  };
}

const health = (): Answer => ({
  status: 200,
  json: {
    version: AUTH_VERSION,
    name: "GoTrue",
    description: "GoTrue is a user registration and authentication API",
  },
});

async function signUp(call: Call, context: GatewayContext): Promise<Answer> {
  const { config } = context;
  if (config.disable_signup) {
    throw new AuthRefusal(422, "signup_disabled", "Signups not allowed for this instance");
  }
  if (!config.external_email_enabled) {
    throw new AuthRefusal(400, "email_provider_disabled", "Email signups are disabled");
  }
  const body = authBody(call);
  const email = validEmail(body.email);
  const password = typeof body.password === "string" ? body.password : "";
  if (!password) {
    throw new AuthRefusal(400, "validation_failed", "Signup requires a valid password");
  }
  checkPassword(password, context);
  const passwordHash = await hashPassword(context, password);
  const data = typeof body.data === "object" && body.data ? body.data : {};
  const json = await authTransaction(context, async (sql) => {
    if (await byEmail(sql, email)) {
      throw new AuthRefusal(422, "user_already_exists", "User already registered");
    }
    const user = await insertUser(sql, {
      email,
      passwordHash,
      userMetadata: data as Record<string, unknown>,
    });
    if (!config.mailer_autoconfirm) return userJson(sql, user);
    await confirmEmail(sql, user.id);
    const confirmed = (await findUser(sql, "id = $1", [user.id])) as UserRow;
    return issueSession(sql, context, confirmed, { method: "password" });
  }).catch((error: unknown) => {
    if (error instanceof AuthRefusal || !(error as { code?: string }).code) throw error;
    throw new AuthRefusal(500, "unexpected_failure", "Database error saving new user");
  });
  return { status: 200, json };
}

async function byPassword(call: Call, context: GatewayContext): Promise<Answer> {
  const body = authBody(call);
  const refused = () => new AuthRefusal(400, "invalid_credentials", "Invalid login credentials");
  if (typeof body.email !== "string" || typeof body.password !== "string") throw refused();
  const pool = await context.databases.pool(context.project, "supabase_auth_admin");
  const user = await byEmail(pool, body.email.toLowerCase());
  if (!user || !(await passwordMatches(context, body.password, user.encrypted_password))) {
    throw refused();
  }
  if (!user.email_confirmed_at) {
    throw new AuthRefusal(400, "email_not_confirmed", "Email not confirmed");
  }
  const json = await authTransaction(context, (sql) =>
    issueSession(sql, context, user, { method: "password" }),
  );
  return { status: 200, json };
}

async function byRefreshToken(call: Call, context: GatewayContext): Promise<Answer> {
  const token = authBody(call).refresh_token;
  const json = await authTransaction(context, async (sql) => {
    const found = await sql.query<{ user_id: string; session_id: string; revoked: boolean }>(
      "select user_id, session_id, revoked from auth.refresh_tokens where token = $1 for update",
      [token],
    );
    const row = found.rows[0];
    const user = row ? await findUser(sql, "id = $1", [row.user_id]) : null;
    if (!row || !user) {
      const message = "Invalid Refresh Token: Refresh Token Not Found";
      throw new AuthRefusal(400, "refresh_token_not_found", message);
    }
    if (row.revoked) {
      const message = "Invalid Refresh Token: Already Used";
      throw new AuthRefusal(400, "refresh_token_already_used", message);
    }
    await sql.query(
      "update auth.refresh_tokens set revoked = true, updated_at = now() where token = $1",
      [token],
    );
    return issueSession(sql, context, user, {
      sessionId: row.session_id,
      parent: `${token}`,
    });
  });
  return { status: 200, json };
}

function token(call: Call, context: GatewayContext): Promise<Answer> {
  const grant = call.query.get("grant_type");
  if (grant === "password") return byPassword(call, context);
  if (grant === "refresh_token") return byRefreshToken(call, context);
  throw new AuthRefusal(400, "invalid_credentials", "unsupported_grant_type");
}

/** The user and session of a session's token; API keys are nobody. */
async function requireSession(call: Call, context: GatewayContext) {
  const { claims } = await requireToken(call, context);
  if (typeof claims.sub !== "string") {
    throw new AuthRefusal(403, "bad_jwt", "invalid claim: missing sub claim");
  }
  const pool = await context.databases.pool(context.project, "supabase_auth_admin");
  const user = await findUser(pool, "id = $1", [claims.sub]);
  if (!user) {
    throw new AuthRefusal(403, "user_not_found", "User from sub claim in JWT does not exist");
  }
  const session = await pool.query("select 1 from auth.sessions where id = $1", [
    claims.session_id,
  ]);
  if (session.rowCount === 0) {
    const message = "Session from session_id claim in JWT does not exist";
    throw new AuthRefusal(403, "session_not_found", message);
  }
  return { pool, user, sessionId: `${claims.session_id}` };
}

async function readUser(call: Call, context: GatewayContext): Promise<Answer> {
  const { pool, user } = await requireSession(call, context);
  return { status: 200, json: await userJson(pool, user) };
}

async function updateUser(call: Call, context: GatewayContext): Promise<Answer> {
  const { pool, user } = await requireSession(call, context);
  const body = authBody(call);
  if (typeof body.password === "string") {
    checkPassword(body.password, context);
    const hash = await hashPassword(context, body.password);
    await pool.query("update auth.users set encrypted_password = $2 where id = $1", [
      user.id,
      hash,
    ]);
  }
  await pool.query(
    `update auth.users set updated_at = now(),
       raw_user_meta_data = coalesce(raw_user_meta_data, '{}') || $2::jsonb where id = $1`,
    [user.id, JSON.stringify(body.data ?? {})],
  );
  const changed = (await findUser(pool, "id = $1", [user.id])) as UserRow;
  return { status: 200, json: await userJson(pool, changed) };
}

async function logout(call: Call, context: GatewayContext): Promise<Answer> {
  const { pool, user, sessionId } = await requireSession(call, context);
  const which = {
    local: "user_id = $1 and id = $2",
    others: "user_id = $1 and id <> $2",
    global: "user_id = $1 and $2::uuid is not null",
  }[call.query.get("scope") ?? "global"];
  if (!which) throw new AuthRefusal(400, "validation_failed", "Unsupported logout scope");
  await pool.query(`delete from auth.sessions where ${which}`, [user.id, sessionId]);
  return { status: 204 };
}

/** Settings, health, sign-up and what a person with a session may do. */
export const accountRoutes: Record<string, GatewayHandler> = {
  "GET /auth/v1/settings": settings,
  "GET /auth/v1/health": health,
  "POST /auth/v1/signup": signUp,
  "POST /auth/v1/token": token,
  "GET /auth/v1/user": readUser,
  "PUT /auth/v1/user": updateUser,
  "POST /auth/v1/logout": logout,
};
