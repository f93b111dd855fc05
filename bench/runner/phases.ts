import type pg from "pg";
import type { Connect } from "./sides.ts";

/** What a run's time goes into, in the order in which it begins. */
export const PHASES = [
  "connect, TLS, sign-in",
  "lock and fence",
  "schemas",
  "guards",
  "files",
  "ledger",
  "commit",
  "end",
] as const;
export type Phase = (typeof PHASES)[number];

/** The phase of one statement, by what it says. */
function phaseOf(statement: string): Phase {
  if (/\$berth_prepare\$|create schema supabase_migrations/.test(statement)) return "schemas";
  if (statement.includes("berth.locked")) return "lock and fence";
  if (/\$berth_guard\$|^(begin|set )/.test(statement)) return "guards";
  if (/^insert into\s+(berth\.|supabase_migrations\.)/.test(statement)) return "ledger";
  if (/^commit/.test(statement)) return "commit";
  if (/^discard all/.test(statement)) return "end";
  return "files";
}

/** Cuts a script where a phase ends; a script that has no files or commit is one phase of its own. */
function cut(script: string): { phase: Phase; sql: string }[] {
  const own = (["schemas", "lock and fence"] as const).find((phase) =>
    script.split("\n;\n").some((statement) => phaseOf(statement) === phase),
  );
  if (own) return [{ phase: own, sql: script }];
  const parts: { phase: Phase; sql: string }[] = [];
  for (const statement of script.split("\n;\n").filter((text) => text !== "")) {
    const phase = phaseOf(statement);
    const last = parts.at(-1);
    if (last?.phase === phase) last.sql += `\n;\n${statement}`;
    else parts.push({ phase, sql: statement });
  }
  return parts;
}

/**
 * Runs a side with each phase in a query of its own, and answers how long each took, in
 * milliseconds. The parts of a script are told apart by their text; nothing in the runner knows.
 */
export async function measurePhases(
  connect: Connect,
  side: (connect: Connect) => Promise<void>,
): Promise<Record<Phase, number>> {
  const spent = Object.fromEntries(PHASES.map((phase) => [phase, 0])) as Record<Phase, number>;
  const timed = async <T>(phase: Phase, work: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await work();
    spent[phase] += performance.now() - started;
    return result;
  };
  await side(async (applicationName) => {
    const client = await timed("connect, TLS, sign-in", () => connect(applicationName));
    const [query, end] = [client.query.bind(client), client.end.bind(client)];
    const inParts = async (script: string) => {
      const results: pg.QueryResult[] = [];
      for (const { phase, sql } of cut(script)) {
        results.push(...[await timed(phase, () => query(sql))].flat());
      }
      return results;
    };
    return Object.assign(client, {
      query: inParts,
      end: () => timed("end", () => end()),
    });
  });
  return spent;
}
