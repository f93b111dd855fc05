import type { Answer } from "../../platform/http.ts";
import { RestRefusal } from "./errors.ts";
import type { Wishes } from "./request.ts";
import type { Outcome } from "./sql.ts";

/** Refuses an outcome that is not the one row that was asked for. Throws RestRefusal. */
export function requireSingle(wishes: Wishes, outcome: Outcome): void {
  if (!wishes.single || outcome.count === 1) return;
  const message = "Cannot coerce the result to a single JSON object";
  const details = `The result contains ${outcome.count} rows`;
  throw new RestRefusal(406, "PGRST116", message, { details });
}

/** `first-last/total` as in Content-Range; `*` for no rows and for a total that is not known. */
export const contentRange = (first: number, count: number, total: number | null) =>
  `${count > 0 ? `${first}-${first + count - 1}` : "*"}/${total ?? "*"}`;

/** The answer with a body of JSON that the database wrote. */
export function jsonAnswer(
  wishes: Wishes,
  status: number,
  text: string,
  headers: Record<string, string>,
): Answer {
  const type = wishes.single ? "vnd.pgrst.object+json" : "json";
  return {
    status,
    text,
    headers: { ...headers, "content-type": `application/${type}; charset=utf-8` },
  };
}

/** The answer to a reading: 206 when a part of a known total is shown. Throws RestRefusal. */
export function readAnswer(wishes: Wishes, outcome: Outcome, offset: number): Answer {
  requireSingle(wishes, outcome);
  const { count, total } = outcome;
  // Just behind the last row PostgREST shows nothing, as a part of the whole.
  if (total !== null && offset > total) {
    throw new RestRefusal(416, "PGRST103", "Requested range not satisfiable", {
      details: `An offset of ${offset} was requested, but there are only ${total} rows.`,
      headers: { "content-range": contentRange(offset, count, total) },
    });
  }
  const status = total !== null && count < total ? 206 : 200;
  return jsonAnswer(wishes, status, outcome.body, {
    "content-range": contentRange(offset, count, total),
  });
}
