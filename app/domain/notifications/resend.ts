import { and, eq, isNull, sql } from "drizzle-orm";
import { deliverMail } from "#app/platform/jobs/contracts.ts";
import { enqueue } from "#app/platform/jobs/enqueue.ts";
import { user } from "#db/auth.ts";
import { customerBackends } from "#db/backends.ts";
import { adminUsers } from "#db/identity.ts";
import type { Actor, Tx } from "#db/index.ts";
import { oneTimeLinks, outbox } from "#db/notifications.ts";
import { recordAudit } from "../audit/index.server.ts";
import { requireStaff } from "../identity/index.server.ts";
import { CopyNotConfirmedError, MailNotFoundError, MailNotResendableError } from "./errors.ts";
import { createLink } from "./links.ts";
import { type OutboxRow, queueMail } from "./outbox.ts";

/** A second press, or a second pair of eyes, sends no third mail within this time. */
const PAUSE_SECONDS = 60;

export interface Resent {
  recipient: string;
  /** Whether the mail is a copy of one that had been sent. */
  isCopy: boolean;
  hasFreshLink: boolean;
}

/**
 * Sends a mail again, to the same person: a dead one goes back to waiting, one that was sent goes out
 * as a copy, if that `mayCopy`. A link that it carries is made anew, with its full life.
 * @throws NotStaffError, MailNotFoundError, MailNotResendableError, CopyNotConfirmedError
 */
export async function resendMail(
  { tx, actor }: { tx: Tx; actor: Actor },
  mailId: string,
  { mayCopy }: { mayCopy: boolean },
): Promise<Resent> {
  await requireStaff(tx, actor.id);
  const [mail] = await tx.select().from(outbox).where(eq(outbox.id, mailId)).for("update");
  if (!mail) throw new MailNotFoundError();
  if (mail.status === "waiting") {
    throw new MailNotResendableError(
      "This mail is on its way already.",
      "Wait for the next attempt: Berth goes on by itself.",
    );
  }
  if (mail.status === "sent" && !mayCopy) throw new CopyNotConfirmedError();
  if (mail.status === "sent") await refuseIfJustCopied(tx, mail);
  const { copyOf: _, ...facts } = await withFreshLink(tx, mail);
  const outboxId =
    mail.status === "dead"
      ? await revive(tx, mail, facts)
      : await queueMail(
          { tx },
          {
            kind: mail.kind,
            recipient: mail.recipient,
            ...(mail.requestId === null ? {} : { requestId: mail.requestId }),
            data: { ...facts, copyOf: mail.id },
          },
        );
  const hasFreshLink = facts.linkId !== undefined;
  await recordAudit(tx, actor, {
    action: "mail.resend",
    subjectKind: "mail",
    subjectId: mail.id,
    requestId: mail.requestId ?? undefined,
    data: { kind: mail.kind, was: mail.status, sentAs: outboxId, hasFreshLink },
  });
  return { recipient: mail.recipient, isCopy: mail.status === "sent", hasFreshLink };
}

async function revive(tx: Tx, mail: OutboxRow, data: Record<string, string>): Promise<string> {
  await tx
    .update(outbox)
    .set({ status: "waiting", attempts: 0, nextAttemptAt: sql`berth_now()`, lastError: null, data })
    .where(eq(outbox.id, mail.id));
  await enqueue(tx, deliverMail, { outboxId: mail.id });
  return mail.id;
}

/** The mail's row is locked by now, so that of two at once the second sees the copy of the first. */
async function refuseIfJustCopied(tx: Tx, mail: OutboxRow): Promise<void> {
  const [copy] = await tx
    .select({ id: outbox.id })
    .from(outbox)
    .where(
      and(
        mail.requestId === null ? isNull(outbox.requestId) : eq(outbox.requestId, mail.requestId),
        sql`${outbox.data} ->> 'copyOf' = ${mail.id}`,
        sql`(${outbox.status} = 'waiting' or ${outbox.createdAt} > berth_now() - make_interval(secs => ${PAUSE_SECONDS}))`,
      ),
    )
    .limit(1);
  if (copy) {
    throw new MailNotResendableError(
      "This mail was sent again a moment ago.",
      "Give it a minute to arrive. The copy stands in this list, too.",
    );
  }
}

/**
 * The facts of a mail, with a new link in place of the one it carried, which may be used or over. An
 * account that has a password by now needs none; a link to nothing is refused.
 */
async function withFreshLink(tx: Tx, mail: OutboxRow): Promise<Record<string, string>> {
  const { linkId, linkPurpose: _, ...facts } = mail.data;
  if (linkId === undefined) return facts;
  const [link] = await tx.select().from(oneTimeLinks).where(eq(oneTimeLinks.id, linkId));
  if (!link) return facts;
  const { purpose, subjectId, requestId } = link;
  if (purpose === "owner") await requireReadyBackend(tx, subjectId);
  else if (!(await wantsPasswordLink(tx, mail, subjectId))) return facts;
  const fresh = await createLink(tx, {
    purpose,
    subjectId,
    ...(requestId === null ? {} : { requestId }),
  });
  return { ...facts, linkPurpose: purpose, linkId: fresh };
}

async function requireReadyBackend(tx: Tx, backendId: string): Promise<void> {
  const [backend] = await tx
    .select({ status: customerBackends.status })
    .from(customerBackends)
    .where(eq(customerBackends.id, backendId));
  if (backend?.status === "ready") return;
  throw new MailNotResendableError(
    "The backend that this mail leads to is no longer in use.",
    "Look at the request: a later mail may be the right one.",
  );
}

async function wantsPasswordLink(tx: Tx, mail: OutboxRow, accountId: string): Promise<boolean> {
  const [account] = await tx
    .select({
      email: user.email,
      deactivatedAt: adminUsers.deactivatedAt,
      hasPassword: sql<boolean>`berth_has_password(${user.id})`,
    })
    .from(user)
    .leftJoin(adminUsers, eq(adminUsers.userId, user.id))
    .where(eq(user.id, accountId));
  // A link opens the account: it goes to the account's own address, and nowhere else.
  if (account?.email !== mail.recipient) {
    throw new MailNotResendableError(
      "The account that this mail opens has another address now.",
      "Ask its owner to use “Forgot password” on the sign-in page.",
    );
  }
  if (mail.kind === "invitation" && account.deactivatedAt !== null) {
    throw new MailNotResendableError(
      "The person invited is not on the staff at present.",
      "Reactivate them on the Staff page, then invite them again from there.",
    );
  }
  return mail.kind === "password" || !account.hasPassword;
}
