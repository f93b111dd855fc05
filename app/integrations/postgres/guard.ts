import { literal } from "./script.ts";

/**
 * Key of the run lock, first of two 32-bit halves: "BRTH" in ASCII. Advisory locks belong to one
 * database, so the key needs no backend id: whatever rows Berth has, one database has one run.
 */
export const LOCK_CLASS = 0x42525448;
/** Second half: held by the session for the length of the run. */
export const RUN_LOCK = 1;
/**
 * Second half: held by the transaction of each step. A key of its own, because the same key would
 * hide that the session's lock was lost, and because it outlives a lost session lock until the
 * step in flight has ended.
 */
export const STEP_LOCK = 2;

/** SQLSTATEs of our own, raised by the guards; PostgreSQL's classes use none that begin with BR. */
export const GUARD = {
  alreadyApplied: "BR001",
  otherChecksum: "BR002",
  fenced: "BR003",
  lockLost: "BR004",
  escaped: "BR005",
  stepInFlight: "BR006",
  ledgerDisagrees: "BR007",
  notProven: "BR008",
} as const;

/** Who runs. Both values are checked to need no quoting. */
export interface RunIdentity {
  runId: string;
  token: bigint;
}

/** What identifies a step in the ledger. A seed has no version; there is one per template. */
export interface LedgerKey {
  kind: "migration" | "seed";
  key: string;
  checksum: string;
  templateVersion: string;
}

/** `berth:<run>:<token>`: at most 6 + 36 + 1 + 19 bytes, of the 63 that PostgreSQL keeps. */
export function applicationName({ runId, token }: RunIdentity): string {
  return `berth:${runId}:${token}`;
}

/** How the name of a rehearsal's session begins; no run takes it for an older run's. */
export const REHEARSAL = "berth-rehearsal:";

/**
 * @throws TypeError for a run id or token that cannot stand in an application_name, or would need
 * quoting in a guard.
 */
export function checkIdentity({ runId, token }: RunIdentity): void {
  if (!/^[0-9A-Za-z-]{1,36}$/.test(runId))
    throw new TypeError("A run id is up to 36 of 0-9A-Za-z-.");
  if (token < 1n || token > 9_223_372_036_854_775_807n) {
    throw new TypeError("A fencing token is a positive 64-bit integer.");
  }
}

/** Settings of a session that runs files under this name; each a statement of a script. */
export function sessionSettings(name: string, lockTimeoutMs: number): string[] {
  return [
    // A pooler may not have passed on the name given at start-up.
    `set application_name = ${literal(name)}`,
    // A backend whose worker was killed notices within a second, instead of at its next answer.
    "set client_connection_check_interval = '1s'",
    `set lock_timeout = ${lockTimeoutMs}`,
    "set statement_timeout = '60s'",
    "set idle_in_transaction_session_timeout = '30s'",
    "set standard_conforming_strings = on",
    "set client_encoding = 'UTF8'",
    "set client_min_messages = notice",
    "set default_transaction_isolation = 'read committed'",
    `set search_path = "$user", public, extensions`,
  ];
}

const DO_TAG = "$berth_guard$";
const block = (declare: string, body: string) =>
  `do ${DO_TAG} ${declare ? `declare ${declare} ` : ""}begin ${body} end ${DO_TAG}`;

/**
 * Take-over, in one block: stop if the fence shows a larger token; end the sessions of runs with
 * a smaller token, and this run's own lost ones; try the lock, never wait for it; once it is
 * ours, raise the fence to our token. Before the first prepare() there is no fence to compare:
 * the order of sessions is then told by the tokens in their names.
 *
 * The answer is the setting `berth.locked`.
 */
export function acquireBlock({ runId, token }: RunIdentity): string {
  return block(
    "f record; s record; other text[]; raised integer;",
    `
    perform pg_catalog.set_config('berth.locked', 'off', false);
    if pg_catalog.to_regclass('berth.fence') is not null then
      for f in execute 'select token, run_id from berth.fence' loop
        if f.token > ${token} or (f.token = ${token} and f.run_id <> '${runId}') then
          raise exception using errcode = '${GUARD.fenced}', message = 'fenced',
            detail = pg_catalog.format('token %s of run %s', f.token, f.run_id);
        end if;
      end loop;
    end if;
    for s in select pid, application_name from pg_catalog.pg_stat_get_activity(null)
      where application_name ~ '^berth:[^:]+:[0-9]{1,19}$' and pid <> pg_catalog.pg_backend_pid()
        and pg_catalog.pg_get_userbyid(usesysid) = current_user
        and datid = (select oid from pg_catalog.pg_database
                     where datname = pg_catalog.current_database())
    loop
      other := pg_catalog.string_to_array(s.application_name, ':');
      if other[3]::numeric < ${token} or (other[3]::numeric = ${token} and other[2] = '${runId}') then
        perform pg_catalog.pg_terminate_backend(s.pid);
      end if;
    end loop;
    if not pg_catalog.pg_try_advisory_lock(${LOCK_CLASS}, ${RUN_LOCK}) then return; end if;
    if pg_catalog.to_regclass('berth.fence') is not null then
      execute '${fenceUpsert({ runId, token }).replaceAll("'", "''")}';
      get diagnostics raised = row_count;
      if raised <> 1 then
        raise exception using errcode = '${GUARD.fenced}', message = 'fenced';
      end if;
    end if;
    perform pg_catalog.set_config('berth.locked', 'on', false);`,
  );
}

