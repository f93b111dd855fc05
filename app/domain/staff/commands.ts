import { and, count, eq, isNull, or, sql } from "drizzle-orm";
import { user } from "#db/auth.ts";
import { adminUsers } from "#db/identity.ts";
import { type Actor, asActor, type Db, type Tx } from "#db/index.ts";
import { provisioningQueue } from "#db/queue.ts";
import { recordAudit } from "../audit/index.server.ts";
import { type Auth, endSessions, requireStaff, type StaffRole } from "../identity/index.server.ts";
import { type Context, releaseAllOf } from "../queue/index.server.ts";
import { isOpenSql } from "../sla/index.server.ts";
import {
  LastSupervisorError,
  MemberChangedError,
  OwnAccountError,
  StaffNotFoundError,
} from "./errors.ts";

/** Who may change the staff. */
export const MANAGERS: readonly StaffRole[] = ["supervisor", "operator"];

/** What a command needs that ends sessions: better-auth writes on a connection of its own. */
export interface StaffDeps {
  db: Db;
  auth: Auth;
  actor: Actor;
}

/** What somebody may do, and how much they carry. */
interface Duties {
  role: StaffRole;
  capacity: number;
}

interface Member extends Duties {
  userId: string;
  name: string;
  deactivatedAt: Date | null;
  /** Whether nobody else is an active supervisor. */
  isLastSupervisor: boolean;
}

/**
 * The member that a command is about. Its row and those of all active supervisors stay locked, in
 * one order for everybody, before anybody's role is looked at: of two who would each take the last
 * other supervisor away, the second sees what the first did.
 * @throws NotStaffError, RoleMissingError, StaffNotFoundError
 */
async function lockMember({ tx, actor }: Context, userId: string): Promise<Member> {
  const isSupervisor = and(eq(adminUsers.role, "supervisor"), isNull(adminUsers.deactivatedAt));
  const rows = await tx
    .select()
    .from(adminUsers)
    .where(or(eq(adminUsers.userId, userId), isSupervisor))
    .orderBy(adminUsers.userId)
    .for("update");
  await requireStaff(tx, actor.id, MANAGERS);
  const member = rows.find((row) => row.userId === userId);
  if (!member) throw new StaffNotFoundError();
  const [account] = await tx.select({ name: user.name }).from(user).where(eq(user.id, userId));
  const others = rows.filter(
    (row) => row.userId !== userId && row.role === "supervisor" && row.deactivatedAt === null,
  );
  const { role, capacity, deactivatedAt } = member;
  const isSupervising = role === "supervisor" && deactivatedAt === null;
  return {
    userId,
    name: account?.name ?? "This person",
    role,
    capacity,
    deactivatedAt,
    isLastSupervisor: isSupervising && others.length === 0,
  };
}

const record = ({ tx, actor }: Context, action: string, userId: string, data = {}) =>
  recordAudit(tx, actor, { action, subjectKind: "account", subjectId: userId, data });

/**
 * Changes what a person may do and how much they carry. `shown` is what stood on the page: whoever
 * changes the one must not undo, unseen, what another did to the other since. A new role ends their
 * sessions at once: the row is written first, and read at every request, so that a crash in between
 * leaves nobody with the old rights.
 * @returns whether their sessions were ended.
 * @throws NotStaffError, RoleMissingError, StaffNotFoundError, MemberChangedError, OwnAccountError,
 * LastSupervisorError
 */
