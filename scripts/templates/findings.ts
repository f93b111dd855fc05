import { BerthError } from "#app/platform/errors.ts";

/** One thing that is wrong with the templates. */
export interface Finding {
  /** The rule that is broken; of what the catalogue refuses, the error's code. */
  rule: string;
  file: string | null;
  /** Counted from 1. */
  line: number | null;
  /** A sentence for the person who can mend it: file and line, what, why, and what to do. */
  message: string;
  /** Where a database showed it: "base + pos on PostgreSQL 15, legacy grants". */
  seen: string[];
}

/** What breaks a rule of the check itself. */
export function finding(o: {
  rule: string;
  file: string;
  line: number;
  what: string;
  why: string;
  fix: string;
}): Finding {
  const { rule, file, line, what, why, fix } = o;
  return { rule, file, line, message: `${file}:${line}: ${what}: ${why}. ${fix}`, seen: [] };
}

/** A failure that the project expects, as a finding. @throws any other error as it is */
export function asFinding(error: unknown): Finding {
  if (!(error instanceof BerthError)) throw error;
  const { code, message, fix } = error;
  const { file = null, line = null } = error as { file?: string; line?: number };
  const told = fix && !message.includes(fix) ? `${message} ${fix}` : message;
  return { rule: code, file, line, message: told, seen: [] };
}

/** What was found in databases: the same sentence once, with every place where it was seen. */
export class SeenFindings {
  readonly #byMessage = new Map<string, Finding>();

  add(found: Finding, seen: string): void {
    const known = this.#byMessage.get(found.message);
    if (known) known.seen.push(seen);
    else this.#byMessage.set(found.message, { ...found, seen: [seen] });
  }

  all(): Finding[] {
    return [...this.#byMessage.values()];
  }
}
