import { eq } from "drizzle-orm";
import { openProject } from "#app/integrations/supabase/project.ts";
import type { OutboundGuard } from "#app/platform/outbound/guard.ts";
import { customerBackends } from "#db/backends.ts";
import { customers } from "#db/customers.ts";
import { type Actor, asActor, type Db } from "#db/index.ts";
import { recordAudit } from "../audit/index.server.ts";
import { backendSecret, liveBackendOf } from "../backends/index.server.ts";
import {
  claimLink,
  createLink,
  findLink,
  LinkNotValidError,
  spendLink,
  unclaimLink,
} from "../notifications/index.server.ts";
import {
  addEvent,
  type Context,
  lockRequest,
  mailCustomer,
  type RequestRow,
  WrongStateError,
} from "../queue/index.server.ts";
import type { Vault } from "../vault/index.server.ts";

export interface OwnerLinkDeps {
  db: Db;
  actor: Actor;
  vault: Vault;
  guard: OutboundGuard;
  linkKey: Buffer;
}

/** What the page behind an owner's link says before anything happens. @throws LinkNotValidError */
export async function readOwnerLink(
  { db, actor, linkKey }: Pick<OwnerLinkDeps, "db" | "actor" | "linkKey">,
  token: string,
) {
  return asActor(db, actor, async (tx) => {
    const link = await findLink(tx, linkKey, "owner", token);
    const [subject] = await tx
      .select({ backend: customerBackends, company: customers.company, email: customers.email })
      .from(customerBackends)
      .innerJoin(customers, eq(customers.id, customerBackends.customerId))
      .where(eq(customerBackends.id, link.subjectId));
    if (subject?.backend.status !== "ready") throw new LinkNotValidError();
    return { link, ...subject };
  });
}

/**
 * Turns an owner's link into Supabase's own, which signs in. The link is claimed first, since each
 * link that Supabase makes spoils the one before; a failure gives it back, and it is used up with
 * the answer.
 * @returns where to send the browser.
 * @throws LinkNotValidError, LinkBusyError, or a failure of the project that says what to do.
 */
export async function openOwnerLink(deps: OwnerLinkDeps, token: string): Promise<string> {
  const { db, actor, vault, guard } = deps;
  const { link, backend, email } = await readOwnerLink(deps, token);
  const context = { db, actor, requestId: backend.requestId };
  await asActor(db, actor, (tx) => claimLink(tx, link));
  try {
    const target = await vault.use(context, backendSecret(backend), "owner-link", (fields) =>
      openProject({ url: backend.url, key: fields.serviceRoleKey ?? "", guard }).ownerLink(email),
    );
    await asActor(db, actor, async (tx) => {
      await spendLink({ tx, actor }, link);
      // Whoever watches the request sees that the owner has arrived.
      await addEvent({ tx, actor }, backend.requestId, "owner_link_used");
    });
    return target;
  } catch (error) {
    await asActor(db, actor, (tx) => unclaimLink(tx, link));
    throw error;
  }
}

/**
 * Sends the owner a new link, where the first was lost on its way or has expired.
 * @throws RequestNotFoundError; WrongStateError unless the request is completed.
 */
export async function sendOwnerLink({ tx, actor }: Context, requestId: string): Promise<void> {
  const request = await lockRequest(tx, requestId);
  const backend = await liveBackendOf(tx, requestId);
  if (request.status !== "completed" || !backend) {
    throw new WrongStateError(request.status, "send an owner's link for", ["completed"]);
  }
  await mailOwnerLink({ tx, actor }, request, backend.id);
  await addEvent({ tx, actor }, requestId, "owner_link_sent");
  await recordAudit(tx, actor, {
    action: "link.owner.send",
    subjectKind: "backend",
    subjectId: backend.id,
    requestId,
  });
}

/** Makes an owner's link and the mail that carries it. */
export async function mailOwnerLink(
  context: Context,
  request: RequestRow,
  backendId: string,
): Promise<void> {
  const linkId = await createLink(context.tx, {
    purpose: "owner",
    subjectId: backendId,
    requestId: request.id,
  });
  await mailCustomer(context, request, "ready", { linkPurpose: "owner", linkId, backendId });
}