/** Raises the fence to our token; touches no row when a larger one stands there. */
export function fenceUpsert({ runId, token }: RunIdentity): string {
  return (
    `insert into berth.fence as f (id, token, run_id) values (true, ${token}, '${runId}') ` +
    "on conflict (id) do update set token = excluded.token, run_id = excluded.run_id, " +
    "taken_at = pg_catalog.now() " +
    "where f.token < excluded.token or (f.token = excluded.token and f.run_id = excluded.run_id)"
  );
}

const requireRunLock = (errcode: string, message: string) =>
  `if not exists (
      select from pg_catalog.pg_lock_status()
      where locktype = 'advisory' and classid = ${LOCK_CLASS} and objid = ${RUN_LOCK} and objsubid = 2
        and pid = pg_catalog.pg_backend_pid() and granted
    ) then
      raise exception using errcode = '${errcode}', message = '${message}';
    end if;`;

/**
 * Opens each step's transaction: the run lock is still ours, nobody else's step is in flight, the
 * fence shows our token (its row stays locked until the commit), and the ledger has no entry.
 * Remembers transaction id and role for the closing guard.
 *
 * Each expression of a block is planned anew every time, so the way of a step that may run has
 * as few as can be. The step's lock is taken in a query before the one that reads: what the step
 * before it committed would be missing in a snapshot taken earlier.
 */
export function openingGuard(identity: RunIdentity, step: LedgerKey): string {
  const key = literal(step.key);
  const foreign =
    step.kind === "migration"
      ? `exists (select from supabase_migrations.schema_migrations where version = ${key})`
      : "l.version is not null";
  // A released seed may change with its template's version: it is idempotent and runs again.
  const replaceable =
    step.kind === "seed" ? `g.template_version <> ${literal(step.templateVersion)}` : "false";
  return block(
    "g record;",
    `
    ${requireRunLock(GUARD.lockLost, "the run lock is not ours")}
    if not pg_catalog.pg_try_advisory_xact_lock(${LOCK_CLASS}, ${STEP_LOCK}) then
      raise exception using errcode = '${GUARD.stepInFlight}', message = 'another step is in flight';
    end if;
    select f.token, f.run_id, l.version, l.checksum, l.template_version, ${foreign} as listed,
        pg_catalog.set_config('berth.xid', pg_catalog.pg_current_xact_id()::text, true),
        pg_catalog.set_config('berth.role', current_user, true)
      into g from berth.fence f left join berth.ledger l on l.version = ${key}
      where f.id for update of f;
    if not found or g.token <> ${identity.token} or g.run_id <> '${identity.runId}' then
      raise exception using errcode = '${GUARD.fenced}', message = 'fenced',
        detail = pg_catalog.format('token %s of run %s', g.token, g.run_id);
    end if;
    if g.version is not null or g.listed then
      if g.version is null then
        raise exception using errcode = '${GUARD.ledgerDisagrees}', message = 'ledger',
          detail = 'only supabase_migrations.schema_migrations lists it';
      elsif not g.listed then
        raise exception using errcode = '${GUARD.ledgerDisagrees}', message = 'ledger',
          detail = 'only berth.ledger lists it';
      elsif g.checksum = ${literal(step.checksum)} then
        raise exception using errcode = '${GUARD.alreadyApplied}', message = 'already applied';
      elsif not (${replaceable}) then
        raise exception using errcode = '${GUARD.otherChecksum}', message = 'other checksum',
          detail = g.checksum;
      end if;
    end if;`,
  );
}

/**
 * Before the ledger is written: same transaction, same role, and in a run the same lock and fence. A
 * name put together at run time could have let the lock go; the fence's row is locked for others,
 * not for the file itself.
 */
export function closingGuard(run?: RunIdentity): string {
  const held = run
    ? `
    ${requireRunLock(GUARD.escaped, "the run lock was let go")}
    if not exists (
      select from berth.fence where id and token = ${run.token} and run_id = '${run.runId}'
    ) then
      raise exception using errcode = '${GUARD.escaped}', message = 'the fence changed';
    end if;`
    : "";
  return block(
    "",
    `
    if pg_catalog.current_setting('berth.xid', true)
        is distinct from pg_catalog.pg_current_xact_id()::text
        or pg_catalog.current_setting('berth.role', true) is distinct from current_user::text
        or current_user <> session_user then
      raise exception using errcode = '${GUARD.escaped}', message =
        case when pg_catalog.current_setting('berth.xid', true)
          = pg_catalog.pg_current_xact_id()::text
        then 'the role changed' else 'the transaction id changed' end;
    end if;${held}`,
  );
}
