import pg from "pg";
import { cut } from "#app/platform/text.ts";
import { describeHolder, spotBlockers, watchBlockers } from "./blockers.ts";
import { stepFailure } from "./failures.ts";
import { closingGuard, GUARD, openingGuard, STEP_LOCK } from "./guard.ts";
import { ledgerKey, ledgerStatements, lockLedger, type SqlStep } from "./ledger.ts";
import { gaveWay } from "./run-attempts.ts";
import type { RunConnection } from "./run-connection.ts";
import { type HeldConnection, jittered, pause, type RunLimits } from "./run-context.ts";
import { CancelledError, LockTimeoutError, SqlStepError } from "./run-errors.ts";
import {
  joinStatements,
  literal,
  redactServerText,
  rollback,
  ScriptFailure,
  sendScript,
} from "./script.ts";

/** How a step ended. */
export interface StepOutcome {
  outcome: "applied" | "already_applied";
  /** Statements of the file. */
  statements: number;
  /** What the server remarked, redacted; at most 100, and how many more there were. */
  notices: string[];
}

const MAX_NOTICES = 100;
const MAX_NOTICE_LENGTH = 1_000;

/** Collects the server's notices while `work` runs. */
export async function withNotices<T>(
  client: pg.Client,
  notices: string[],
  work: () => Promise<T>,
): Promise<T> {
  let dropped = 0;
  const listener = (notice: { severity?: string; message?: string; code?: string }) => {
    if (notices.length >= MAX_NOTICES) {
      dropped += 1;
      return;
    }
    const text = redactServerText(notice.message ?? "", notice.code ?? "");
    notices.push(cut(`${notice.severity}: ${text}`, MAX_NOTICE_LENGTH));
  };
  client.on("notice", listener as never);
  try {
    return await work();
  } finally {
    client.off("notice", listener as never);
    if (dropped > 0) notices.push(`… and ${dropped} more, which are not kept.`);
  }
}

/** Something that runs between the two guards of one transaction. */
export interface GuardedWork {
  step: SqlStep;
  /** SQL between the guards: the file, or what proves that it took effect. */
  sql: string;
  /** Whether the ledger is written. */
  record: boolean;
  statementTimeoutMs: number;
}

/** Below this a lock that is only just being given back would not be waited for. */
const SHORTEST_LOCK_WAIT_MS = 50;

/**
 * Others queue behind the locks that we hold while we wait for the next one: the waits for all the
 * tables that a file locks against writers, partitions included, come out of one allowance.
 */
function limitLockWaits({ strongLocks }: SqlStep, allowanceMs: number): string {
  if (!strongLocks || strongLocks.tables.length === 0) {
    return `set local lock_timeout = ${allowanceMs}`;
  }
  const tables = strongLocks.tables.map(({ schema, name }) =>
    literal(`${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`),
  );
  return `select pg_catalog.set_config('lock_timeout', greatest(${SHORTEST_LOCK_WAIT_MS},
    ${allowanceMs} / greatest(1, ${strongLocks.others} + count(*)))::pg_catalog.text, true)
    from pg_catalog.unnest(array[${tables.join(", ")}]) as named (name),
      lateral (select pg_catalog.to_regclass(named.name)
        union select relid from pg_catalog.pg_partition_tree(pg_catalog.to_regclass(named.name))
      ) as locked (oid)
    where locked.oid is not null`;
}

/** Sent before and after the file; their number tells the file's statements apart. */
function buildScript(work: GuardedWork, connection: RunConnection) {
  const { identity, limits } = connection.context;
  const { step } = work;
  const before = [
    "begin",
    `set local statement_timeout = ${work.statementTimeoutMs}`,
    limitLockWaits(step, limits.lockTimeoutMs),
    openingGuard(identity, ledgerKey(step)),
    // Waited for while the file holds nothing yet.
    ...(work.record ? [lockLedger(step)] : []),
  ];
  const after = [
    // Nothing that the file left on the path may stand in for what the ledger needs.
    "set local search_path to ''",
    closingGuard(identity),
    // A deferred constraint fails here, not at a COMMIT whose failure would name no statement.
    "set constraints all immediate",
    ...(work.record ? ledgerStatements(step, identity) : []),
    "commit",
  ];
  const preamble = joinStatements(before);
  return {
    text: preamble + joinStatements([work.sql, ...after]),
    shape: {
      preamble: before.length,
      preambleLength: [...preamble].length,
      limitMs: work.statementTimeoutMs,
    },
  };
}

