import { and, asc, eq, lte, sql } from "drizzle-orm";
import { v7 as uuidv7 } from "uuid";
import { SEND_TIMEOUT_MS } from "#app/integrations/smtp/mailer.ts";
import { deliverMail } from "#app/platform/jobs/contracts.ts";
import { enqueue } from "#app/platform/jobs/enqueue.ts";
import { type Actor, asActor, type Db, type Tx } from "#db/index.ts";
import { type MAIL_KINDS, outbox } from "#db/notifications.ts";
import { recordAudit } from "../audit/index.server.ts";

export type MailKind = (typeof MAIL_KINDS)[number];
export type OutboxRow = typeof outbox.$inferSelect;

/** Waits between attempts: 10 s, 20 s, 40 s … up to an hour; a day's trouble is survived. */
const MAX_ATTEMPTS = 30;
const FIRST_WAIT_SECONDS = 10;
const LONGEST_WAIT_SECONDS = 3600;
/** How long a mail belongs to the worker that took it: longer than any attempt to send may last. */
const LEASE_SECONDS = SEND_TIMEOUT_MS / 1_000 + 60;

/**
 * Writes a mail to be sent, in the transaction of what it tells about. `data` holds ids and plain
 * facts; links are made when it is sent.
 * @returns its id
 */
export async function queueMail(
  { tx }: { tx: Tx },
  mail: { kind: MailKind; requestId?: string; recipient: string; data?: Record<string, string> },
): Promise<string> {
  const outboxId = uuidv7();
  await tx.insert(outbox).values({ ...mail, id: outboxId, data: mail.data ?? {} });
  await enqueue(tx, deliverMail, { outboxId });
  return outboxId;
}

/**
 * Takes one waiting mail whose time has come, on a lease of three minutes: while it is being sent
 * nobody else takes it, and after a crash it comes up again.
 */
export async function takeMail(
  { db, actor }: { db: Db; actor: Actor },
  outboxId?: string,
): Promise<OutboxRow | null> {
  return asActor(db, actor, async (tx) => {
    const [next] = await tx
      .select({ id: outbox.id })
      .from(outbox)
      .where(
        and(
          eq(outbox.status, "waiting"),
          lte(outbox.nextAttemptAt, sql`berth_now()`),
          outboxId === undefined ? undefined : eq(outbox.id, outboxId),
        ),
      )
      .orderBy(asc(outbox.nextAttemptAt))
      .limit(1)
      .for("update", { skipLocked: true });
    if (!next) return null;
    const [taken] = await tx
      .update(outbox)
      .set({
        attempts: sql`${outbox.attempts} + 1`,
        nextAttemptAt: sql`berth_now() + make_interval(secs => ${LEASE_SECONDS})`,
      })
      .where(eq(outbox.id, next.id))
      .returning();
    return taken ?? null;
  });
}

/** The row as this attempt left it: whoever comes after its lease has lost it to a later attempt. */
const stillHeld = (row: OutboxRow) =>
  and(eq(outbox.id, row.id), eq(outbox.status, "waiting"), eq(outbox.attempts, row.attempts));

/** Notes that the mail server took it; nothing, if a later attempt has taken the mail over. */
export async function mailSent({ tx, actor }: { tx: Tx; actor: Actor }, row: OutboxRow) {
  const [held] = await tx
    .update(outbox)
    .set({ status: "sent", sentAt: sql`berth_now()`, lastError: null })
    .where(stillHeld(row))
    .returning({ id: outbox.id });
  if (!held) return;
  await recordAudit(tx, actor, {
    action: "mail.sent",
    subjectKind: "mail",
    subjectId: row.id,
    requestId: row.requestId ?? undefined,
    data: { kind: row.kind },
  });
}

/**
 * Notes a failed attempt and when the next is due; the last one, or a final refusal, makes a dead
 * letter that staff can see. Notes nothing, if a later attempt has taken the mail over.
 */
export async function mailFailed(
  { tx, actor }: { tx: Tx; actor: Actor },
  row: OutboxRow,
  failure: { reason: string; final: boolean },
): Promise<void> {
  const dead = failure.final || row.attempts >= MAX_ATTEMPTS;
  const wait = Math.min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** (row.attempts - 1));
  const [held] = await tx
    .update(outbox)
    .set({
      lastError: failure.reason.slice(0, 500),
      nextAttemptAt: sql`berth_now() + make_interval(secs => ${wait})`,
      ...(dead ? { status: "dead" as const } : {}),
    })
    .where(stillHeld(row))
    .returning({ id: outbox.id });
  if (!held || !dead) return;
  await recordAudit(tx, actor, {
    action: "mail.dead",
    subjectKind: "mail",
    subjectId: row.id,
    requestId: row.requestId ?? undefined,
    data: { kind: row.kind, attempts: row.attempts },
  });
}

/** What became of a request's mails, for the desk. */
export async function listMails(tx: Tx, requestId: string) {
  return tx
    .select({
      id: outbox.id,
      kind: outbox.kind,
      status: outbox.status,
      attempts: outbox.attempts,
      lastError: outbox.lastError,
      sentAt: outbox.sentAt,
    })
    .from(outbox)
    .where(eq(outbox.requestId, requestId))
    .orderBy(asc(outbox.id));
}
