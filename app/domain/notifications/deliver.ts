import { eq, sql } from "drizzle-orm";
import { type Mailer, MailNotTakenError } from "#app/integrations/smtp/mailer.ts";
import { BerthError } from "#app/platform/errors.ts";
import { type Logger, redactText } from "#app/platform/log.ts";
import { user } from "#db/auth.ts";
import { customerBackends } from "#db/backends.ts";
import { plans } from "#db/catalog.ts";
import { customers } from "#db/customers.ts";
import { type Actor, asActor, type Db } from "#db/index.ts";
import { provisioningQueue } from "#db/queue.ts";
import { writeLetter } from "./letters.ts";
import { LIFETIME_DAYS, LINK_PATHS, type LinkPurpose, linkToken } from "./links.ts";
import { mailFailed, mailSent, type OutboxRow, takeMail } from "./outbox.ts";

export interface DeliveryDeps {
  db: Db;
  actor: Actor;
  mailer: Mailer;
  /** Keys the tokens of one-time links. */
  linkKey: Buffer;
  publicUrl: string;
  log: Logger;
}

/**
 * Sends one waiting mail, the given one or the next: at least once, since a crash between the mail
 * server's answer and ours sends it again under the same Message-ID.
 * @returns whether there was one to try.
 */
export async function deliverNext(deps: DeliveryDeps, outboxId?: string): Promise<boolean> {
  const { db, actor, mailer, log } = deps;
  const row = await takeMail({ db, actor }, outboxId);
  if (!row) return false;
  try {
    await mailer.send(await composeMail(deps, row));
  } catch (error) {
    // The desk shows the reason, so that only what was meant to be read goes into it.
    const isKnown = error instanceof BerthError;
    const reason = isKnown ? redactText(error.message) : NOT_WRITTEN;
    if (!isKnown) log.error({ err: error, mailId: row.id }, "a mail could not be written");
    const final = error instanceof MailNotTakenError && error.final;
    await asActor(db, actor, (tx) => mailFailed({ tx, actor }, row, { reason, final }));
    return true;
  }
  await asActor(db, actor, (tx) => mailSent({ tx, actor }, row));
  return true;
}

const NOT_WRITTEN = "Berth could not write this mail; see the worker's log.";

async function composeMail(deps: DeliveryDeps, row: OutboxRow) {
  const { linkKey, publicUrl } = deps;
  const about =
    row.requestId === null
      ? await factsOfAccount(deps, row)
      : await factsOfRequest(deps, row, row.requestId);
  const { linkId } = row.data;
  const purpose = row.data.linkPurpose as LinkPurpose | undefined;
  const path = purpose ? LINK_PATHS[purpose] : "";
  const link = linkId ? `${publicUrl}${path}?token=${linkToken(linkKey, linkId)}` : "";
  return {
    messageId: `<${row.id}@${new URL(publicUrl).hostname}>`,
    to: { name: row.kind === "failed" ? "" : about.contactName, address: row.recipient },
    ...writeLetter(row.kind, {
      ...about,
      link,
      linkLifetime: purpose ? `${LIFETIME_DAYS[purpose]} days` : "",
      page: row.requestId === null ? publicUrl : pageOf(row, publicUrl),
      problem: row.data.problem ?? "",
    }),
  };
}

/** Where its reader follows the request. */
const pageOf = ({ kind, requestId }: OutboxRow, publicUrl: string) =>
  kind === "failed"
    ? `${publicUrl}/desk/requests/${requestId}`
    : `${publicUrl}/requests/${requestId}`;

/** What letters to a customer, or about a request, speak of. */
async function factsOfRequest({ db, actor }: DeliveryDeps, row: OutboxRow, requestId: string) {
  const [about] = await asActor(db, actor, (tx) =>
    tx
      .select({
        company: customers.company,
        contactName: customers.contactName,
        timezone: customers.timezone,
        plan: plans.name,
        dueAt: provisioningQueue.dueAt,
        endedAt: provisioningQueue.endedAt,
        hasPassed: sql<boolean>`coalesce(${provisioningQueue.dueAt} <= berth_now(), false)`,
        backendUrl: customerBackends.url,
      })
      .from(provisioningQueue)
      .innerJoin(customers, eq(customers.id, provisioningQueue.customerId))
      .innerJoin(plans, eq(plans.id, provisioningQueue.planId))
      .leftJoin(customerBackends, eq(customerBackends.id, row.data.backendId ?? NO_BACKEND))
      .where(eq(provisioningQueue.id, requestId)),
  );
  if (!about) throw new Error("The request of a mail is gone.");
  const { endedAt, hasPassed, ...facts } = about;
  return {
    ...facts,
    reference: requestId,
    dueAt: endedAt === null ? formatDue(about.dueAt, about.timezone) : "",
    isLate: hasPassed && endedAt === null,
    backendUrl: about.backendUrl ?? "",
  };
}

/** What letters about an account alone speak of. */
async function factsOfAccount({ db, actor }: DeliveryDeps, row: OutboxRow) {
  const [person] = await asActor(db, actor, (tx) =>
    tx.select({ name: user.name }).from(user).where(eq(user.email, row.recipient)),
  );
  return {
    company: "",
    contactName: person?.name ?? "",
    plan: "",
    reference: row.id,
    dueAt: "",
    isLate: false,
    backendUrl: "",
  };
}

const NO_BACKEND = "00000000-0000-0000-0000-000000000000";

function formatDue(dueAt: Date | null, timeZone: string): string {
  if (!dueAt) return "a time that we will tell you";
  return new Intl.DateTimeFormat("en-GB", {
    weekday: "long",
    day: "numeric",
    month: "long",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "short",
    timeZone,
  }).format(dueAt);
}
