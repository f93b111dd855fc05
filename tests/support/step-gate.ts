/**
 * Stops a worker where it notes that a step begins, or that it is done: a trigger in Berth's own
 * database waits for an advisory lock, whose other holder is the test.
 */
import pg from "pg";
import { eventually, PATIENCE_MS } from "./berth.ts";

/** First half of the advisory locks' keys; the second is the hash of request, act and step. */
const LOCK_CLASS = 4_711;

/** The name by which the recording of a whole run's success is stopped. */
export const RUN_END = "the run itself";

export interface StepGate {
  /** Resolves when a worker stands before the gate. */
  reached(): Promise<void>;
  /** Opens it; whoever stands there goes on, if it still lives. */
  open(): Promise<void>;
}

/** Shuts gates of one request. */
export interface Gatekeeper {
  /** At `begin`, the step before is recorded; at `done`, the step itself is done and not recorded. */
  shut(step: string, at: "begin" | "done"): Promise<StepGate>;
  /** Opens all. */
  close(): Promise<void>;
}

/** Puts the gates into Berth's database; all are open. */
export async function installGates(db: pg.Pool): Promise<void> {
  await db.query(`
    create function fault_gate() returns trigger language plpgsql security definer
      set search_path = public as $$
    declare run uuid; gate text;
    begin
      if tg_table_name = 'provisioning_runs' then
        run := new.id; gate := 'done/${RUN_END}';
      else
        run := new.run_id;
        gate := case new.status when 'done' then 'done/' else 'begin/' end || new.name;
      end if;
      perform pg_advisory_xact_lock_shared(${LOCK_CLASS}, hashtext(
        (select request_id from provisioning_runs where id = run) || '/' || gate));
      return new;
    end $$;
    grant execute on function fault_gate to public;
    create trigger fault_gate before update on provisioning_steps for each row
      when (new.status = 'done' or new.status = 'running' and new.attempts <> old.attempts)
      execute function fault_gate();
    create trigger fault_gate before update on provisioning_runs
      for each row when (new.status = 'succeeded') execute function fault_gate()`);
}

/** A keeper with a session of its own in Berth's database. */
export async function openGatekeeper(databaseUrl: string, requestId: string): Promise<Gatekeeper> {
  const client = new pg.Client(databaseUrl);
  client.on("error", () => undefined);
  await client.connect();
  return {
    async shut(step, at) {
      const key = `${requestId}/${at}/${step}`;
      const lock = (call: string) =>
        client.query(`select ${call}(${LOCK_CLASS}, hashtext($1))`, [key]);
      await lock("pg_advisory_lock");
      let isShut = true;
      const waits = async () => {
        const { rowCount } = await client.query(
          `select from pg_locks where locktype = 'advisory' and classid = ${LOCK_CLASS}
           and objid = (hashtext($1)::bigint & 4294967295)::oid and not granted`,
          [key],
        );
        return rowCount === 1;
      };
      return {
        reached: async () => void (await eventually(`a worker at ${key}`, waits, PATIENCE_MS, 20)),
        async open() {
          if (isShut) await lock("pg_advisory_unlock");
          isShut = false;
        },
      };
    },
    close: () => client.end(),
  };
}
