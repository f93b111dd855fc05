import { and, eq, sql } from "drizzle-orm";
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

/** Takes the oldest run that nobody holds, or the given one; null if there is none. */
export async function takeRun(
  { db, actor }: { db: Db; actor: Actor },
  runId?: string,
): Promise<Lease | null> {
  return asActor(db, actor, async (tx) => {
    const { rows } = await tx.execute<{ id: string }>(sql`
      select id, ${endWhenSilent} from provisioning_runs
      where status in ('queued', 'running')
        and (lease_expires_at is null or lease_expires_at < berth_now())
        ${runId === undefined ? sql`` : sql`and id = ${runId}`}
      order by created_at limit 1
      for update skip locked`);
    const id = rows[0]?.id;
    if (id === undefined) return null;
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
  });
}

const held = (lease: Lease) =>
  and(
    eq(provisioningRuns.id, lease.run.id),
    eq(provisioningRuns.status, "running"),
    eq(provisioningRuns.leaseToken, lease.token),
  );

/** Renews the lease. @throws LeaseLostError */
export async function renewLease(
  { db, actor }: { db: Db; actor: Actor },
  lease: Lease,
): Promise<void> {
  const [renewed] = await asActor(db, actor, (tx) =>
    tx
      .update(provisioningRuns)
      .set({ leaseExpiresAt: fromNow })
      .where(held(lease))
      .returning({ id: provisioningRuns.id, endWhenSilent }),
  );
  if (!renewed) throw new LeaseLostError();
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
export async function requireLease(tx: Tx, lease: Lease): Promise<void> {
  const [run] = await tx
    .select({ id: provisioningRuns.id, endWhenSilent })
    .from(provisioningRuns)
    .where(held(lease))
    .for("update");
  if (!run) throw new LeaseLostError();
}
