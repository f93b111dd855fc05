import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { formatDuration } from "#app/platform/durations.ts";
import type { Logger } from "#app/platform/log.ts";
import { redactText } from "#app/platform/redact.ts";
import { cut } from "#app/platform/text.ts";
import { LOCK_CLASS, RUN_LOCK, type STEP_LOCK } from "./guard.ts";
import { endSession, type RunContext } from "./run-context.ts";
import { sendScript } from "./script.ts";
import { tokenize } from "./sql-tokens.ts";

/** What is in somebody's way: a session as pg_stat_activity shows it, or a prepared transaction. */
interface Session {
  /** 0 of a prepared transaction, which no session has any more. */
  pid: number;
  user: string | null;
  /** Of a prepared transaction, its identifier. */
  application: string | null;
  state: string | null;
  /** Whether `age` is that of its transaction, or that of the session itself. */
  inTransaction: boolean;
  /** Milliseconds. */
  age: number | null;
  query: string | null;
}

const ageSince = (since: string) =>
  `pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - ${since}) * 1000 as age`;

const COLUMNS = `a.pid, a.usename as user, a.application_name as application, a.state,
  a.xact_start is not null as "inTransaction",
  ${ageSince("coalesce(a.xact_start, a.backend_start)")}, pg_catalog.left(a.query, 1000) as query`;

/** Who blocks a session. Prepared transactions all count as process 0: their locks tell them apart. */
const blockersOf = (pid: number) => `
  with blocking as materialized (select pg_catalog.pg_blocking_pids(${pid}) as pids)
  select ${COLUMNS} from blocking join pg_catalog.pg_stat_activity a on a.pid = any (pids)
  union all
  select 0, p.owner, p.gid, null, true, ${ageSince("p.prepared")}, null
  from blocking join pg_catalog.pg_prepared_xacts p on 0 = any (pids)
  where exists (
    select from pg_catalog.pg_locks own
    join pg_catalog.pg_locks held
      on held.pid is null and held.virtualtransaction = own.virtualtransaction
    join pg_catalog.pg_locks wanted
      on (held.locktype, held.database, held.relation, held.transactionid)
        is not distinct from (wanted.locktype, wanted.database, wanted.relation, wanted.transactionid)
    where own.pid is null and own.transactionid = p.transaction
      and wanted.pid = ${pid} and not wanted.granted)`;

const MAX_QUERY = 120;
const MAX_NAME = 64;
const MAX_BLOCKERS = 20;

/** What a question about sessions may take; it waits for nobody. */
const LOOK = { silenceMs: 5_000, totalMs: 5_000 };

function inWords({ pid, user, application, state, inTransaction, age, query }: Session): string {
  const name = application && ` (${cut(application, MAX_NAME)})`;
  const what = pid === 0 ? "a prepared transaction" : `session ${pid}`;
  const who = `${what} of ${cut(user ?? "another role", MAX_NAME)}${name ?? ""}`;
  const being = inTransaction ? "in a transaction" : "connected";
  const doing =
    pid === 0 ? "open" : state?.startsWith("idle in tr") ? "idle in transaction" : being;
  const since = age === null ? "" : `, ${doing} for ${formatDuration(Math.trunc(age))}`;
  const text = query && withoutValues(query);
  return redactText(`${who}${since}${text ? `: ${cut(text, MAX_QUERY)}` : ""}`);
}

/**
 * Another session's query on one line, without comments and without what may be values of rows.
 * Empty where a backslash makes it depend on that session's settings where a string ends.
 */
