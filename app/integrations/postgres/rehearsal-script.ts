import type { ScriptShape } from "./failures.ts";
import { closingGuard, LOCK_CLASS, RUN_LOCK, sessionSettings } from "./guard.ts";
import type { SqlStep } from "./ledger.ts";
import { joinStatements } from "./script.ts";

/** First script of a rehearsal's session: its settings, and a try at the run lock. */
export function openingScript(name: string, lockTimeoutMs: number): string[] {
  return [
    ...sessionSettings(name, lockTimeoutMs),
    `select pg_catalog.pg_backend_pid() as pid,
       pg_catalog.pg_try_advisory_lock(${LOCK_CLASS}, ${RUN_LOCK}) as locked`,
  ];
}

/**
 * What a sequence counts is not undone by a rollback, unless the sequence was made or changed in
 * the same transaction: a change to what it already is gives it a storage of its own until then.
 */
export const GUARD_SEQUENCES = `do $berth_sequences$ declare s record; begin
  for s in select q.seqincrement, pg_catalog.format('%I.%I', n.nspname, c.relname) as name
    from pg_catalog.pg_sequence q
    join pg_catalog.pg_class c on c.oid = q.seqrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where pg_catalog.pg_has_role(c.relowner, 'USAGE') and c.relpersistence <> 't'
  loop
    execute pg_catalog.format('alter sequence %s increment by %s', s.name, s.seqincrement);
  end loop;
end $berth_sequences$`;

/** Where the transaction stands before a file; the closing guard compares. */
const REMEMBER = `select
  pg_catalog.set_config('berth.xid', pg_catalog.pg_current_xact_id()::text, true),
  pg_catalog.set_config('berth.role', current_user, true)`;

/**
 * As SET CONSTRAINTS ALL IMMEDIATE, and then as at the beginning of a transaction again: the word
 * ALL would hold for the files after this one too, which in a run have transactions of their own.
 */
const CHECK_CONSTRAINTS = `do $berth_constraints$ declare checked text; postponed text; begin
  select pg_catalog.string_agg(d.name, ', '), pg_catalog.string_agg(d.name, ', ') filter (where d.later)
    into checked, postponed
    from (select pg_catalog.format('%I.%I', n.nspname, c.conname) as name,
            pg_catalog.bool_and(c.condeferred) as later
          from pg_catalog.pg_constraint c
          join pg_catalog.pg_namespace n on n.oid = c.connamespace
          where pg_catalog.has_schema_privilege(n.oid, 'USAGE')
          group by n.nspname, c.conname having pg_catalog.bool_or(c.condeferrable)) d;
  if checked is not null then execute 'set constraints ' || checked || ' immediate'; end if;
  if postponed is not null then execute 'set constraints ' || postponed || ' deferred'; end if;
end $berth_constraints$`;

/** Before each file: what an earlier one has SET LOCAL would have ended with its own transaction. */
export const OPEN_FILE = ["savepoint berth_file", "reset all"];

/**
 * One file within the rehearsal's transaction, behind a savepoint, under the settings that a step
 * of a run begins with.
 */
export function fileScript(
  step: SqlStep,
  options: {
    name: string;
    lockTimeoutMs: number;
    statementTimeoutMs: number;
    /** {@link OPEN_FILE} has been sent. */
    isOpened: boolean;
  },
): { text: string; shape: ScriptShape } {
  const before = [
    ...(options.isOpened ? [] : OPEN_FILE),
    ...sessionSettings(options.name, options.lockTimeoutMs),
    `set local statement_timeout = ${options.statementTimeoutMs}`,
    REMEMBER,
  ];
  const after = [
    "set local search_path to ''",
    closingGuard(),
    CHECK_CONSTRAINTS,
    "release savepoint berth_file",
  ];
  const preamble = joinStatements(before);
  return {
    text: preamble + joinStatements([step.sql, ...after]),
    shape: {
      preamble: before.length,
      preambleLength: [...preamble].length,
      limitMs: options.statementTimeoutMs,
    },
  };
}
