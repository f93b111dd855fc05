import {
  type ConnectionTest,
  customerLine,
  fieldsOf,
  inSentence,
} from "#app/domain/backends/index.server.ts";
import type { FieldErrors } from "./forms.server.ts";

const FIELDS = ["url", "anonKey", "serviceRoleKey", "databaseUrl"] as const;

/**
 * A connection test that does not hold, as errors of the form's fields: what was found, what is
 * needed, what to do. `untested`: how many lines wait for these.
 */
export function connectionErrors({ checks }: Pick<ConnectionTest, "checks">): {
  errors: FieldErrors;
  untested: number;
} {
  const lines = checks
    .map((check) => ({ ...customerLine(check), fields: fieldsOf(check) }))
    .filter(({ state }) => state !== "holds");
  const failing = lines.filter(({ state }) => state === "fails");
  // Where nothing is to blame but the moment, the lines that were not judged say so.
  const told = failing.length > 0 ? failing : lines;
  const errors: FieldErrors = {};
  for (const field of FIELDS) {
    const texts = told
      .filter(({ fields }) => fields.includes(field))
      .map(({ found, needed, fix }) =>
        [inSentence(found), needed && inSentence(`Needed: ${needed}`), fix]
          .filter(Boolean)
          .join(" "),
      );
    if (texts.length > 0) errors[field] = [...new Set(texts)];
  }
  return { errors, untested: lines.length - told.length };
}
