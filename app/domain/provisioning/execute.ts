import { setTimeout as sleep } from "node:timers/promises";
import { eq, sql } from "drizzle-orm";
import { type FailedAttempt, FailedAttempts } from "#app/integrations/postgres/run-attempts.ts";
import {
  CancelledError,
  FencedError,
  hasWaited,
  RunStoppedError,
} from "#app/integrations/postgres/run-errors.ts";
import type { RunSession } from "#app/integrations/postgres/run-session.ts";
import { SupabaseRateLimitError } from "#app/integrations/supabase/errors.ts";
import type { ManagementClient } from "#app/integrations/supabase/management.ts";
import { BerthError } from "#app/platform/errors.ts";
import type { Logger } from "#app/platform/log.ts";
import { asActor, type Tx } from "#db/index.ts";
import { provisioningSteps } from "#db/provisioning.ts";
import { databaseNow, lockRequest, moveRequest } from "../queue/index.server.ts";
import { UnknownKeyError } from "../vault/index.server.ts";
import { createCanceller, isCancellation } from "./canceller.ts";
import type { CredentialsDeps } from "./credentials.ts";
import { endCancelled } from "./end-cancelled.ts";
import {
  FenceAheadError,
  LeaseLostError,
  NeedsPersonError,
  TooManyTakeoversError,
} from "./errors.ts";
import { completeRun, failRun } from "./finish.ts";
import { keepLease } from "./heartbeat.ts";
import { giveLeaseBack, type Lease, MAX_TAKEOVERS, requireLease } from "./lease.ts";
import { isDatabaseAway } from "./own-database.ts";
import { describeAttempts, describeFailure } from "./report.ts";
import { beginStep, endStep, type Step, stepsOf } from "./runs.ts";
import { type SiteEnds, withSite } from "./site.ts";
import { runStep, type Site } from "./steps.ts";

export interface RunnerDeps extends CredentialsDeps {
  management: ManagementClient | null;
  staffMail: string;
  log: Logger;
}

/** How often a step is tried when its failure may pass by itself, and the first wait between. */
const STEP_TRIES = 4;
const FIRST_WAIT_MS = 500;
/** A little more than the window of Supabase's rate limit. */
const LONGEST_WAIT_MS = 65_000;

/** The run is not ours to judge: the lease is lost, or the process is asked to stop. */
const isInterruption = (error: unknown, signal: AbortSignal) =>
  signal.aborted ||
  error instanceof LeaseLostError ||
  error instanceof FencedError ||
  error instanceof RunStoppedError;

/**
 * Works through a run from its first step that is not done, until it is completed, failed, cancelled,
 * or taken from us. Never throws for what happens to the run: that is written down. `stop` asks it to
 * set the run aside between two steps, for another worker.
 */
export async function executeRun(deps: RunnerDeps, lease: Lease, stop: AbortSignal): Promise<void> {
  const log = deps.log.child({ runId: lease.run.id, requestId: lease.run.requestId });
  const lost = new AbortController();
  const taken = AbortSignal.any([stop, lost.signal]);
  const canceller = createCanceller(log);
  const ends = { taken, canceller };
  const heartbeat = keepLease(deps, lease, lost, canceller, log);
  try {
    await enterMigrating(deps, lease);
    if (lease.run.cancelRequestedAt) throw new CancelledError();
    if (lease.run.takeovers > MAX_TAKEOVERS) throw new TooManyTakeoversError(lease.run.takeovers);
    await withSite(deps, lease, ends, log, (site) => workThrough(deps, lease, site, ends, log));
  } catch (error) {
    await settle(deps, lease, error, ends, log).catch((again) => {
      if (again instanceof LeaseLostError) log.info("the run has changed hands");
      else log.error({ err: again }, "no verdict could be written; the run will be taken over");
    });
  } finally {
    clearInterval(heartbeat);
  }
}

/** What becomes of a run that ended outside its steps. */
async function settle(
  deps: RunnerDeps,
  lease: Lease,
  error: unknown,
  { taken, canceller }: SiteEnds,
  log: Logger,
): Promise<void> {
  if (taken.aborted || !isCancellation(error, canceller)) {
    return judge(deps, lease, error, taken, log);
  }
  await endCancelled(deps, lease, taken, log).catch((again: unknown) =>
    judge(deps, lease, again, taken, log),
  );
}

/**
 * Fails the run, or sets it aside. Whatever says nothing about the run itself, such as Berth's own
 * database being away, leaves the lease to end by itself: another worker tries.
 */
