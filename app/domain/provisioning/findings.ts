import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { ledgerKeyOf } from "#app/integrations/postgres/ledger.ts";
import { FailedAttempts } from "#app/integrations/postgres/run-attempts.ts";
import { literal, sendScript } from "#app/integrations/postgres/script.ts";
import { isAsWanted } from "#app/integrations/supabase/buckets.ts";
import type { Logger } from "#app/platform/log.ts";
import { UnknownKeyError } from "../vault/index.server.ts";
import { lookAtAuth, wantedOf } from "./auth-settings.ts";
import { createCanceller } from "./canceller.ts";
import { LeaseLostError, TooManyTakeoversError } from "./errors.ts";
import type { RunnerDeps } from "./execute.ts";
import { type Lease, MAX_TAKEOVERS } from "./lease.ts";
import { isDatabaseAway } from "./own-database.ts";
import { bucketOf } from "./project-buckets.ts";
import { describeFailure } from "./report.ts";
import type { Step } from "./runs.ts";
import { withSite } from "./site.ts";
import type { Site } from "./steps.ts";

/** What became of a step whose run was cancelled, or lost together with its worker. */
export interface Finding {
  /**
   * `unfinished`: part of it stays, which the next run clears up; `unknown`: the project could not
   * be asked, or a call to it may yet take effect.
   */
  outcome: "done" | "undone" | "unfinished" | "unknown";
  /** Kept with the step; null where nothing is to be said of it. */
  facts: Record<string, unknown> | null;
  /** Why it is unknown, as the end of a sentence. */
  why?: string;
}

const UNDONE: Finding = { outcome: "undone", facts: null };
const UNFINISHED: Finding = { outcome: "unfinished", facts: { outcome: "unfinished" } };

/**
 * Looks in the customer's project for what became of a step. The session it takes for that ends an
 * older worker's first, so that what is not in the ledger by then never will be.
 * @throws what says nothing about the project: the lease lost, the process stopping, Berth's own
 * database away, the key not at hand
 */
export async function findOut(
  deps: RunnerDeps,
  lease: Lease,
  step: Step,
  taken: AbortSignal,
  log: Logger,
): Promise<Finding> {
  let finding = UNDONE;
  try {
    // Whatever ends every worker of this run may be the look at its project.
    if (lease.run.takeovers > MAX_TAKEOVERS) throw new TooManyTakeoversError(lease.run.takeovers);
    // What the look itself tries in vain is no attempt at the step.
    const watch = { taken, canceller: createCanceller(log), attempts: new FailedAttempts() };
    await withSite(deps, lease, watch, log, async (site) => {
      finding = await LOOKS[step.kind](site, step);
    });
    return finding;
  } catch (error) {
    const isOurs = error instanceof LeaseLostError || error instanceof UnknownKeyError;
    if (taken.aborted || isOurs || isDatabaseAway(error)) throw error;
    log.warn({ err: error, step: step.name }, "what became of a step could not be read");
    const { message, found } = describeFailure(error);
    const why = [message.replace(/\.$/, ""), found].filter(Boolean).join(": ");
    return { outcome: "unknown", facts: { outcome: "unknown" }, why };
  }
}

const LOOKS: Record<Step["kind"], (site: Site, step: Step) => Promise<Finding>> = {
  preflight: lookForSchemas,
  sql: lookForVersion,
  seed: lookForVersion,
  storage: lookForBucket,
  "auth-config": lookForSettings,
  owner: lookForOwner,
  // It only reads.
  health: async () => UNDONE,
};

const done = (outcome: string): Finding => ({ outcome: "done", facts: { outcome } });

/** A call that was given up may still be at work at Supabase: this often, and this far apart. */
const LOOKS_AFTER_CALL = 3;
const LOOK_EVERY_MS = 2_500;

/** Nobody can say that a call whose answer never came will not take effect after the last look. */
const UNSETTLED: Finding = {
  outcome: "unknown",
  facts: { outcome: "unknown" },
  why: "a call to the project may have been under way, and what it asked for is not there yet",
};

