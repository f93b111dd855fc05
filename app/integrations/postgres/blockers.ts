import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Logger } from "#app/platform/log.ts";
import { redactText } from "#app/platform/redact.ts";
import { LOCK_CLASS, RUN_LOCK, type STEP_LOCK } from "./guard.ts";
import type { RunContext } from "./run-context.ts";

/** A session in somebody's way, as pg_stat_activity shows it. */
interface Session {
  pid: number;
  user: string | null;
  application: string | null;
  /** Whether `age` is that of its transaction, or that of the session itself. */
  inTransaction: boolean;
  age: string | null;
  query: string | null;
}

const COLUMNS = `a.pid, a.usename as user, a.application_name as application,
  a.xact_start is not null as "inTransaction",
  pg_catalog.date_trunc('second', pg_catalog.now() - coalesce(a.xact_start, a.backend_start))::text
    as age, pg_catalog.left(a.query, 1000) as query`;

const MAX_QUERY = 120;

function inWords({ pid, user, application, inTransaction, age, query }: Session): string {
  const who = `session ${pid} of ${user ?? "another role"}${application ? ` (${application})` : ""}`;
  const since = age && `, ${inTransaction ? "in a transaction" : "connected"} for ${age}`;
  const doing = query && `: ${withoutValues(query).slice(0, MAX_QUERY)}`;
  return redactText(`${who}${since ?? ""}${doing ?? ""}`);
}

/** Another session's query on one line; its strings may be values of rows. */
function withoutValues(query: string): string {
  return query
    .replace(/\$(\w*)\$.*?(?:\$\1\$|$)/gs, "'…'")
    .replace(/'(?:[^']|'')*(?:'|$)/g, "'…'")
    .replace(/\s+/g, " ")
    .trim();
}

/**
 * Watches, over a connection of its own, who blocks a session, from when it is `ready`. `stop()`
 * ends it and names each blocker: process id, user, application, age and the beginning of its
 * query. Never throws: it only adds words to a failure.
 */
export function watchBlockers(
  context: Pick<RunContext, "connect"> & { identity: { runId: string }; log?: Logger },
  pid: number,
): { ready: Promise<void>; stop: () => Promise<string[]> } {
  const seen = new Map<number, string>();
  let going = true;
  const ready = Promise.withResolvers<void>();
  const watching = watch()
    .catch((error: unknown) => {
      context.log?.debug({ err: error }, "blockers could not be read");
    })
    .finally(ready.resolve);

  async function watch(): Promise<void> {
    const client = await context.connect(`berth-watch:${context.identity.runId}`);
    client.on("error", () => undefined);
    ready.resolve();
    try {
      while (going) {
        const { rows } = await client.query<Session>(
          `select ${COLUMNS} from pg_catalog.pg_stat_activity a
           where a.pid = any (pg_catalog.pg_blocking_pids($1))`,
          [pid],
        );
        for (const row of rows) seen.set(row.pid, inWords(row));
        await sleep(50);
      }
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  return {
    ready: ready.promise,
    async stop() {
      going = false;
      await watching;
      return [...seen.values()];
    },
  };
}

/** How long before its time-out a statement that waits is asked for whom. */
const LATE_MS = 2_000;

/** As {@link watchBlockers}, from shortly before a statement's time-out on. */
export function watchBlockersLate(
  context: RunContext,
  pid: number,
  timeoutMs: number,
): { stop: () => Promise<string[]> } {
  let watcher: ReturnType<typeof watchBlockers> | undefined;
  const begin = () => {
    watcher = watchBlockers(context, pid);
  };
  const timer = setTimeout(begin, Math.max(0, timeoutMs - LATE_MS));
  return {
    async stop() {
      clearTimeout(timer);
      return (await watcher?.stop()) ?? [];
    },
  };
}

/**
 * Which other session holds the run lock, or that of a step in flight, in words; null when none
 * does (any more).
 */
export async function describeHolder(
  client: pg.Client,
  lock: typeof RUN_LOCK | typeof STEP_LOCK = RUN_LOCK,
): Promise<string | null> {
  const { rows } = await client.query<Session>(
    `select ${COLUMNS}
     from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.classid = ${LOCK_CLASS} and l.objid = ${lock}
       and l.objsubid = 2 and l.granted and l.pid <> pg_catalog.pg_backend_pid()
       and l.database = (select oid from pg_catalog.pg_database
                         where datname = pg_catalog.current_database())`,
  );
  return rows[0] ? inWords(rows[0]) : null;
}
