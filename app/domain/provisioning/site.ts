import { eq } from "drizzle-orm";
import { connectToCustomer } from "#app/integrations/postgres/connect.ts";
import { parseDatabaseUrl } from "#app/integrations/postgres/dsn.ts";
import { openRunSession, type RunSession } from "#app/integrations/postgres/run-session.ts";
import { openProject } from "#app/integrations/supabase/project.ts";
import type { Logger } from "#app/platform/log.ts";
import { customerBackends } from "#db/backends.ts";
import { customers } from "#db/customers.ts";
import { asActor } from "#db/index.ts";
import { backendSecret } from "../backends/index.server.ts";
import type { RunnerDeps } from "./execute.ts";
import { type Lease, requireLease } from "./lease.ts";
import type { Site } from "./steps.ts";

/** Opens the backend's credentials for the length of `work`, and closes the connection after it. */
export async function withSite(
  deps: RunnerDeps,
  lease: Lease,
  signal: AbortSignal,
  log: Logger,
  work: (site: Site) => Promise<void>,
): Promise<void> {
  const { db, actor, vault, guard, catalog } = deps;
  const { run } = lease;
  const [subject] = await asActor(db, actor, (tx) =>
    tx
      .select({ backend: customerBackends, email: customers.email, name: customers.contactName })
      .from(customerBackends)
      .innerJoin(customers, eq(customers.id, customerBackends.customerId))
      .where(eq(customerBackends.id, run.backendId)),
  );
  if (!subject) throw new Error("A run without a backend.");
  const { backend } = subject;
  const context = { db, actor, requestId: run.requestId };
  await vault.use(context, backendSecret(backend), "run", async (credentials) => {
    const target = parseDatabaseUrl(credentials.databaseUrl ?? "");
    const connect = (applicationName: string) =>
      connectToCustomer(target, {
        guard,
        ca: deps.databaseCa,
        applicationName,
        connectTimeoutMs: 10_000,
        statementTimeoutMs: 300_000,
        queryTimeoutMs: 0,
        signal,
      });
    let session: RunSession | undefined;
    const site: Site = {
      projectRef: backend.projectRef,
      catalog,
      templates: catalog.order(Object.keys(run.templates)).map(({ name }) => name),
      owner: { email: subject.email, name: subject.name },
      async session() {
        session ??= await openRunSession({
          connect,
          backendId: backend.id,
          runId: run.id,
          token: BigInt(lease.token),
          signal,
          log,
        });
        return session;
      },
      admin: openProject({ url: backend.url, key: credentials.serviceRoleKey ?? "", guard }),
      visitor: openProject({ url: backend.url, key: credentials.anonKey ?? "", guard }),
      management: deps.management,
      ownerFound: async (userId) => {
        await asActor(db, actor, async (tx) => {
          await requireLease(tx, lease);
          await tx
            .update(customerBackends)
            .set({ ownerUserId: userId })
            .where(eq(customerBackends.id, backend.id));
        });
      },
    };
    try {
      await work(site);
    } finally {
      await session?.close().catch((error) => log.warn({ err: error }, "closing the session"));
    }
  });
}
