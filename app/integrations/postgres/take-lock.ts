import pg from "pg";
import { BerthError } from "#app/platform/errors.ts";
import { describeHolder, watchBlockers } from "./blockers.ts";
import {
  acquireBlock,
  applicationName,
  GUARD,
  LOCK_CLASS,
  REHEARSAL,
  RUN_LOCK,
  sessionSettings,
} from "./guard.ts";
import { gaveWay } from "./run-attempts.ts";
import {
  endSession,
  type HeldConnection,
  jittered,
  pause,
  type RunContext,
} from "./run-context.ts";
import {
  ConnectionLostError,
  FencedError,
  LockedError,
  LockTimeoutError,
  RunStoppedError,
  StandbyError,
} from "./run-errors.ts";
import { ScriptFailure, sendScript } from "./script.ts";
import { bindSettings } from "./session-values.ts";

interface Look {
  pid: number;
  locked: string;
  standby: boolean;
}

const LOOK = `select pg_catalog.pg_backend_pid() as pid,
  pg_catalog.current_setting('berth.locked') as locked,
  pg_catalog.pg_is_in_recovery() as standby`;

const SILENCE = { silenceMs: 75_000 };

/** A rehearsal ends by itself within a minute: a run waits so much longer for it. */
const REHEARSAL_MS = 60_000;

/**
 * Connects, takes over from older sessions, polls for the run lock and raises the fence: one
 * round trip after the connection is up, if nobody is in the way, and one more where there are
 * settings that files read.
 *
 * @throws FencedError, LockedError, LockTimeoutError, ConnectionLostError (also where a standby
 * answers), or the typed error of `connect`.
 */
export async function acquire(context: RunContext): Promise<HeldConnection> {
  const client = await open(context);
  try {
    const held = await takeLock(client, context);
    await bindSettings(client, context.settings);
    return held;
  } catch (error) {
    await endSession(client);
    throw error;
  }
}

async function open({ connect, identity }: RunContext): Promise<pg.Client> {
  let client: pg.Client;
  try {
    client = await connect(applicationName(identity));
  } catch (error) {
    if (error instanceof BerthError && !error.retryable) throw error;
    // A refused log-in or an unknown database will not mend itself; all else may be a restart.
    if (error instanceof pg.DatabaseError && /^(28|3D)/.test(error.code ?? "")) throw error;
    throw new ConnectionLostError(error);
  }
  // Without a listener a session that the server ends while idle would end this process.
  client.on("error", () => undefined);
  return client;
}

async function takeLock(client: pg.Client, context: RunContext): Promise<HeldConnection> {
  const { identity, limits, signal } = context;
  let deadline = Date.now() + limits.runLockPatienceMs;
  const latest = deadline + REHEARSAL_MS;
  // With its settings every time: they are undone where the script fails.
  const settings = sessionSettings(applicationName(identity), limits.lockTimeoutMs);
  const script = [...settings, acquireBlock(identity), LOOK];
  for (let wait = 20; ; wait = Math.min(wait * 1.5, 250)) {
    const begun = performance.now();
    const look = await tryLock(client, script, context);
    if (look === null) {
      context.attempts.note(gaveWay("55P03", "its take-over", performance.now() - begun));
    }
    if (look?.standby) throw new ConnectionLostError(new StandbyError());
    if (look?.locked === "on") return { client, pid: look.pid };
    if (Date.now() > deadline) {
      const waitsOn = Date.now() < latest && (await isRehearsed(client));
      if (!waitsOn) throw await giveUp(client, script, context);
      deadline = Date.now() + 1_000;
    }
    await pause(jittered(wait), signal);
    if (signal.aborted) throw new RunStoppedError(signal.reason);
  }
}

/** One attempt; null while another session holds the row of the fence. */
async function tryLock(
  client: pg.Client,
  script: string[],
  { identity }: RunContext,
): Promise<Look | null> {
  try {
    const results = await sendScript(client, script, SILENCE);
    return results.at(-1)?.rows[0] as Look;
  } catch (error) {
    if (!(error instanceof ScriptFailure)) throw error;
    if (error.sqlstate === GUARD.fenced) {
      throw new FencedError(identity.token, error.server.detail ?? "a larger token");
    }
    if (error.sqlstate === "25006" && !(await isClosedToWrites(client))) {
      throw new ConnectionLostError(new StandbyError());
    }
    // The old session's last step still holds the fence's row, or somebody else does.
    if (error.sqlstate !== "55P03") throw error;
    return null;
  }
}

/** Whether this database takes no writes by its settings; else it was a standby just now. */
async function isClosedToWrites(client: pg.Client): Promise<boolean> {
  const look = `select 1 where not pg_catalog.pg_is_in_recovery()
    and pg_catalog.current_setting('default_transaction_read_only') = 'on'`;
  const [answer] = await sendScript(client, look, SILENCE);
  return answer?.rowCount === 1;
}

/** Whether it is a rehearsal that holds the run lock. */
async function isRehearsed(client: pg.Client): Promise<boolean> {
  const [answer] = await sendScript(
    client,
    `select exists (select from pg_catalog.pg_locks l
       join pg_catalog.pg_stat_activity a on a.pid = l.pid and a.datname = pg_catalog.current_database()
       where l.locktype = 'advisory' and l.classid = ${LOCK_CLASS} and l.objid = ${RUN_LOCK}
         and l.objsubid = 2 and l.granted
         and pg_catalog.starts_with(a.application_name, '${REHEARSAL}')) as is`,
    SILENCE,
  );
  return answer?.rows[0]?.is === true;
}

/** Who is in the way: the holder of the run lock, or of the fence's row. */
async function giveUp(client: pg.Client, script: string[], context: RunContext): Promise<Error> {
  const holder = await describeHolder(client);
  if (holder !== null) return new LockedError(holder);
  const [own] = await sendScript(client, "select pg_catalog.pg_backend_pid() as pid", SILENCE);
  const watcher = watchBlockers(context, own?.rows[0]?.pid ?? 0);
  await watcher.ready;
  await tryLock(client, script, context).finally(() => watcher.stop());
  const blockers = await watcher.stop();
  return blockers.length === 0
    ? new LockedError(null)
    : new LockTimeoutError("The fence of this database", blockers);
}
