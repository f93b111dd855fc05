import { eq, sql } from "drizzle-orm";
import { v7 as uuidv7 } from "uuid";
import { user } from "#db/auth.ts";
import { adminUsers, type STAFF_ROLES } from "#db/identity.ts";
import { type Actor, asActor, type Db, type Tx } from "#db/index.ts";
import { recordAudit } from "../audit/index.server.ts";
import type { Auth } from "./auth.ts";
import { AccountExistsError, NotStaffError, RoleMissingError } from "./errors.ts";
import { requireGoodPassword } from "./password-rule.ts";
import { type Scope, toPermissions } from "./scopes.ts";

export type StaffRole = (typeof STAFF_ROLES)[number];

/**
 * The account of an address, made if there is none, in the caller's transaction. A new one has no
 * password: its owner sets one through a link. One that exists, but whose address nobody has proved
 * to be theirs, loses its password and its sessions: whoever signed up with it first may be a
 * stranger, and the mailed link decides. An account of the staff went through this when it joined.
 */
export async function ensureAccount(
  tx: Tx,
  person: { email: string; name: string },
): Promise<{ userId: string; hasPassword: boolean; disowned: boolean }> {
  const email = person.email.toLowerCase();
  const [made] = await tx
    .insert(user)
    .values({ id: uuidv7(), name: person.name, email, emailVerified: false })
    .onConflictDoNothing({ target: user.email })
    .returning({ id: user.id });
  if (made) return { userId: made.id, hasPassword: false, disowned: false };
  const [found] = await tx
    .select({
      id: user.id,
      isStaff: sql<boolean>`exists (select from ${adminUsers} where ${adminUsers.userId} = ${user.id})`,
    })
    .from(user)
    .where(eq(user.email, email));
  if (!found) throw new Error("An account vanished between two statements.");
  const disowned = found.isStaff ? false : await disownAccount(tx, found.id);
  const { rows } = await tx.execute<{ has: boolean }>(
    sql`select berth_has_password(${found.id}) as has`,
  );
  return { userId: found.id, hasPassword: rows[0]?.has === true, disowned };
}

/** @returns whether the address was unproved: its password, sessions and draft are now gone. */
async function disownAccount(tx: Tx, userId: string): Promise<boolean> {
  const { rows } = await tx.execute<{ disowned: boolean }>(
    sql`select berth_disown_account(${userId}) as disowned`,
  );
  return rows[0]?.disowned === true;
}

/**
 * Sets the password of an account and ends all its sessions. `addressProven` says that whoever
 * chose it has shown that the address is theirs: by a link mailed to it, or because the house itself
 * made the account. Without that, the password falls as soon as the house makes something for that
 * address; see {@link ensureAccount}.
 * @throws WeakPasswordError
 */
export async function setPassword(
  auth: Auth,
  userId: string,
  password: string,
  { addressProven = false }: { addressProven?: boolean } = {},
): Promise<void> {
  requireGoodPassword(password);
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
  // Last: until an earlier password and its sessions are gone, the address stays unproved.
  if (addressProven) await context.internalAdapter.updateUser(userId, { emailVerified: true });
}

/** Signs an account out everywhere: its pages at their next request, its streams at once. */
export async function endSessions(auth: Auth, userId: string): Promise<void> {
  const { internalAdapter } = await auth.$context;
  await internalAdapter.deleteUserSessions(userId);
}

/** Corrects the name of an account. */
export async function renameAccount(auth: Auth, userId: string, name: string): Promise<void> {
  const { internalAdapter } = await auth.$context;
  await internalAdapter.updateUser(userId, { name });
}

export interface NewStaff {
  email: string;
  name: string;
  role: StaffRole;
  /** How many requests this person can carry at once; 10 unless told. */
  capacity?: number;
}

/**
 * Puts a person on the staff, who may work at once: with the account of this address, made if there
 * is none, in the caller's transaction.
 * @throws AccountExistsError where the person is on the staff, or was.
 */
export async function joinStaff(
  { tx, actor }: { tx: Tx; actor: Actor },
  person: NewStaff,
): Promise<{ userId: string; hasPassword: boolean; disowned: boolean }> {
  const account = await ensureAccount(tx, person);
  const [added] = await tx
    .insert(adminUsers)
    .values({ userId: account.userId, role: person.role, capacity: person.capacity ?? 10 })
    .onConflictDoNothing({ target: adminUsers.userId })
    .returning({ userId: adminUsers.userId });
  if (!added) throw new AccountExistsError();
  await recordAudit(tx, actor, {
    action: "staff.add",
    subjectKind: "account",
    subjectId: account.userId,
    data: { role: person.role },
  });
  return account;
}

/** {@link joinStaff} in a transaction of its own. @throws AccountExistsError */
export async function addStaff(
  { db, actor }: { db: Db; actor: Actor },
  person: NewStaff,
): Promise<{ userId: string }> {
  const { userId } = await asActor(db, actor, (tx) => joinStaff({ tx, actor }, person));
  return { userId };
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
