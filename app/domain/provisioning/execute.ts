import { setTimeout as sleep } from "node:timers/promises";
import { FailedAttempts } from "#app/integrations/postgres/run-attempts.ts";
import {
  CancelledError,
  FencedError,
  hasWaited,
  RunStoppedError,
} from "#app/integrations/postgres/run-errors.ts";
import { SupabaseRateLimitError } from "#app/integrations/supabase/errors.ts";
import type { ManagementClient } from "#app/integrations/supabase/management.ts";
import { BerthError } from "#app/platform/errors.ts";
import type { Logger } from "#app/platform/log.ts";
import { asActor } from "#db/index.ts";
import { lockRequest, moveRequest } from "../queue/index.server.ts";
import { UnknownKeyError } from "../vault/index.server.ts";
import { createCanceller, isCancellation } from "./canceller.ts";
import type { CredentialsDeps } from "./credentials.ts";
import { duesOf } from "./due.ts";
import { endCancelled } from "./end-cancelled.ts";
import {
  FenceAheadError,
  LeaseLostError,
  NeedsPersonError,
  TooManyTakeoversError,
} from "./errors.ts";
import { completeRun, failRun } from "./finish.ts";
import { keepLease } from "./heartbeat.ts";
import { keepAttempts, keepForNext } from "./kept-attempts.ts";
import { giveLeaseBack, type Lease, MAX_TAKEOVERS, requireLease } from "./lease.ts";
import { isDatabaseAway } from "./own-database.ts";
import { describeFailure } from "./report.ts";
import { beginStep, endStep, type Step, stepsOf } from "./runs.ts";
import { type SiteWatch, withSite } from "./site.ts";
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
  const watch = { taken, canceller, attempts: new FailedAttempts() };
  const heartbeat = keepLease(deps, lease, lost, canceller, log);
  try {
    await enterMigrating(deps, lease);
    if (lease.run.cancelRequestedAt) throw new CancelledError();
    if (lease.run.takeovers > MAX_TAKEOVERS) throw new TooManyTakeoversError(lease.run.takeovers);
    await withSite(deps, lease, watch, log, (site) => workThrough(deps, lease, site, watch, log));
  } catch (error) {
    await settle(deps, lease, error, watch, log).catch((again) => {
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
  watch: SiteWatch,
  log: Logger,
): Promise<void> {
  if (watch.taken.aborted || !isCancellation(error, watch.canceller)) {
    return judge(deps, lease, error, watch, log);
  }
  await endCancelled(deps, lease, watch, log).catch((again: unknown) =>
    judge(deps, lease, again, watch, log),
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
  { taken, attempts }: SiteWatch,
  log: Logger,
): Promise<void> {
  if (error instanceof FencedError && !taken.aborted) {
    // Where the lease is still ours, no other worker of this Berth raised the fence.
    await asActor(deps.db, deps.actor, (tx) => requireLease(tx, lease));
    await keepForNext(deps, lease, attempts.take());
    return failWith(deps, lease, "Run", new FenceAheadError(error));
  }
  if (isInterruption(error, taken)) {
    log.info({ err: error }, "the run was set aside");
    if (error instanceof LeaseLostError) return;
    await keepForNext(deps, lease, attempts.take());
    return giveLeaseBack(deps, lease);
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
  watch: SiteWatch,
  log: Logger,
): Promise<void> {
  const { db, actor, staffMail } = deps;
  const { taken, canceller, attempts } = watch;
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
    const done = await tryStep(site, step, watch, log).then(
      (facts) => ({ facts, error: null }),
      (error: unknown) => ({ facts: null, error }),
    );
    if (done.facts) {
      const { facts } = done;
      const failed = attempts.take();
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
    // Its attempts wait for whoever settles the step.
    if (isInterruption(thrown, taken) || isDatabaseAway(thrown)) throw thrown;
    if (isCancellation(thrown, canceller)) throw thrown;
    log.warn({ err: thrown, step: step.name }, "a step did not end well");
    const error = describeFailure(thrown);
    const needsPerson = thrown instanceof NeedsPersonError;
    const failed = attempts.take();
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
      : completeRun({ tx, actor }, lease, {
          hasDue: duesOf(deps.catalog, lease.run.templates).some(({ due }) => due !== null),
        }),
  );
}

async function tryStep(
  site: Site,
  step: Step,
  { taken, canceller, attempts }: SiteWatch,
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
      attempts.note(`failed: ${error.message}`);
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
