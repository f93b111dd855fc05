import { BerthError } from "#app/platform/errors.ts";

/** The lines of a connection test, in the order in which a person reads them. */
export const checkNames = [
  "url",
  "project-reachable",
  "anon-key",
  "service-role-key",
  "keys-not-swapped",
  "same-project",
  "not-in-use",
  "database-url",
  "database-reachable",
  "database-tls",
  "database-login",
  "database-privileges",
  "database-version",
  "not-transaction-pooler",
  "schema-empty-or-ours",
] as const;

export type CheckName = (typeof checkNames)[number];

/** The value that a person must look at for a line. */
export type CheckField = "url" | "anonKey" | "serviceRoleKey" | "databaseUrl";

const FIELD_OF: Record<CheckName, CheckField> = {
  url: "url",
  "project-reachable": "url",
  "anon-key": "anonKey",
  "service-role-key": "serviceRoleKey",
  "keys-not-swapped": "anonKey",
  "same-project": "url",
  "not-in-use": "url",
  "database-url": "databaseUrl",
  "database-reachable": "databaseUrl",
  "database-tls": "databaseUrl",
  "database-login": "databaseUrl",
  "database-privileges": "databaseUrl",
  "database-version": "databaseUrl",
  "not-transaction-pooler": "databaseUrl",
  "schema-empty-or-ours": "databaseUrl",
};

/** One line: what was found, what is needed, how to mend it. Never holds a secret. */
export interface Check {
  name: CheckName;
  ok: boolean;
  found?: string;
  needed?: string;
  fix?: string;
  /** It may hold in a moment, without anybody doing anything. Not part of what the API tells. */
  retryable?: boolean;
  /** Where another value is to blame than usually with this line. Not part of what the API tells. */
  field?: CheckField;
}

/** A line that holds, with what was seen. */
export function passed(name: CheckName, found: string): Check {
  return { name, ok: true, found };
}

/** A line that does not hold. */
export function failed(name: CheckName, found: string, needed: string, fix: string): Check {
  return { name, ok: false, found, needed, fix };
}

const NOT_CHECKED = "Not checked, because ";

/** A line that could not be judged. It has no fix of its own: the line named in `why` has. */
export function notChecked(name: CheckName, why: string): Check {
  return { name, ok: false, found: `${NOT_CHECKED}${why}.` };
}

/** A line that fails for a reason the code expects; anything else is a fault of Berth's own. */
export function failedBy(name: CheckName, error: unknown): Check {
  if (!(error instanceof BerthError)) throw error;
  return {
    name,
    ok: false,
    found: error.found ?? error.message,
    needed: error.needed,
    fix: error.fix,
    ...(error.retryable && { retryable: true }),
  };
}

/** The lines as the API tells them. */
export function toldChecks(checks: readonly Check[]): Omit<Check, "retryable" | "field">[] {
  return checks.map(({ retryable: _retryable, field: _field, ...check }) => check);
}

/** A line as a page shows it. */
export interface CheckLine {
  name: CheckName;
  field: CheckField;
  /** `unchecked`: not judged, since another line is to blame. */
  state: "holds" | "fails" | "unchecked";
  found?: string | undefined;
  needed?: string | undefined;
  fix?: string | undefined;
}

/** The line of a check, for a page. */
export function checkLine(check: Check): CheckLine {
  const { name, ok, found, needed, fix, field = FIELD_OF[name] } = check;
  const judged = !found?.startsWith(NOT_CHECKED);
  return { name, field, state: ok ? "holds" : judged ? "fails" : "unchecked", found, needed, fix };
}
