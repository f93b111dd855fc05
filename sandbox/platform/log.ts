import { type Logger, pino } from "pino";

export type { Logger };

/** Lines of JSON on standard output; nothing that is logged here holds a key or a password. */
export function createLog(level: string): Logger {
  return pino({ level, base: { service: "supabase-sandbox" } });
}
