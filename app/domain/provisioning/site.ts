import { eq } from "drizzle-orm";
import type { FailedAttempts } from "#app/integrations/postgres/run-attempts.ts";
import { openRunSession, type RunSession } from "#app/integrations/postgres/run-session.ts";
import { openProject } from "#app/integrations/supabase/project.ts";
import type { Logger } from "#app/platform/log.ts";
import { customerBackends } from "#db/backends.ts";
import { customers } from "#db/customers.ts";
import { asActor } from "#db/index.ts";
import { backendSecret } from "../backends/index.server.ts";
import { answersFor, givenOf } from "./answers.ts";
import type { Canceller } from "./canceller.ts";
import { connectorTo } from "./customer-database.ts";
import { acceptanceOf } from "./drift-acceptance.ts";
import type { RunnerDeps } from "./execute.ts";
import { type Lease, requireLease } from "./lease.ts";
import type { Planned } from "./plan.ts";
import { filesOf } from "./plan-changes.ts";
import { keepPlan, stepsOf } from "./runs.ts";
import type { Site } from "./steps.ts";

/** How the work on a site is watched: what may end it before its end, and what it tries in vain. */
export interface SiteWatch {
  /** The run is another worker's: nothing more is begun, not even a connection. */
  taken: AbortSignal;
  /** The run is to end: what its session does is cancelled, over a connection of its own. */
  canceller: Canceller;
  /** The caller's own: what the session notes outlives it, and one that never came about. */
  attempts: FailedAttempts;
}

const differingFiles = (
  steps: readonly { file?: string | null | undefined; planned?: Planned | null | undefined }[],
) => steps.flatMap(({ file, planned }) => (file && planned === "differs" ? [file] : []));

/** Opens the backend's credentials for the length of `work`, and closes the connection after it. */
export async function withSite(
  deps: RunnerDeps,
  lease: Lease,
  { taken, canceller, attempts }: SiteWatch,
  log: Logger,
  work: (site: Site) => Promise<void>,
): Promise<void> {
  const { db, actor, vault, guard, catalog } = deps;
  const { run } = lease;
  const { subject, steps, given } = await asActor(db, actor, async (tx) => {
    const [subject] = await tx
      .select({ backend: customerBackends, email: customers.email, name: customers.contactName })
      .from(customerBackends)
      .innerJoin(customers, eq(customers.id, customerBackends.customerId))
      .where(eq(customerBackends.id, run.backendId));
    const given = await givenOf(tx, run.requestId);
    return { subject, steps: await stepsOf(tx, run.id), given };
  });
  if (!subject) throw new Error("A run without a backend.");
  const { backend } = subject;
  const differing = new Set(differingFiles(steps));
  const templates = catalog.order(Object.keys(run.templates)).map(({ name }) => name);
  const answers = answersFor(catalog, templates, given);
  const context = { db, actor, requestId: run.requestId };
  await vault.use(context, backendSecret(backend), "run", async (credentials) => {
    const connectWith = (statementTimeoutMs: number | null) =>
      connectorTo(deps, credentials.databaseUrl ?? "", {
        statementTimeoutMs,
        queryTimeoutMs: 0,
        signal: taken,
      });
    const connect = connectWith(300_000);
    const signal = AbortSignal.any([taken, canceller.signal]);
    let session: RunSession | undefined;
    const site: Site = {
      runId: run.id,
      projectRef: backend.projectRef,
      catalog,
      templates,
      answerProblems: answers.problems,
      agreed: { basis: run.basis, files: filesOf(steps) },
      differing,
      requireLease: () => asActor(db, actor, async (tx) => void (await requireLease(tx, lease))),
      async planned(plan) {
        await asActor(db, actor, (tx) => keepPlan(tx, lease, plan));
        for (const file of differingFiles(plan.steps)) differing.add(file);
      },
      connect,
      signal,
      log,
      acceptedDrift: (digest) => asActor(db, actor, (tx) => acceptanceOf(tx, backend.id, digest)),
      owner: { email: subject.email, name: subject.name },
      async session() {
        if (session) return session;
        session = await openRunSession({
          connect: connectWith(null),
          backendId: backend.id,
          runId: run.id,
          token: BigInt(lease.token),
          signal,
          log,
          settings: answers.settings,
          attempts,
        });
        canceller.watch(session);
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
