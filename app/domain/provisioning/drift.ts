import { createHash } from "node:crypto";
import type { RunSession } from "#app/integrations/postgres/run-session.ts";
import { BerthError } from "#app/platform/errors.ts";
import { redactText } from "#app/platform/redact.ts";
import { type CompareOptions, compareCatalogs, readDatabase } from "./drift-compare.ts";
import { ledgerDifferences, versionsToFetch } from "./drift-ledger.ts";

/** Lines of a difference that are told, and the longest line, in characters. */
const MOST_LINES = 50;
const LONGEST_LINE = 300;

/** The database is not what its ledger implies. */
export class DriftError extends BerthError {
  /** At most 50 lines, free of secrets. */
  readonly difference: string[];
  /** SHA-256 over all of it, in hex: what a supervisor accepts. */
  readonly digest: string;

  constructor(difference: string[], digest: string) {
    const more = difference.length > 1 ? ` (and ${difference.length - 1} more)` : "";
    super("drift", "The database is not what its applied versions made it.", {
      found: `${difference[0]}${more}`,
      needed: "a database that only its recorded versions have changed",
      fix: "Undo what was changed by hand, then retry; or let a supervisor accept the difference, with a reason.",
    });
    this.difference = difference;
    this.digest = digest;
  }
}

/** What came of the comparison, for the step's outcome. */
export interface DriftFacts {
  /** "fresh", "none", "accepted", or "not compared: …" with the reason. */
  drift: string;
  /** Who accepted it: an account's id. */
  driftAcceptedBy?: string;
}

/**
 * Holds a database that is not fresh against what its ledger implies: the same versions, applied
 * once more to a scratch database on the same server. Reads only. Where the server does not allow
 * the comparison of catalogs, the ledger's own contradictions still stop the run.
 *
 * @throws DriftError; what {@link RunSession.read} throws
 */
export async function guardDrift(
  options: CompareOptions & {
    session: RunSession;
    isAccepted(digest: string): Promise<{ by: string; reason: string } | null>;
  },
): Promise<DriftFacts> {
  const { session, survey, catalog, isAccepted } = options;
  if (survey.isFresh) return { drift: "fresh" };
  const wanted = versionsToFetch(survey.ledger, catalog);
  const database = await session.read("the comparison with the ledger", (client) =>
    readDatabase(client, wanted),
  );
  const texts = ledgerDifferences(survey.ledger, database.kept, catalog);
  const { differences, obstacle } = await compareCatalogs(options, database);
  if (texts.length === 0 && differences.length === 0) {
    return { drift: obstacle === null ? "none" : `not compared: ${boundLine(obstacle)}` };
  }
  const digest = digestOf([...texts, ...differences.map(({ exact }) => exact)]);
  const accepted = await isAccepted(digest);
  if (accepted) return { drift: "accepted", driftAcceptedBy: accepted.by };
  const told = differences.filter(({ implied }) => !implied).map(({ text }) => text);
  throw new DriftError(boundLines([...texts, ...told]), digest);
}

const digestOf = (lines: string[]) =>
  createHash("sha256").update(JSON.stringify(lines.toSorted())).digest("hex");

function boundLines(lines: string[]): string[] {
  const bounded = lines.map(boundLine);
  if (bounded.length <= MOST_LINES) return bounded;
  const rest = bounded.length - MOST_LINES + 1;
  return [...bounded.slice(0, MOST_LINES - 1), `and ${rest} more differences`];
}

function boundLine(line: string): string {
  const safe = redactText(line);
  return safe.length > LONGEST_LINE ? `${safe.slice(0, LONGEST_LINE - 1)}…` : safe;
}
