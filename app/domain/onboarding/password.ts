import { type Actor, asActor, type Db } from "#db/index.ts";
import { type Auth, setPassword } from "../identity/index.server.ts";
import { findLink, spendLink } from "../notifications/index.server.ts";

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
 * Sets the password of the account that a link stands for, and uses the link up: both or neither.
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
    await setPassword(auth, link.subjectId, password);
  });
}
