import { eq, sql } from "drizzle-orm";
import { v7 as uuidv7 } from "uuid";
import { user } from "#db/auth.ts";
import { adminUsers, type STAFF_ROLES } from "#db/identity.ts";
import { type Actor, asActor, type Db, type Tx } from "#db/index.ts";
import { recordAudit } from "../audit/index.server.ts";
import { type Auth, MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH } from "./auth.ts";
import {
  AccountExistsError,
  NotStaffError,
  RoleMissingError,
  WeakPasswordError,
} from "./errors.ts";
import { type Scope, toPermissions } from "./scopes.ts";

export type StaffRole = (typeof STAFF_ROLES)[number];

/**
 * The account of an address, made if there is none, in the caller's transaction. A new one has no
 * password: its owner sets one through a link.
 */
export async function ensureAccount(
  tx: Tx,
  person: { email: string; name: string },
): Promise<{ userId: string; hasPassword: boolean }> {
  const email = person.email.toLowerCase();
  const [made] = await tx
    .insert(user)
    .values({ id: uuidv7(), name: person.name, email, emailVerified: false })
    .onConflictDoNothing({ target: user.email })
    .returning({ id: user.id });
  if (made) return { userId: made.id, hasPassword: false };
  const [found] = await tx
    .select({ id: user.id, hasPassword: sql<boolean>`berth_has_password(${user.id})` })
    .from(user)
    .where(eq(user.email, email));
  if (!found) throw new Error("An account vanished between two statements.");
  return { userId: found.id, hasPassword: found.hasPassword };
}

/**
 * Sets the password of an account and ends all its sessions.
 * @throws WeakPasswordError
 */
export async function setPassword(auth: Auth, userId: string, password: string): Promise<void> {
  if (password.length < MIN_PASSWORD_LENGTH || password.length > MAX_PASSWORD_LENGTH) {
    throw new WeakPasswordError(
      `Use between ${MIN_PASSWORD_LENGTH} and ${MAX_PASSWORD_LENGTH} characters. A few words in a row make a good password.`,
    );
  }
  if (new Set(password).size < 4) {
    throw new WeakPasswordError("This repeats a few characters. A few words in a row are better.");
  }
  const context = await auth.$context;
  const hash = await context.password.hash(password);
  const accounts = await context.internalAdapter.findAccounts(userId);
  if (accounts.some((account) => account.providerId === "credential")) {
    await context.internalAdapter.updatePassword(userId, hash);
  } else {
    await context.internalAdapter.linkAccount({
      userId,
      accountId: userId,
      providerId: "credential",
      password: hash,
    });
  }
  await context.internalAdapter.deleteUserSessions(userId);
}

/**
 * Puts a person on the staff, who may work at once: with the account of this address, made if there
 * is none.
 * @throws AccountExistsError where the person is on the staff, or was.
 */
export async function addStaff(
  { db, actor }: { db: Db; actor: Actor },
  person: { email: string; name: string; role: StaffRole; capacity?: number },
): Promise<{ userId: string }> {
  return asActor(db, actor, async (tx) => {
    const { userId } = await ensureAccount(tx, person);
    const [added] = await tx
      .insert(adminUsers)
      .values({ userId, role: person.role, capacity: person.capacity ?? 10 })
      .onConflictDoNothing({ target: adminUsers.userId })
      .returning({ userId: adminUsers.userId });
    if (!added) throw new AccountExistsError();
    await recordAudit(tx, actor, {
      action: "staff.add",
      subjectKind: "account",
      subjectId: userId,
      data: { role: person.role },
    });
    return { userId };
  });
}

/**
 * A new API key of this person. The answer is the only place where its text ever stands: a key whose
 * making could not be recorded is known to nobody.
 */
export async function createApiKey(
  { auth, db, actor }: { auth: Auth; db: Db; actor: Actor },
  owner: { userId: string; name: string; scopes: readonly Scope[] },
): Promise<{ keyId: string; key: string }> {
  const made = await auth.api.createApiKey({
    body: {
      name: owner.name,
      userId: owner.userId,
      permissions: toPermissions(owner.scopes),
      rateLimitEnabled: false,
    },
  });
  await asActor(db, actor, (tx) =>
    recordAudit(tx, actor, {
      action: "key.create",
      subjectKind: "key",
      subjectId: made.id,
      data: { userId: owner.userId, scopes: owner.scopes },
    }),
  );
  return { keyId: made.id, key: made.key };
}

/**
 * The active member of the staff that this account is; with `roles`, in one of these.
 * @throws NotStaffError, RoleMissingError
 */
export async function requireStaff(
  tx: Tx,
  userId: string,
  roles?: readonly StaffRole[],
): Promise<{ userId: string; role: StaffRole; name: string }> {
  const [member] = await tx
    .select({
      userId: adminUsers.userId,
      role: adminUsers.role,
      deactivatedAt: adminUsers.deactivatedAt,
      name: user.name,
    })
    .from(adminUsers)
    .innerJoin(user, eq(user.id, adminUsers.userId))
    .where(eq(adminUsers.userId, userId));
  if (!member || member.deactivatedAt !== null) throw new NotStaffError();
  if (roles && !roles.includes(member.role)) throw new RoleMissingError(roles);
  return { userId: member.userId, role: member.role, name: member.name };
}
