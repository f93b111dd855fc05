import type pg from "pg";
import { asScriptError } from "./script.ts";

/** Settings of a session that files may read: name → value. */
export type SessionValues = Readonly<Record<string, string>>;

const NAME = /^berth\.[a-z][a-z0-9_]{0,62}\.[a-z][a-z0-9_]{0,62}$/;
const SILENCE_MS = 15_000;

// Of a set_config that answered, the server would send the values back.
const BIND = `select pg_catalog.count(pg_catalog.set_config(s.name, s.value, false))
  from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) as s (name, value)`;

/**
 * Sets them for the rest of the session, all in one statement: as bound values, which are never part
 * of any SQL's text. Files read them with `current_setting('berth.base.currency', true)`, and the
 * wall refuses what would change them. Nothing is sent where there are none.
 *
 * @throws TypeError for a name outside `berth.<template>.<parameter>`; ScriptFailure,
 * ConnectionLostError
 */
export async function bindSettings(client: pg.Client, values: SessionValues): Promise<void> {
  const entries = Object.entries(values);
  if (entries.length === 0) return;
  if (!entries.every(([name]) => NAME.test(name))) {
    throw new TypeError("A setting of a session is named berth.<template>.<parameter>.");
  }
  const watchdog = setTimeout(() => client.connection.stream.destroy(), SILENCE_MS);
  try {
    await client.query(BIND, [entries.map(([name]) => name), entries.map(([, value]) => value)]);
  } catch (error) {
    throw asScriptError(error, client);
  } finally {
    clearTimeout(watchdog);
  }
}