/** What all statements of a file may take together; a single one may have longer by itself. */
const LONGEST_FILE_MS = 3_600_000;

/** Each statement has its time-out, the file as many as it has statements, up to an hour. */
function boundsOf({ step, statementTimeoutMs }: GuardedWork, { silenceGraceMs }: RunLimits) {
  const silenceMs = statementTimeoutMs + silenceGraceMs;
  const all = Math.min(statementTimeoutMs * step.statements.length, LONGEST_FILE_MS);
  return { silenceMs, totalMs: silenceMs + all };
}

/**
 * Runs guarded work in one transaction and one round trip; again, after a jittered pause, while
 * other sessions hold its locks.
 *
 * @throws SqlStepError, LockTimeoutError, CancelledError and the guards' own errors: the database
 * is as before. ConnectionLostError: the outcome is unknown.
 */
export async function runGuarded(
  held: HeldConnection,
  connection: RunConnection,
  work: GuardedWork,
): Promise<"committed" | "already_applied"> {
  const spotter = spotBlockers(connection.context, held.pid);
  try {
    const ended = await tryGuarded(held, connection, work, spotter);
    connection.context.attempts.settle(ended === "already_applied");
    return ended;
  } finally {
    // Nobody waits for its farewell.
    void spotter.close();
  }
}

async function tryGuarded(
  held: HeldConnection,
  connection: RunConnection,
  work: GuardedWork,
  spotter: ReturnType<typeof spotBlockers>,
): Promise<"committed" | "already_applied"> {
  const { context } = connection;
  const { text, shape } = buildScript(work, connection);
  const deadline = Date.now() + context.limits.lockPatienceMs;
  for (let wait = 100, tries = 1; ; wait = Math.min(wait * 1.6, 2_000), tries += 1) {
    connection.checkGoing();
    const lastTry = Date.now() + wait >= deadline;
    // Hardly ever two connections beside the run's own: the last try has a watcher for itself.
    if (lastTry) await spotter.close();
    else if (tries > 1) spotter.look();
    const watcher = lastTry ? watchBlockers(context, held.pid) : null;
    await watcher?.ready;
    const begun = performance.now();
    try {
      await sendScript(held.client, text, boundsOf(work, context.limits));
      return "committed";
    } catch (error) {
      if (!(error instanceof ScriptFailure)) throw error;
      const ms = performance.now() - begun;
      const obstacle = spotter.seen();
      await rollback(held.client);
      if (error.sqlstate === GUARD.alreadyApplied) return "already_applied";
      if (error.sqlstate === "57014" && connection.cancelled) throw new CancelledError();
      const failure = stepFailure(error, work.step, context.identity, shape);
      if (!isContention(error.sqlstate)) throw failure;
      if (lastTry && error.sqlstate === "40P01") throw failure;
      if (lastTry) {
        const inFlight = await describeHolder(held.client, STEP_LOCK);
        const blockers = inFlight === null ? await watcher?.stop() : [inFlight];
        const place = failure instanceof SqlStepError ? `:${failure.line}` : ", its guard";
        throw new LockTimeoutError(work.step.file + place, blockers ?? []);
      }
      const place = failure instanceof SqlStepError ? `line ${failure.line}` : "its guard";
      context.attempts.note(gaveWay(error.sqlstate, place, ms, obstacle));
    } finally {
      await watcher?.stop();
    }
    await pause(jittered(wait), context.signal);
  }
}

/** Lock time-out, deadlock, or the last step of a session that is ending. */
function isContention(sqlstate: string): boolean {
  return sqlstate === "55P03" || sqlstate === "40P01" || sqlstate === GUARD.stepInFlight;
}

/** Applies a file and records it, in one transaction. A lost connection is resolved here. */
export async function applyInTransaction(
  connection: RunConnection,
  step: SqlStep,
  statementTimeoutMs: number,
): Promise<StepOutcome> {
  let unsure = false;
  let notices: string[] = [];
  const ended = await connection.use(
    step.file,
    (held) => {
      notices = [];
      return withNotices(held.client, notices, () =>
        runGuarded(held, connection, { step, sql: step.sql, record: true, statementTimeoutMs }),
      );
    },
    { onLoss: () => (unsure = true) },
  );
  // Found in the ledger after a loss: it was our own COMMIT, whose answer never came.
  const ours = ended === "committed" || unsure;
  return {
    outcome: ours ? "applied" : "already_applied",
    statements: step.statements.length,
    notices,
  };
}