function withoutValues(query: string): string {
  if (query.includes("\\")) return "";
  let text = "";
  let after = 0;
  for (const token of tokenize(cut(query, 1_000))) {
    if (text && token.at > after) text += " ";
    if (token.kind === "string") text += "'…'";
    else text += token.kind === "number" ? "…" : query.slice(token.at, token.end);
    after = token.end;
  }
  return text;
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
  const seen = new Map<string, string>();
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
        const [answer] = await sendScript(client, blockersOf(Math.trunc(pid)), LOOK);
        for (const row of (answer?.rows ?? []) as Session[]) note(row);
        await sleep(50);
      }
    } finally {
      await endSession(client);
    }
  }

  function note(row: Session): void {
    const key = row.pid === 0 ? `prepared ${row.application}` : String(row.pid);
    if (seen.size < MAX_BLOCKERS || seen.has(key)) seen.set(key, inWords(row));
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

interface Obstacle {
  /** As pg_locks names the kinds of what is locked. */
  locktype: string;
  relation: string | null;
  /** 0 of a prepared transaction. */
  pid: number;
  user: string | null;
}

/** For what lock a session waits, and the first of those that are in its way. */
const obstacleOf = (pid: number) => `
  select w.locktype,
    pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) as relation,
    b.pid, a.usename as user
  from pg_catalog.pg_locks w
  left join pg_catalog.pg_class c on c.oid = w.relation
  left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  cross join lateral pg_catalog.unnest(pg_catalog.pg_blocking_pids(w.pid)) as b (pid)
  left join pg_catalog.pg_stat_activity a on a.pid = b.pid
  where w.pid = ${pid} and not w.granted
  order by b.pid limit 1`;

/** What is waited for, where it is no relation. Of a row, its writer's transaction is. */
const LOCKED: Readonly<Record<string, string>> = {
  transactionid: "a row",
  tuple: "a row",
  virtualxid: "a transaction's end",
  object: "a lock on what is no table",
  advisory: "an advisory lock",
};

function obstacleInWords(row: Obstacle): string {
  const relation = row.relation && cut(row.relation, 2 * MAX_NAME);
  const lock = LOCKED[row.locktype] ?? (relation ? `a lock on ${relation}` : "another lock");
  const who = row.pid === 0 ? "a prepared transaction" : `session ${row.pid}`;
  const whose = row.pid === 0 ? "" : ` of ${cut(row.user ?? "another role", MAX_NAME)}`;
  return redactText(`${lock}; ${who}${whose} was in the way`);
}

/**
 * Looks, while one attempt after another is made, what is in a session's way. Nobody waits for it
 * but for its farewell: its one connection is opened by the first `look()`, in the background, and
 * kept for the next; within an attempt it asks until it has one answer. Never throws.
 */
export function spotBlockers(
  context: Pick<RunContext, "connect" | "identity" | "log">,
  pid: number,
) {
  let connection: Promise<pg.Client> | null = null;
  let isOpen = false;
  let attempt = 0;
  let obstacle: string | null = null;

  async function open(): Promise<pg.Client> {
    isOpen = false;
    const client = await context.connect(`berth-watch:${context.identity.runId}`);
    client.on("error", () => undefined);
    isOpen = true;
    return client;
  }

  async function watch(own: number): Promise<void> {
    connection ??= open();
    const opening = connection;
    try {
      const client = await opening;
      while (own === attempt && obstacle === null) {
        const [answer] = await sendScript(client, obstacleOf(Math.trunc(pid)), LOOK);
        const row = answer?.rows[0];
        if (row && own === attempt) obstacle = obstacleInWords(row);
        else await sleep(50);
      }
    } catch (error) {
      context.log.debug({ err: error }, "an obstacle could not be read");
      if (connection === opening) connection = null;
      await opening.then(endSession, () => undefined);
    }
  }

  return {
    /** An attempt begins. */
    look(): void {
      attempt += 1;
      obstacle = null;
      void watch(attempt);
    },
    /** The attempt has ended: what was in its way, if that was seen. */
    seen(): string | null {
      attempt += 1;
      return obstacle;
    },
    /** A connection that is still being opened ends as soon as it is open, which nobody awaits. */
    async close(): Promise<void> {
      attempt += 1;
      obstacle = null;
      const farewell = connection?.then(endSession, () => undefined);
      connection = null;
      if (isOpen) await farewell;
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
  const [answer] = await sendScript(
    client,
    `select ${COLUMNS}
     from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.classid = ${LOCK_CLASS} and l.objid = ${lock}
       and l.objsubid = 2 and l.granted and l.pid <> pg_catalog.pg_backend_pid()
       and l.database = (select oid from pg_catalog.pg_database
                         where datname = pg_catalog.current_database())`,
    LOOK,
  );
  const holder: Session | undefined = answer?.rows[0];
  return holder ? inWords(holder) : null;
}
