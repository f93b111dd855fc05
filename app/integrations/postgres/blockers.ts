import { setTimeout as sleep } from "node:timers/promises";
import { redactText } from "#app/platform/redact.ts";
import type { RunContext } from "./run-connection.ts";

/**
 * Watches, over a connection of its own, who blocks a session. `stop()` ends it and names each
 * blocker: process id, user, application, age and the beginning of its query. Never throws: it
 * only adds words to a failure.
 */
export function watchBlockers(context: RunContext, pid: number): { stop: () => Promise<string[]> } {
  const seen = new Map<number, string>();
  let going = true;
  const watching = watch().catch((error: unknown) => {
    context.log.debug({ err: error }, "blockers could not be read");
  });

  async function watch(): Promise<void> {
    const client = await context.connect(`berth-watch:${context.identity.runId}`);
    client.on("error", () => undefined);
    try {
      while (going) {
        const { rows } = await client.query<{ pid: number; words: string }>(
          `select pid, pg_catalog.format('session %s of %s (%s), in a transaction for %s: %s', pid,
             usename, application_name,
             pg_catalog.date_trunc('second', pg_catalog.now() - xact_start),
             pg_catalog.left(query, 120)) as words
           from pg_catalog.pg_stat_activity where pid = any (pg_catalog.pg_blocking_pids($1))`,
          [pid],
        );
        for (const row of rows) seen.set(row.pid, redactText(row.words));
        await sleep(50);
      }
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  return {
    async stop() {
      going = false;
      await watching;
      return [...seen.values()];
    },
  };
}
