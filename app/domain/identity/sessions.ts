import { isAPIError } from "better-auth/api";
import { getSessionCookie } from "better-auth/cookies";
import { eq } from "drizzle-orm";
import { adminUsers } from "#db/identity.ts";
import { type Actor, asActor, type Db } from "#db/index.ts";
import type { StaffRole } from "./accounts.ts";
import { type Auth, COOKIE_PREFIX } from "./auth.ts";
import { SignInRefusedError } from "./errors.ts";

/** Somebody who is signed in. `role` is null for who is not, or no longer, on the staff. */
export interface Visitor {
  userId: string;
  sessionId: string;
  name: string;
  email: string;
  role: StaffRole | null;
  /** Takes requests at present; of the staff alone. */
  onDuty: boolean;
  /** Was on the staff, until somebody took it off. */
  deactivated: boolean;
}

/**
 * Opens a session. The answer's `Set-Cookie` headers are for the browser alone.
 * @throws SignInRefusedError, the same for an unknown address and for a wrong password
 */
export async function signIn(
  auth: Auth,
  credentials: { email: string; password: string },
  headers: Headers,
): Promise<Headers> {
  try {
    const answer = await auth.api.signInEmail({
      body: { email: credentials.email, password: credentials.password },
      headers,
      returnHeaders: true,
    });
    return cookiesOf(answer.headers);
  } catch (error) {
    if (isAPIError(error)) throw new SignInRefusedError();
    throw error;
  }
}

/** Ends this session. The answer's `Set-Cookie` headers take the cookie from the browser. */
export async function signOut(auth: Auth, headers: Headers): Promise<Headers> {
  const answer = await auth.api.signOut({ headers, returnHeaders: true });
  return cookiesOf(answer.headers);
}

function cookiesOf(from: Headers): Headers {
  const headers = new Headers();
  for (const cookie of from.getSetCookie()) headers.append("Set-Cookie", cookie);
  return headers;
}

/** Whether these headers come from a browser that was signed in, and may be no more. */
export function bringsSession(headers: Headers): boolean {
  return getSessionCookie(headers, { cookiePrefix: COOKIE_PREFIX }) !== null;
}

/** Who sends these headers; null without a session that holds. Read from the database each time. */
export async function readVisitor(
  { auth, db }: { auth: Auth; db: Db },
  headers: Headers,
): Promise<Visitor | null> {
  // Most visitors of the public pages bring no cookie: they cost no query.
  if (!headers.has("cookie")) return null;
  const found = await auth.api.getSession({ headers });
  if (!found) return null;
  const { id: userId, name, email } = found.user;
  const actor: Actor = { kind: "staff", id: userId, origin: "", correlationId: "" };
  const [member] = await asActor(db, actor, (tx) =>
    tx
      .select({
        role: adminUsers.role,
        onDuty: adminUsers.onDuty,
        deactivatedAt: adminUsers.deactivatedAt,
      })
      .from(adminUsers)
      .where(eq(adminUsers.userId, userId)),
  );
  // Nobody works the desk from an account whose address was never proved to be theirs.
  const works = member && member.deactivatedAt === null && found.user.emailVerified;
  const role = works ? member.role : null;
  return {
    userId,
    sessionId: found.session.id,
    name,
    email,
    role,
    onDuty: member?.onDuty ?? false,
    deactivated: member !== undefined && member.deactivatedAt !== null,
  };
}
