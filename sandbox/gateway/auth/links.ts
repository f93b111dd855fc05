import { createHash, randomInt } from "node:crypto";
import type { Answer, Call } from "../../platform/http.ts";
import type { GatewayContext, GatewayHandler } from "../context.ts";
import { EMAIL_EXISTS } from "./admin-users.ts";
import { AuthRefusal, authBody, requireAdmin } from "./errors.ts";
import { allowedRedirect } from "./redirects.ts";
import { issueSession, type TokenAnswer } from "./sessions.ts";
import {
  authTransaction,
  byEmail,
  checkPassword,
  confirmEmail,
  findUser,
  hashPassword,
  insertUser,
  type Sql,
  type UserRow,
  unknownPassword,
  userJson,
  validEmail,
} from "./users.ts";

type LinkType = "invite" | "signup" | "magiclink" | "recovery";
const LINK_TYPES: LinkType[] = ["invite", "signup", "magiclink", "recovery"];
const EXPIRED = "Email link is invalid or has expired";

/** Which column holds the token of a link: invitations and sign-ups confirm an address. */
const columns = (type: LinkType) =>
  type === "invite" || type === "signup"
    ? { token: "confirmation_token", sent: "confirmation_sent_at", kind: "confirmation_token" }
    : { token: "recovery_token", sent: "recovery_sent_at", kind: "recovery_token" };

function newOtp(length: number): string {
  return `${randomInt(10 ** length)}`.padStart(length, "0");
}

/** Auth stores no code, only this: SHA-224 of address and code, in hex. */
const tokenHash = (email: string, otp: string) =>
  createHash("sha224")
    .update(email + otp)
    .digest("hex");

async function storeToken(sql: Sql, user: UserRow, type: LinkType, hash: string): Promise<void> {
  const { token, sent, kind } = columns(type);
  await sql.query(
    `update auth.users set ${token} = $2, ${sent} = now(), updated_at = now() where id = $1`,
    [user.id, hash],
  );
  await sql.query(
    `insert into auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to)
     values (gen_random_uuid(), $1, $2, $3, $4)
     on conflict (user_id, token_type) do update
       set token_hash = excluded.token_hash, updated_at = now()`,
    [user.id, kind, hash, user.email ?? ""],
  );
}

const linkType = (value: unknown): LinkType | null =>
  LINK_TYPES.includes(value as LinkType) ? (value as LinkType) : null;

/** Finds or makes the user that a link is for; the type can change on the way. */
async function userForLink(
  sql: Sql,
  wish: { type: LinkType; email: string; hash: string; data: Record<string, unknown> },
): Promise<{ user: UserRow; type: LinkType }> {
  const { type, email, hash, data } = wish;
  const known = await byEmail(sql, email);
  if (known) {
    const confirms = type === "invite" || type === "signup";
    if (confirms && known.email_confirmed_at) {
      throw new AuthRefusal(422, "email_exists", EMAIL_EXISTS);
    }
    if (type === "invite") {
      await sql.query("update auth.users set invited_at = now() where id = $1", [known.id]);
    }
    return { user: known, type };
  }
  if (type === "recovery") {
    throw new AuthRefusal(404, "user_not_found", "User with this email not found");
  }
  const user = await insertUser(sql, {
    email,
    passwordHash: type === "invite" ? "" : hash,
    userMetadata: data,
    invited: type === "invite",
  });
  // Auth turns a magic link for somebody unknown into a sign-up.
  return { user, type: type === "magiclink" ? "signup" : type };
}

async function makeLink(
  context: GatewayContext,
  body: Record<string, unknown>,
  wishedRedirect: string | null,
) {
  const email = validEmail(body.email);
  const type = linkType(body.type);
  if (!type) {
    const message = `Invalid email action link type requested: ${body.type ?? ""}`;
    throw new AuthRefusal(400, "validation_failed", message);
  }
  const password = typeof body.password === "string" && body.password ? body.password : null;
  if (type === "signup") {
    if (!password) {
      throw new AuthRefusal(400, "validation_failed", "Signup requires a valid password");
    }
    checkPassword(password, context);
  }
  const hash = await hashPassword(context, password ?? unknownPassword());
  const data = typeof body.data === "object" && body.data ? body.data : {};
  const otp = newOtp(context.config.mailer_otp_length);
  const hashed = tokenHash(email, otp);
  const redirect = allowedRedirect(context.config, wishedRedirect);
  const made = await authTransaction(context, async (sql) => {
    const found = await userForLink(sql, {
      type,
      email,
      hash,
      data: data as Record<string, unknown>,
    });
    await storeToken(sql, found.user, found.type, hashed);
    const user = (await findUser(sql, "id = $1", [found.user.id])) as UserRow;
    return { type: found.type, json: await userJson(sql, user) };
  }).catch((error: unknown) => {
    if (error instanceof AuthRefusal || !(error as { code?: string }).code) throw error;
    throw new AuthRefusal(500, "unexpected_failure", "Database error saving new user");
  });
  const query = new URLSearchParams({ token: hashed, type: made.type, redirect_to: redirect });
  return {
    user: made.json,
    properties: {
      action_link: `${context.origin}/auth/v1/verify?${query}`,
      email_otp: otp,
      hashed_token: hashed,
      redirect_to: redirect,
      verification_type: made.type,
    },
  };
}