async function judge(
  deps: RunnerDeps,
  lease: Lease,
  error: unknown,
  taken: AbortSignal,
  log: Logger,
): Promise<void> {
  if (error instanceof FencedError && !taken.aborted) {
    // Where the lease is still ours, no other worker of this Berth raised the fence.
    await asActor(deps.db, deps.actor, (tx) => requireLease(tx, lease));
    return failWith(deps, lease, "Run", new FenceAheadError(error));
  }
  if (isInterruption(error, taken)) {
    log.info({ err: error }, "the run was set aside");
    if (!(error instanceof LeaseLostError)) await giveLeaseBack(deps, lease);
    return;
  }
  log.error({ err: error }, "the run ended outside its steps");
  // A worker that does not have the key yet leaves the run to one that has.
  if (!(error instanceof BerthError) || error instanceof UnknownKeyError) return;
  const where = error instanceof TooManyTakeoversError ? "Run" : "Credentials";
  await failWith(deps, lease, where, error);
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

/** A step that needs a person does not hold up the others; the run ends as its worst step. */
async function workThrough(
  deps: RunnerDeps,
  lease: Lease,
  site: Site,
  ends: SiteEnds,
  log: Logger,
): Promise<void> {
  const { db, actor, staffMail } = deps;
  const { taken, canceller } = ends;
  const steps = await asActor(db, actor, (tx) => stepsOf(tx, lease.run.id));
  let waiting: { step: string; error: ReturnType<typeof describeFailure> } | null = null;
  for (const step of steps) {
    if (step.status === "done") continue;
    taken.throwIfAborted();
    await asActor(db, actor, (tx) => beginStep(tx, lease, step));
    const started = performance.now();
    const durationMs = () => Math.round(performance.now() - started);
    // Only what the step itself throws is the step's failure; a word about it that could not be
    // written says nothing about the run.
    const observed = observe(site);
    const done = await tryStep(observed, step, ends, log).then(
      (facts) => ({ facts, error: null }),
      (error: unknown) => ({ facts: null, error }),
    );
    const failed = observed.failed();
    if (done.facts) {
      const { facts } = done;
      await asActor(db, actor, async (tx) => {
        await endStep({ tx, actor }, lease, step, {
          status: "done",
          durationMs: durationMs(),
          facts,
        });
        await keepAttempts(tx, step, failed);
      });
      continue;
    }
    const { error: thrown } = done;
    if (isInterruption(thrown, taken) || isDatabaseAway(thrown)) throw thrown;
    if (isCancellation(thrown, canceller)) throw thrown;
    log.warn({ err: thrown, step: step.name }, "a step did not end well");
    const error = describeFailure(thrown);
    const needsPerson = thrown instanceof NeedsPersonError;
    await asActor(db, actor, async (tx) => {
      const status = needsPerson ? "needs_person" : "failed";
      await endStep({ tx, actor }, lease, step, { status, durationMs: durationMs(), error });
      await keepAttempts(tx, step, failed);
      const failure = { step: step.name, error, needsPerson };
      if (!needsPerson) await failRun({ tx, actor }, lease, failure, staffMail);
    });
    if (!needsPerson) return;
    waiting ??= { step: step.name, error };
  }
  await asActor(db, actor, (tx) =>
    waiting
      ? failRun({ tx, actor }, lease, { ...waiting, needsPerson: true }, staffMail)
      : completeRun({ tx, actor }, lease),
  );
}

/** The site as one step works on it, with what was tried there in vain. */
interface ObservedSite {
  site: Site;
  note(error: BerthError): void;
  /** To be asked once, when the step has ended: oldest first. */
  failed(): FailedAttempt[];
}

function observe(site: Site): ObservedSite {
  const own = new FailedAttempts();
  let used: RunSession | undefined;
  const session = async () => {
    used = await site.session();
    return used;
  };
  return {
    site: { ...site, session },
    note: (error) => void own.note(`failed: ${error.message}`),
    failed: () =>
      [...own.take(), ...(used?.takeFailedAttempts() ?? [])].sort((a, b) => a.at - b.at),
  };
}

/** Adds to a step's outcome what was tried in vain; the audit record has no use for it. */
export async function keepAttempts(tx: Tx, step: Step, failed: FailedAttempt[]): Promise<void> {
  if (failed.length === 0) return;
  const failedAttempts = describeAttempts(failed, await databaseNow(tx));
  const { outcome, id } = provisioningSteps;
  await tx
    .update(provisioningSteps)
    .set({
      outcome: sql`coalesce(${outcome}, '{}') || ${JSON.stringify({ failedAttempts })}::jsonb`,
    })
    .where(eq(id, step.id));
}

async function tryStep(
  { site, note }: ObservedSite,
  step: Step,
  { taken, canceller }: SiteEnds,
  log: Logger,
) {
  const signal = AbortSignal.any([taken, canceller.signal]);
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
      const mayPass = error instanceof BerthError && error.retryable && !hasWaited(error);
      if (!mayPass || attempt >= STEP_TRIES || isInterruption(error, signal)) throw error;
      note(error);
      const waitMs = waitBeforeNext(error, attempt);
      log.info({ err: error, step: step.name, attempt, waitMs }, "a step is tried again");
      await sleep(waitMs, undefined, { signal });
    }
  }
}

/** Doubling waits; or as long as Supabase asks for, up to its whole window. */
function waitBeforeNext(error: BerthError, attempt: number): number {
  const doubling = FIRST_WAIT_MS * 2 ** (attempt - 1);
  if (!(error instanceof SupabaseRateLimitError)) return doubling;
  return Math.max(doubling, Math.min(error.resetAfterMs, LONGEST_WAIT_MS));
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
