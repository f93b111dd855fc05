import {
  type CheckName,
  type ConnectionTest,
  checkLine,
} from "#app/domain/backends/index.server.ts";
import type { FieldErrors } from "./wizard.server.ts";

/** Which field a person must look at for a line that does not hold. */
const FIELD_OF: Record<CheckName, "url" | "anonKey" | "serviceRoleKey" | "databaseUrl"> = {
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

const FIELDS = ["url", "anonKey", "serviceRoleKey", "databaseUrl"] as const;

/**
 * A connection test that does not hold, as errors of the form's fields: what was found, what is
 * needed, what to do. `untested`: how many lines wait for these.
 */
export function connectionErrors({ checks }: ConnectionTest): {
  errors: FieldErrors;
  untested: number;
} {
  const lines = checks.map(checkLine).filter(({ state }) => state !== "holds");
  const failing = lines.filter(({ state }) => state === "fails");
  // Where nothing is to blame but the moment, the lines that were not judged say so.
  const told = failing.length > 0 ? failing : lines;
  const errors: FieldErrors = {};
  for (const field of FIELDS) {
    const texts = told
      .filter(({ name }) => FIELD_OF[name] === field)
      .map(({ found, needed, fix }) =>
        [sentence(found), needed && sentence(`Needed: ${needed}`), fix].filter(Boolean).join(" "),
      );
    if (texts.length > 0) errors[field] = [...new Set(texts)];
  }
  return { errors, untested: lines.length - told.length };
}

function sentence(text = ""): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return text === "" || /[.!?]$/.test(text) ? begun : `${begun}.`;
}
