/**
 * A log of what takes effect in a customer's database: an event trigger notes each command that
 * makes or changes an object, in the command's own transaction. What is rolled back is not in it,
 * and what is done twice is in it twice, even where the catalog would look the same.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import pg from "pg";

/** In a schema of the platform's, so that the database still counts as fresh. */
const LOG = "extensions.fault_effects";

/**
 * Does something in a customer's database as the platform's superuser, past the log: event triggers
 * do not fire for it. `sandboxDir`: where the sandbox keeps its projects.
 */
export async function asPlatform(sandboxDir: string, ref: string, sql: string): Promise<void> {
  const record = await readFile(path.join(sandboxDir, "projects", `${ref}.json`), "utf8");
  const { databasePort, platformPassword } = JSON.parse(record);
  const client = new pg.Client({
    host: "127.0.0.1",
    port: databasePort,
    user: "supabase_admin",
    password: platformPassword,
    database: "postgres",
  });
  await client.connect();
  try {
    await client.query("set session_replication_role to replica");
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** Begins the log. `sandboxDir`: see {@link asPlatform}. */
export function installEffectsLog(sandboxDir: string, ref: string): Promise<void> {
  return asPlatform(
    sandboxDir,
    ref,
    `create table ${LOG} (command text not null, object text not null);
    grant select on ${LOG} to postgres;
    create function extensions.note_fault_effects() returns event_trigger language plpgsql
      security definer set search_path = '' as $$
    begin
      insert into ${LOG} select command_tag, object_identity
      from pg_catalog.pg_event_trigger_ddl_commands()
      where object_identity is not null and schema_name is distinct from 'pg_temp';
    end $$;
    create event trigger fault_effects on ddl_command_end
      execute function extensions.note_fault_effects()`,
  );
}

/**
 * How often each command took effect. Berth's own schemas are left out: preparing them may be
 * repeated, and is without effect then.
 */
export async function readEffects(customer: pg.Client): Promise<Record<string, number>> {
  const { rows } = await customer.query<{ name: string; times: number }>(
    `select command || ' ' || object as name, count(*)::int as times from ${LOG}
     where object !~ '^(berth|supabase_migrations)\\M' group by 1`,
  );
  return Object.fromEntries(rows.map(({ name, times }) => [name, times]));
}
