import { and, eq, type SQL, sql } from "drizzle-orm";
import { type Actor, asActor, type Db, type Tx } from "#db/index.ts";
import { provisioningRuns } from "#db/provisioning.ts";
import { recordAudit } from "../audit/index.server.ts";
import { LeaseLostError } from "./errors.ts";

/** A lease that is not renewed for this long is anybody's. */
const EXPIRY_SECONDS = 5;
/** How often its holder renews it, in milliseconds. */
export const HEARTBEAT_MS = 2_000;

export type Run = typeof provisioningRuns.$inferSelect;

/** A worker's hold on a run. The token grows with every take-over and fences the one before. */
export interface Lease {
  run: Run;
  token: number;
}

/**
 * A worker that falls silent within a transaction keeps the run's row locked: the transaction must
 * not outlive the lease by more than that again. Selected along with the lock.
 */
const endWhenSilent = sql<string>`set_config('idle_in_transaction_session_timeout', ${`${EXPIRY_SECONDS}s`}, true)`;

const fromNow = sql`berth_now() + make_interval(secs => ${EXPIRY_SECONDS})`;

/** A run that has changed hands this often is not helped by yet another worker. */
export const MAX_TAKEOVERS = 20;

/** Held while a place among the runs at work is counted and taken; the number means nothing. */
const PLACES_LOCK = 1_095_914_561;

export interface Taking {
  db: Db;
  actor: Actor;
  /** How many runs may be at work, of all workers together. */
  runConcurrency: number;
}

/**
 * Takes the oldest run that nobody holds, or the given one; null if there is none. A run whose
 * worker was lost has its place already, and one that is to be cancelled needs none: only those that
 * nobody has begun wait until less than `runConcurrency` are at work.
 * @param options.onlyCancelled nothing but a run whose end a person has asked for
 */
export async function takeRun(
  { db, actor, runConcurrency }: Taking,
  runId?: string,
  options: { onlyCancelled?: boolean } = {},
): Promise<Lease | null> {
  return asActor(db, actor, async (tx) => {
    const named = runId === undefined ? sql`` : sql`and id = ${runId}`;
    const isFree = sql`(lease_expires_at is null or lease_expires_at < berth_now())`;
    const find = async (condition: SQL) => {
      const { rows } = await tx.execute<{ id: string }>(sql`
        select id, ${endWhenSilent} from provisioning_runs where ${condition} ${named}
        order by created_at limit 1 for update skip locked`);
      return rows[0]?.id;
    };
    const isAsked = sql`cancel_requested_at is not null`;
    const begun = options.onlyCancelled ? isAsked : sql`(status = 'running' or ${isAsked})`;
    let id = await find(sql`status in ('queued', 'running') and ${isFree} and ${begun}`);
    if (id === undefined && !options.onlyCancelled) {
      id = await find(sql`status = 'queued' and ${isFree}`);
      if (id !== undefined && !(await hasPlace(tx, runConcurrency))) return null;
    }
    return id === undefined ? null : lend({ tx, actor }, id);
  });
}

/**
 * Whether one more run may begin. Whoever else asks waits until this transaction ends, and counts
 * anew: so there are never more, however many ask at once.
 */
async function hasPlace(tx: Tx, runConcurrency: number): Promise<boolean> {
  await tx.execute(sql`select pg_advisory_xact_lock(${PLACES_LOCK})`);
  // A statement of its own, since the one that waited sees only what was there before its wait. Runs
  // whose lease has ended count as well: they are taken over, and may still be at work till then.
  const { rows } = await tx.execute<{ atWork: number }>(
    sql`select count(*)::int as "atWork" from provisioning_runs where status = 'running'`,
  );
  return (rows[0]?.atWork ?? 0) < runConcurrency;
}

async function lend({ tx, actor }: { tx: Tx; actor: Actor }, id: string): Promise<Lease | null> {
  const [run] = await tx
    .update(provisioningRuns)
    .set({
      status: "running",
      leaseOwner: actor.id,
      leaseToken: sql`nextval('fencing_tokens')`,
      leaseExpiresAt: fromNow,
      startedAt: sql`coalesce(${provisioningRuns.startedAt}, berth_now())`,
      takeovers: sql`${provisioningRuns.takeovers} + case when ${provisioningRuns.startedAt} is null then 0 else 1 end`,
    })
    .where(eq(provisioningRuns.id, id))
    .returning();
  if (!run || run.leaseToken === null) return null;
  await recordAudit(tx, actor, {
    action: run.takeovers > 0 ? "run.take_over" : "run.start",
    subjectKind: "run",
    subjectId: run.id,
    requestId: run.requestId,
    data: { token: run.leaseToken },
  });
  return { run, token: run.leaseToken };
}

const held = (lease: Lease) =>
  and(
    eq(provisioningRuns.id, lease.run.id),
    eq(provisioningRuns.status, "running"),
    eq(provisioningRuns.leaseToken, lease.token),
  );

/** Whether, and since when, a person wants the run to end. */
type Asked = Pick<Run, "cancelRequestedAt">;

/** Renews the lease. @throws LeaseLostError */
export async function renewLease(
  { db, actor }: { db: Db; actor: Actor },
  lease: Lease,
): Promise<Asked> {
  const [renewed] = await asActor(db, actor, (tx) =>
    tx
      .update(provisioningRuns)
      .set({ leaseExpiresAt: fromNow })
      .where(held(lease))
      .returning({ cancelRequestedAt: provisioningRuns.cancelRequestedAt, endWhenSilent }),
  );
  if (!renewed) throw new LeaseLostError();
  return renewed;
}

/** Ends the lease at once, so that another worker need not wait; the run stays as it is. */
export async function giveLeaseBack(
  { db, actor }: { db: Db; actor: Actor },
  lease: Lease,
): Promise<void> {
  await asActor(db, actor, (tx) =>
    tx.update(provisioningRuns).set({ leaseExpiresAt: sql`berth_now()` }).where(held(lease)),
  );
}

/**
 * Every word about a run is written under this lock: whoever lost the lease writes nothing.
 * @throws LeaseLostError
 */
export async function requireLease(tx: Tx, lease: Lease): Promise<Asked> {
  const [run] = await tx
    .select({ cancelRequestedAt: provisioningRuns.cancelRequestedAt, endWhenSilent })
    .from(provisioningRuns)
    .where(held(lease))
    .for("update");
  if (!run) throw new LeaseLostError();
  return run;
}