/** `POST /auth/v1/admin/generate_link` → the user and the link's parts. */
async function generate(call: Call, context: GatewayContext): Promise<Answer> {
  await requireAdmin(call, context);
  const body = authBody(call);
  const wish = typeof body.redirect_to === "string" ? body.redirect_to : null;
  const link = await makeLink(context, body, wish ?? call.query.get("redirect_to"));
  return { status: 200, json: { ...link.user, ...link.properties } };
}

/** `POST /auth/v1/invite` → the user; the stand-in sends no mail. */
async function invite(call: Call, context: GatewayContext): Promise<Answer> {
  await requireAdmin(call, context);
  const body = { ...authBody(call), type: "invite" };
  const link = await makeLink(context, body, call.query.get("redirect_to"));
  return { status: 200, json: link.user };
}

/** Uses a token up. Throws AuthRefusal (otp_expired) for one that is used, old or unknown. */
async function redeem(
  context: GatewayContext,
  type: LinkType,
  token: string,
): Promise<TokenAnswer> {
  const { token: column, sent, kind } = columns(type);
  return authTransaction(context, async (sql) => {
    // One statement finds and empties it, so that two clicks at once have one winner.
    const used = await sql.query<{ id: string }>(
      `update auth.users u set ${column} = '', updated_at = now()
       from (select id from auth.users where ${column} = $1 for update) as found
       where u.id = found.id and u.${column} = $1
         and u.${sent} > now() - make_interval(secs => $2)
         and (u.banned_until is null or u.banned_until < now())
       returning u.id`,
      [token, context.config.mailer_otp_exp],
    );
    const id = used.rows[0]?.id;
    if (!id || token === "") throw new AuthRefusal(403, "otp_expired", EXPIRED);
    await sql.query("delete from auth.one_time_tokens where user_id = $1 and token_type = $2", [
      id,
      kind,
    ]);
    await confirmEmail(sql, id);
    const user = (await findUser(sql, "id = $1", [id])) as UserRow;
    return issueSession(sql, context, user, { method: "otp" });
  });
}

/** `GET /auth/v1/verify`: the page that a mailed link opens; always a redirect. */
async function verifyLink(call: Call, context: GatewayContext): Promise<Answer> {
  const target = allowedRedirect(context.config, call.query.get("redirect_to"));
  const to = (values: Record<string, string>): Answer => {
    const url = new URL(target);
    url.hash = "";
    return { status: 303, headers: { location: `${url}#${new URLSearchParams(values)}` } };
  };
  const token = call.query.get("token") ?? "";
  const type = linkType(call.query.get("type"));
  if (!token || !call.query.get("type")) {
    throw new AuthRefusal(
      400,
      "validation_failed",
      `Verify requires a ${token ? "verification type" : "token"}`,
    );
  }
  try {
    if (!type) throw new AuthRefusal(400, "validation_failed", "Invalid email verification type");
    const session = await redeem(context, type, token);
    return to({
      access_token: session.access_token,
      expires_at: `${session.expires_at}`,
      expires_in: `${session.expires_in}`,
      refresh_token: session.refresh_token,
      token_type: "bearer",
      type,
    });
  } catch (error) {
    if (!(error instanceof AuthRefusal)) throw error;
    return to({
      error: error.status === 400 ? "invalid_request" : "access_denied",
      error_code: error.code,
      error_description: error.message,
    });
  }
}

/** `POST /auth/v1/verify`: the same with the token's hash, or the code out of the mail. */
async function verifyCode(call: Call, context: GatewayContext): Promise<Answer> {
  const body = authBody(call);
  const hash =
    typeof body.token_hash === "string"
      ? body.token_hash
      : tokenHash(validEmail(body.email), `${body.token ?? ""}`);
  const wished = body.type === "email" ? "magiclink" : body.type;
  const type = linkType(wished);
  if (!type) {
    throw new AuthRefusal(400, "validation_failed", "Verify requires a verification type");
  }
  return { status: 200, json: await redeem(context, type, hash) };
}

/** The routes that make and open links. */
export const linkRoutes: Record<string, GatewayHandler> = {
  "POST /auth/v1/admin/generate_link": generate,
  "POST /auth/v1/invite": invite,
  "GET /auth/v1/verify": verifyLink,
  "POST /auth/v1/verify": verifyCode,
};
