import pg from "pg";
import { watchBlockersLate } from "./blockers.ts";
import { locate } from "./failures.ts";
import { GUARD } from "./guard.ts";
import { ledgerKey, type SqlStep } from "./ledger.ts";
import { describeNonTransactional, type NonTransactional } from "./parse.ts";
import { gaveWay } from "./run-attempts.ts";
import type { RunConnection } from "./run-connection.ts";
import { type HeldConnection, jittered, pause } from "./run-context.ts";
import { CancelledError, SqlStepError } from "./run-errors.ts";
import { literal, ScriptFailure, sendScript } from "./script.ts";
import { runGuarded, type StepOutcome, withNotices } from "./step-transaction.ts";

const MAX_REBUILDS = 5;
/** How long each statement that tidies up after a failure may wait for others. */
const TIDY_MS = 30_000;

interface IndexState {
  /** The index of that name on that table, as it stands now. */
  oid: number | null;
  valid: boolean;
  schema: string | null;
  /** The valid index of that name which stood there before the first attempt. */
  existing: number | null;
  /** Whether the attempt that left this was of the same file; a failed file may be corrected. */
  sameFile: boolean;
}

const quoted = (schema: string | null, name: string) =>
  (schema === null ? "" : `${pg.escapeIdentifier(schema)}.`) + pg.escapeIdentifier(name);

/** The index that a target is about, as a subquery of `oid`. */
function indexOid(target: NonTransactional): string {
  if (target.kind === "create_index") {
    const table = literal(quoted(target.schema, target.table));
    return `(select c.oid from pg_catalog.pg_class t
      join pg_catalog.pg_class c on c.relnamespace = t.relnamespace
        and c.relname = ${literal(target.index)} and c.relkind in ('i', 'I')
      where t.oid = pg_catalog.to_regclass(${table}))`;
  }
  if (target.kind === "drop_index") {
    return `pg_catalog.to_regclass(${literal(quoted(target.schema, target.index))})::pg_catalog.oid`;
  }
  return "null::pg_catalog.oid";
}

/**
 * Applies a file that cannot run in a transaction. Three parts, each safe to repeat: a guarded
 * transaction notes the attempt in `berth.unfinished`; the statement runs alone under the run
 * lock; a guarded transaction proves the effect and writes the ledger. After a kill at any
 * instant the note tells our own leftovers (to be dropped and rebuilt, or accepted when valid)
 * from an index that was there before.
 */
export async function applyAlone(
  connection: RunConnection,
  step: SqlStep,
  statementTimeoutMs: number,
): Promise<StepOutcome> {
  const target = await describeNonTransactional(step.sql, step.file);
  if (!target)
    throw new TypeError(`${step.file} does not hold one statement without a transaction.`);
  let unsure = false;
  let notices: string[] = [];
  const alone = { connection, step, target, statementTimeoutMs };
  const ended = await connection.use(
    step.file,
    (held) => {
      notices = [];
      return withNotices(held.client, notices, () => runParts({ ...alone, held }));
    },
    { onLoss: () => (unsure = true) },
  );
  const ours = ended === "committed" || unsure;
  return { outcome: ours ? "applied" : "already_applied", statements: 1, notices };
}

interface Alone {
  held: HeldConnection;
  connection: RunConnection;
  step: SqlStep;
  target: NonTransactional;
  statementTimeoutMs: number;
}

async function runParts(alone: Alone): Promise<"committed" | "already_applied"> {
  for (let rebuilds = 0; ; rebuilds += 1) {
    if ((await noteAttempt(alone)) === "already_applied") return "already_applied";
    await bringAbout(alone);
    try {
      return await proveAndRecord(alone);
    } catch (error) {
      // Between building and proving, the index was dropped or broken by somebody else.
      const unproven = error instanceof SqlStepError && error.sqlstate === GUARD.notProven;
      if (!unproven || rebuilds >= MAX_REBUILDS) throw error;
      alone.connection.context.attempts.note("built it, and then found no valid index");
    }
  }
}

function noteAttempt({ held, connection, step, target }: Alone) {
  const { runId } = connection.context.identity;
  const { key, checksum } = ledgerKey(step);
  const values = [key, checksum, runId].map(literal).join(", ");
  const sql = `insert into berth.unfinished (version, checksum, run_id, existing)
    select ${values}, (select indexrelid from pg_catalog.pg_index
      where indexrelid = ${indexOid(target)} and (indisvalid or ${target.kind === "drop_index"}))
    on conflict (version) do nothing`;
  return runGuarded(held, connection, { step, sql, record: false, statementTimeoutMs: 60_000 });
}

function proveAndRecord({ held, connection, step, target }: Alone) {
  const key = literal(ledgerKey(step).key);
  const proof =
    target.kind === "create_index"
      ? `exists (select from pg_catalog.pg_index where indexrelid = ${indexOid(target)} and indisvalid)`
      : target.kind === "drop_index"
        ? `${indexOid(target)} is null`
        : "true";
  const sql = `do $berth_proof$ begin
      if not (${proof}) then
        raise exception using errcode = '${GUARD.notProven}', message = 'the statement took no effect';
      end if;
      delete from berth.unfinished where version = ${key};
    end $berth_proof$`;
  return runGuarded(held, connection, { step, sql, record: true, statementTimeoutMs: 60_000 });
}

async function readState({ held, step, target }: Alone): Promise<IndexState> {
  const [result] = await sendScript(
    held.client,
    `select x.indexrelid as oid, coalesce(x.indisvalid, false) as valid,
       c.relnamespace::pg_catalog.regnamespace::text as schema, u.existing,
       u.checksum = ${literal(step.checksum)} as "sameFile"
     from berth.unfinished u
     left join pg_catalog.pg_index x on x.indexrelid = ${indexOid(target)}
     left join pg_catalog.pg_class c on c.oid = x.indexrelid
     where u.version = ${literal(ledgerKey(step).key)}`,
    { silenceMs: 75_000 },
  );
  return (
    (result?.rows[0] as IndexState | undefined) ?? {
      oid: null,
      valid: false,
      schema: null,
      existing: null,
      sameFile: true,
    }
  );
}

