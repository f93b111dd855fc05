import { createHmac, timingSafeEqual } from "node:crypto";
import { and, eq, gt, isNull, not, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";
import { validate as isUuid } from "uuid";
import type { Actor, Tx } from "#db/index.ts";
import { type LINK_PURPOSES, oneTimeLinks } from "#db/notifications.ts";
import { recordAudit } from "../audit/index.server.ts";
import { LinkBusyError, LinkNotValidError, LinkReplacedError } from "./errors.ts";

export type LinkPurpose = (typeof LINK_PURPOSES)[number];
export type Link = typeof oneTimeLinks.$inferSelect;

/** Where each kind of link leads, below the public URL. */
export const LINK_PATHS: Record<LinkPurpose, string> = {
  "set-password": "/account/password",
  owner: "/owner",
};

/** How long a link may wait in a mailbox. */
export const LIFETIME_DAYS: Record<LinkPurpose, number> = { "set-password": 7, owner: 14 };

/** Makes the row of a link; its token is made when the mail is written. */
export async function createLink(
  tx: Tx,
  link: { purpose: LinkPurpose; subjectId: string; requestId?: string },
): Promise<string> {
  const [made] = await tx
    .insert(oneTimeLinks)
    .values({
      ...link,
      expiresAt: sql`berth_now() + make_interval(days => ${LIFETIME_DAYS[link.purpose]})`,
    })
    .returning({ id: oneTimeLinks.id });
  if (!made) throw new Error("A link was not made.");
  return made.id;
}

const mac = (key: Buffer, linkId: string) =>
  createHmac("sha256", key).update(linkId).digest("base64url");

/** The token of a link: its id and a keyed hash of it, so that no row holds what opens it. */
export function linkToken(key: Buffer, linkId: string): string {
  return `${linkId}.${mac(key, linkId)}`;
}

function linkIdOf(key: Buffer, token: string): string {
  const [id = "", given = "", ...more] = token.split(".");
  const expected = Buffer.from(mac(key, id));
  const actual = Buffer.from(given);
  const genuine =
    more.length === 0 &&
    isUuid(id) &&
    expected.length === actual.length &&
    timingSafeEqual(expected, actual);
  if (!genuine) throw new LinkNotValidError();
  return id;
}

const isOpen = and(isNull(oneTimeLinks.usedAt), gt(oneTimeLinks.expiresAt, sql`berth_now()`));

const newer = alias(oneTimeLinks, "newer");
/** Of a backend's links to its owner the newest alone is good: each mail replaces the one before. */
const isReplaced = sql<boolean>`(${oneTimeLinks.purpose} = 'owner' and exists (
  select from ${oneTimeLinks} as ${newer} where ${newer.subjectId} = ${oneTimeLinks.subjectId}
    and ${newer.purpose} = ${oneTimeLinks.purpose}
    and (${newer.createdAt}, ${newer.id}) > (${oneTimeLinks.createdAt}, ${oneTimeLinks.id})))`;

const stillOpen = (id: string, purpose: LinkPurpose) =>
  and(eq(oneTimeLinks.id, id), eq(oneTimeLinks.purpose, purpose), isOpen, not(isReplaced));

/**
 * The link behind a token, left unused: pages are opened by scanners of mail, too.
 * @throws LinkReplacedError where a newer one was mailed; LinkNotValidError
 */
export async function findLink(
  tx: Tx,
  key: Buffer,
  purpose: LinkPurpose,
  token: string,
): Promise<Link> {
  const id = linkIdOf(key, token);
  const [link] = await tx.select().from(oneTimeLinks).where(stillOpen(id, purpose));
  if (!link) throw await whyClosed(tx, id);
  return link;
}

async function whyClosed(tx: Tx, id: string): Promise<LinkNotValidError> {
  const [replaced] = await tx
    .select({ id: oneTimeLinks.id })
    .from(oneTimeLinks)
    .where(and(eq(oneTimeLinks.id, id), isNull(oneTimeLinks.usedAt), isReplaced));
  return replaced ? new LinkReplacedError() : new LinkNotValidError();
}

/** Longer than asking Supabase for its link can take. */
const CLAIM_SECONDS = 60;

/**
 * Keeps a link for the one who opens it at this moment, so that a second press of the button does
 * not spoil what the first is about to get. Ends by itself when that one is lost.
 * @throws LinkBusyError, LinkReplacedError, LinkNotValidError
 */
export async function claimLink(tx: Tx, link: Pick<Link, "id" | "purpose">): Promise<void> {
  const [open] = await tx
    .select({
      isClaimed: sql<boolean>`coalesce(${oneTimeLinks.claimedUntil} > berth_now(), false)`,
    })
    .from(oneTimeLinks)
    .where(stillOpen(link.id, link.purpose))
    .for("update");
  if (!open) throw await whyClosed(tx, link.id);
  if (open.isClaimed) throw new LinkBusyError();
  await tx
    .update(oneTimeLinks)
    .set({ claimedUntil: sql`berth_now() + make_interval(secs => ${CLAIM_SECONDS})` })
    .where(eq(oneTimeLinks.id, link.id));
}

/** Gives a claimed link back, unused: what it was to open did not answer. */
export async function unclaimLink(tx: Tx, link: Pick<Link, "id">): Promise<void> {
  await tx.update(oneTimeLinks).set({ claimedUntil: null }).where(eq(oneTimeLinks.id, link.id));
}

/** Ends all open links of this purpose and subject: what they were for has happened. */
export async function voidLinks(
  tx: Tx,
  { purpose, subjectId }: Pick<Link, "purpose" | "subjectId">,
): Promise<void> {
  await tx
    .update(oneTimeLinks)
    .set({ usedAt: sql`berth_now()` })
    .where(
      and(
        eq(oneTimeLinks.subjectId, subjectId),
        eq(oneTimeLinks.purpose, purpose),
        isNull(oneTimeLinks.usedAt),
      ),
    );
}

/**
 * Uses a link up. Of two at once, one wins.
 * @throws LinkReplacedError, LinkNotValidError
 */
export async function spendLink(
  { tx, actor }: { tx: Tx; actor: Actor },
  link: Pick<Link, "id" | "purpose">,
): Promise<void> {
  const [spent] = await tx
    .update(oneTimeLinks)
    .set({ usedAt: sql`berth_now()` })
    .where(stillOpen(link.id, link.purpose))
    .returning();
  if (!spent) throw await whyClosed(tx, link.id);
  await recordAudit(tx, actor, {
    action: `link.${link.purpose}.use`,
    subjectKind: "link",
    subjectId: link.id,
    requestId: spent.requestId ?? undefined,
  });
}