export async function changeMember(
  { db, auth, actor }: StaffDeps,
  userId: string,
  wish: Duties,
  shown: Duties,
): Promise<{ signedOut: boolean }> {
  const roleChanged = await asActor(db, actor, async (tx) => {
    const member = await lockMember({ tx, actor }, userId);
    const roleChanged = member.role !== wish.role;
    const capacityChanged = member.capacity !== wish.capacity;
    const hasMoved = member.role !== shown.role || member.capacity !== shown.capacity;
    if (hasMoved && (roleChanged || capacityChanged)) throw new MemberChangedError(member);
    if (roleChanged && userId === actor.id) throw new OwnAccountError("change the role of");
    if (roleChanged && member.isLastSupervisor) throw new LastSupervisorError(member.name);
    if (roleChanged) {
      await tx.update(adminUsers).set({ role: wish.role }).where(eq(adminUsers.userId, userId));
      await record({ tx, actor }, "staff.role", userId, { from: member.role, to: wish.role });
    }
    if (capacityChanged) {
      await tx
        .update(adminUsers)
        .set({ capacity: wish.capacity })
        .where(eq(adminUsers.userId, userId));
      const change = { from: member.capacity, to: wish.capacity };
      await record({ tx, actor }, "staff.capacity", userId, change);
    }
    return roleChanged;
  });
  if (roleChanged) await endSessions(auth, userId);
  return { signedOut: roleChanged };
}

/** What the next one to take a request is told. */
const HANDOVER = "Whoever prepared it left the desk, so it came back to the queue.";

/**
 * Takes a person off the staff at once: their desk and their API keys stop working with this
 * transaction, what they were preparing goes back to the queue in it, and their sessions end after
 * it. Done again, it ends the sessions again.
 * @returns how many requests went back, and how many stay with them: those wait for their customer,
 * have failed, or are being built, and a supervisor can go on with them.
 * @throws NotStaffError, RoleMissingError, StaffNotFoundError, OwnAccountError, LastSupervisorError
 */
export async function deactivateMember(
  { db, auth, actor }: StaffDeps,
  userId: string,
): Promise<{ name: string; released: number; kept: number }> {
  const done = await asActor(db, actor, async (tx) => {
    const member = await lockMember({ tx, actor }, userId);
    if (userId === actor.id) throw new OwnAccountError("deactivate");
    if (member.isLastSupervisor) throw new LastSupervisorError(member.name);
    let released = 0;
    if (member.deactivatedAt === null) {
      await tx
        .update(adminUsers)
        .set({ deactivatedAt: sql`berth_now()`, onDuty: false })
        .where(eq(adminUsers.userId, userId));
      released = await releaseAllOf({ tx, actor }, userId, HANDOVER);
      await record({ tx, actor }, "staff.deactivate", userId, { released });
    }
    return { name: member.name, released, kept: await openCountOf(tx, userId) };
  });
  await endSessions(auth, userId);
  return done;
}

/** Requests that somebody still has, ended ones left out. */
async function openCountOf(tx: Tx, userId: string): Promise<number> {
  const [held] = await tx
    .select({ count: count() })
    .from(provisioningQueue)
    .where(and(eq(provisioningQueue.assigneeId, userId), isOpenSql));
  return held?.count ?? 0;
}

/**
 * Puts a person back on the staff, in the role they had. Off duty, until they say otherwise.
 * @throws NotStaffError, RoleMissingError, StaffNotFoundError
 */
export async function reactivateMember({ tx, actor }: Context, userId: string): Promise<void> {
  const { deactivatedAt, role } = await lockMember({ tx, actor }, userId);
  if (deactivatedAt !== null) {
    await tx.update(adminUsers).set({ deactivatedAt: null }).where(eq(adminUsers.userId, userId));
    await record({ tx, actor }, "staff.reactivate", userId, { role });
  }
}

/** Says for oneself whether one is at the desk. @throws NotStaffError */
export async function setOnDuty({ tx, actor }: Context, onDuty: boolean): Promise<void> {
  await requireStaff(tx, actor.id);
  const changed = await tx
    .update(adminUsers)
    .set({ onDuty })
    .where(and(eq(adminUsers.userId, actor.id), eq(adminUsers.onDuty, !onDuty)))
    .returning({ userId: adminUsers.userId });
  if (changed.length > 0) await record({ tx, actor }, "staff.on_duty", actor.id, { onDuty });
}