/** Makes the statement's effect true, whatever an earlier attempt left behind. */
async function bringAbout(alone: Alone): Promise<void> {
  const { target } = alone;
  const state = await readState(alone);
  if (target.kind === "create_index") {
    const present = state.oid !== null;
    const ours = present && state.oid !== state.existing;
    if (present && state.valid && (ours ? state.sameFile : target.lenient)) return;
    if (present && (!state.valid || ours)) {
      await dropIndex(alone, quoted(null, target.index), state.schema);
    }
    if (!state.sameFile) await adoptFile(alone);
  } else if (target.kind === "drop_index") {
    if (state.oid === null && state.existing !== null) return;
  } else if (target.kind === "reindex") {
    await dropReindexLeftovers(alone);
  }
  try {
    await runAlone(alone, alone.step.sql);
  } catch (error) {
    if (error instanceof SqlStepError || error instanceof CancelledError) {
      // The note of the attempt stays when this fails, and the next attempt tidies up.
      const limited = Math.min(alone.statementTimeoutMs, TIDY_MS);
      await tidy({ ...alone, statementTimeoutMs: limited }).catch((left: unknown) => {
        alone.connection.context.log.warn({ err: left, file: alone.step.file }, "not tidied up");
      });
    }
    throw error;
  }
}

/** From here on, what the attempt leaves is this file's. */
async function adoptFile({ held, step }: Alone): Promise<void> {
  await sendScript(
    held.client,
    `update berth.unfinished set checksum = ${literal(step.checksum)}
     where version = ${literal(ledgerKey(step).key)}`,
    { silenceMs: 75_000 },
  );
}

/** After a failure that the server told us about: as before the step. */
async function tidy(alone: Alone): Promise<void> {
  const { target, held, step } = alone;
  if (target.kind === "create_index") {
    const state = await readState(alone);
    if (state.oid !== null && !state.valid) {
      await dropIndex(alone, quoted(null, target.index), state.schema);
    }
  }
  if (target.kind === "reindex") await dropReindexLeftovers(alone);
  await sendScript(
    held.client,
    `delete from berth.unfinished where version = ${literal(ledgerKey(step).key)}`,
    { silenceMs: 75_000 },
  );
}

/** `schema` comes quoted from the server where it needs to be. */
async function dropIndex(alone: Alone, name: string, schema: string | null): Promise<void> {
  const qualified = schema === null ? name : `${schema}.${name}`;
  await runAlone(alone, `drop index concurrently if exists ${qualified}`, { tidying: true });
}

/** A killed REINDEX CONCURRENTLY leaves invalid indexes named after the old one. */
async function dropReindexLeftovers(alone: Alone): Promise<void> {
  const { held, target } = alone;
  if (target.kind !== "reindex") return;
  const relation = literal(quoted(target.schema, target.relation));
  const [leftovers] = await sendScript(
    held.client,
    `select pg_catalog.quote_ident(c.relname) as name,
       c.relnamespace::pg_catalog.regnamespace::text as schema
     from pg_catalog.pg_index x join pg_catalog.pg_class c on c.oid = x.indexrelid
     where not x.indisvalid and c.relname ~ '_cc(new|old)[0-9]*$' and x.indrelid = coalesce(
       (select indrelid from pg_catalog.pg_index where indexrelid = pg_catalog.to_regclass(${relation})),
       pg_catalog.to_regclass(${relation}))`,
    { silenceMs: 75_000 },
  );
  for (const row of (leftovers?.rows ?? []) as { name: string; schema: string }[]) {
    await dropIndex(alone, row.name, row.schema);
  }
}

/**
 * Sends one statement as a query of its own, which is what CONCURRENTLY asks for. It waits for
 * other transactions without blocking their reads and writes, so it gets no lock time-out but
 * the statement's own.
 */
async function runAlone(alone: Alone, sql: string, { tidying = false } = {}): Promise<void> {
  const { held, connection, step, statementTimeoutMs } = alone;
  const { limits, signal } = connection.context;
  const options = { silenceMs: statementTimeoutMs + limits.silenceGraceMs };
  for (let wait = 200; ; wait = Math.min(wait * 2, 5_000)) {
    if (!tidying) connection.checkGoing();
    await sendScript(
      held.client,
      ["set lock_timeout = 0", `set statement_timeout = ${statementTimeoutMs}`],
      options,
    );
    const begun = performance.now();
    const watch = watchBlockersLate(connection.context, held.pid, statementTimeoutMs);
    try {
      await sendScript(held.client, sql, options);
      return;
    } catch (error) {
      if (!(error instanceof ScriptFailure)) throw error;
      if (error.sqlstate === "57014" && connection.cancelled) throw new CancelledError();
      if (error.sqlstate !== "40P01" || wait >= 5_000) {
        const shape = { preamble: 0, preambleLength: 0, limitMs: statementTimeoutMs };
        throw locate(error, step, shape, error.sqlstate === "57014" ? await watch.stop() : []);
      }
      const ms = performance.now() - begun;
      connection.context.attempts.note(gaveWay(error.sqlstate, "its statement", ms));
    } finally {
      await watch.stop();
      await sendScript(
        held.client,
        [`set lock_timeout = ${limits.lockTimeoutMs}`, "set statement_timeout = '60s'"],
        options,
      ).catch(() => undefined);
    }
    await pause(jittered(wait), signal);
  }
}