/** Looks again while what a call asked for is not there yet; null if it never was. */
async function lookAgain<T>(look: () => Promise<T | null>, signal: AbortSignal) {
  for (let looks = 1; ; looks += 1) {
    const found = await look();
    if (found !== null || looks === LOOKS_AFTER_CALL) return found;
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

export async function lookForBucket(
  site: Parameters<typeof bucketOf>[0] & Pick<Site, "admin" | "signal">,
  step: Pick<Step, "name">,
): Promise<Finding> {
  const wanted = bucketOf(site, step);
  const isThere = async () => {
    const bucket = await site.admin.findBucket(wanted.id);
    return bucket && isAsWanted(bucket, wanted) ? done("already_there") : null;
  };
  return (await lookAgain(isThere, site.signal)) ?? UNSETTLED;
}

export async function lookForSettings(site: Site): Promise<Finding> {
  const wanted = wantedOf(site);
  const isDone = async () => {
    const { others } = await lookAtAuth(site, wanted);
    return Object.keys(others).length === 0 ? done("already_configured") : null;
  };
  // Nothing was asked for where no template does, or without a token.
  if (Object.keys(wanted).length === 0) return UNDONE;
  if (!site.management) return (await isDone()) ?? UNDONE;
  return (await lookAgain(isDone, site.signal)) ?? UNSETTLED;
}

export async function lookForOwner(
  site: Pick<Site, "admin" | "owner" | "ownerFound" | "signal">,
): Promise<Finding> {
  const userId = await lookAgain(() => site.admin.findOwner(site.owner.email), site.signal);
  if (userId === null) return UNSETTLED;
  await site.ownerFound(userId);
  return done("already_there");
}

type Database = Pick<Site, "session">;

/** Longer than the time-out of a session's statements, 60 s. */
const SILENCE = { silenceMs: 75_000 };

/** The checks must be made again, but what they prepared stays. */
export async function lookForSchemas(site: Database): Promise<Finding> {
  const session = await site.session();
  const exists = (client: pg.Client) => hasTable(client, "berth.ledger");
  const prepared = await session.read("looking for the ledger", exists);
  return prepared ? { outcome: "undone", facts: { outcome: "prepared" } } : UNDONE;
}

/** The ledger decides; what it does not have may still have left something. */
export async function lookForVersion(
  site: Database,
  step: Pick<Step, "kind" | "template" | "ledgerVersion" | "checksum" | "runId">,
): Promise<Finding> {
  const key = ledgerKeyOf({
    kind: step.kind === "seed" ? "seed" : "migration",
    template: step.template ?? "",
    version: step.ledgerVersion ?? "",
  });
  const session = await site.session();
  const row = (await session.ledger()).find(({ version }) => version === key);
  if (row?.checksum === step.checksum) {
    return done(row.runId === step.runId ? "applied" : "already_applied");
  }
  const left = await session.read("looking for what is unfinished", async (client) => {
    if (!(await hasTable(client, "berth.unfinished"))) return false;
    const text = `select from berth.unfinished where version = ${literal(key ?? "")}`;
    return (await sendScript(client, text, SILENCE))[0]?.rowCount === 1;
  });
  return left ? UNFINISHED : UNDONE;
}

async function hasTable(client: pg.Client, name: string): Promise<boolean> {
  const text = `select pg_catalog.to_regclass(${literal(name)}) is not null as there`;
  return (await sendScript(client, text, SILENCE))[0]?.rows[0]?.there === true;
}

/** What was found of a step, as a line for people. */
export function inWords(step: Pick<Step, "name" | "kind">, { outcome, why }: Finding): string {
  const name = `“${step.name}”`;
  switch (outcome) {
    case "done":
      return `${name} had taken effect before it could be stopped, and counts as done`;
    case "unfinished":
      return `${name} was stopped, and may have left an index that is not valid; the next run removes it`;
    case "unknown":
      return `whether ${name} took effect is not known: ${why}`;
    case "undone":
      return step.kind === "sql" || step.kind === "seed"
        ? `${name} was in progress and was rolled back`
        : `${name} was in progress and is to be done again`;
  }
}
