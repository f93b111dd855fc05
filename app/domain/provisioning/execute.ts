import { setTimeout as sleep } from "node:timers/promises";
import { eq } from "drizzle-orm";
import { connectToCustomer } from "#app/integrations/postgres/connect.ts";
import { parseDatabaseUrl } from "#app/integrations/postgres/dsn.ts";
import { FencedError, RunStoppedError } from "#app/integrations/postgres/run-errors.ts";
import { openRunSession, type RunSession } from "#app/integrations/postgres/run-session.ts";
import type { ManagementClient } from "#app/integrations/supabase/management.ts";
import { openProject } from "#app/integrations/supabase/project.ts";
import { BerthError } from "#app/platform/errors.ts";
import type { Logger } from "#app/platform/log.ts";
import type { OutboundGuard } from "#app/platform/outbound/guard.ts";
import { customerBackends } from "#db/backends.ts";
import { customers } from "#db/customers.ts";
import { type Actor, asActor, type Db } from "#db/index.ts";
import { backendSecret } from "../backends/index.server.ts";
import type { Catalog } from "../catalog/index.server.ts";
import { lockRequest, moveRequest } from "../queue/index.server.ts";
import type { Vault } from "../vault/index.server.ts";
import { LeaseLostError, NeedsPersonError } from "./errors.ts";
import { completeRun, failRun } from "./finish.ts";
import { giveLeaseBack, HEARTBEAT_MS, type Lease, renewLease, requireLease } from "./lease.ts";
import { describeFailure } from "./report.ts";
import { beginStep, endStep, type Step, stepsOf } from "./runs.ts";
import { runStep, type Site } from "./steps.ts";

export interface RunnerDeps {
  db: Db;
  actor: Actor;
  vault: Vault;
  catalog: Catalog;
  guard: OutboundGuard;
  /** PEM of the authority that signs customers' databases; the system's own if absent. */
  databaseCa?: string | undefined;
  management: ManagementClient | null;
  staffMail: string;
  log: Logger;
}

/** How often a step is tried when its failure may pass by itself, and the first wait between. */
const STEP_TRIES = 4;
const FIRST_WAIT_MS = 500;

/** Set-aside of a run without a verdict: the lease is lost, or the process is asked to stop. */
const isInterruption = (error: unknown, signal: AbortSignal) =>
  signal.aborted ||
  error instanceof LeaseLostError ||
  error instanceof FencedError ||
  error instanceof RunStoppedError;

/**
 * Works through a run from its first step that is not done, until it is completed, failed, or taken
 * from us. Never throws for what happens to the run: that is written down. `stop` asks it to set the
 * run aside between two steps, for another worker.
 */
export async function executeRun(deps: RunnerDeps, lease: Lease, stop: AbortSignal): Promise<void> {
  const log = deps.log.child({ runId: lease.run.id, requestId: lease.run.requestId });
  const lost = new AbortController();
  const signal = AbortSignal.any([stop, lost.signal]);
  const heartbeat = keepLease(deps, lease, lost, log);
  try {
    await enterMigrating(deps, lease);
    await useBackend(deps, lease, signal, log, (site) =>
      workThrough(deps, lease, site, signal, log),
    );
  } catch (error) {
    if (isInterruption(error, signal)) {
      log.info({ err: error }, "the run was set aside");
      if (!lost.signal.aborted) await giveLeaseBack(deps, lease).catch(() => {});
      return;
    }
    log.error({ err: error }, "the run has failed");
    await failWith(deps, lease, "Credentials", error).catch((again) => {
      log.error(
        { err: again },
        "the failure could not be written down; the run will be taken over",
      );
    });
  } finally {
    clearInterval(heartbeat);
  }
}

function keepLease(deps: RunnerDeps, lease: Lease, lost: AbortController, log: Logger) {
  return setInterval(() => {
    renewLease(deps, lease).catch((error) => {
      // A database that is away for a moment is no lost lease: the next beat, or the fence, decides.
      if (!(error instanceof LeaseLostError)) return log.warn({ err: error }, "heartbeat failed");
      lost.abort(error);
    });
  }, HEARTBEAT_MS);
}

async function enterMigrating({ db, actor }: RunnerDeps, lease: Lease): Promise<void> {
  await asActor(db, actor, async (tx) => {
    await requireLease(tx, lease);
    const request = await lockRequest(tx, lease.run.requestId);
    if (request.status !== "credentials_received") return;
    await moveRequest({ tx, actor }, request, "migrating", {
      event: "run_started",
      data: { runId: lease.run.id },
    });
  });
}

/** Opens the backend's credentials for the length of `work`, and closes the connection after it. */
async function useBackend(
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

/** A step that needs a person does not hold up the others; the run ends as its worst step. */
async function workThrough(
  deps: RunnerDeps,
  lease: Lease,
  site: Site,
  signal: AbortSignal,
  log: Logger,
): Promise<void> {
  const { db, actor, staffMail } = deps;
  const steps = await asActor(db, actor, (tx) => stepsOf(tx, lease.run.id));
  let waiting: { step: string; error: ReturnType<typeof describeFailure> } | null = null;
  for (const step of steps) {
    if (step.status === "done") continue;
    signal.throwIfAborted();
    await asActor(db, actor, (tx) => beginStep(tx, lease, step));
    const started = performance.now();
    const durationMs = () => Math.round(performance.now() - started);
    try {
      const facts = await tryStep(site, step, signal, log);
      await asActor(db, actor, (tx) =>
        endStep({ tx, actor }, lease, step, { status: "done", durationMs: durationMs(), facts }),
      );
    } catch (error) {
      if (isInterruption(error, signal)) throw error;
      const described = describeFailure(error);
      const needsPerson = error instanceof NeedsPersonError;
      log.warn({ err: error, step: step.name }, "a step did not end well");
      await asActor(db, actor, async (tx) => {
        const status = needsPerson ? "needs_person" : "failed";
        await endStep({ tx, actor }, lease, step, {
          status,
          durationMs: durationMs(),
          error: described,
        });
        const failure = { step: step.name, error: described, needsPerson: false };
        if (!needsPerson) await failRun({ tx, actor }, lease, failure, staffMail);
      });
      if (!needsPerson) return;
      waiting ??= { step: step.name, error: described };
    }
  }
  await asActor(db, actor, (tx) =>
    waiting
      ? failRun({ tx, actor }, lease, { ...waiting, needsPerson: true }, staffMail)
      : completeRun({ tx, actor }, lease),
  );
}

async function tryStep(site: Site, step: Step, signal: AbortSignal, log: Logger) {
  const planned = {
    name: step.name,
    kind: step.kind,
    template: step.template ?? undefined,
    file: step.file ?? undefined,
    ledgerVersion: step.ledgerVersion ?? undefined,
    checksum: step.checksum ?? undefined,
  };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await runStep(site, planned);
    } catch (error) {
      const mayPass = error instanceof BerthError && error.retryable;
      if (!mayPass || attempt >= STEP_TRIES || isInterruption(error, signal)) throw error;
      log.info({ err: error, step: step.name, attempt }, "a step is tried again");
      await sleep(FIRST_WAIT_MS * 2 ** (attempt - 1), undefined, { signal });
    }
  }
}

/** Ends a run that failed before or between its steps. */
async function failWith(
  { db, actor, staffMail }: RunnerDeps,
  lease: Lease,
  where: string,
  error: unknown,
): Promise<void> {
  const described = describeFailure(error);
  await asActor(db, actor, (tx) =>
    failRun({ tx, actor }, lease, { step: where, error: described, needsPerson: false }, staffMail),
  );
}
