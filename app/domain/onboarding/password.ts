import { sql } from "drizzle-orm";
import { type Actor, asActor, type Db } from "#db/index.ts";
import { recordAudit } from "../audit/index.server.ts";
import { type Auth, setPassword } from "../identity/index.server.ts";
import { findLink, spendLink, voidLinks } from "../notifications/index.server.ts";

export interface PasswordLinkDeps {
  db: Db;
  actor: Actor;
  auth: Auth;
  linkKey: Buffer;
}

/** Whether this link still opens the choice of a password. @throws LinkNotValidError */
export async function readPasswordLink(
  { db, actor, linkKey }: Omit<PasswordLinkDeps, "auth">,
  token: string,
): Promise<void> {
  await asActor(db, actor, (tx) => findLink(tx, linkKey, "set-password", token));
}

/**
 * Sets the password of the account that a link stands for, ends its sessions, and uses the link up.
 * better-auth writes on a connection of its own: after a crash in between the password may be set
 * while the link still works, and can set it again.
 * @throws LinkNotValidError, WeakPasswordError (the link stays good)
 */
export async function redeemPasswordLink(
  { db, actor, auth, linkKey }: PasswordLinkDeps,
  token: string,
  password: string,
): Promise<void> {
  await asActor(db, actor, async (tx) => {
    const link = await findLink(tx, linkKey, "set-password", token);
    // The link's row stays locked until the password is set: of two at once, one is told it is used.
    await spendLink({ tx, actor }, link);
    // Other mails with such a link may lie about; who chose a password needs none of them.
    await voidLinks(tx, link);
    // What somebody prepared under an address that was not theirs is not the real owner's.
    await tx.execute(sql`select berth_forget_unproved(${link.subjectId})`);
    await setPassword(auth, link.subjectId, password, { addressProven: true });
    await recordAudit(tx, actor, {
      action: "account.password_set",
      subjectKind: "account",
      subjectId: link.subjectId,
      requestId: link.requestId ?? undefined,
    });
  });
}
