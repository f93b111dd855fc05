import { eq } from "drizzle-orm";
import { openProject } from "#app/integrations/supabase/project.ts";
import type { OutboundGuard } from "#app/platform/outbound/guard.ts";
import { customerBackends } from "#db/backends.ts";
import { customers } from "#db/customers.ts";
import { type Actor, asActor, type Db } from "#db/index.ts";
import { backendSecret } from "../backends/index.server.ts";
import { findLink, LinkNotValidError, spendLink } from "../notifications/index.server.ts";
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
 * Turns an owner's link into Supabase's own, which signs in. Berth's link is used up only once
 * Supabase has answered: a failure on the way leaves it as it was, and of two at once one wins.
 * @returns where to send the browser.
 * @throws LinkNotValidError, or a failure of the project that says what to do.
 */
export async function openOwnerLink(deps: OwnerLinkDeps, token: string): Promise<string> {
  const { db, actor, vault, guard } = deps;
  const { link, backend, email } = await readOwnerLink(deps, token);
  const context = { db, actor, requestId: backend.requestId };
  const target = await vault.use(context, backendSecret(backend), "owner-link", (fields) =>
    openProject({ url: backend.url, key: fields.serviceRoleKey ?? "", guard }).ownerLink(email),
  );
  await asActor(db, actor, (tx) => spendLink({ tx, actor }, link));
  return target;
}
