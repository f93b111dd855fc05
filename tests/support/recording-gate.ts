/**
 * Stops a worker at the instant when a step is done but not yet recorded: a trigger in Berth's own
 * database waits for an advisory lock, whose other holder is the test.
 */
import type pg from "pg";
import { eventually, PATIENCE_MS } from "./berth.ts";

/** First half of the advisory locks' keys; the second is the hash of request and step. */
const LOCK_CLASS = 4_711;

/** The name by which the recording of a whole run's success is stopped. */
export const RUN_END = "the run itself";

export interface RecordingGate {
  /** Resolves when a worker stands before the gate. */
  reached(): Promise<void>;
  /** Opens it; whoever stands there goes on, if it still lives. */
  open(): Promise<void>;
}

/** Puts the gates into Berth's database; all are open. */
export async function installGates(db: pg.Pool): Promise<void> {
  await db.query(`
    create function fault_gate() returns trigger language plpgsql security definer
      set search_path = public as $$
    declare run uuid; step text;
    begin
      if tg_table_name = 'provisioning_runs' then
        run := new.id; step := '${RUN_END}';
      else
        run := new.run_id; step := new.name;
      end if;
      perform pg_advisory_xact_lock_shared(${LOCK_CLASS}, hashtext(
        (select request_id from provisioning_runs where id = run) || '/' || step));
      return new;
    end $$;
    grant execute on function fault_gate to public;
    create trigger fault_gate before update on provisioning_steps
      for each row when (new.status = 'done') execute function fault_gate();
    create trigger fault_gate before update on provisioning_runs
      for each row when (new.status = 'succeeded') execute function fault_gate()`);
}

/** Shuts one gate: `key` is `<request id>/<step's name>`. Open it again in the end. */
export async function shutGate(db: pg.Pool, key: string): Promise<RecordingGate> {
  const holder = await db.connect();
  await holder.query(`select pg_advisory_lock(${LOCK_CLASS}, hashtext($1))`, [key]);
  let isShut = true;
  return {
    async reached() {
      await eventually(
        `a worker before the gate ${key}`,
        async () => {
          const { rowCount } = await holder.query(
            `select from pg_locks where locktype = 'advisory' and classid = ${LOCK_CLASS}
             and objid = (hashtext($1)::bigint & 4294967295)::oid and not granted`,
            [key],
          );
          return rowCount === 1;
        },
        PATIENCE_MS,
      );
    },
    async open() {
      if (!isShut) return;
      isShut = false;
      await holder.query(`select pg_advisory_unlock(${LOCK_CLASS}, hashtext($1))`, [key]);
      holder.release();
    },
  };
}
