import { and, eq, sql } from "drizzle-orm";
import { callDue, type DueAnswer } from "#app/integrations/postgres/due.ts";
import { leaveSession } from "#app/integrations/postgres/run-context.ts";
import { BerthError } from "#app/platform/errors.ts";
import type { Logger } from "#app/platform/log.ts";
import { customerBackends } from "#db/backends.ts";
import { asActor } from "#db/index.ts";
import { type Backend, backendSecret } from "../backends/index.server.ts";
import type { Catalog } from "../catalog/index.server.ts";
import type { CredentialsDeps } from "./credentials.ts";
import { connectorTo } from "./customer-database.ts";

export interface DueDeps extends CredentialsDeps {
  log: Logger;
}

/** A worker that is lost at it lets the backend be taken again after this, in seconds. */
const LEASE_SECONDS = 300;
/** What is due is looked for so often at least, and no more often than that. */
const LONGEST = sql`interval '1 hour'`;
const SHORTEST = sql`interval '1 minute'`;
/** The first wait after a failure; each further one doubles it, up to a day. */
const FIRST_WAIT_SECONDS = 60;
const LONGEST_WAIT_SECONDS = 86_400;

/** For each statement: the work of an hour, in portions that the function chooses itself. */
const STATEMENT_MS = 60_000;

/**
 * The functions by which the templates of a database do what is due, each by the version that stands
 * there (template → version); by the newest where this Berth does not know that one.
 */
export function duesOf(catalog: Catalog, installed: Readonly<Record<string, string>>) {
  return catalog.templates.flatMap((newest) => {
    const version = installed[newest.name];
    if (version === undefined) return [];
    const versions = [newest, ...catalog.history(newest.name).releases];
    const known = versions.find((one) => one.version === version);
    return [{ due: (known ?? newest).due, isKnown: known !== undefined }];
  });
}

/** What is held of a backend while its work is done: taken back by whoever comes after that time. */
type Taken = Pick<
  Backend,
  "id" | "requestId" | "generation" | "installed" | "dueAt" | "dueFailures"
>;

/**
 * Does what is due in one backend's database, if there is one that nobody is at. When it is due again
 * is the database's own word, within an hour. Where it cannot be done, it is tried again after a
 * minute, and then after twice as long each time, up to a day, or when another template's work is due;
 * the log has the first failure of each alone.
 * @returns whether there was one
 */
export async function doDueWork(deps: DueDeps, stop: AbortSignal): Promise<boolean> {
  const taken = await take(deps);
  if (!taken) return false;
  const log = deps.log.child({ backendId: taken.id, requestId: taken.requestId });
  const dues = duesOf(deps.catalog, taken.installed);
  const functions = dues.flatMap(({ due }) => due ?? []);
  let answer: DueAnswer;
  try {
    answer = functions.length === 0 ? NOTHING : await work(deps, taken, functions, stop);
  } catch (error) {
    if (stop.aborted) await settle(deps, taken, { dueAt: sql`berth_now()` });
    else await postpone(deps, taken, [error], log);
    return true;
  }
  if (answer.produced > 0) log.info({ produced: answer.produced }, "due work was done");
  if (answer.failures.length > 0) {
    const others = answer.found > answer.failures.length ? dueAfter(answer) : undefined;
    await postpone(deps, taken, answer.failures, log, others);
    return true;
  }
  if (taken.dueFailures > 0) log.info({ failures: taken.dueFailures }, "due work goes on again");
  await settle(deps, taken, {
    // A database without such a function waits for the run that brings one. Of a version that a newer
    // Berth has brought already, its workers know more.
    dueAt: answer.found > 0 || dues.some(({ isKnown }) => !isKnown) ? dueAfter(answer) : null,
    dueFailures: 0,
  });
  return true;
}

const NOTHING: DueAnswer = { found: 0, produced: 0, nextDueAt: null, failures: [] };

/** When it is due next by the database's word. */
function dueAfter({ nextDueAt }: DueAnswer) {
  // In seconds: a date of JavaScript writes years before 0 and after 9999 in its own way.
  const next = nextDueAt && nextDueAt.getTime() / 1_000;
  return sql`greatest(least(coalesce(to_timestamp(${next}::float8), 'infinity'), berth_now() + ${LONGEST}), berth_now() + ${SHORTEST})`;
}

/** Takes the backend that is due longest, until its lease ends. */
async function take({ db, actor }: DueDeps): Promise<Taken | null> {
  return asActor(db, actor, async (tx) => {
    const [due] = await tx
      .select({ id: customerBackends.id })
      .from(customerBackends)
      .where(and(eq(customerBackends.status, "ready"), sql`due_at <= berth_now()`))
      .orderBy(customerBackends.dueAt)
      .limit(1)
      .for("update", { skipLocked: true });
    if (!due) return null;
    const [taken] = await tx
      .update(customerBackends)
      .set({ dueAt: sql`berth_now() + make_interval(secs => ${LEASE_SECONDS})` })
      .where(eq(customerBackends.id, due.id))
      .returning();
    return taken ?? null;
  });
}

/** Calls the functions on a connection of its own, which ends when the worker stops. */
async function work(
  deps: DueDeps,
  taken: Taken,
  functions: readonly string[],
  stop: AbortSignal,
): Promise<DueAnswer> {
  const { db, actor, vault } = deps;
  const context = { db, actor, requestId: taken.requestId };
  return vault.use(context, backendSecret(taken), "due", async ({ databaseUrl = "" }) => {
    const connect = connectorTo(deps, databaseUrl, {
      statementTimeoutMs: STATEMENT_MS,
      signal: stop,
    });
    const client = await connect(`berth-due:${taken.id}`);
    const hangUp = () => client.connection.stream.destroy();
    stop.addEventListener("abort", hangUp, { once: true });
    if (stop.aborted) hangUp();
    try {
      return await callDue(client, functions);
    } finally {
      stop.removeEventListener("abort", hangUp);
      await leaveSession(client);
    }
  });
}

/** `others`: when those that did not fail are due next. */
async function postpone(
  deps: DueDeps,
  taken: Taken,
  errors: readonly unknown[],
  log: Logger,
  others = sql`'infinity'`,
): Promise<void> {
  const { dueFailures } = taken;
  const seconds = Math.min(
    FIRST_WAIT_SECONDS * 2 ** Math.min(dueFailures, 20),
    LONGEST_WAIT_SECONDS,
  );
  for (const error of dueFailures === 0 ? errors : []) {
    const code = error instanceof BerthError ? error.code : "unexpected";
    log.warn({ err: error, code, seconds }, "due work could not be done; it is tried again");
  }
  await settle(deps, taken, {
    dueAt: sql`least(berth_now() + make_interval(secs => ${seconds}), ${others})`,
    dueFailures: dueFailures + 1,
  });
}

/** Writes down when it is due next, unless a run or another worker has said so since. */
async function settle(
  { db, actor }: DueDeps,
  { id, dueAt }: Taken,
  next: { dueAt: ReturnType<typeof sql> | null; dueFailures?: number },
): Promise<void> {
  await asActor(db, actor, (tx) =>
    tx
      .update(customerBackends)
      .set(next)
      .where(
        and(
          eq(customerBackends.id, id),
          eq(customerBackends.status, "ready"),
          sql`due_at = ${dueAt?.toISOString() ?? null}::timestamptz`,
        ),
      ),
  );
}
