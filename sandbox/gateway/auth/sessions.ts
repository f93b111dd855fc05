import { randomBytes, randomUUID } from "node:crypto";
import { SignJWT } from "jose";
import type { GatewayContext } from "../context.ts";
import { type Sql, type UserRow, userJson } from "./users.ts";

/** The answer that hands out a session. */
export interface TokenAnswer {
  access_token: string;
  token_type: "bearer";
  expires_in: number;
  expires_at: number;
  refresh_token: string;
  user: Record<string, unknown>;
}

/** Makes a session for a user, or goes on with one, and signs its access token. */
export async function issueSession(
  sql: Sql,
  context: GatewayContext,
  user: UserRow,
  how: { method: "otp" | "password" } | { sessionId: string; parent: string },
): Promise<TokenAnswer> {
  const started = "method" in how;
  const sessionId = started ? randomUUID() : how.sessionId;
  const refreshToken = randomBytes(9).toString("base64url");
  if (started) {
    await sql.query(
      `insert into auth.sessions (id, user_id, created_at, updated_at, aal)
       values ($1, $2, now(), now(), 'aal1')`,
      [sessionId, user.id],
    );
    await sql.query(
      `insert into auth.mfa_amr_claims (session_id, created_at, updated_at, authentication_method, id)
       values ($1, now(), now(), $2, gen_random_uuid())`,
      [sessionId, how.method],
    );
    await sql.query("update auth.users set last_sign_in_at = now() where id = $1", [user.id]);
  }
  await sql.query(
    `insert into auth.refresh_tokens
       (instance_id, token, user_id, revoked, created_at, updated_at, parent, session_id)
     values ($1, $2, $3, false, now(), now(), $4, $5)`,
    [
      "00000000-0000-0000-0000-000000000000",
      refreshToken,
      user.id,
      started ? null : how.parent,
      sessionId,
    ],
  );
  const now = Math.floor(Date.now() / 1_000);
  const expiresIn = context.config.jwt_exp;
  const accessToken = await new SignJWT({
    iss: `${context.origin}/auth/v1`,
    sub: user.id,
    aud: user.aud,
    exp: now + expiresIn,
    iat: now,
    email: user.email ?? "",
    phone: user.phone ?? "",
    app_metadata: user.raw_app_meta_data ?? {},
    user_metadata: user.raw_user_meta_data ?? {},
    role: user.role,
    aal: "aal1",
    amr: [{ method: started ? how.method : "token_refresh", timestamp: now }],
    session_id: sessionId,
    is_anonymous: user.is_anonymous,
  })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .sign(new TextEncoder().encode(context.project.jwtSecret));
  return {
    access_token: accessToken,
    token_type: "bearer",
    expires_in: expiresIn,
    expires_at: now + expiresIn,
    refresh_token: refreshToken,
    user: await userJson(sql, user),
  };
}
