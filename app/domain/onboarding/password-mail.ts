import { eq } from "drizzle-orm";
import { user } from "#db/auth.ts";
import type { Actor, Tx } from "#db/index.ts";
import { recordAudit } from "../audit/index.server.ts";
import { createLink, queueMail } from "../notifications/index.server.ts";

/**
 * Mails a link to choose a new password to the account of this address; does nothing where there is
 * none. Whoever asks is told the same either way: nobody learns here who has an account.
 * @param email in lower case
 */
export async function mailPasswordLink(
  { tx, actor }: { tx: Tx; actor: Actor },
  email: string,
): Promise<void> {
  const [person] = await tx
    .select({ id: user.id, email: user.email })
    .from(user)
    .where(eq(user.email, email));
  if (!person) return;
  const linkId = await createLink(tx, { purpose: "set-password", subjectId: person.id });
  await queueMail(
    { tx },
    {
      kind: "password",
      recipient: person.email,
      data: { linkId, linkPurpose: "set-password" },
    },
  );
  await recordAudit(tx, actor, {
    action: "account.password_asked",
    subjectKind: "account",
    subjectId: person.id,
  });
}
