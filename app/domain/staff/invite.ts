import { eq, sql } from "drizzle-orm";
import { user } from "#db/auth.ts";
import { adminUsers } from "#db/identity.ts";
import { asActor, type Tx } from "#db/index.ts";
import { recordAudit } from "../audit/index.server.ts";
import {
  endSessions,
  joinStaff,
  type NewStaff,
  renameAccount,
  requireStaff,
} from "../identity/index.server.ts";
import { createLink, queueMail } from "../notifications/index.server.ts";
import type { Context } from "../queue/index.server.ts";
import { MANAGERS, type StaffDeps } from "./commands.ts";
import { InvitationNotNeededError, StaffNotFoundError } from "./errors.ts";

/**
 * Puts a person on the staff and mails an invitation, in one transaction: with a link of one use to
 * choose a password, or without one where an account has a password that its owner has proved to be
 * theirs.
 * @throws NotStaffError, RoleMissingError, AccountExistsError
 */
export async function inviteMember(
  deps: StaffDeps,
  person: NewStaff,
): Promise<{ userId: string; hasPassword: boolean }> {
  return admit(deps, person, (tx) => requireStaff(tx, deps.actor.id, MANAGERS));
}

/** The same from the command line, by which an installation gets its first people. */
export async function admitMember(
  deps: StaffDeps,
  person: NewStaff,
): Promise<{ userId: string; hasPassword: boolean }> {
  return admit(deps, person, async () => {});
}

async function admit(
  { db, auth, actor }: StaffDeps,
  person: NewStaff,
  allow: (tx: Tx) => Promise<unknown>,
): Promise<{ userId: string; hasPassword: boolean }> {
  const { userId, hasPassword, disowned } = await asActor(db, actor, async (tx) => {
    await allow(tx);
    const account = await joinStaff({ tx, actor }, person);
    await mailInvitation({ tx, actor }, { ...account, email: person.email.toLowerCase() });
    return account;
  });
  // Sessions that were opened as a customer do not become the desk's.
  await endSessions(auth, userId);
  // The name that a stranger gave with an address of which nothing was proved.
  if (disowned) await renameAccount(auth, userId, person.name);
  return { userId, hasPassword };
}

/**
 * Mails the invitation once more, with a new link.
 * @throws NotStaffError, RoleMissingError, StaffNotFoundError, InvitationNotNeededError
 */
export async function resendInvitation({ tx, actor }: Context, userId: string): Promise<void> {
  await requireStaff(tx, actor.id, MANAGERS);
  const [member] = await tx
    .select({
      name: user.name,
      email: user.email,
      deactivatedAt: adminUsers.deactivatedAt,
      hasPassword: sql<boolean>`berth_has_password(${adminUsers.userId})`,
    })
    .from(adminUsers)
    .innerJoin(user, eq(user.id, adminUsers.userId))
    .where(eq(adminUsers.userId, userId));
  if (!member) throw new StaffNotFoundError();
  const { name, email, deactivatedAt, hasPassword } = member;
  if (deactivatedAt !== null) throw new InvitationNotNeededError(name, "deactivated");
  if (hasPassword) throw new InvitationNotNeededError(name, "active");
  await mailInvitation({ tx, actor }, { userId, email, hasPassword });
  await recordAudit(tx, actor, {
    action: "staff.invite_again",
    subjectKind: "account",
    subjectId: userId,
  });
}

async function mailInvitation(
  { tx }: Context,
  account: { userId: string; email: string; hasPassword: boolean },
): Promise<void> {
  const data: Record<string, string> = account.hasPassword
    ? {}
    : {
        linkPurpose: "set-password",
        linkId: await createLink(tx, { purpose: "set-password", subjectId: account.userId }),
      };
  await queueMail({ tx }, { kind: "invitation", recipient: account.email, data });
}
